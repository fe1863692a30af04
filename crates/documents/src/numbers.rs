//! How documents are numbered (编号规则).

use serde::{Deserialize, Serialize};

use crate::CertificateKind;

/// How certificates are numbered: `{abbr}` the institute's short name, `{import}` the mark 进 of an imported lot, `{year}`,
/// `{number}` four digits or more.
///
/// The lot-release form 批签X检YYYYNNNN is read off published certificates [V2]; that release and refusal share one series
/// and that imports carry 进 in it is general knowledge [M-H]; the others are the program's defaults [M-L]. A laboratory
/// changes all of them in its configuration. Patterns that are equal are one series.
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
            lot_release: "批签{abbr}{import}检{year}{number}".into(),
            lot_release_refusal: "批签{abbr}{import}检{year}{number}".into(),
            import_report: "{abbr}口检{year}{number}".into(),
        }
    }
}

impl NumberPatterns {
    /// Checks that every pattern keeps numbers apart.
    ///
    /// # Errors
    /// Names the pattern that lacks `{year}`, `{number}` or `{abbr}`, or two that are equal and are not both of lot release.
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
            let of_lots = |name: &str| name.starts_with("lot_release");
            if all.iter().take(index).any(|(known, other)| other == pattern && !(of_lots(known) && of_lots(name))) {
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

    /// The series that numbers of a kind are counted in. An import is counted with the others.
    #[must_use]
    pub fn series(&self, kind: CertificateKind, abbreviation: &str) -> String {
        self.of(kind).replace("{abbr}", abbreviation).replace("{import}", "")
    }

    /// A number of a kind as it is printed.
    #[must_use]
    pub fn number(&self, kind: CertificateKind, abbreviation: &str, imported: bool, year: i32, number: i64) -> String {
        let mark = if imported { "进" } else { "" };
        self.of(kind)
            .replace("{abbr}", abbreviation)
            .replace("{import}", mark)
            .replace("{year}", &format!("{year:04}"))
            .replace("{number}", &format!("{number:04}"))
    }
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
        let apart =
            NumberPatterns { lot_release_refusal: "不批签{abbr}检{year}{number}".into(), ..Default::default() };
        assert!(apart.check().is_ok(), "a laboratory may count refusals apart");
        let bare = NumberPatterns { lot_release: "批签{number}".into(), ..Default::default() };
        assert!(bare.check().is_err_and(|r| r.pattern == "lot_release"));
    }

    #[test]
    fn release_and_refusal_share_a_series_and_imports_carry_their_mark_in_it() {
        let patterns = NumberPatterns::default();
        let release = patterns.series(CertificateKind::LotRelease, "沪");
        assert_eq!(release, patterns.series(CertificateKind::LotReleaseRefusal, "沪"));
        assert_eq!(release, "批签沪检{year}{number}", "the series goes on that an older version began");
        let printed = |kind, imported| patterns.number(kind, "沪", imported, 2026, 7);
        assert_eq!(printed(CertificateKind::LotRelease, false), "批签沪检20260007");
        assert_eq!(printed(CertificateKind::LotReleaseRefusal, true), "批签沪进检20260007");
        assert_eq!(printed(CertificateKind::TestReport, true), "沪检20260007", "no other kind has the mark");
    }
}
