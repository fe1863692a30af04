//! Institutes and applicants.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::refusals::CatalogueRefusal;
use crate::action::{Action, Context, Facts};
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::columns::{ApplicantId, Instant, InstituteId};
use crate::store::rows::{ApplicantRow, InstituteRow};
use crate::store::schema::{applicant, institute};
use crate::store::views::{self, ApplicantView, InstituteView};
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::Permission;

/// A new institute (药品检验机构).
#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
#[schema(as = NewInstitute)]
#[serde(deny_unknown_fields)]
pub struct CreateInstitute {
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

impl CreateInstitute {
    /// The same as it is kept; the first institute of an installation may be without an address for now.
    ///
    /// # Errors
    /// Names the field.
    pub(crate) fn checked(&self, with_address: bool) -> Result<Self, Refusal> {
        let prefix = text::required("sample_prefix", &self.sample_prefix, 8)?;
        if !prefix.chars().all(|c| c.is_ascii_uppercase()) {
            return Err(CatalogueRefusal::PrefixLetters.into());
        }
        let jurisdiction = text::required("jurisdiction", &self.jurisdiction, 6)?;
        if !crate::regulation::is_jurisdiction(&jurisdiction) {
            return Err(CatalogueRefusal::JurisdictionForm.into());
        }
        let address = |field: &str, typed: &str| {
            if !with_address && typed.trim().is_empty() {
                return Ok(String::new());
            }
            text::required(field, typed, text::TEXT)
        };
        Ok(Self {
            code: text::required("code", &self.code, 20)?,
            name_zh: text::required("name_zh", &self.name_zh, text::TEXT)?,
            name_en: text::required("name_en", &self.name_en, text::TEXT)?,
            abbreviation: text::required("abbreviation", &self.abbreviation, 4)?,
            jurisdiction,
            address_zh: address("address_zh", &self.address_zh)?,
            address_en: address("address_en", &self.address_en)?,
            sample_prefix: prefix,
        })
    }
}

/// What the trail says of a new institute.
pub(crate) fn institute_content(new: &CreateInstitute) -> Value {
    json!({"code": new.code, "name_zh": new.name_zh, "name_en": new.name_en, "abbreviation": new.abbreviation,
        "jurisdiction": new.jurisdiction, "address_zh": new.address_zh, "address_en": new.address_en,
        "sample_prefix": new.sample_prefix})
}

/// Keeps an institute that was checked.
pub(crate) fn insert_institute(conn: &mut AnyConnection, new: CreateInstitute, now: Instant) -> Outcome<InstituteId> {
    let row = InstituteRow {
        id: InstituteId::new(),
        code: new.code,
        name_zh: new.name_zh,
        name_en: new.name_en,
        abbreviation: new.abbreviation,
        jurisdiction: new.jurisdiction,
        address_zh: new.address_zh,
        address_en: new.address_en,
        sample_prefix: new.sample_prefix,
        created_at: now,
    };
    diesel::insert_into(institute::table).values(&row).execute(conn)?;
    Ok(row.id)
}

impl Action for CreateInstitute {
    const NAME: &'static str = "institute.create";
    const PERMISSION: Permission = Permission::InstituteManage;
    type Prepared = ();
    type Loaded = ();
    type Plan = CreateInstitute;
    type Done = InstituteView;

    fn load(&self, _: &mut Context<'_>, (): &()) -> Outcome<()> {
        Ok(())
    }

    fn decide(&self, _: &Facts<'_>, (): &()) -> Result<CreateInstitute, Refusal> {
        self.checked(true)
    }

    fn keep(&self, cx: &mut Context<'_>, (): (), plan: CreateInstitute) -> Outcome<InstituteView> {
        let content = institute_content(&plan);
        let id = insert_institute(cx.conn, plan, cx.now.into())?;
        cx.record(Change::created(Self::NAME, "institute", &id, content).of(&id));
        let made = views::institute(cx.conn, &id)?;
        made.ok_or_else(|| CatalogueRefusal::NoInstitute(id).into())
    }
}

/// A new applicant (申请人／报验单位).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = NewApplicant)]
#[serde(deny_unknown_fields)]
pub struct CreateApplicant {
    pub name: String,
    #[serde(default)]
    pub address: String,
    #[serde(default)]
    pub contact: String,
}

impl Action for CreateApplicant {
    const NAME: &'static str = "applicant.create";
    const PERMISSION: Permission = Permission::ApplicantManage;
    type Prepared = ();
    type Loaded = ();
    type Plan = CreateApplicant;
    type Done = ApplicantView;

    fn load(&self, _: &mut Context<'_>, (): &()) -> Outcome<()> {
        Ok(())
    }

    fn decide(&self, _: &Facts<'_>, (): &()) -> Result<CreateApplicant, Refusal> {
        Ok(CreateApplicant {
            name: text::required("name", &self.name, text::TEXT)?,
            address: text::optional("address", &self.address, text::TEXT)?,
            contact: text::optional("contact", &self.contact, text::TEXT)?,
        })
    }

    fn keep(&self, cx: &mut Context<'_>, (): (), plan: CreateApplicant) -> Outcome<ApplicantView> {
        let CreateApplicant { name, address, contact } = plan;
        let institute_id = Some(cx.institute()?);
        let row =
            ApplicantRow { id: ApplicantId::new(), name, address, contact, created_at: cx.now.into(), institute_id };
        diesel::insert_into(applicant::table).values(&row).execute(cx.conn)?;
        let content = json!({"name": row.name, "address": row.address, "contact": row.contact});
        cx.record(Change::created(Self::NAME, "applicant", &row.id, content));
        Ok(applicant::table.find(&row.id).select(ApplicantView::as_select()).first(cx.conn)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn institute() -> CreateInstitute {
        CreateInstitute {
            code: " SHIFDC ".into(),
            name_zh: "上海市示范药品检验研究院".into(),
            name_en: "Shanghai Demonstration Institute".into(),
            abbreviation: "沪".into(),
            jurisdiction: "CN-SH".into(),
            address_zh: String::new(),
            address_en: String::new(),
            sample_prefix: "SH".into(),
        }
    }

    fn fault(new: &CreateInstitute, with_address: bool) -> Option<String> {
        new.checked(with_address).err().and_then(|refusal| refusal.field)
    }

    #[test]
    fn only_the_first_institute_may_be_without_an_address() {
        assert_eq!(fault(&institute(), true).as_deref(), Some("address_zh"));
        let checked = institute().checked(false).expect("an institute without an address");
        assert_eq!(checked.code, "SHIFDC");
    }

    #[test]
    fn an_institute_says_where_it_is_and_how_its_samples_begin() {
        let elsewhere = CreateInstitute { jurisdiction: "CN-ZZ".into(), ..institute() };
        assert_eq!(fault(&elsewhere, false).as_deref(), Some("jurisdiction"));
        let small = CreateInstitute { sample_prefix: "sh".into(), ..institute() };
        assert_eq!(fault(&small, false).as_deref(), Some("sample_prefix"));
    }
}
