//! The register: institutes, applicants, products, specifications, authorisations.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Text;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Reader;
use super::keyset::{self, Part};
use crate::calculation::inputs::ReadingInput;
use crate::refusal::{Code, Refusal};
use crate::regulation::{Category, DeviceClass, Trait};
use crate::store::columns::{
    ApplicantId, AuthorisationId, Day, Dec, Instant, InstituteId, ProductId, SpecificationId, TestItemId,
};
use crate::store::rows::{AuthorisationRow, ProductRow, ProductTraitRow, SpecificationRow, TestItemRow};
use crate::store::schema::{applicant, authorisation, institute, product, product_trait, specification, test_item};
use crate::store::stored::At;
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::register::{AnnexPicture, SpecificationDates, standings};
use crate::vocabulary::{AuthorisationState, Comparison, Hidden, ItemKind, SpecificationStanding};

diesel::define_sql_function! {
    /// Small letters, as the database has them.
    fn lower(text: Text) -> Text;
}

/// Which part of a register is asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct Search {
    /// A part of the name or the code, in capital or small letters
    pub q: Option<String>,
    /// How many at most: 1 to 500, 100 without it
    pub limit: Option<i64>,
    /// Behind which row the part begins: `next` of the part before
    pub after: Option<String>,
    /// How many are skipped, at most 10 000; `after` goes further
    pub offset: Option<i64>,
}

impl Search {
    /// The pattern of what is looked for; everything where nothing is said.
    pub(super) fn pattern(&self) -> String {
        let mut pattern = String::from("%");
        for letter in self.q.as_deref().unwrap_or_default().trim().chars() {
            if matches!(letter, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
        if pattern.len() > 1 {
            pattern.push('%');
        }
        pattern
    }

    /// Behind which row the part begins: by what it is ordered, and its id. No row comes before the empty text.
    fn after(&self) -> Result<(&str, &str), Refusal> {
        let Some(after) = self.after.as_deref().filter(|after| !after.is_empty()) else { return Ok(("", "")) };
        after.rsplit_once('~').ok_or_else(|| keyset::foreign("after"))
    }
}

/// An institute (药品检验机构).
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = institute)]
pub struct InstituteView {
    pub id: InstituteId,
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    pub abbreviation: String,
    pub jurisdiction: String,
    pub address_zh: String,
    pub address_en: String,
    pub sample_prefix: String,
    pub created_at: Instant,
    pub revision: i64,
    /// Whether it keeps the shared catalogue
    pub keeps_catalogue: bool,
}

/// An applicant (申请人／报验单位).
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = applicant)]
pub struct ApplicantView {
    pub id: ApplicantId,
    pub name: String,
    pub address: String,
    pub contact: String,
    pub created_at: Instant,
    pub revision: i64,
    /// The institute whose it is; none for a shared one
    pub institute_id: Option<InstituteId>,
}

/// A product (品种) with its traits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProductView {
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
    /// None where it is hidden from who reads
    pub manufacturer: Option<String>,
    /// The marketing authorisation holder; none where it is hidden from who reads
    pub holder: Option<String>,
    pub approval_number: Option<String>,
    pub container_name: String,
    pub container_content: Dec,
    pub content_unit: String,
    pub created_at: Instant,
    pub revision: i64,
    /// The institute whose it is; none for one of the shared catalogue
    pub institute_id: Option<InstituteId>,
    pub traits: Vec<Trait>,
}

impl ProductView {
    fn new(reader: &Reader, row: ProductRow, revision: i64, traits: Vec<Trait>) -> Self {
        Self {
            id: row.id,
            code: row.code,
            name_zh: row.name_zh,
            name_en: row.name_en,
            category: row.category,
            device_class: row.device_class,
            strength: row.strength,
            dosage_form: row.dosage_form,
            package_spec: row.package_spec,
            storage: row.storage,
            manufacturer: reader.shown(Hidden::Maker, row.manufacturer),
            holder: reader.shown(Hidden::Holder, row.holder),
            approval_number: row.approval_number,
            container_name: row.container_name,
            container_content: row.container_content,
            content_unit: row.content_unit,
            created_at: row.created_at,
            revision,
            institute_id: row.institute_id,
            traits,
        }
    }
}

/// A specification (质量标准) with its items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SpecificationView {
    pub id: SpecificationId,
    pub product_id: ProductId,
    pub version: i64,
    pub title: String,
    pub edition: String,
    /// On the day on which it is read
    pub status: SpecificationStanding,
    pub effective_from: Option<Day>,
    pub created_at: Instant,
    pub revision: i64,
    pub items: Vec<TestItemView>,
}

/// A test item (检验项目).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TestItemView {
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
    pub inputs: Vec<ReadingInput>,
    pub replicates: i64,
    pub consumes: Dec,
    /// The unit of that; null is the product's content unit
    pub consumes_unit: Option<String>,
    /// Containers that one test needs whole
    pub whole_containers: Option<i64>,
    pub in_scope: bool,
    pub annex: Vec<AnnexPicture>,
}

impl TestItemView {
    fn new(row: TestItemRow) -> Result<Self, Refusal> {
        let at = |column| At::new("test_item", column, row.id.as_str());
        let (inputs, annex) = (at("inputs").read(&row.inputs)?, at("annex").read(&row.annex)?);
        Ok(Self {
            id: row.id,
            specification_id: row.specification_id,
            position: row.position,
            code: row.code,
            name_zh: row.name_zh,
            name_en: row.name_en,
            method: row.method,
            kind: row.kind,
            unit: row.unit,
            limit_text: row.limit_text,
            compare_by: row.compare_by,
            rounding_step: row.rounding_step,
            formula: row.formula,
            inputs,
            replicates: row.replicates,
            consumes: row.consumes,
            consumes_unit: row.consumes_unit,
            whole_containers: row.whole_containers,
            in_scope: row.in_scope,
            annex,
        })
    }
}

/// A lot-release authorisation (批签发授权) with the names of what it speaks of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuthorisationView {
    pub id: AuthorisationId,
    pub institute_id: InstituteId,
    pub institute_zh: String,
    pub institute_en: String,
    pub product_id: Option<ProductId>,
    pub product_zh: Option<String>,
    pub product_en: Option<String>,
    pub category: Option<Category>,
    pub item_code: Option<String>,
    pub valid_from: Day,
    pub valid_to: Option<Day>,
    pub document: String,
    /// On the day on which it is read
    pub state: AuthorisationState,
    pub created_at: Instant,
    pub revision: i64,
}

/// Products by their codes.
///
/// # Errors
/// [`Code::Forbidden`] for an applicant; [`Code::InvalidField`] for an offset beyond what is counted.
pub fn products(conn: &mut AnyConnection, reader: &Reader, search: &Search) -> Outcome<Part<ProductView>> {
    let own = reader.staff()?;
    let (limit, offset, pattern) = (keyset::limit(search.limit), keyset::offset(search.offset)?, search.pattern());
    let (code, id) = search.after()?;
    let found = || {
        product::table.filter(product::institute_id.is_null().or(product::institute_id.eq(own))).filter(
            lower(product::code)
                .like(lower(pattern.clone()))
                .escape('\\')
                .or(lower(product::name_zh).like(lower(pattern.clone())).escape('\\'))
                .or(lower(product::name_en).like(lower(pattern.clone())).escape('\\')),
        )
    };
    let counted = found().select(product::id).order(product::code).offset(keyset::COUNTED).limit(1);
    let more: Option<ProductId> = counted.first(conn).optional()?;
    let total = if more.is_some() { keyset::COUNTED } else { found().count().get_result(conn)? };
    let mut rows: Vec<(ProductRow, i64)> = found()
        .filter(product::code.gt(code).or(product::code.eq(code).and(product::id.gt(id))))
        .order((product::code, product::id))
        .limit(limit + 1)
        .offset(offset)
        .select((ProductRow::as_select(), product::revision))
        .load(conn)?;
    let next = keyset::next(&mut rows, limit, |(row, _)| format!("{}~{}", row.code, row.id));
    let mut traits = traits_of(conn, rows.iter().map(|(row, _)| &row.id).collect())?;
    let items = rows.into_iter().map(|(row, revision)| {
        let own = traits.remove(&row.id).unwrap_or_default();
        ProductView::new(reader, row, revision, own)
    });
    Ok(Part { total, total_at_least: more.is_some(), items: items.collect(), next })
}

fn traits_of(conn: &mut AnyConnection, ids: Vec<&ProductId>) -> Outcome<BTreeMap<ProductId, Vec<Trait>>> {
    let rows: Vec<ProductTraitRow> = product_trait::table
        .filter(product_trait::product_id.eq_any(ids))
        .order((product_trait::product_id, product_trait::trait_name))
        .load(conn)?;
    let mut found: BTreeMap<ProductId, Vec<Trait>> = BTreeMap::new();
    for row in rows {
        found.entry(row.product_id).or_default().push(row.trait_name);
    }
    Ok(found)
}

/// One product.
///
/// # Errors
/// [`Code::Forbidden`] for an applicant.
pub fn product(conn: &mut AnyConnection, reader: &Reader, id: &ProductId) -> Outcome<Option<ProductView>> {
    let own = reader.staff()?;
    let found: Option<(ProductRow, i64)> = product::table
        .find(id)
        .filter(product::institute_id.is_null().or(product::institute_id.eq(own)))
        .select((ProductRow::as_select(), product::revision))
        .first(conn)
        .optional()?;
    let Some((row, revision)) = found else { return Ok(None) };
    let traits = traits_of(conn, vec![id])?.remove(id).unwrap_or_default();
    Ok(Some(ProductView::new(reader, row, revision, traits)))
}

/// The id of the product with that code, in capital or small letters: the institute's own before a shared one.
///
/// # Errors
/// [`Code::Forbidden`] for an applicant.
pub fn product_of_code(conn: &mut AnyConnection, reader: &Reader, code: &str) -> Outcome<Option<ProductId>> {
    let own = reader.staff()?;
    let found = product::table
        .filter(lower(product::code).eq(lower(code.trim())))
        .filter(product::institute_id.is_null().or(product::institute_id.eq(own)))
        .select(product::id);
    Ok(found.order((product::institute_id.is_null(), product::code)).first(conn).optional()?)
}

/// All versions of a product's specification, the newest first, as they are on a day.
///
/// # Errors
/// [`Code::Forbidden`] for an applicant; [`Code::Internal`] where a stored document cannot be read.
pub fn specifications(
    conn: &mut AnyConnection,
    reader: &Reader,
    id: &ProductId,
    on: &Day,
) -> Outcome<Vec<SpecificationView>> {
    let own = reader.staff()?;
    let seen =
        product::table.filter(product::institute_id.is_null().or(product::institute_id.eq(own))).select(product::id);
    let rows: Vec<(SpecificationRow, i64)> = specification::table
        .filter(specification::product_id.eq(id))
        .filter(specification::product_id.eq_any(seen))
        .order(specification::version.desc())
        .select((SpecificationRow::as_select(), specification::revision))
        .load(conn)?;
    let ids: Vec<&SpecificationId> = rows.iter().map(|(row, _)| &row.id).collect();
    let items: Vec<TestItemRow> = test_item::table
        .filter(test_item::specification_id.eq_any(ids))
        .order((test_item::specification_id, test_item::position))
        .select(TestItemRow::as_select())
        .load(conn)?;
    let mut of: BTreeMap<SpecificationId, Vec<TestItemView>> = BTreeMap::new();
    for item in items {
        of.entry(item.specification_id.clone()).or_default().push(TestItemView::new(item)?);
    }
    let dates: Vec<SpecificationDates<&str>> = rows.iter().map(|(row, _)| dates(row)).collect();
    let standings = standings(&dates, on.as_str());
    let view = |((row, revision), status): ((SpecificationRow, i64), SpecificationStanding)| SpecificationView {
        items: of.remove(&row.id).unwrap_or_default(),
        id: row.id,
        product_id: row.product_id,
        version: row.version,
        title: row.title,
        edition: row.edition,
        status,
        effective_from: row.effective_from,
        created_at: row.created_at,
        revision,
    };
    Ok(rows.into_iter().zip(standings).map(view).collect())
}

/// What decides whether a specification is in force. Days as text are in the order of days.
fn dates(row: &SpecificationRow) -> SpecificationDates<&str> {
    SpecificationDates { state: row.status, from: row.effective_from.as_ref().map(Day::as_str), version: row.version }
}

/// All institutes.
///
/// # Errors
/// The store's failure.
pub fn institutes(conn: &mut AnyConnection) -> Outcome<Vec<InstituteView>> {
    Ok(institute::table.order(institute::code).select(InstituteView::as_select()).load(conn)?)
}

/// One institute.
///
/// # Errors
/// The store's failure.
pub fn institute(conn: &mut AnyConnection, id: &InstituteId) -> Outcome<Option<InstituteView>> {
    Ok(institute::table.find(id).select(InstituteView::as_select()).first(conn).optional()?)
}

/// Applicants by their names.
///
/// # Errors
/// [`Code::Forbidden`] for an applicant, and for those from whom applicants are hidden.
pub fn applicants(conn: &mut AnyConnection, reader: &Reader, search: &Search) -> Outcome<Part<ApplicantView>> {
    let own = reader.staff()?;
    applicants_shown(reader)?;
    let (limit, offset, pattern) = (keyset::limit(search.limit), keyset::offset(search.offset)?, search.pattern());
    let (name, id) = search.after()?;
    let found = || {
        applicant::table
            .filter(applicant::institute_id.is_null().or(applicant::institute_id.eq(own)))
            .filter(lower(applicant::name).like(lower(pattern.clone())).escape('\\'))
    };
    let counted = found().select(applicant::id).order(applicant::name).offset(keyset::COUNTED).limit(1);
    let more: Option<ApplicantId> = counted.first(conn).optional()?;
    let total = if more.is_some() { keyset::COUNTED } else { found().count().get_result(conn)? };
    let mut items: Vec<ApplicantView> = found()
        .filter(applicant::name.gt(name).or(applicant::name.eq(name).and(applicant::id.gt(id))))
        .order((applicant::name, applicant::id))
        .limit(limit + 1)
        .offset(offset)
        .select(ApplicantView::as_select())
        .load(conn)?;
    let next = keyset::next(&mut items, limit, |row| format!("{}~{}", row.name, row.id));
    Ok(Part { total, total_at_least: more.is_some(), items, next })
}

fn applicants_shown(reader: &Reader) -> Result<(), Refusal> {
    if reader.hides(Hidden::Applicant) {
        return Err(Refusal::new(Code::Forbidden, "申请人对检验人员不公开", "applicants are hidden from testers"));
    }
    Ok(())
}

/// The name of an applicant of the institute, for a reader to whom applicants are shown.
///
/// # Errors
/// [`Code::Forbidden`] for an applicant and for whom applicants are hidden from.
pub fn applicant_name(conn: &mut AnyConnection, reader: &Reader, id: &ApplicantId) -> Outcome<Option<String>> {
    let own = reader.staff()?;
    applicants_shown(reader)?;
    let found = applicant::table
        .find(id)
        .filter(applicant::institute_id.is_null().or(applicant::institute_id.eq(own)))
        .select(applicant::name);
    Ok(found.first(conn).optional()?)
}

/// The id of the applicant with that name: the institute's own before a shared one.
///
/// # Errors
/// [`Code::Forbidden`] for an applicant.
pub fn applicant_of_name(conn: &mut AnyConnection, reader: &Reader, name: &str) -> Outcome<Option<ApplicantId>> {
    let own = reader.staff()?;
    let found = applicant::table
        .filter(applicant::name.eq(name.trim()))
        .filter(applicant::institute_id.is_null().or(applicant::institute_id.eq(own)))
        .select(applicant::id);
    Ok(found.order(applicant::institute_id.is_null()).first(conn).optional()?)
}

type Granted = (AuthorisationRow, i64, String, String, Option<String>, Option<String>);

fn granted(
    (row, revision, institute_zh, institute_en, product_zh, product_en): Granted,
    on: &Day,
) -> AuthorisationView {
    AuthorisationView {
        state: AuthorisationState::on(&row.valid_from, row.valid_to.as_ref(), on),
        id: row.id,
        institute_id: row.institute_id,
        institute_zh,
        institute_en,
        product_id: row.product_id,
        product_zh,
        product_en,
        category: row.category,
        item_code: row.item_code,
        valid_from: row.valid_from,
        valid_to: row.valid_to,
        document: row.document,
        created_at: row.created_at,
        revision,
    }
}

/// What is read of an authorisation.
macro_rules! of_authorisation {
    ($own:expr) => {
        authorisation::table
            .inner_join(institute::table)
            .left_join(product::table)
            .filter(authorisation::institute_id.eq($own))
            .select((
                AuthorisationRow::as_select(),
                authorisation::revision,
                institute::name_zh,
                institute::name_en,
                product::name_zh.nullable(),
                product::name_en.nullable(),
            ))
    };
}

/// The institute's register of lot-release authorisations, as they are on a day, by the day from which they hold.
///
/// # Errors
/// [`Code::Forbidden`] for an applicant; [`Code::InvalidField`] for a cursor that no part gave, and an offset beyond
/// what is counted.
pub fn authorisations(
    conn: &mut AnyConnection,
    reader: &Reader,
    search: &Search,
    on: &Day,
) -> Outcome<Part<AuthorisationView>> {
    let own = reader.staff()?;
    let (limit, offset) = (keyset::limit(search.limit), keyset::offset(search.offset)?);
    let (from, id) = search.after()?;
    let pattern = search.pattern();
    let counted: Vec<AuthorisationId> = authorisation::table
        .filter(authorisation::institute_id.eq(own))
        .filter(lower(authorisation::document).like(lower(pattern.clone())).escape('\\'))
        .limit(keyset::COUNTED + 1)
        .select(authorisation::id)
        .load(conn)?;
    let total = i64::try_from(counted.len()).unwrap_or(keyset::COUNTED);
    let mut rows: Vec<Granted> = of_authorisation!(own)
        .filter(lower(authorisation::document).like(lower(pattern)).escape('\\'))
        .filter(authorisation::valid_from.gt(from).or(authorisation::valid_from.eq(from).and(authorisation::id.gt(id))))
        .order((authorisation::valid_from, authorisation::id))
        .limit(limit + 1)
        .offset(offset)
        .load(conn)?;
    let next = keyset::next(&mut rows, limit, |(row, ..)| format!("{}~{}", row.valid_from.as_str(), row.id));
    let items = rows.into_iter().map(|row| granted(row, on)).collect();
    Ok(Part { total: total.min(keyset::COUNTED), total_at_least: total > keyset::COUNTED, items, next })
}

/// One of the institute's authorisations, as it is on a day.
///
/// # Errors
/// [`Code::Forbidden`] for an applicant.
pub fn authorisation(
    conn: &mut AnyConnection,
    reader: &Reader,
    id: &AuthorisationId,
    on: &Day,
) -> Outcome<Option<AuthorisationView>> {
    let own = reader.staff()?;
    let found: Option<Granted> = of_authorisation!(own).filter(authorisation::id.eq(id)).first(conn).optional()?;
    Ok(found.map(|row| granted(row, on)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_for_is_taken_as_it_is_written() {
        let pattern = |q: &str| Search { q: Some(q.into()), ..Search::default() }.pattern();
        assert_eq!(Search::default().pattern(), "%");
        assert_eq!(pattern("  "), "%");
        assert_eq!(pattern(" Nti "), "%Nti%");
        assert_eq!(pattern("50%_\\"), "%50\\%\\_\\\\%");
    }
}
