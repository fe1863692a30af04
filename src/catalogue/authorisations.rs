//! Lot-release authorisations (批签发授权).

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::refusals::CatalogueRefusal;
use crate::action::{Action, Context, Facts};
use crate::record::Change;
use crate::refusal::Refusal;
use crate::regulation::Category;
use crate::store::Outcome;
use crate::store::columns::{AuthorisationId, Day, InstituteId, ProductId};
use crate::store::rows::AuthorisationRow;
use crate::store::schema::authorisation;
use crate::store::views::{self, AuthorisationView};
use crate::text;
use crate::vocabulary::Permission;

/// A lot-release authorisation: institute × product (or category) × item × dates (国办发〔2024〕53号（十二）).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = NewAuthorisation)]
#[serde(deny_unknown_fields)]
pub struct GrantAuthorisation {
    /// One's own institute
    pub institute_id: InstituteId,
    /// One product, or
    pub product_id: Option<ProductId>,
    /// a whole category
    pub category: Option<Category>,
    /// One test item by its code; without it, all
    pub item_code: Option<String>,
    /// `YYYY-MM-DD`
    pub valid_from: String,
    /// `YYYY-MM-DD`, the last day
    pub valid_to: Option<String>,
    /// The document that authorises
    pub document: String,
}

/// Whether what the authorisation speaks of is there.
pub struct Referred {
    institute: bool,
    product: bool,
}

/// What was found in order.
pub struct Granted {
    from: NaiveDate,
    to: Option<NaiveDate>,
    item_code: Option<String>,
    document: String,
}

impl GrantAuthorisation {
    fn checked(&self, named: &Referred) -> Result<Granted, Refusal> {
        if self.product_id.is_some() == self.category.is_some() {
            return Err(CatalogueRefusal::ProductOrCategory.into());
        }
        if !named.institute {
            return Err(CatalogueRefusal::InstituteUnknown.into());
        }
        if !named.product {
            return Err(CatalogueRefusal::ProductUnknown.into());
        }
        let from = text::date("valid_from", &self.valid_from)?;
        let to = text::date_opt("valid_to", self.valid_to.as_deref())?;
        if to.is_some_and(|to| to < from) {
            return Err(CatalogueRefusal::EndsBeforeStart.into());
        }
        let item = self.item_code.as_deref();
        Ok(Granted {
            from,
            to,
            item_code: item.map(|code| text::required("item_code", code, 40)).transpose()?,
            document: text::required("document", &self.document, text::TEXT)?,
        })
    }
}

impl Action for GrantAuthorisation {
    const NAME: &'static str = "authorisation.grant";
    const PERMISSION: Permission = Permission::AuthorisationManage;
    type Prepared = ();
    type Loaded = Referred;
    type Plan = Granted;
    type Done = AuthorisationView;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Referred> {
        let reader = cx.services.reader(cx.actor)?;
        let product = match &self.product_id {
            Some(id) => views::product(cx.conn, &reader, id)?.is_some(),
            None => true,
        };
        // Another institute is not there.
        Ok(Referred { institute: self.institute_id == cx.institute()?, product })
    }

    fn decide(&self, _: &Facts<'_>, named: &Referred) -> Result<Granted, Refusal> {
        self.checked(named)
    }

    fn keep(&self, cx: &mut Context<'_>, _: Referred, plan: Granted) -> Outcome<AuthorisationView> {
        let row = AuthorisationRow {
            id: AuthorisationId::new(),
            institute_id: self.institute_id.clone(),
            product_id: self.product_id.clone(),
            category: self.category,
            item_code: plan.item_code,
            valid_from: plan.from.into(),
            valid_to: plan.to.map(Day::from),
            document: plan.document,
            created_at: cx.now.into(),
        };
        diesel::insert_into(authorisation::table).values(&row).execute(cx.conn)?;
        let content = json!({"institute": row.institute_id, "product": row.product_id, "category": row.category,
            "item_code": row.item_code, "valid_from": row.valid_from, "valid_to": row.valid_to,
            "document": row.document});
        cx.record(Change::created(Self::NAME, "authorisation", &row.id, content));
        let (reader, today) = (cx.services.reader(cx.actor)?, Day::from(cx.today()));
        let made = views::authorisation(cx.conn, &reader, &row.id, &today)?;
        made.ok_or_else(|| CatalogueRefusal::NoAuthorisation(row.id).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant() -> GrantAuthorisation {
        GrantAuthorisation {
            institute_id: "i1".into(),
            product_id: None,
            category: Some(Category::Vaccine),
            item_code: None,
            valid_from: "2026-01-01".into(),
            valid_to: Some("2026-12-31".into()),
            document: "授权文件〔2026〕1号".into(),
        }
    }

    fn fault(grant: &GrantAuthorisation, named: &Referred) -> Option<String> {
        grant.checked(named).err().and_then(|refusal| refusal.field)
    }

    const THERE: Referred = Referred { institute: true, product: true };

    #[test]
    fn an_authorisation_is_for_a_product_or_for_a_category() {
        assert_eq!(fault(&grant(), &THERE), None);
        let both = GrantAuthorisation { product_id: Some("d1".into()), ..grant() };
        assert_eq!(fault(&both, &THERE).as_deref(), Some("product_id"));
        let neither = GrantAuthorisation { category: None, ..grant() };
        assert_eq!(fault(&neither, &THERE).as_deref(), Some("product_id"));
    }

    #[test]
    fn it_names_what_is_there_and_does_not_end_before_it_begins() {
        assert_eq!(fault(&grant(), &Referred { institute: false, product: true }).as_deref(), Some("institute_id"));
        let turned = GrantAuthorisation { valid_to: Some("2025-12-31".into()), ..grant() };
        assert_eq!(fault(&turned, &THERE).as_deref(), Some("valid_to"));
    }
}
