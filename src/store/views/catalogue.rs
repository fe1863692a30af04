//! The register: institutes, applicants, products, specifications, authorisations.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Listed, Page};
use crate::regulation::Trait;
use crate::store::columns::ProductId;
use crate::store::rows::{
    ApplicantRow, AuthorisationRow, InstituteRow, ProductRow, ProductTraitRow, SpecificationRow, TestItemRow,
};
use crate::store::schema::{applicant, authorisation, institute, product, product_trait, specification, test_item};
use crate::store::{AnyConnection, Outcome};

/// A product with its traits.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProductView {
    #[serde(flatten)]
    pub product: ProductRow,
    pub traits: Vec<Trait>,
}

/// A specification with its items.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SpecificationView {
    #[serde(flatten)]
    pub specification: SpecificationRow,
    pub items: Vec<TestItemRow>,
}

/// All products by their codes.
///
/// # Errors
/// The store's failure.
pub fn products(conn: &mut AnyConnection, page: Page) -> Outcome<Listed<ProductView>> {
    let total = product::table.count().get_result(conn)?;
    let rows: Vec<ProductRow> = product::table
        .order(product::code)
        .limit(page.limit())
        .offset(page.offset())
        .select(ProductRow::as_select())
        .load(conn)?;
    let ids: Vec<&ProductId> = rows.iter().map(|row| &row.id).collect();
    let traits: Vec<ProductTraitRow> = product_trait::table.filter(product_trait::product_id.eq_any(ids)).load(conn)?;
    let items = rows.into_iter().map(|product| {
        let own = traits.iter().filter(|row| row.product_id == product.id).map(|row| row.trait_name).collect();
        ProductView { product, traits: own }
    });
    Ok(Listed { total, items: items.collect() })
}

/// One product.
///
/// # Errors
/// The store's failure.
pub fn product(conn: &mut AnyConnection, id: &ProductId) -> Outcome<Option<ProductView>> {
    let row: Option<ProductRow> = product::table.find(id).select(ProductRow::as_select()).first(conn).optional()?;
    let Some(product) = row else { return Ok(None) };
    let traits =
        product_trait::table.filter(product_trait::product_id.eq(id)).select(product_trait::trait_name).load(conn)?;
    Ok(Some(ProductView { product, traits }))
}

/// All versions of a product's specification, the newest first.
///
/// # Errors
/// The store's failure.
pub fn specifications(conn: &mut AnyConnection, id: &ProductId) -> Outcome<Vec<SpecificationView>> {
    let rows: Vec<SpecificationRow> = specification::table
        .filter(specification::product_id.eq(id))
        .order(specification::version.desc())
        .select(SpecificationRow::as_select())
        .load(conn)?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        let items =
            test_item::table.filter(test_item::specification_id.eq(&row.id)).order(test_item::position).load(conn)?;
        views.push(SpecificationView { specification: row, items });
    }
    Ok(views)
}

/// All institutes.
///
/// # Errors
/// The store's failure.
pub fn institutes(conn: &mut AnyConnection) -> Outcome<Vec<InstituteRow>> {
    Ok(institute::table.order(institute::code).select(InstituteRow::as_select()).load(conn)?)
}

/// Applicants by name.
///
/// # Errors
/// The store's failure.
pub fn applicants(conn: &mut AnyConnection, page: Page) -> Outcome<Listed<ApplicantRow>> {
    let total = applicant::table.count().get_result(conn)?;
    let items = applicant::table
        .order(applicant::name)
        .limit(page.limit())
        .offset(page.offset())
        .select(ApplicantRow::as_select())
        .load(conn)?;
    Ok(Listed { total, items })
}

/// The register of lot-release authorisations (授权).
///
/// # Errors
/// The store's failure.
pub fn authorisations(conn: &mut AnyConnection) -> Outcome<Vec<AuthorisationRow>> {
    Ok(authorisation::table
        .order((authorisation::institute_id, authorisation::valid_from))
        .select(AuthorisationRow::as_select())
        .load(conn)?)
}
