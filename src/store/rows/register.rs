//! Rows of the tables of register.

use diesel::prelude::*;

use crate::regulation::quantities::ItemDemand;
use crate::regulation::{Category, DeviceClass, Trait};
use crate::store::columns::*;
use crate::store::schema::*;
use crate::vocabulary::{Comparison, ItemKind, SpecificationState};

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = product, treat_none_as_default_value = false)]
pub struct ProductRow {
    pub id: ProductId,
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    pub category: Category,
    pub device_class: Option<DeviceClass>,
    pub strength: String,
    pub dosage_form: String,
    pub package_spec: String,
    pub storage: String,
    pub manufacturer: String,
    pub holder: String,
    pub approval_number: Option<String>,
    pub container_name: String,
    pub container_content: Dec,
    pub content_unit: String,
    pub created_at: Instant,
    /// Whose it is; none for one of the shared catalogue
    pub institute_id: Option<InstituteId>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize)]
#[diesel(table_name = product_trait, treat_none_as_default_value = false)]
pub struct ProductTraitRow {
    pub product_id: ProductId,
    pub trait_name: Trait,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = specification, treat_none_as_default_value = false)]
pub struct SpecificationRow {
    pub id: SpecificationId,
    pub product_id: ProductId,
    pub version: i64,
    pub title: String,
    pub edition: String,
    pub status: SpecificationState,
    pub effective_from: Option<Day>,
    pub created_at: Instant,
    /// None where the trail did not say
    pub drafted_by: Option<AccountId>,
    pub released_by: Option<AccountId>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = test_item, treat_none_as_default_value = false)]
pub struct TestItemRow {
    pub id: TestItemId,
    pub specification_id: SpecificationId,
    pub position: i64,
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    pub method: String,
    pub kind: ItemKind,
    pub unit: String,
    pub limit_text: String,
    pub compare_by: Comparison,
    pub rounding_step: Option<Dec>,
    pub formula: Option<String>,
    pub inputs: Json,
    pub replicates: i64,
    pub consumes: Dec,
    pub in_scope: bool,
    pub annex: Json,
    pub plausible: Option<String>,
    /// None where nothing was said: the names of item and method say it
    pub retest_allowed: Option<bool>,
    /// The unit of what it consumes; none is the unit of the content
    pub consumes_unit: Option<String>,
    /// Containers that one test needs whole
    pub whole_containers: Option<i64>,
}

impl TestItemRow {
    /// What one complete test of it takes.
    #[must_use]
    pub fn demanded(&self) -> ItemDemand {
        ItemDemand {
            code: self.code.clone(),
            amount_per_test: self.consumes.decimal(),
            unit: self.consumes_unit.clone(),
            whole_containers: self.whole_containers.and_then(|whole| u32::try_from(whole).ok()).unwrap_or(0),
            replicates: 1,
        }
    }
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = authorisation, treat_none_as_default_value = false)]
pub struct AuthorisationRow {
    pub id: AuthorisationId,
    pub institute_id: InstituteId,
    pub product_id: Option<ProductId>,
    pub category: Option<Category>,
    pub item_code: Option<String>,
    pub valid_from: Day,
    pub valid_to: Option<Day>,
    pub document: String,
    pub created_at: Instant,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize)]
#[diesel(table_name = owner_proposal, treat_none_as_default_value = false)]
pub struct OwnerProposalRow {
    pub id: OwnerProposalId,
    pub institute_id: InstituteId,
    pub product_id: Option<ProductId>,
    pub applicant_id: Option<ApplicantId>,
    pub to_institute_id: Option<InstituteId>,
    pub reason: String,
    pub proposed_by: AccountId,
    pub proposed_at: Instant,
    pub confirmed_by: Option<AccountId>,
    pub confirmed_at: Option<Instant>,
}
