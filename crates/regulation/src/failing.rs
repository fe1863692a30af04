//! How a failing result is investigated, as data: the points of the laboratory check, the causes, the most repetitions.

use serde::{Deserialize, Serialize};
use vocabulary::words::Confidence;

use crate::error::RegisterError;

const SHIPPED: &str = include_str!("data/failing.toml");

/// A point of the check, or a cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailingWord {
    pub code: String,
    pub zh: String,
    pub en: String,
}

/// What holds for every investigation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailingRules {
    pub confidence: Confidence,
    /// The most repetitions of a plan.
    pub most_repetitions: i64,
    /// Words of items that have no re-test, in small letters.
    pub no_retest: Vec<String>,
    /// What the laboratory check answers.
    pub point: Vec<FailingWord>,
    /// The causes for which a result is invalid.
    pub cause: Vec<FailingWord>,
    /// Those of an item without a re-test.
    pub cause_without_retest: Vec<FailingWord>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    failing: FailingRules,
}

impl FailingRules {
    /// Those of the program.
    ///
    /// # Errors
    /// Where the shipped file cannot be read.
    pub fn shipped() -> Result<Self, RegisterError> {
        Self::read("failing.toml", SHIPPED)
    }

    /// Those of a file.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn read(file: &str, text: &str) -> Result<Self, RegisterError> {
        let syntax = |detail: String| RegisterError::Syntax { file: file.to_owned(), detail };
        let raw: RawFile = toml::from_str(text).map_err(|error| syntax(error.to_string()))?;
        let rules = raw.failing;
        if rules.most_repetitions < 1 || rules.point.is_empty() || rules.cause.is_empty() {
            return Err(syntax("failing: expected points, causes and at least one repetition".into()));
        }
        Ok(rules)
    }

    /// Whether a failing result of an item may be repeated: as its specification says, or by what it is called.
    #[must_use]
    pub fn retest_allowed(&self, said: Option<bool>, names: &[&str]) -> bool {
        said.unwrap_or_else(|| {
            let names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
            !self.no_retest.iter().any(|word| names.iter().any(|name| name.contains(word.as_str())))
        })
    }

    /// The causes that count for an item.
    #[must_use]
    pub fn causes(&self, retest_allowed: bool) -> &[FailingWord] {
        if retest_allowed { &self.cause } else { &self.cause_without_retest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_sterility_has_no_retest_unless_its_specification_says_so() {
        let rules = FailingRules::shipped().expect("the shipped file");
        assert!(!rules.retest_allowed(None, &["无菌检查", "Sterility"]));
        assert!(!rules.retest_allowed(None, &["x", "Bacterial Endotoxins"]));
        assert!(rules.retest_allowed(None, &["含量测定"]));
        assert!(rules.retest_allowed(Some(true), &["无菌检查"]));
        assert_eq!(rules.causes(false).len(), 4);
    }

    #[test]
    fn a_file_without_points_is_refused() {
        let bare = "[failing]\nconfidence=\"M-M\"\nmost_repetitions=0\nno_retest=[]\npoint=[]\ncause=[]\ncause_without_retest=[]";
        FailingRules::read("own.toml", bare).expect_err("nothing to check");
    }
}
