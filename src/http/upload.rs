//! Files that come as the parts of a form.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;

use actix_multipart::Multipart;
use futures_core::Stream;

use crate::refusal::{Code, Refusal};

/// One uploaded file.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The name that the browser gave.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The files of a form, at most `limit` bytes together.
///
/// # Errors
/// [`Code::TooLarge`], [`Code::BadRequest`] where the form broke off.
pub async fn uploads(parts: Multipart, limit: usize) -> Result<Vec<Upload>, Refusal> {
    Ok(with_fields(parts, limit).await?.0)
}

/// The files of a form and its other fields.
///
/// # Errors
/// As [`uploads`].
pub async fn with_fields(
    mut parts: Multipart,
    limit: usize,
) -> Result<(Vec<Upload>, BTreeMap<String, String>), Refusal> {
    let broken = |error: actix_multipart::MultipartError| {
        Refusal::new(
            Code::BadRequest,
            format!("上传未能完整接收：{error}"),
            format!("the upload did not arrive whole: {error}"),
        )
    };
    let (mut files, mut fields) = (Vec::new(), BTreeMap::new());
    let mut total = 0_usize;
    while let Some(part) = next(&mut parts).await {
        let mut part = part.map_err(broken)?;
        let field = part.name().map(str::to_owned);
        let name = part.content_disposition().and_then(|told| told.get_filename()).map(str::to_owned);
        let mut bytes = Vec::new();
        while let Some(chunk) = next(&mut part).await {
            let chunk = chunk.map_err(broken)?;
            total = total.saturating_add(chunk.len());
            if total > limit {
                return Err(Refusal::new(
                    Code::TooLarge,
                    format!("上传内容超过{limit}字节"),
                    format!("the upload has more than {limit} bytes"),
                ));
            }
            bytes.extend_from_slice(&chunk);
        }
        match (name, field) {
            (Some(name), _) if !name.is_empty() => files.push(Upload { name, bytes }),
            (None, Some(field)) => {
                fields.insert(field, String::from_utf8_lossy(&bytes).trim().to_owned());
            }
            _ => {}
        }
    }
    Ok((files, fields))
}

async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}
