//! Institutes, applicants and authorisations.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::action::Services;
use crate::record::{self, Actor, Change};
use crate::refusal::Refusal;
use crate::regulation::Category;
use crate::store::Outcome;
use crate::store::columns::{ApplicantId, AuthorisationId, InstituteId, ProductId};
use crate::store::rows::{ApplicantRow, AuthorisationRow, InstituteRow};
use crate::store::schema::{applicant, authorisation, institute};
use crate::text;

/// A new institute (药品检验机构).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInstitute {
    /// A short code of its own, e.g. `SHIFDC`
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    /// The province's or institute's short name in certificate numbers 批签X检, e.g. `沪`
    pub abbreviation: String,
    /// ISO 3166-2, e.g. `CN-SH`
    pub jurisdiction: String,
    pub address_zh: String,
    pub address_en: String,
    /// Begins every sample number, e.g. `SH`
    pub sample_prefix: String,
}

/// Registers an institute.
///
/// # Errors
/// Where a field is not as expected or the code is taken.
pub fn create_institute(services: &Services, actor: &Actor, new: &NewInstitute) -> Outcome<InstituteRow> {
    let prefix = text::required("sample_prefix", &new.sample_prefix, 8)?;
    if !prefix.chars().all(|c| c.is_ascii_uppercase()) {
        return Err(Refusal::field("sample_prefix", "应为大写字母", "expected capital letters").into());
    }
    let jurisdiction = text::required("jurisdiction", &new.jurisdiction, 6)?;
    if !crate::regulation::is_jurisdiction(&jurisdiction) {
        return Err(Refusal::field(
            "jurisdiction",
            "应为 ISO 3166-2 代码，如 CN-SH",
            "expected ISO 3166-2, such as CN-SH",
        )
        .into());
    }
    let row = InstituteRow {
        id: InstituteId::new(),
        code: text::required("code", &new.code, 20)?,
        name_zh: text::printed("name_zh", &new.name_zh, text::TEXT)?,
        name_en: text::printed("name_en", &new.name_en, text::TEXT)?,
        abbreviation: text::printed("abbreviation", &new.abbreviation, 4)?,
        jurisdiction,
        address_zh: text::printed("address_zh", &new.address_zh, text::TEXT)?,
        address_en: text::printed("address_en", &new.address_en, text::TEXT)?,
        sample_prefix: prefix,
        created_at: services.clock.now().into(),
    };
    let (actor, at) = (actor.clone(), services.clock.now());
    services.db.write(move |conn| {
        diesel::insert_into(institute::table).values(&row).execute(conn)?;
        let change = Change::created("institute.create", "institute", &row.id, json!(row));
        record::record(conn, &actor, at, vec![change])?;
        Ok(row.clone())
    })
}

/// A new applicant (申请人／报验单位).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApplicant {
    pub name: String,
    #[serde(default)]
    pub address: String,
    #[serde(default)]
    pub contact: String,
}

/// Registers an applicant.
///
/// # Errors
/// Where a field is not as expected or the name is taken.
pub fn create_applicant(services: &Services, actor: &Actor, new: &NewApplicant) -> Outcome<ApplicantRow> {
    let at = services.clock.now();
    let row = ApplicantRow {
        id: ApplicantId::new(),
        name: text::printed("name", &new.name, text::TEXT)?,
        address: text::optional("address", &new.address, text::TEXT)?,
        contact: text::optional("contact", &new.contact, text::TEXT)?,
        created_at: at.into(),
    };
    let actor = actor.clone();
    services.db.write(move |conn| {
        diesel::insert_into(applicant::table).values(&row).execute(conn)?;
        let change = Change::created("applicant.create", "applicant", &row.id, json!(row));
        record::record(conn, &actor, at, vec![change])?;
        Ok(row.clone())
    })
}

/// A lot-release authorisation: institute × product (or category) × item × dates (国办发〔2024〕53号（十二）).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAuthorisation {
    pub institute_id: String,
    /// One product, or
    pub product_id: Option<String>,
    /// a whole category
    pub category: Option<String>,
    /// One test item by its code; without it, all
    pub item_code: Option<String>,
    pub valid_from: String,
    pub valid_to: Option<String>,
    /// The document that authorises
    pub document: String,
}

/// Registers an authorisation.
///
/// # Errors
/// Where a field is not as expected.
pub fn authorise(services: &Services, actor: &Actor, new: &NewAuthorisation) -> Outcome<AuthorisationRow> {
    if new.product_id.is_some() == new.category.is_some() {
        return Err(Refusal::field("product_id", "品种与类别二选一", "expected either a product or a category").into());
    }
    let at = services.clock.now();
    let from = text::date("valid_from", &new.valid_from)?;
    let to = text::date_opt("valid_to", new.valid_to.as_deref())?;
    if to.is_some_and(|to| to < from) {
        return Err(Refusal::field("valid_to", "早于生效日期", "is before valid_from").into());
    }
    let row = AuthorisationRow {
        id: AuthorisationId::new(),
        institute_id: new.institute_id.as_str().into(),
        product_id: new.product_id.as_deref().map(ProductId::from),
        category: new.category.as_deref().map(|text| text::word("category", text, Category::parse)).transpose()?,
        item_code: new.item_code.clone(),
        valid_from: from.into(),
        valid_to: to.map(Into::into),
        document: text::required("document", &new.document, text::TEXT)?,
        created_at: at.into(),
    };
    let actor = actor.clone();
    services.db.write(move |conn| {
        diesel::insert_into(authorisation::table).values(&row).execute(conn)?;
        let change = Change::created("authorisation.create", "authorisation", &row.id, json!(row));
        record::record(conn, &actor, at, vec![change])?;
        Ok(row.clone())
    })
}
