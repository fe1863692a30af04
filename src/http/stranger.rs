//! How a document of a stranger comes in: small, a few at a time, and within a time.

use std::time::Duration;

use super::problem::Problem;
use super::run::run;
use crate::action::Services;
use crate::certificates::{Examined, examine};
use crate::refusal::{Code, Refusal};

/// The largest document that the public may send, in bytes: certificates have a tenth of it.
pub const LARGEST: usize = 2 << 20;
/// How long a document may take to arrive: a place is not held by whoever sends a byte a minute.
const ARRIVAL: Duration = Duration::from_secs(30);

/// Takes a document in and looks it up, with the certificate's code where one was given beside it.
///
/// # Errors
/// [`Code::Busy`], [`Code::BadRequest`] where it does not arrive in time; else those of `body`.
pub async fn examined(
    services: &Services,
    code: Option<String>,
    body: impl Future<Output = Result<Vec<u8>, Refusal>>,
) -> Result<Examined, Problem> {
    let _place = services.strangers.place()?;
    let bytes = tokio::time::timeout(ARRIVAL, body).await.map_err(|_| too_slow())??;
    if bytes.is_empty() {
        return Err(Refusal::field("file", "请选择文件，且文件不得为空", "choose a file that is not empty").into());
    }
    let turn = services.strangers.turn().await?;
    let services = services.clone();
    run(move || {
        // Held until it was looked at, also where whoever sent it has gone.
        let _turn = turn;
        examine(&services, &bytes, code.as_deref())
    })
    .await
}

fn too_slow() -> Refusal {
    let seconds = ARRIVAL.as_secs();
    Refusal::new(
        Code::BadRequest,
        format!("文件未能在{seconds}秒内完整接收"),
        format!("the file did not arrive within {seconds} seconds"),
    )
}
