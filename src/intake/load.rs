//! What a decision about a case is made from, loaded at once.

use diesel::prelude::*;

use crate::refusal::Refusal;
use crate::regulation::Trait;
use crate::store::columns::{ApplicationId, InstituteId, ProductId, SpecificationId};
use crate::store::rows::{
    ApplicationRow, AuthorisationRow, BatchRow, InstituteRow, ProductRow, SpecificationRow, TestItemRow,
};
use crate::store::schema::{application, authorisation, batch, institute, product, product_trait, specification, test_item};
use crate::store::{AnyConnection, Outcome};

/// The records that a case rests on.
#[derive(Clone, Debug)]
pub struct CaseFile {
    pub institute: InstituteRow,
    pub product: ProductRow,
    pub traits: Vec<Trait>,
    pub specification: SpecificationRow,
    pub items: Vec<TestItemRow>,
    /// The institute's own lot-release authorisations.
    pub authorisations: Vec<AuthorisationRow>,
}

impl CaseFile {
    /// Loads what a new case of `product` at `institute` rests on: the specification named, or the effective one.
    ///
    /// # Errors
    /// Where one of them does not exist or no specification is effective.
    pub fn load(
        conn: &mut AnyConnection,
        institute_id: &InstituteId,
        product_id: &ProductId,
        specification_id: Option<&SpecificationId>,
    ) -> Outcome<Self> {
        let institute = institute::table.find(institute_id).first(conn).optional()?;
        let institute: InstituteRow =
            institute.ok_or_else(|| Refusal::not_found("机构", "institute", institute_id.as_str()))?;
        let product = product::table.find(product_id).first(conn).optional()?;
        let product: ProductRow =
            product.ok_or_else(|| Refusal::not_found("品种", "product", product_id.as_str()).at("product_id"))?;
        let traits = product_trait::table
            .filter(product_trait::product_id.eq(product_id))
            .select(product_trait::trait_name)
            .load(conn)?;
        let specification = load_specification(conn, product_id, specification_id)?;
        let items = test_item::table
            .filter(test_item::specification_id.eq(&specification.id))
            .order(test_item::position)
            .load(conn)?;
        let authorisations =
            authorisation::table.filter(authorisation::institute_id.eq(institute_id)).load(conn)?;
        Ok(Self { institute, product, traits, specification, items, authorisations })
    }

    /// Loads what an existing case rests on.
    ///
    /// # Errors
    /// The store's failure.
    pub fn of(conn: &mut AnyConnection, row: &ApplicationRow) -> Outcome<Self> {
        Self::load(conn, &row.institute_id, &row.product_id, Some(&row.specification_id))
    }
}

fn load_specification(
    conn: &mut AnyConnection,
    product_id: &ProductId,
    id: Option<&SpecificationId>,
) -> Outcome<SpecificationRow> {
    let rows: Vec<SpecificationRow> = match id {
        Some(id) => specification::table
            .find(id)
            .filter(specification::product_id.eq(product_id))
            .filter(specification::status.ne("draft"))
            .load(conn)?,
        None => specification::table
            .filter(specification::product_id.eq(product_id))
            .filter(specification::status.eq("effective"))
            .load(conn)?,
    };
    rows.into_iter().next().ok_or_else(|| {
        Refusal::field(
            "specification_id",
            "该品种没有已生效的质量标准",
            "the product has no effective specification of that id",
        )
        .into()
    })
}

/// Loads an application of the actor's institute.
///
/// # Errors
/// Where there is none of that id.
pub(crate) fn application_of(
    conn: &mut AnyConnection,
    institute_id: Option<&InstituteId>,
    id: &ApplicationId,
) -> Outcome<ApplicationRow> {
    let found: Option<ApplicationRow> = application::table.find(id).first(conn).optional()?;
    found
        .filter(|row| institute_id == Some(&row.institute_id))
        .ok_or_else(|| Refusal::not_found("申请", "application", id.as_str()).into())
}

/// The batches of an application in their order.
///
/// # Errors
/// The store's failure.
pub(crate) fn batches_of(conn: &mut AnyConnection, id: &ApplicationId) -> Outcome<Vec<BatchRow>> {
    Ok(batch::table.filter(batch::application_id.eq(id)).order(batch::position).load(conn)?)
}
