//! What a decision about a case is made from, loaded at once.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::refusals::CasesRefusal;
use crate::catalogue::{SpecificationDates, in_force};
use crate::regulation::{Authorisation, Trait};
use crate::store::columns::{ApplicationId, BatchId, Day, InstituteId, ProductId, SpecificationId};
use crate::store::rows::{
    ApplicationClockRow, ApplicationRow, AuthorisationRow, BatchRow, InstituteRow, ProductRow, SpecificationRow,
    TestItemRow,
};
use crate::store::schema::{
    application_clock, authorisation, batch, institute, product, product_trait, sample, specification, test_item,
};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{SampleState, SpecificationState};

/// The records that a case rests on.
#[derive(Clone, Debug)]
pub struct CaseFile {
    pub institute: InstituteRow,
    pub product: ProductRow,
    pub traits: Vec<Trait>,
    pub specification: SpecificationRow,
    pub items: Vec<TestItemRow>,
}

impl CaseFile {
    /// Loads what a new case of `product` at `institute` rests on: the specification named, or the one in force.
    ///
    /// # Errors
    /// Where one of them does not exist, no specification is in force on that day, or another one is than was named: a
    /// superseded one serves the cases that have it, and one that is still to come serves nobody yet.
    pub fn load(
        conn: &mut AnyConnection,
        institute_id: &InstituteId,
        product_id: &ProductId,
        specification_id: Option<&SpecificationId>,
        on: NaiveDate,
    ) -> Outcome<Self> {
        if let Some(id) = specification_id {
            let released = dated(conn, product_id)?;
            named_in_force(&released, id, on)?;
        }
        Self::resting_on(conn, institute_id, product_id, specification_id, on)
    }

    fn resting_on(
        conn: &mut AnyConnection,
        institute_id: &InstituteId,
        product_id: &ProductId,
        specification_id: Option<&SpecificationId>,
        on: NaiveDate,
    ) -> Outcome<Self> {
        let (institute, product, traits) = parties(conn, institute_id, product_id)?;
        if product.institute_id.as_ref().is_some_and(|owner| owner != institute_id) {
            return Err(CasesRefusal::NoProduct(product_id.clone()).into());
        }
        let (specification, items) = match specification_id {
            Some(id) => specification_named(conn, product_id, id)?,
            None => specification_in_force(conn, product_id, on)?,
        };
        Ok(Self { institute, product, traits, specification, items })
    }

    /// Loads what an existing case rests on.
    ///
    /// # Errors
    /// The store's failure.
    pub fn of(conn: &mut AnyConnection, row: &ApplicationRow) -> Outcome<Self> {
        let (institute, product, traits) = parties(conn, &row.institute_id, &row.product_id)?;
        let (specification, items) = specification_named(conn, &row.product_id, &row.specification_id)?;
        Ok(Self { institute, product, traits, specification, items })
    }

    /// Loads what a draft rests on when it is accepted: a draft that named no specification of its own follows the
    /// one in force on the day of acceptance; one that was made with another, when that could be named, keeps it.
    ///
    /// # Errors
    /// As [`CaseFile::load`].
    pub fn on_acceptance(conn: &mut AnyConnection, row: &ApplicationRow, on: NaiveDate) -> Outcome<Self> {
        let released = dated(conn, &row.product_id)?;
        let submitted = crate::clock::statutory_date(row.created_at.utc());
        let named = Some(&row.specification_id).filter(|id| on_day(&released, submitted) != Some(*id));
        Self::resting_on(conn, &row.institute_id, &row.product_id, named, on)
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
        0 => CasesRefusal::NoInstitute(institute_id.clone()),
        _ => CasesRefusal::NoProduct(product_id.clone()),
    }
    .into())
}

type WithItems = (SpecificationRow, Vec<TestItemRow>);

/// The specification named, with its items in their order; a draft is not found.
fn specification_named(conn: &mut AnyConnection, product_id: &ProductId, id: &SpecificationId) -> Outcome<WithItems> {
    let rows: Vec<(SpecificationRow, Option<TestItemRow>)> = specification::table
        .left_join(test_item::table)
        .filter(specification::id.eq(id))
        .filter(specification::product_id.eq(product_id))
        .filter(specification::status.ne(SpecificationState::Draft))
        .order(test_item::position)
        .select((SpecificationRow::as_select(), Option::<TestItemRow>::as_select()))
        .load(conn)?;
    newest(rows).ok_or_else(|| CasesRefusal::NoSpecification.into())
}

/// The specification in force on a day, with its items in their order.
fn specification_in_force(conn: &mut AnyConnection, product_id: &ProductId, on: NaiveDate) -> Outcome<WithItems> {
    let released = dated(conn, product_id)?;
    let id = on_day(&released, on).ok_or(CasesRefusal::NoneInForce(on))?;
    specification_named(conn, product_id, id)
}

/// The specifications of a product, with what decides which is in force.
fn dated(
    conn: &mut AnyConnection,
    product_id: &ProductId,
) -> Outcome<Vec<(SpecificationId, SpecificationDates<NaiveDate>)>> {
    type Dated = (SpecificationId, SpecificationState, Option<Day>, i64);
    let rows: Vec<Dated> = specification::table
        .filter(specification::product_id.eq(product_id))
        .select((specification::id, specification::status, specification::effective_from, specification::version))
        .load(conn)?;
    let dates = |(id, state, from, version): Dated| {
        (id, SpecificationDates { state, from: from.as_ref().map(Day::date), version })
    };
    Ok(rows.into_iter().map(dates).collect())
}

/// The one in force on a day, by the catalogue's rule.
fn on_day(all: &[(SpecificationId, SpecificationDates<NaiveDate>)], on: NaiveDate) -> Option<&SpecificationId> {
    let dates: Vec<SpecificationDates<NaiveDate>> = all.iter().map(|(_, dates)| *dates).collect();
    in_force(&dates, on).map(|at| &all[at].0)
}

/// Refuses a specification, named for a new case, that is not the one in force on that day. One that the product does
/// not have, or a draft, is refused where it is looked for.
fn named_in_force(
    all: &[(SpecificationId, SpecificationDates<NaiveDate>)],
    named: &SpecificationId,
    on: NaiveDate,
) -> Result<(), CasesRefusal> {
    let released = |(id, dates): &&(SpecificationId, SpecificationDates<NaiveDate>)| {
        id == named && dates.state != SpecificationState::Draft
    };
    let Some((_, dates)) = all.iter().find(released) else { return Ok(()) };
    if on_day(all, on) == Some(named) {
        return Ok(());
    }
    Err(CasesRefusal::NotInForce { on, from: dates.from.filter(|from| *from > on) })
}

/// The first specification of the rows, with its items.
fn newest(rows: Vec<(SpecificationRow, Option<TestItemRow>)>) -> Option<WithItems> {
    let first = rows.first().map(|(specification, _)| specification.clone())?;
    let own = rows.into_iter().filter(|(specification, _)| specification.id == first.id);
    let items = own.filter_map(|(_, item)| item).collect();
    Some((first, items))
}

/// The institute's entries of the register of authorisations.
pub(super) fn authorisations_of(conn: &mut AnyConnection, institute: &InstituteId) -> Outcome<Vec<Authorisation>> {
    let rows: Vec<AuthorisationRow> = authorisation::table
        .filter(authorisation::institute_id.eq(institute))
        .select(AuthorisationRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| Authorisation {
            institute: row.institute_id.to_string(),
            product: row.product_id.map(|id| id.to_string()),
            category: row.category,
            item: row.item_code,
            valid_from: row.valid_from.date(),
            valid_to: row.valid_to.map(|day| day.date()),
            document: row.document,
        })
        .collect())
}

/// The batches of an application in their order.
pub(super) fn batches_of(conn: &mut AnyConnection, id: &ApplicationId) -> Outcome<Vec<BatchRow>> {
    Ok(batch::table
        .filter(batch::application_id.eq(id))
        .order(batch::position)
        .select(BatchRow::as_select())
        .load(conn)?)
}

/// The clocks of an application.
pub(super) fn clocks_of(conn: &mut AnyConnection, id: &ApplicationId) -> Outcome<Vec<ApplicationClockRow>> {
    Ok(application_clock::table
        .filter(application_clock::application_id.eq(id))
        .select(ApplicationClockRow::as_select())
        .load(conn)?)
}

/// The batches whose sample was received.
pub(super) fn received_of(conn: &mut AnyConnection, id: &ApplicationId) -> Outcome<Vec<BatchId>> {
    Ok(sample::table
        .filter(sample::application_id.eq(id))
        .filter(sample::state.eq(SampleState::Received))
        .select(sample::batch_id)
        .load(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn only_the_specification_in_force_is_named_for_a_new_case() {
        let one = |id: &str, state, from: Option<&str>, version| {
            (SpecificationId::from(id), SpecificationDates { state, from: from.map(day), version })
        };
        let effective = SpecificationState::Effective;
        let all = [
            one("old", effective, Some("2025-01-01"), 1),
            one("now", effective, Some("2026-01-05"), 2),
            one("coming", effective, Some("2026-07-01"), 3),
            one("draft", SpecificationState::Draft, None, 4),
        ];
        let named = |id: &str, on: &str| named_in_force(&all, &id.into(), day(on));
        let on = day("2026-03-02");
        assert_eq!(named("now", "2026-03-02"), Ok(()));
        assert_eq!(named("old", "2026-03-02"), Err(CasesRefusal::NotInForce { on, from: None }));
        let coming = CasesRefusal::NotInForce { on, from: Some(day("2026-07-01")) };
        assert_eq!(named("coming", "2026-03-02"), Err(coming));
        // On its day the later one comes into force, and not before; the other leaves it on that day.
        assert_eq!(named("now", "2026-06-30"), Ok(()));
        assert_eq!((named("coming", "2026-07-01"), named("now", "2026-07-01").is_err()), (Ok(()), true));
        assert_eq!(named("draft", "2026-03-02"), Ok(()), "is not found where it is looked for");
    }
}
