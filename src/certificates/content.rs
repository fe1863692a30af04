//! The content of a certificate as it is kept. It is read whole or not at all: a certificate, or the public's page,
//! with blanks in it would be worse than an error. What a later version added to it stays in it.

use serde::Deserialize;
use serde_json::Value;

use crate::documents::{CertificateData, SCHEMA_VERSION};
use crate::people::canonical_sha256;
use crate::refusal::Refusal;
use crate::store::columns::Json;
use crate::store::rows::CertificateRow;
use crate::store::stored::At;

/// The parts that every kept content has. [`CertificateData`] itself fills what is missing with blanks, since it is
/// also what machines read out of a PDF.
const PARTS: &[&str] = &[
    "version",
    "kind",
    "number",
    "institution",
    "customer",
    "sample",
    "testing",
    "results",
    "conclusion",
    "statements",
    "verification",
];

/// What the public's page says of the content.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Published {
    sample: PublishedSample,
    institution: Named,
    conclusion: Concluded,
}

#[derive(Debug, PartialEq, Deserialize)]
struct PublishedSample {
    name: Chinese,
    lot: String,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Named {
    name: Chinese,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Concluded {
    text: Chinese,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Chinese {
    zh: String,
}

impl Published {
    pub(super) fn product(&self) -> &str {
        &self.sample.name.zh
    }

    pub(super) fn lot(&self) -> &str {
        &self.sample.lot
    }

    pub(super) fn institution(&self) -> &str {
        &self.institution.name.zh
    }

    pub(super) fn conclusion(&self) -> &str {
        &self.conclusion.text.zh
    }
}

fn at(row: &CertificateRow) -> At<'_> {
    At::new("certificate", "data", row.id.as_str())
}

/// The kept document as a tree, with its parts and a version that is known here.
fn tree(at: At<'_>, stored: &Json) -> Result<Value, Refusal> {
    let tree = at.tree(stored)?;
    if let Some(part) = PARTS.iter().find(|part| tree.get(part).is_none()) {
        return Err(at.unreadable(format!("{part} is missing")));
    }
    if tree["version"] != SCHEMA_VERSION {
        return Err(at.unreadable(format!("version {} is not known here", tree["version"])));
    }
    Ok(tree)
}

fn shaped<T: serde::de::DeserializeOwned>(at: At<'_>, tree: Value) -> Result<T, Refusal> {
    serde_json::from_value(tree).map_err(|error| at.unreadable(error))
}

/// The whole content.
///
/// # Errors
/// Names the row, where the content cannot be read.
pub(super) fn content(row: &CertificateRow) -> Result<CertificateData, Refusal> {
    shaped(at(row), tree(at(row), &row.data)?)
}

/// What the public may see of it.
///
/// # Errors
/// As [`content`].
pub(super) fn published(row: &CertificateRow) -> Result<Published, Refusal> {
    shaped(at(row), tree(at(row), &row.data)?)
}

/// The kept content with its number; everything else in it stays as it is.
///
/// # Errors
/// As [`content`].
pub(super) fn numbered(row: &CertificateRow, number: &str) -> Result<Json, Refusal> {
    with_number(at(row), &row.data, number)
}

fn with_number(at: At<'_>, stored: &Json, number: &str) -> Result<Json, Refusal> {
    let mut tree = tree(at, stored)?;
    tree["number"] = Value::from(number);
    Ok(Json::of(&tree))
}

/// What a number, a date, a signatory and a seal add to the data: none of it was there to be reviewed.
const ADDED_LATER: &[&str] = &["number", "issued_on", "signatory", "seal"];

/// SHA-256 of the data as they are reviewed and signed: in one form, without what is added to them later.
///
/// # Errors
/// As [`content`].
pub(super) fn data_sha256(row: &CertificateRow) -> Result<String, Refusal> {
    Ok(reviewed_sha256(tree(at(row), &row.data)?))
}

fn reviewed_sha256(mut tree: Value) -> String {
    if let Some(fields) = tree.as_object_mut() {
        fields.retain(|name, _| !ADDED_LATER.contains(&name.as_str()));
    }
    canonical_sha256(&tree)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::refusal::Code;

    fn place() -> At<'static> {
        At::new("certificate", "data", "c-1")
    }

    fn kept() -> Value {
        let mut data = CertificateData::default();
        data.sample.name.zh = "注射用头孢曲松钠".into();
        data.sample.lot = "2026001".into();
        json!(data)
    }

    #[test]
    fn what_is_kept_whole_is_read() {
        let tree = tree(place(), &Json::of(&kept())).expect("a whole content");
        let published: Published = shaped(place(), tree).expect("what the public sees");
        assert_eq!((published.product(), published.lot()), ("注射用头孢曲松钠", "2026001"));
    }

    #[test]
    fn a_part_that_is_missing_is_an_error_and_no_blank() {
        for part in PARTS {
            let mut broken = kept();
            broken.as_object_mut().expect("an object").remove(*part);
            let refused = tree(place(), &Json::of(&broken)).expect_err(part);
            assert_eq!(refused.code, Code::RecordUnreadable);
            assert!(refused.message_en.contains(part) && refused.message_en.contains("c-1"), "{refused}");
        }
        let mut renamed = kept();
        renamed["sample"] = json!({"title": {"zh": "x"}});
        assert!(shaped::<Published>(place(), renamed).is_err(), "a name that was renamed is no blank");
        let mut later = kept();
        later["version"] = json!(SCHEMA_VERSION + 1);
        assert!(tree(place(), &Json::of(&later)).is_err());
    }

    #[test]
    fn number_date_and_signatory_are_no_part_of_what_is_reviewed_and_all_else_is() {
        let reviewed = reviewed_sha256(kept());
        let mut issued = kept();
        issued["number"] = json!("B20260001");
        issued["issued_on"] = json!("2026年3月2日");
        issued["signatory"] = json!({"name": "郭正"});
        issued["seal"] = json!("ab");
        assert_eq!(reviewed_sha256(issued), reviewed);
        let mut other = kept();
        other["sample"]["lot"] = json!("2026002");
        assert_ne!(reviewed_sha256(other), reviewed);
    }

    #[test]
    fn the_number_is_set_and_what_a_later_version_added_stays() {
        let mut later = kept();
        later["sample"]["colour"] = json!("white");
        later["added"] = json!([1]);
        let numbered = with_number(place(), &Json::of(&later), "B20260001").expect("numbered");
        let tree = place().tree(&numbered).expect("a tree");
        assert_eq!(tree["number"], "B20260001");
        assert_eq!((&tree["sample"]["colour"], &tree["added"]), (&json!("white"), &json!([1])));
    }
}
