//! Certificate numbers (证书编号), without gaps: taken at review, in the transaction that reviews.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::document::CertificateKind;
use crate::refusal::Refusal;
use crate::store::dialect::next_number;
use crate::store::{AnyConnection, Outcome};

/// How certificates are numbered: `{abbr}` the institute's short name, `{year}`, `{number}` four digits or more.
///
/// The lot-release form 批签X检YYYYNNNN is read off published certificates [V2]; the others are defaults of ours
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
    pub fn check(&self) -> Result<(), Refusal> {
        let all = [
            ("test_report", &self.test_report),
            ("lot_release", &self.lot_release),
            ("lot_release_refusal", &self.lot_release_refusal),
            ("import_report", &self.import_report),
        ];
        for (index, (name, pattern)) in all.iter().enumerate() {
            let field = format!("certificate_numbers.{name}");
            if !["{abbr}", "{year}", "{number}"].iter().all(|part| pattern.contains(part)) {
                return Err(Refusal::field(
                    field,
                    "应含 {abbr}、{year} 与 {number}",
                    "expected {abbr}, {year} and {number}",
                ));
            }
            if all.iter().take(index).any(|(_, other)| other == pattern) {
                return Err(Refusal::field(field, "与另一种编号相同", "is the same as another pattern"));
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

    /// Takes the next number of a kind.
    ///
    /// # Errors
    /// The store's failure.
    pub(super) fn take(
        &self,
        conn: &mut AnyConnection,
        kind: CertificateKind,
        abbreviation: &str,
        today: NaiveDate,
    ) -> Outcome<String> {
        let year = today.year();
        let pattern = self.of(kind).replace("{abbr}", abbreviation);
        let number = next_number(conn, &pattern, i64::from(year))?;
        Ok(pattern.replace("{year}", &format!("{year:04}")).replace("{number}", &format!("{number:04}")))
    }
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
        assert!(bare.check().is_err_and(|r| r.field.as_deref() == Some("certificate_numbers.lot_release")));
    }
}
