//! What a decision about a case is made from, loaded at once.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::catalogue::{SpecificationDates, in_force};
use crate::refusal::Refusal;
use crate::regulation::{Business, Trait};
use crate::store::columns::{ApplicationId, Day, InstituteId, ProductId, SpecificationId};
use crate::store::rows::{
    ApplicationRow, AuthorisationRow, BatchRow, InstituteRow, ProductRow, SpecificationRow, TestItemRow,
};
use crate::store::schema::{
    application, authorisation, batch, institute, product, product_trait, specification, test_item,
};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::SpecificationState;

/// The records that a case rests on.
#[derive(Clone, Debug)]
pub struct CaseFile {
    pub institute: InstituteRow,
    pub product: ProductRow,
    pub traits: Vec<Trait>,
    pub specification: SpecificationRow,
    pub items: Vec<TestItemRow>,
    /// The institute's own lot-release authorisations; empty for other business.
    pub authorisations: Vec<AuthorisationRow>,
}

impl CaseFile {
    /// Loads what a new case of `product` at `institute` rests on.
    ///
    /// # Errors
    /// Where one of them does not exist or the specification is a draft.
    pub fn load(
        conn: &mut AnyConnection,
        business: Option<Business>,
        institute_id: &InstituteId,
        product_id: &ProductId,
        specification_id: &SpecificationId,
    ) -> Outcome<Self> {
        let (institute, product, traits) = parties(conn, institute_id, product_id)?;
        let (specification, items) = load_specification(conn, product_id, specification_id)?;
        let authorisations = match business {
            Some(Business::LotRelease) => authorisation::table
                .filter(authorisation::institute_id.eq(institute_id))
                .select(AuthorisationRow::as_select())
                .load(conn)?,
            _ => Vec::new(),
        };
        Ok(Self { institute, product, traits, specification, items, authorisations })
    }

    /// Loads what an existing case rests on.
    ///
    /// # Errors
    /// The store's failure.
    pub fn of(conn: &mut AnyConnection, row: &ApplicationRow) -> Outcome<Self> {
        Self::load(conn, Some(row.business), &row.institute_id, &row.product_id, &row.specification_id)
    }
}

/// The institute, and the product with its traits, in one query.
fn parties(
    conn: &mut AnyConnection,
    institute_id: &InstituteId,
    product_id: &ProductId,
) -> Outcome<(InstituteRow, ProductRow, Vec<Trait>)> {
    let rows: Vec<(InstituteRow, ProductRow, Option<Trait>)> = institute::table
        .inner_join(product::table.on(product::id.eq(product_id.clone())))
        .left_join(product_trait::table.on(product_trait::product_id.eq(product::id)))
        .filter(institute::id.eq(institute_id))
        .select((InstituteRow::as_select(), ProductRow::as_select(), product_trait::trait_name.nullable()))
        .load(conn)?;
    let traits = rows.iter().filter_map(|(_, _, name)| *name).collect();
    if let Some((institute, product, _)) = rows.into_iter().next() {
        return Ok((institute, product, traits));
    }
    let known: i64 = institute::table.filter(institute::id.eq(institute_id)).count().get_result(conn)?;
    Err(match known {
        0 => Refusal::not_found("机构", "institute", institute_id.as_str()),
        _ => Refusal::not_found("品种", "product", product_id.as_str()).at("product_id"),
    }
    .into())
}

/// The specification of a product that is in force on a day.
///
/// # Errors
/// Where there is none.
pub(super) fn specification_in_force(
    conn: &mut AnyConnection,
    product_id: &ProductId,
    on: NaiveDate,
) -> Outcome<SpecificationId> {
    type Dated = (SpecificationId, SpecificationState, Option<Day>, i64);
    let rows: Vec<Dated> = specification::table
        .filter(specification::product_id.eq(product_id))
        .select((specification::id, specification::status, specification::effective_from, specification::version))
        .load(conn)?;
    let dates = |(_, state, from, version): &Dated| SpecificationDates {
        state: *state,
        from: from.as_ref().map(Day::date),
        version: *version,
    };
    let current = in_force(&rows.iter().map(dates).collect::<Vec<_>>(), on);
    let found = current.and_then(|at| rows.into_iter().nth(at)).map(|(id, ..)| id);
    found.ok_or_else(|| {
        Refusal::field(
            "specification_id",
            format!("该品种在{on}没有生效的质量标准"),
            format!("the product has no specification in force on {on}"),
        )
        .into()
    })
}

/// The specification named, with its items in their order, in one query.
fn load_specification(
    conn: &mut AnyConnection,
    product_id: &ProductId,
    id: &SpecificationId,
) -> Outcome<(SpecificationRow, Vec<TestItemRow>)> {
    let rows: Vec<(SpecificationRow, Option<TestItemRow>)> = specification::table
        .left_join(test_item::table)
        .filter(specification::product_id.eq(product_id))
        .filter(specification::id.eq(id))
        .filter(specification::status.ne(SpecificationState::Draft))
        .order(test_item::position)
        .select((SpecificationRow::as_select(), Option::<TestItemRow>::as_select()))
        .load(conn)?;
    let found = rows.first().map(|(specification, _)| specification.clone());
    let items = rows.into_iter().filter_map(|(_, item)| item).collect();
    found.map(|specification| (specification, items)).ok_or_else(|| {
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
    let found: Option<ApplicationRow> =
        application::table.find(id).select(ApplicationRow::as_select()).first(conn).optional()?;
    found
        .filter(|row| institute_id == Some(&row.institute_id))
        .ok_or_else(|| Refusal::not_found("申请", "application", id.as_str()).into())
}

/// The batches of an application in their order.
///
/// # Errors
/// The store's failure.
pub(crate) fn batches_of(conn: &mut AnyConnection, id: &ApplicationId) -> Outcome<Vec<BatchRow>> {
    Ok(batch::table
        .filter(batch::application_id.eq(id))
        .order(batch::position)
        .select(BatchRow::as_select())
        .load(conn)?)
}
