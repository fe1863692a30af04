//! Reference standards and evaluations, as lists and pages show them.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::Reader;
use super::keyset::{self, After, Part};
use crate::store::columns::{
    AccountId, Day, Dec, EvaluationId, Instant, InstituteId, InstrumentFileId, ReferenceStandardId, SampleId,
    TestTaskId,
};
use crate::store::rows::{EvaluationRow, InstrumentFileRow, ReferenceStandardRow};
use crate::store::schema::{
    account, evaluation, evaluation_file, evaluation_result, instrument_file, reading, reference_standard, sample,
    test_item, test_task,
};
use crate::store::stored::At;
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{EvaluationKind, EvaluationVerdict, ReferenceStandardState, StandardBasis};

/// Which lots of reference standards are asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct StandardFilter {
    /// `true` leaves out withdrawn lots
    pub in_use: bool,
    /// A part of the name or of the lot
    pub search: Option<String>,
    /// How many at most: 1 to 500, 500 without it
    pub limit: Option<i64>,
    /// Behind which lot the part begins: `next` of the part before
    pub after: Option<ReferenceStandardId>,
}

/// A lot of a reference standard.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StandardView {
    pub id: ReferenceStandardId,
    /// How often it was changed: what `If-Match` takes
    pub revision: i64,
    pub institute_id: InstituteId,
    pub state: ReferenceStandardState,
    pub name: String,
    pub batch: String,
    pub source: String,
    /// In per cent
    pub purity: Dec,
    pub basis: StandardBasis,
    /// In per cent
    pub water: Option<Dec>,
    pub expires_on: Day,
    pub storage: String,
    pub note: String,
    pub created_by: AccountId,
    pub created_at: Instant,
    pub withdrawn_by: Option<AccountId>,
    pub withdrawn_at: Option<Instant>,
    pub withdrawn_reason: Option<String>,
}

impl StandardView {
    fn of((row, revision): (ReferenceStandardRow, i64)) -> Self {
        Self {
            id: row.id,
            revision,
            institute_id: row.institute_id,
            state: if row.withdrawn_at.is_some() {
                ReferenceStandardState::Withdrawn
            } else {
                ReferenceStandardState::InUse
            },
            name: row.name,
            batch: row.batch,
            source: row.source,
            purity: row.purity,
            basis: row.basis,
            water: row.water,
            expires_on: row.expires_on,
            storage: row.storage,
            note: row.note,
            created_by: row.created_by,
            created_at: row.created_at,
            withdrawn_by: row.withdrawn_by,
            withdrawn_at: row.withdrawn_at,
            withdrawn_reason: row.withdrawn_reason,
        }
    }
}

/// One lot of the reader's institute.
///
/// # Errors
/// The store's failure.
pub fn standard(conn: &mut AnyConnection, reader: &Reader, id: &ReferenceStandardId) -> Outcome<Option<StandardView>> {
    let Some(institute) = reader.institute() else { return Ok(None) };
    let found: Option<(ReferenceStandardRow, i64)> = reference_standard::table
        .find(id)
        .filter(reference_standard::institute_id.eq(institute))
        .select((ReferenceStandardRow::as_select(), reference_standard::revision))
        .first(conn)
        .optional()?;
    Ok(found.map(StandardView::of))
}

/// Lots of the reader's institute, by name and lot.
///
/// # Errors
/// The store's failure.
pub fn standards(conn: &mut AnyConnection, reader: &Reader, filter: &StandardFilter) -> Outcome<Part<StandardView>> {
    let Some(institute) = reader.institute() else { return Ok(Part::empty()) };
    let limit = keyset::limit(filter.limit.or(Some(500)));
    let filtered = || {
        let mut query =
            reference_standard::table.filter(reference_standard::institute_id.eq(institute.clone())).into_boxed();
        if filter.in_use {
            query = query.filter(reference_standard::withdrawn_at.is_null());
        }
        if let Some(text) = filter.search.as_deref().and_then(keyset::containing) {
            let named = reference_standard::name.like(text.clone()).or(reference_standard::batch.like(text));
            query = query.filter(named);
        }
        query
    };
    let total = filtered().count().get_result(conn)?;
    let mut part = filtered();
    if let Some(after) = &filter.after {
        let of: Option<(String, String)> = reference_standard::table
            .find(after)
            .filter(reference_standard::institute_id.eq(institute))
            .select((reference_standard::name, reference_standard::batch))
            .first(conn)
            .optional()?;
        let (name, batch) = of.ok_or_else(|| keyset::foreign("after"))?;
        part = part
            .filter(reference_standard::name.ge(name.clone()))
            .filter(reference_standard::name.gt(name).or(reference_standard::batch.gt(batch)));
    }
    let mut rows: Vec<(ReferenceStandardRow, i64)> = part
        .order((reference_standard::name, reference_standard::batch))
        .limit(limit + 1)
        .select((ReferenceStandardRow::as_select(), reference_standard::revision))
        .load(conn)?;
    let next = keyset::next(&mut rows, limit, |(row, _)| row.id.to_string());
    let items = rows.into_iter().map(StandardView::of).collect();
    Ok(Part { total, total_at_least: false, items, next })
}

/// Lots by their ids, withdrawn ones too.
///
/// # Errors
/// The store's failure.
pub fn standards_named(
    conn: &mut AnyConnection,
    reader: &Reader,
    ids: &[ReferenceStandardId],
) -> Outcome<Vec<StandardView>> {
    let Some(institute) = reader.institute() else { return Ok(Vec::new()) };
    let rows: Vec<(ReferenceStandardRow, i64)> = reference_standard::table
        .filter(reference_standard::institute_id.eq(institute))
        .filter(reference_standard::id.eq_any(ids))
        .order((reference_standard::name, reference_standard::batch))
        .select((ReferenceStandardRow::as_select(), reference_standard::revision))
        .load(conn)?;
    Ok(rows.into_iter().map(StandardView::of).collect())
}

/// Which evaluations are asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct EvaluationFilter {
    /// Those that rest on this file
    pub file: Option<InstrumentFileId>,
    /// How many at most: 1 to 500, 100 without it
    pub limit: Option<i64>,
    /// Behind which row the part begins: `next` of the part before
    pub after: Option<String>,
    /// How many are skipped, at most 10 000; `after` goes further
    pub offset: Option<i64>,
}

/// One evaluation in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvaluationListRow {
    pub id: EvaluationId,
    pub root_id: EvaluationId,
    pub version: i64,
    pub kind: EvaluationKind,
    pub title: String,
    pub method_id: String,
    pub method_version: String,
    /// `valid` or `invalid`
    pub verdict: EvaluationVerdict,
    pub created_at: Instant,
    pub created_by_name: String,
    /// A newer version exists
    pub superseded: bool,
}

/// What a list reads of an evaluation: not what it rests on and what it found, which is large.
#[derive(Queryable, Selectable)]
#[diesel(table_name = evaluation)]
struct Listing {
    id: EvaluationId,
    root_id: EvaluationId,
    version: i64,
    kind: EvaluationKind,
    title: String,
    method_id: String,
    method_version: String,
    verdict: EvaluationVerdict,
    created_at: Instant,
}

impl Listing {
    fn row(self, created_by_name: String, newest: i64) -> EvaluationListRow {
        EvaluationListRow {
            superseded: newest > self.version,
            id: self.id,
            root_id: self.root_id,
            version: self.version,
            kind: self.kind,
            title: self.title,
            method_id: self.method_id,
            method_version: self.method_version,
            verdict: self.verdict,
            created_at: self.created_at,
            created_by_name,
        }
    }
}

/// The reader's institute's evaluations, the newest first.
///
/// # Errors
/// A cursor that this list did not give, and the store's failure.
pub fn evaluations(
    conn: &mut AnyConnection,
    reader: &Reader,
    filter: &EvaluationFilter,
) -> Outcome<Part<EvaluationListRow>> {
    let Some(institute) = reader.institute() else { return Ok(Part::empty()) };
    let (after, limit, offset) =
        (After::parse(filter.after.as_deref())?, keyset::limit(filter.limit), keyset::offset(filter.offset)?);
    let filtered = || {
        let mut query = evaluation::table
            .inner_join(account::table)
            .filter(evaluation::institute_id.eq(institute.clone()))
            .into_boxed();
        if let Some(file) = &filter.file {
            let of_file = evaluation_file::table
                .filter(evaluation_file::instrument_file_id.eq(file.clone()))
                .select(evaluation_file::evaluation_id);
            query = query.filter(evaluation::id.eq_any(of_file));
        }
        query
    };
    let order = (evaluation::created_at.desc(), evaluation::id.desc());
    let beyond: Option<EvaluationId> =
        filtered().select(evaluation::id).order(order).offset(keyset::COUNTED).limit(1).first(conn).optional()?;
    let total = match &beyond {
        Some(_) => keyset::COUNTED,
        None => filtered().count().get_result(conn)?,
    };
    let mut part = filtered();
    if let Some(After { at, id }) = after {
        part = part
            .filter(evaluation::created_at.le(at.clone()))
            .filter(evaluation::created_at.lt(at).or(evaluation::id.lt(id)));
    }
    let mut rows: Vec<(Listing, String)> = part
        .order(order)
        .limit(limit + 1)
        .offset(offset)
        .select((Listing::as_select(), account::display_name))
        .load(conn)?;
    let next = keyset::next(&mut rows, limit, |(row, _)| After::of(&row.created_at, &row.id));
    let newest = newest(conn, rows.iter().map(|(row, _)| &row.root_id))?;
    let items = rows.into_iter().map(|(row, name)| {
        let last = newest.get(row.root_id.as_str()).copied().unwrap_or(row.version);
        row.row(name, last)
    });
    Ok(Part { total, total_at_least: beyond.is_some(), items: items.collect(), next })
}

/// The newest version of each series.
fn newest<'a>(
    conn: &mut AnyConnection,
    roots: impl Iterator<Item = &'a EvaluationId>,
) -> Outcome<BTreeMap<String, i64>> {
    let found: Vec<(String, Option<i64>)> = evaluation::table
        .filter(evaluation::root_id.eq_any(roots))
        .group_by(evaluation::root_id)
        .select((evaluation::root_id, diesel::dsl::max(evaluation::version)))
        .load(conn)?;
    Ok(found.into_iter().filter_map(|(root, version)| Some((root, version?))).collect())
}

/// One evaluation, with what it rests on and what it found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EvaluationView {
    pub id: EvaluationId,
    pub root_id: EvaluationId,
    pub version: i64,
    pub institute_id: InstituteId,
    pub kind: EvaluationKind,
    pub title: String,
    pub method_id: String,
    pub method_version: String,
    /// The definition as it was
    #[schema(value_type = crate::calculation::method::Method)]
    pub method: Value,
    pub calculation_version: String,
    /// What a person said about the injections, solutions or wells
    #[schema(value_type = crate::calculation::setup::Setup)]
    pub setup: Value,
    /// The lots of reference standards as they were
    #[schema(value_type = Vec<crate::calculation::setup::StandardFacts>)]
    pub standards: Value,
    /// Every number and step
    #[schema(value_type = crate::calculation::outcome::Outcome)]
    pub outcome: Value,
    /// `valid` or `invalid`
    pub verdict: EvaluationVerdict,
    /// Why it was made again
    pub reason: Option<String>,
    pub created_by: AccountId,
    pub created_at: Instant,
}

impl EvaluationView {
    /// The row as it leaves the program.
    ///
    /// # Errors
    /// Names the column, where what is stored cannot be read.
    pub fn of(row: EvaluationRow) -> Outcome<Self> {
        let tree = |column, stored| At::new("evaluation", column, row.id.as_str()).tree(stored);
        Ok(Self {
            method: tree("method", &row.method)?,
            setup: tree("setup", &row.setup)?,
            standards: tree("standards", &row.standards)?,
            outcome: tree("outcome", &row.outcome)?,
            id: row.id,
            root_id: row.root_id,
            version: row.version,
            institute_id: row.institute_id,
            kind: row.kind,
            title: row.title,
            method_id: row.method_id,
            method_version: row.method_version,
            calculation_version: row.calculation_version,
            verdict: row.verdict,
            reason: row.reason,
            created_by: row.created_by,
            created_at: row.created_at,
        })
    }
}

/// Something that a person has to know of a file.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EvaluatedFileProblem {
    /// Stable word for programs
    pub code: String,
    /// Whether it blocks: `error`, `warning`
    pub severity: String,
    /// One sentence; where it is in both languages, with ` / ` between
    pub message: String,
}

/// A file that an evaluation rests on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvaluatedFile {
    pub id: InstrumentFileId,
    pub name: String,
    pub sha256: String,
    pub size: i64,
    pub adapter: Option<String>,
    pub adapter_version: Option<String>,
    pub complete: Option<bool>,
    pub problems: Vec<EvaluatedFileProblem>,
    pub state: String,
    pub uploaded_at: Instant,
    pub version: i64,
}

/// A reading that rests on an evaluation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EnteredFrom {
    pub task_id: TestTaskId,
    pub sample_number: String,
    pub item_zh: String,
    pub item_en: String,
    pub name: String,
    pub raw: String,
}

/// One evaluation with its files, its other versions and what was entered from it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvaluationDetail {
    #[serde(flatten)]
    pub evaluation: EvaluationView,
    pub created_by_name: String,
    pub files: Vec<EvaluatedFile>,
    pub versions: Vec<EvaluationListRow>,
    pub superseded: bool,
    pub entered: Vec<EnteredFrom>,
    /// The numbers of the samples that results belong to, by id
    pub samples: BTreeMap<String, String>,
}

/// An evaluation of the reader's institute; none of another's.
///
/// # Errors
/// The store's failure, and what is stored and cannot be read.
pub fn evaluation(conn: &mut AnyConnection, reader: &Reader, id: &EvaluationId) -> Outcome<Option<EvaluationDetail>> {
    let Some(institute) = reader.institute() else { return Ok(None) };
    let found: Option<EvaluationRow> =
        evaluation::table.find(id).filter(evaluation::institute_id.eq(institute)).first(conn).optional()?;
    let Some(row) = found else { return Ok(None) };
    let series: Vec<(Listing, String)> = evaluation::table
        .inner_join(account::table)
        .filter(evaluation::root_id.eq(&row.root_id))
        .order(evaluation::version)
        .select((Listing::as_select(), account::display_name))
        .load(conn)?;
    let newest = series.iter().map(|(one, _)| one.version).max().unwrap_or(row.version);
    let versions: Vec<EvaluationListRow> = series.into_iter().map(|(one, name)| one.row(name, newest)).collect();
    let own = versions.iter().find(|one| one.id == row.id);
    Ok(Some(EvaluationDetail {
        created_by_name: own.map(|one| one.created_by_name.clone()).unwrap_or_default(),
        superseded: newest > row.version,
        versions,
        files: files_of(conn, id)?,
        entered: entered_from(conn, id)?,
        samples: samples_of(conn, id)?,
        evaluation: EvaluationView::of(row)?,
    }))
}

fn files_of(conn: &mut AnyConnection, id: &EvaluationId) -> Outcome<Vec<EvaluatedFile>> {
    let files: Vec<InstrumentFileRow> = instrument_file::table
        .inner_join(evaluation_file::table)
        .filter(evaluation_file::evaluation_id.eq(id))
        .order(evaluation_file::position)
        .select(InstrumentFileRow::as_select())
        .load(conn)?;
    let shown = |file: InstrumentFileRow| {
        Ok(EvaluatedFile {
            problems: At::new("instrument_file", "problems", file.id.as_str()).read(&file.problems)?,
            id: file.id,
            name: file.name,
            sha256: file.sha256,
            size: file.size,
            adapter: file.adapter,
            adapter_version: file.adapter_version,
            complete: file.complete,
            state: file.state.to_string(),
            uploaded_at: file.uploaded_at,
            version: file.version,
        })
    };
    files.into_iter().map(shown).collect()
}

fn entered_from(conn: &mut AnyConnection, id: &EvaluationId) -> Outcome<Vec<EnteredFrom>> {
    let entered: Vec<(TestTaskId, String, String, String, String, String)> = reading::table
        .inner_join(evaluation_result::table)
        .inner_join(test_task::table.inner_join(test_item::table).inner_join(sample::table))
        .filter(evaluation_result::evaluation_id.eq(id))
        .order((sample::number, reading::name, reading::position))
        .select((test_task::id, sample::number, test_item::name_zh, test_item::name_en, reading::name, reading::raw))
        .load(conn)?;
    let shown = |(task_id, sample_number, item_zh, item_en, name, raw)| EnteredFrom {
        task_id,
        sample_number,
        item_zh,
        item_en,
        name,
        raw,
    };
    Ok(entered.into_iter().map(shown).collect())
}

fn samples_of(conn: &mut AnyConnection, id: &EvaluationId) -> Outcome<BTreeMap<String, String>> {
    let samples: Vec<(SampleId, String)> = evaluation_result::table
        .inner_join(sample::table)
        .filter(evaluation_result::evaluation_id.eq(id))
        .select((sample::id, sample::number))
        .load(conn)?;
    Ok(samples.into_iter().map(|(id, number)| (id.to_string(), number)).collect())
}

/// The states of files that an evaluation may rest on.
const EVALUABLE: [&str; 2] = ["staged", "accepted"];

/// A file that may be chosen for an evaluation.
#[derive(Clone, Debug, Serialize, Queryable)]
pub struct EvaluableFile {
    pub id: InstrumentFileId,
    pub name: String,
    pub adapter: Option<String>,
    pub state: String,
    pub uploaded_at: Instant,
}

/// The files of the reader's institute that an evaluation may rest on, the newest first; `search` is a part of the
/// name.
///
/// # Errors
/// A cursor that this list did not give, and the store's failure.
pub fn evaluable_files(
    conn: &mut AnyConnection,
    reader: &Reader,
    search: &str,
    (after, limit): (Option<&str>, i64),
) -> Outcome<Part<EvaluableFile>> {
    let Some(institute) = reader.institute() else { return Ok(Part::empty()) };
    let after = After::parse(after)?;
    let filtered = || {
        let mut query = instrument_file::table
            .filter(instrument_file::institute_id.eq(institute.clone()))
            .filter(instrument_file::state.eq_any(EVALUABLE))
            .into_boxed();
        if let Some(text) = keyset::containing(search) {
            query = query.filter(instrument_file::name.like(text));
        }
        query
    };
    let order = (instrument_file::uploaded_at.desc(), instrument_file::id.desc());
    let beyond: Option<InstrumentFileId> =
        filtered().select(instrument_file::id).order(order).offset(keyset::COUNTED).limit(1).first(conn).optional()?;
    let total = match &beyond {
        Some(_) => keyset::COUNTED,
        None => filtered().count().get_result(conn)?,
    };
    let mut part = filtered();
    if let Some(After { at, id }) = after {
        part = part
            .filter(instrument_file::uploaded_at.le(at.clone()))
            .filter(instrument_file::uploaded_at.lt(at).or(instrument_file::id.lt(id)));
    }
    let mut items: Vec<EvaluableFile> = part
        .order(order)
        .limit(limit + 1)
        .select((
            instrument_file::id,
            instrument_file::name,
            instrument_file::adapter,
            instrument_file::state,
            instrument_file::uploaded_at,
        ))
        .load(conn)?;
    let next = keyset::next(&mut items, limit, |file| After::of(&file.uploaded_at, &file.id));
    Ok(Part { total, total_at_least: beyond.is_some(), items, next })
}
