//! What each kind of document must be able to state, as data.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::data::{CertificateData, CertificateKind};

/// The shipped list.
const SHIPPED: &str = include_str!("data/facts.toml");

/// A fact that a kind of document states.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequiredFact {
    /// Where it is in `data.json`, e.g. `sample.expiry`.
    pub path: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// The kinds of documents that state it.
    kinds: Vec<CertificateKind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    fact: Vec<RequiredFact>,
}

static FACTS: LazyLock<Result<Vec<RequiredFact>, String>> = LazyLock::new(|| {
    let file: Result<File, _> = toml::from_str(SHIPPED);
    file.map(|file| file.fact).map_err(|error| error.to_string())
});

impl CertificateData {
    /// The facts that a document of its kind states and this one does not have.
    ///
    /// # Errors
    /// Where the shipped list cannot be read.
    pub fn facts_missing(&self) -> Result<Vec<RequiredFact>, String> {
        let facts = FACTS.as_ref().map_err(Clone::clone)?;
        let tree = serde_json::to_value(self).map_err(|error| error.to_string())?;
        let missing = |fact: &&RequiredFact| {
            let pointer = format!("/{}", fact.path.replace('.', "/"));
            let said = tree.pointer(&pointer).and_then(Value::as_str);
            fact.kinds.contains(&self.kind) && said.is_none_or(|text| text.trim().is_empty())
        };
        Ok(facts.iter().filter(missing).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimens::specimen;

    /// Takes the text at a path away.
    fn without(data: &CertificateData, path: &str) -> CertificateData {
        let mut tree = serde_json::to_value(data).expect("a tree");
        let at = tree.pointer_mut(&format!("/{}", path.replace('.', "/"))).unwrap_or_else(|| panic!("{path}"));
        *at = Value::from(" ");
        serde_json::from_value(tree).expect("the data again")
    }

    #[test]
    fn a_document_names_each_fact_that_it_lacks() {
        let facts = FACTS.as_ref().expect("the shipped list");
        for kind in [
            CertificateKind::TestReport,
            CertificateKind::LotRelease,
            CertificateKind::LotReleaseRefusal,
            CertificateKind::ImportReport,
        ] {
            let whole = specimen(kind);
            assert_eq!(whole.facts_missing(), Ok(Vec::new()), "{kind}");
            let of_kind: Vec<&RequiredFact> = facts.iter().filter(|fact| fact.kinds.contains(&kind)).collect();
            assert!(of_kind.len() > 3, "{kind}");
            for fact in of_kind {
                assert_eq!(
                    without(&whole, &fact.path).facts_missing(),
                    Ok(vec![fact.clone()]),
                    "{kind}: {}",
                    fact.path
                );
            }
        }
    }

    #[test]
    fn a_part_that_is_not_there_at_all_is_missing_too() {
        let bare = CertificateData {
            kind: CertificateKind::LotRelease,
            release: None,
            ..specimen(CertificateKind::LotRelease)
        };
        let missing = bare.facts_missing().expect("the list");
        let paths: Vec<&str> = missing.iter().map(|fact| fact.path.as_str()).collect();
        assert_eq!(paths, ["release.quantity", "release.dossier_review.zh"]);
    }
}
