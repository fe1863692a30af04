//! Lot release of biologics (生物制品批签发).

use crate::business::{Accepting, Field, Line};
use crate::documents::CertificateKind;
use crate::lines::LineRefusal;
use crate::refusal::Refusal;
use crate::regulation;
use crate::vocabulary::Business;

/// The line.
pub struct LotRelease;

impl Line for LotRelease {
    fn businesses(&self) -> &'static [Business] {
        &[Business::LotRelease]
    }

    fn heading(&self) -> (&'static str, &'static str) {
        ("批签发信息", "Lot release")
    }

    fn particulars(&self) -> &'static [Field] {
        const PARTICULARS: &[Field] = &[
            Field::new("release_quantity", "签发量", "Quantity to release"),
            Field::new("summary_protocol", "批生产及检验记录摘要编号", "Summary protocol"),
            // An imported lot is numbered with a mark of its own.
            Field::new("import_registration", "进口药品注册证号", "Import registration"),
        ];
        PARTICULARS
    }

    fn authorised(&self) -> bool {
        true
    }

    fn reviews_protocols(&self) -> bool {
        true
    }

    /// Every item of the specification must be within the institute's authorisation on the day of acceptance.
    fn check_acceptance(&self, case: &Accepting<'_>) -> Result<(), Refusal> {
        let Accepting { authorisations, institute, product, category, items, on } = *case;
        regulation::authorised(authorisations, institute, product, category, items, on)
            .map(|_| ())
            .map_err(|refused| LineRefusal::NotAuthorised(refused).into())
    }

    fn document(&self, conforms: bool) -> CertificateKind {
        if conforms { CertificateKind::LotRelease } else { CertificateKind::LotReleaseRefusal }
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::refusal::Code;
    use crate::regulation::{Authorisation, Category};

    #[test]
    fn a_lot_needs_an_authorisation_of_its_product_on_that_day() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        let granted = Authorisation {
            institute: "i".into(),
            product: Some("p".into()),
            category: None,
            item: None,
            valid_from: day("2026-01-01"),
            valid_to: Some(day("2026-12-31")),
            document: "第1号".into(),
        };
        let check = |authorisations: &[Authorisation], on: &str| {
            LotRelease.check_acceptance(&Accepting {
                authorisations,
                institute: "i",
                product: "p",
                category: Category::Vaccine,
                items: &["potency"],
                on: day(on),
            })
        };
        assert!(check(std::slice::from_ref(&granted), "2026-03-01").is_ok());
        let late = check(&[granted], "2027-01-01").expect_err("it ran out");
        assert_eq!((late.code, late.field.as_deref()), (Code::NotAuthorised, Some("product_id")));
        assert!(check(&[], "2026-03-01").is_err());
    }

    #[test]
    fn the_document_says_whether_the_lot_is_released() {
        assert_eq!(LotRelease.document(true), CertificateKind::LotRelease);
        assert_eq!(LotRelease.document(false), CertificateKind::LotReleaseRefusal);
    }
}
