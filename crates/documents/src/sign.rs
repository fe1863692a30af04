//! Signing: an incremental update that leaves every byte of the typeset document as it is.

use chrono::{DateTime, FixedOffset, Utc};
use lopdf::{Dictionary, Document, IncrementalDocument, Object, ObjectId, Stream, StringFormat};
use sha2::{Digest, Sha256};

use super::cms;
use super::keys::{KeyError, SigningKey};
use super::pdf;
use super::tagging;

/// Bytes kept free for the signature value; it takes 2 to 4 KB with a chain of certificates.
const RESERVED: usize = 16 * 1024;

/// Takes the place of a number of up to ten digits until the file is laid out.
const DUMMY: i64 = 9_999_999_999;

/// Size of the signature field at the place of the seal, in points (46 mm × 36 mm).
const SEAL: (f32, f32) = (130.0, 102.0);

/// The layouts' label of the place of the seal.
const SEAL_LABEL: &[u8] = b"seal";

/// Statutory dates and times are those of Shanghai.
const SHANGHAI_SECONDS: i32 = 8 * 3600;

/// What the signature holds besides the digest of the document.
#[derive(Debug, Clone)]
pub struct SignInfo {
    /// Meaning of the signature.
    pub reason: String,
    /// Place.
    pub location: String,
    /// Name of the signatory.
    pub name: String,
    /// Time of signing.
    pub time: DateTime<Utc>,
}

/// Why a document was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The document cannot be read.
    #[error("the document to be signed is not readable: {0}")]
    Unreadable(String),
    /// The document is marked as a draft.
    #[error("a draft is not signed")]
    Draft,
    /// The key or its certificate failed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The PDF's structure is not as expected.
    #[error("the document cannot take a signature: {0}")]
    Structure(String),
}

impl From<lopdf::Error> for SignError {
    fn from(error: lopdf::Error) -> Self {
        Self::Structure(error.to_string())
    }
}

/// Signs a document (PAdES baseline B). The result starts with the given bytes; signing a signed
/// document again adds a second signature and leaves the first valid.
///
/// The field's appearance is present but empty: what a reader sees at the place of the seal was
/// typeset with the page, in the document's own embedded fonts, and is covered by the signature.
pub fn sign(pdf: &[u8], key: &SigningKey, info: &SignInfo) -> Result<Vec<u8>, SignError> {
    let previous = pdf::load(pdf).map_err(SignError::Unreadable)?;
    if is_draft(&previous) {
        return Err(SignError::Draft);
    }
    let mut update = IncrementalDocument::create_from(pdf.to_vec(), previous);
    add_field(&mut update, info)?;
    let mut file = Vec::with_capacity(pdf.len() + 2 * RESERVED + 4096);
    update.save_to(&mut file).map_err(|e| SignError::Structure(e.to_string()))?;
    if !file.starts_with(pdf) {
        return Err(SignError::Structure("the update would change earlier bytes".to_owned()));
    }
    fill(&mut file, pdf.len(), key)?;
    Ok(file)
}

fn is_draft(document: &Document) -> bool {
    pdf::attached_data(document)
        .and_then(|json| serde_json::from_slice::<serde_json::Value>(&json).ok())
        .is_some_and(|value| value.get("draft") == Some(&serde_json::Value::Bool(true)))
}

fn add_field(update: &mut IncrementalDocument, info: &SignInfo) -> Result<(), SignError> {
    let form = Form::read(update.get_prev_documents())?;
    let (page, rect) = place(update.get_prev_documents(), form.fields.is_empty())?;
    let appearance = update.new_document.add_object(empty_appearance(&rect));
    let value = update.new_document.add_object(signature_value(info));
    let mut field = Dictionary::new();
    field.set("Type", name("Annot"));
    field.set("Subtype", name("Widget"));
    field.set("FT", name("Sig"));
    field.set("T", lopdf::text_string(&format!("Signature{}", form.fields.len() + 1)));
    field.set("TU", lopdf::text_string("电子签名"));
    field.set("V", value);
    field.set("P", page);
    field.set("Rect", numbers(&rect));
    // Print: PDF/A wants every annotation to be printed and none to be hidden.
    field.set("F", 4);
    let mut states = Dictionary::new();
    states.set("N", appearance);
    field.set("AP", states);
    let id = update.new_document.new_object_id();
    if let Some(key) = tagging::tag_field(update, page, id)? {
        field.set("StructParent", key);
    }
    update.new_document.set_object(id, field);
    add_to_page(update, page, id)?;
    form.write(update, id)
}

/// The interactive form of the document, before this signature.
struct Form {
    fields: Vec<Object>,
    dictionary: Dictionary,
    id: Option<ObjectId>,
}

impl Form {
    fn read(document: &Document) -> Result<Self, SignError> {
        let catalog = document.catalog()?;
        let Ok(entry) = catalog.get(b"AcroForm") else {
            return Ok(Self { fields: Vec::new(), dictionary: Dictionary::new(), id: None });
        };
        let (id, object) = document.dereference(entry)?;
        let dictionary = object.as_dict()?.clone();
        let fields = dictionary.get_deref(b"Fields", document).and_then(Object::as_array)?.clone();
        Ok(Self { fields, dictionary, id })
    }

    fn write(mut self, update: &mut IncrementalDocument, field: ObjectId) -> Result<(), SignError> {
        self.fields.push(field.into());
        self.dictionary.set("Fields", Object::Array(self.fields));
        // SignaturesExist and AppendOnly.
        self.dictionary.set("SigFlags", 3);
        if let Some(id) = self.id {
            update.new_document.set_object(id, self.dictionary);
            return Ok(());
        }
        let form = update.new_document.add_object(self.dictionary);
        let root = update.get_prev_documents().trailer.get(b"Root").and_then(Object::as_reference)?;
        update.opt_clone_object_to_new_document(root)?;
        update.new_document.get_dictionary_mut(root)?.set("AcroForm", form);
        Ok(())
    }
}

/// Page and rectangle of the field: the labelled place of the seal for the first signature; an
/// invisible field on the last page for others, and where a layout has no such label.
fn place(document: &Document, first: bool) -> Result<(ObjectId, [f32; 4]), SignError> {
    if let Some(found) = first.then(|| seal_place(document)).flatten() {
        return Ok(found);
    }
    let pages = document.get_pages();
    let last = pages.values().next_back().copied();
    last.map(|page| (page, [0.0; 4])).ok_or_else(|| SignError::Structure("no page".to_owned()))
}

fn seal_place(document: &Document) -> Option<(ObjectId, [f32; 4])> {
    let (_, destination) = document.dereference(pdf::named(document, b"Dests", SEAL_LABEL)?).ok()?;
    let array = match destination {
        Object::Dictionary(wrapped) => wrapped.get_deref(b"D", document).ok()?.as_array().ok()?,
        other => other.as_array().ok()?,
    };
    let page = array.first()?.as_reference().ok()?;
    let left = array.get(2)?.as_float().ok()?;
    let top = array.get(3)?.as_float().ok()?;
    Some((page, [left, top - SEAL.1, left + SEAL.0, top]))
}

fn add_to_page(update: &mut IncrementalDocument, page: ObjectId, field: ObjectId) -> Result<(), SignError> {
    let previous = update.get_prev_documents();
    let mut annotations = match previous.get_dictionary(page)?.get_deref(b"Annots", previous) {
        Ok(list) => list.as_array()?.clone(),
        Err(_) => Vec::new(),
    };
    annotations.push(field.into());
    update.opt_clone_object_to_new_document(page)?;
    update.new_document.get_dictionary_mut(page)?.set("Annots", Object::Array(annotations));
    Ok(())
}

fn empty_appearance(rect: &[f32; 4]) -> Stream {
    let mut form = Dictionary::new();
    form.set("Type", name("XObject"));
    form.set("Subtype", name("Form"));
    form.set("FormType", 1);
    form.set("BBox", numbers(&[0.0, 0.0, rect[2] - rect[0], rect[3] - rect[1]]));
    form.set("Resources", Dictionary::new());
    Stream::new(form, b"q Q\n".to_vec()).with_compression(false)
}

fn signature_value(info: &SignInfo) -> Dictionary {
    let mut value = Dictionary::new();
    value.set("Type", name("Sig"));
    value.set("Filter", name("Adobe.PPKLite"));
    value.set("SubFilter", name("ETSI.CAdES.detached"));
    value.set("ByteRange", Object::Array(vec![0.into(), DUMMY.into(), DUMMY.into(), DUMMY.into()]));
    value.set("Contents", Object::String(vec![0; RESERVED], StringFormat::Hexadecimal));
    value.set("M", Object::String(pdf_date(info.time).into_bytes(), StringFormat::Literal));
    for (key, text) in [("Name", &info.name), ("Reason", &info.reason), ("Location", &info.location)] {
        if !text.is_empty() {
            value.set(key, lopdf::text_string(text));
        }
    }
    value
}

fn pdf_date(time: DateTime<Utc>) -> String {
    match FixedOffset::east_opt(SHANGHAI_SECONDS) {
        Some(zone) => time.with_timezone(&zone).format("D:%Y%m%d%H%M%S+08'00'").to_string(),
        None => time.format("D:%Y%m%d%H%M%SZ").to_string(),
    }
}

fn name(text: &str) -> Object {
    Object::Name(text.as_bytes().to_vec())
}

fn numbers(list: &[f32]) -> Object {
    Object::Array(list.iter().map(|n| Object::Real(*n)).collect())
}

/// Writes the byte range and the signature value into the space kept for them.
fn fill(file: &mut [u8], from: usize, key: &SigningKey) -> Result<(), SignError> {
    let hex = find(file, from, &[b'0'; 2 * RESERVED])
        .filter(|at| file.get(at.wrapping_sub(1)) == Some(&b'<'))
        .ok_or_else(|| SignError::Structure("no space for the signature value".to_owned()))?;
    let start = hex - 1;
    let end = hex + 2 * RESERVED + 1;
    let dummy = format!("[0 {DUMMY} {DUMMY} {DUMMY}]");
    let range = find(file, from, dummy.as_bytes()).ok_or_else(|| SignError::Structure("no byte range".to_owned()))?;
    let actual = format!("[0 {start} {end} {}]", file.len() - end);
    let padded = format!("{actual:<width$}", width = dummy.len());
    file[range..range + dummy.len()].copy_from_slice(padded.as_bytes());

    let mut hasher = Sha256::new();
    hasher.update(&file[..start]);
    hasher.update(&file[end..]);
    let value = cms::sign_digest(key, &hasher.finalize().into())?;
    if value.len() > RESERVED {
        return Err(SignError::Structure(format!(
            "the signature value takes {} bytes, {RESERVED} are kept",
            value.len()
        )));
    }
    let text = hex::encode_upper(&value);
    file[hex..hex + text.len()].copy_from_slice(text.as_bytes());
    Ok(())
}

fn find(file: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    file.get(from..)?.windows(needle.len()).position(|window| window == needle).map(|at| from + at)
}
