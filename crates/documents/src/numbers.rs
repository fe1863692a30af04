//! How documents are numbered (编号规则).

use serde::{Deserialize, Serialize};

use crate::CertificateKind;

/// How certificates are numbered: `{abbr}` the institute's short name, `{year}`, `{number}` four digits or more.
///
/// The lot-release form 批签X检YYYYNNNN is read off published certificates [V2]; the others are the program's defaults
/// [M-L] that a laboratory changes in its configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NumberPatterns {
    pub test_report: String,
    pub lot_release: String,
    pub lot_release_refusal: String,
    pub import_report: String,
}

impl Default for NumberPatterns {
    fn default() -> Self {
        Self {
            test_report: "{abbr}检{year}{number}".into(),
            lot_release: "批签{abbr}检{year}{number}".into(),
            lot_release_refusal: "不批签{abbr}检{year}{number}".into(),
            import_report: "{abbr}口检{year}{number}".into(),
        }
    }
}

impl NumberPatterns {
    /// Checks that every pattern keeps numbers apart.
    ///
    /// # Errors
    /// Names the pattern that lacks `{year}`, `{number}` or `{abbr}`, or two that are equal.
    pub fn check(&self) -> Result<(), PatternError> {
        let all = [
            ("test_report", &self.test_report),
            ("lot_release", &self.lot_release),
            ("lot_release_refusal", &self.lot_release_refusal),
            ("import_report", &self.import_report),
        ];
        for (index, (name, pattern)) in all.iter().enumerate() {
            if !["{abbr}", "{year}", "{number}"].iter().all(|part| pattern.contains(part)) {
                return Err(PatternError {
                    pattern: name,
                    zh: "应含 {abbr}、{year} 与 {number}",
                    en: "expected {abbr}, {year} and {number}",
                });
            }
            if all.iter().take(index).any(|(_, other)| other == pattern) {
                return Err(PatternError {
                    pattern: name,
                    zh: "与另一种编号相同",
                    en: "is the same as another pattern",
                });
            }
        }
        Ok(())
    }

    fn of(&self, kind: CertificateKind) -> &str {
        match kind {
            CertificateKind::LotRelease => &self.lot_release,
            CertificateKind::LotReleaseRefusal => &self.lot_release_refusal,
            CertificateKind::ImportReport => &self.import_report,
            CertificateKind::TestReport | CertificateKind::RawRecord => &self.test_report,
        }
    }

    /// What comes before the year and the number in a kind's series.
    #[must_use]
    pub fn series(&self, kind: CertificateKind, abbreviation: &str) -> String {
        self.of(kind).replace("{abbr}", abbreviation)
    }
}

/// A number of a series ([`NumberPatterns::series`]) as it is printed.
#[must_use]
pub fn number(series: &str, year: i32, number: i64) -> String {
    series.replace("{year}", &format!("{year:04}")).replace("{number}", &format!("{number:04}"))
}

/// A pattern that does not keep numbers apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("certificate_numbers.{pattern}: {en}")]
pub struct PatternError {
    /// The field of the pattern.
    pub pattern: &'static str,
    /// What was expected, in Chinese.
    pub zh: &'static str,
    /// The same in English.
    pub en: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_keep_numbers_apart() {
        assert!(NumberPatterns::default().check().is_ok());
        let same = NumberPatterns { import_report: "{abbr}检{year}{number}".into(), ..Default::default() };
        assert!(same.check().is_err());
        let bare = NumberPatterns { lot_release: "批签{number}".into(), ..Default::default() };
        assert!(bare.check().is_err_and(|r| r.pattern == "lot_release"));
    }
}
