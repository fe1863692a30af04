//! Reading what signing and verifying need from a PDF: its parts by name, and nothing else.

use lopdf::{Dictionary, Document, LoadOptions, Object};

/// A certificate is below 1 MB; nothing that unpacks to more than this is read.
const MAX_UNPACKED: usize = 32 * 1024 * 1024;

/// Name trees deeper than this are not followed.
const MAX_DEPTH: usize = 16;

/// Name of the attached machine-readable data.
pub(super) const DATA_FILE: &[u8] = b"data.json";

/// Reads a PDF that anybody may have made. A panic inside the reader counts as unreadable: a
/// damaged upload must not take a worker thread with it.
pub(super) fn load(bytes: &[u8]) -> Result<Document, String> {
    let options = LoadOptions { strict: true, ..LoadOptions::with_max_decompressed_size(MAX_UNPACKED) };
    std::panic::catch_unwind(|| Document::load_mem_with_options(bytes, options))
        .map_err(|_| "the reader gave up".to_owned())?
        .map_err(|e| e.to_string())
}

/// The value of `key` as a dictionary, whether direct or by reference.
pub(super) fn dictionary<'a>(document: &'a Document, parent: &'a Dictionary, key: &[u8]) -> Option<&'a Dictionary> {
    parent.get_deref(key, document).ok()?.as_dict().ok()
}

/// The entry `name` of the name tree `kind` (`Dests`, `EmbeddedFiles`) of the catalogue.
pub(super) fn named<'a>(document: &'a Document, kind: &[u8], name: &[u8]) -> Option<&'a Object> {
    let names = dictionary(document, document.catalog().ok()?, b"Names")?;
    search(document, dictionary(document, names, kind)?, name, 0)
}

fn search<'a>(document: &'a Document, node: &'a Dictionary, name: &[u8], depth: usize) -> Option<&'a Object> {
    if depth > MAX_DEPTH {
        return None;
    }
    if let Ok(pairs) = node.get_deref(b"Names", document).and_then(Object::as_array) {
        let found = pairs.chunks_exact(2).find(|pair| key_is(&pair[0], name)).map(|pair| &pair[1]);
        if found.is_some() {
            return found;
        }
    }
    let kids = node.get_deref(b"Kids", document).and_then(Object::as_array);
    kids.ok()?.iter().find_map(|kid| {
        let (_, object) = document.dereference(kid).ok()?;
        search(document, object.as_dict().ok()?, name, depth + 1)
    })
}

/// Names are written as plain bytes or as UTF-16 with a byte order mark.
fn key_is(key: &Object, name: &[u8]) -> bool {
    let Ok(key) = key.as_str() else { return false };
    key == name
        || key
            .strip_prefix(&[0xfe, 0xff])
            .is_some_and(|wide| wide.chunks(2).map(|c| c[c.len() - 1]).eq(name.iter().copied()))
}

/// The bytes of the attached `data.json`.
pub(super) fn attached_data(document: &Document) -> Option<Vec<u8>> {
    let (_, file) = document.dereference(named(document, b"EmbeddedFiles", DATA_FILE)?).ok()?;
    let embedded = dictionary(document, file.as_dict().ok()?, b"EF")?;
    let stream = [b"F".as_slice(), b"UF".as_slice()]
        .into_iter()
        .find_map(|key| embedded.get_deref(key, document).ok()?.as_stream().ok())?;
    stream.get_plain_content_with_limit(MAX_UNPACKED).ok()
}

/// A text string, in PDFDocEncoding (its ASCII part) or UTF-16.
pub(super) fn text(object: &Object) -> Option<String> {
    lopdf::decode_text_string(object).ok()
}
