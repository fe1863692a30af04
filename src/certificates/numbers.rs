//! Certificate numbers (证书编号), without gaps: taken at review, in the transaction that reviews.

use chrono::{Datelike, NaiveDate};

use crate::documents::NumberPatterns;
use crate::store::dialect::next_number;
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::CertificateKind;

/// Takes the next number of a kind.
///
/// # Errors
/// The store's failure.
pub(super) fn take(
    patterns: &NumberPatterns,
    conn: &mut AnyConnection,
    kind: CertificateKind,
    abbreviation: &str,
    imported: bool,
    today: NaiveDate,
) -> Outcome<String> {
    let (series, year) = (patterns.series(kind, abbreviation), today.year());
    let number = next_number(conn, &series, i64::from(year))?;
    Ok(patterns.number(kind, abbreviation, imported, year, number))
}
