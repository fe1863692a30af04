//! Who may release which lots: an institute's authorisations, and whether they cover a case (provision N-12a).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use vocabulary::words::Category;

/// The provision under which lot release is authorised by institute and product range.
pub const PROVISION: &str = "N-12a";

/// An entry of the register of authorisations: what an institute may release, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorisation {
    pub institute: String,
    /// The one product that it covers; without one, the category counts.
    pub product: Option<String>,
    /// Every product of this category.
    pub category: Option<Category>,
    /// One test item; `None` is every item.
    pub item: Option<String>,
    pub valid_from: NaiveDate,
    /// Last day; `None` is until further notice.
    pub valid_to: Option<NaiveDate>,
    /// The document that grants it.
    pub document: String,
}

/// The documents that cover a lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorised {
    pub documents: Vec<String>,
    pub provisions: Vec<String>,
}

/// Why a lot is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{message_zh} / {message_en}")]
pub struct AuthorisationRefused {
    pub reason: RefusalReason,
    pub message_zh: String,
    pub message_en: String,
    pub provisions: Vec<String>,
}

/// The kinds of refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// No entry names the product or its category.
    NotAuthorised,
    /// There are entries, none of them valid on the day.
    NotValid,
    /// These items are outside what is granted.
    ItemsNotCovered(Vec<String>),
}

/// Decides whether an institute may take a lot of a product on a day: every item of the lot's specification needs an
/// entry for the product or its category that is valid then. A lot without items needs one that covers every item.
///
/// # Errors
/// The refusal, with its reason.
pub fn authorised(
    register: &[Authorisation],
    institute: &str,
    product: &str,
    category: Category,
    items: &[&str],
    on: NaiveDate,
) -> Result<Authorised, AuthorisationRefused> {
    let covering: Vec<&Authorisation> =
        register.iter().filter(|entry| entry.covers(institute, product, category)).collect();
    if covering.is_empty() {
        return Err(refused(
            RefusalReason::NotAuthorised,
            "本机构没有该品种的批签发授权".to_owned(),
            "the institute is not authorised to release this product".to_owned(),
        ));
    }
    let valid: Vec<&Authorisation> = covering.into_iter().filter(|entry| entry.valid_on(on)).collect();
    if valid.is_empty() {
        return Err(refused(
            RefusalReason::NotValid,
            format!("本机构对该品种的批签发授权在{on}无效"),
            format!("the institute's authorisation for this product is not valid on {on}"),
        ));
    }
    let open = uncovered(&valid, items);
    if !open.is_empty() {
        let (zh, en) = (open.join("、"), open.join(", "));
        return Err(refused(
            RefusalReason::ItemsNotCovered(open),
            format!("批签发授权不包括检验项目：{zh}"),
            format!("the authorisation does not cover these test items: {en}"),
        ));
    }
    let mut documents: Vec<String> = valid.iter().map(|entry| entry.document.clone()).collect();
    documents.sort();
    documents.dedup();
    Ok(Authorised { documents, provisions: vec![PROVISION.to_owned()] })
}

/// The items that no entry allows; `*` where a lot names none and no entry covers all.
fn uncovered(valid: &[&Authorisation], items: &[&str]) -> Vec<String> {
    if items.is_empty() {
        let covers_all = valid.iter().any(|entry| entry.item.is_none());
        return if covers_all { Vec::new() } else { vec!["*".to_owned()] };
    }
    let allowed = |item: &str| valid.iter().any(|entry| entry.item.as_deref().is_none_or(|covered| covered == item));
    items.iter().filter(|item| !allowed(item)).map(|item| (*item).to_owned()).collect()
}

fn refused(reason: RefusalReason, message_zh: String, message_en: String) -> AuthorisationRefused {
    AuthorisationRefused { reason, message_zh, message_en, provisions: vec![PROVISION.to_owned()] }
}

impl Authorisation {
    fn covers(&self, institute: &str, product: &str, category: Category) -> bool {
        let covered = match &self.product {
            Some(own) => own == product,
            None => self.category == Some(category),
        };
        covered && self.institute == institute
    }

    fn valid_on(&self, day: NaiveDate) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|to| day <= to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        crate::case::parse_date(text).expect(text)
    }

    fn entry(
        product: Option<&str>,
        category: Option<Category>,
        item: Option<&str>,
        from: &str,
        to: Option<&str>,
    ) -> Authorisation {
        Authorisation {
            institute: "SH".into(),
            product: product.map(str::to_owned),
            category,
            item: item.map(str::to_owned),
            valid_from: day(from),
            valid_to: to.map(day),
            document: "授权公告".into(),
        }
    }

    fn ask(register: &[Authorisation], institute: &str, on: &str) -> Result<Authorised, RefusalReason> {
        let items = ["potency", "sterility"];
        authorised(register, institute, "flu", Category::Vaccine, &items, day(on)).map_err(|refused| {
            assert_eq!(refused.provisions, ["N-12a"]);
            refused.reason
        })
    }

    #[test]
    fn institute_product_and_dates_count() {
        let own = [entry(Some("flu"), None, None, "2025-01-01", Some("2026-12-31"))];
        assert!(ask(&own, "SH", "2025-01-01").is_ok() && ask(&own, "SH", "2026-12-31").is_ok());
        assert_eq!(ask(&own, "SH", "2024-12-31"), Err(RefusalReason::NotValid));
        assert_eq!(ask(&own, "SH", "2027-01-01"), Err(RefusalReason::NotValid));
        assert_eq!(ask(&own, "BJ", "2026-01-01"), Err(RefusalReason::NotAuthorised));
        let other = [entry(Some("bcg"), None, None, "2025-01-01", None)];
        assert_eq!(ask(&other, "SH", "2026-01-01"), Err(RefusalReason::NotAuthorised));
        let blood = [entry(None, Some(Category::BloodProduct), None, "2025-01-01", None)];
        assert_eq!(ask(&blood, "SH", "2026-01-01"), Err(RefusalReason::NotAuthorised));
        // An entry for another product does not widen to that product's category.
        let narrow = [entry(Some("bcg"), Some(Category::Vaccine), None, "2025-01-01", None)];
        assert_eq!(ask(&narrow, "SH", "2026-01-01"), Err(RefusalReason::NotAuthorised));
        assert_eq!(ask(&[], "SH", "2026-01-01"), Err(RefusalReason::NotAuthorised));
    }

    #[test]
    fn items_count_each_for_itself() {
        let parts = [
            entry(None, Some(Category::Vaccine), Some("potency"), "2025-01-01", None),
            entry(Some("flu"), None, Some("sterility"), "2026-06-01", None),
        ];
        let missing = RefusalReason::ItemsNotCovered(vec!["sterility".to_owned()]);
        assert_eq!(ask(&parts, "SH", "2026-05-31"), Err(missing));
        let found = ask(&parts, "SH", "2026-06-01").expect("both items");
        assert_eq!(found.documents, ["授权公告"]);
        let whole = authorised(&parts, "SH", "flu", Category::Vaccine, &[], day("2026-06-01"));
        assert_eq!(whole.map_err(|refused| refused.reason), Err(RefusalReason::ItemsNotCovered(vec!["*".to_owned()])));
    }
}
