//! Sequence lists (进样序列): which sample is at which position or in which vial. A person enters one for a file,
//! or before it for the files of an instrument whose name fits a pattern.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::files::{file_of, machine_of, observations_of_file, samples_by_number, touch};
use super::match_name::Matched;
use super::matching::{Finder, MatchedFile as Matching, match_samples};
use super::places::{Places, lists_of_file, plain};
use crate::action::{Action, Context, Facts, Services, Subject};
use crate::insert_all;
use crate::instruments::refusals::InstrumentRefusal;
use crate::instruments::register::{active, file_globs, row_of, rule_of};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::store::columns::{
    AccountId, Instant, InstituteId, InstrumentFileId, InstrumentId, ObservationId, RunListId, SampleId,
};
use crate::store::revisions::{Revised, current};
use crate::store::rows::{InstrumentFileRow, ObservationRow, RunListLineRow, RunListRow};
use crate::store::schema::{observation, run_list, run_list_row, sample};
use crate::store::views::Reader;
use crate::store::{AnyConnection, Outcome};
use crate::text::{self, codes};
use crate::vocabulary::Permission;
use crate::vocabulary::instruments::{FileEvent, RunListEvent, RunListState};

/// The most lines of a list.
const LINES: usize = 1000;
/// Places and files are called as the instrument calls them.
const AS_FILED: &[&str] = &["rows", "file_pattern"];

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunListLine {
    /// The position or vial as the instrument writes it, e.g. `12`, `1:A,3`
    pub place: String,
    /// A sample that exists
    pub sample_number: String,
}

impl RunListLine {
    /// Reads lines `place, number` as they are typed or pasted from a sheet.
    ///
    /// # Errors
    /// Names the line.
    pub fn all_of(text: &str) -> Result<Vec<Self>, Refusal> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines
            .enumerate()
            .map(|(index, line)| {
                let parts = line.rsplit_once(['\t', ';', '；', '，', ' ']).or_else(|| line.rsplit_once(','));
                let malformed = || InstrumentRefusal::RowMalformed { row: index, line: line.to_owned() };
                let (place, number) = parts.ok_or_else(malformed)?;
                let place = place.trim().trim_end_matches([',', ';']).trim().to_owned();
                Ok(Self { place, sample_number: number.trim().to_owned() })
            })
            .collect()
    }
}

/// Enters a list before its files.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddRunList {
    /// The instrument
    pub id: InstrumentId,
    pub rows: Vec<RunListLine>,
    /// The file's name, or a pattern such as `20260302_*.txt`
    #[serde(default)]
    pub file_pattern: Option<String>,
}

/// Enters the list of a file, in place of an earlier one, and matches the values that have no sample yet.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddFileRunList {
    /// The file
    pub id: InstrumentFileId,
    pub rows: Vec<RunListLine>,
}

/// Withdraws a list that was entered before its files.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawRunList {
    pub id: RunListId,
    pub reason: String,
}

/// A list with its lines.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RunListView {
    pub id: RunListId,
    pub institute_id: InstituteId,
    pub instrument_id: Option<InstrumentId>,
    pub instrument_file_id: Option<InstrumentFileId>,
    pub file_pattern: Option<String>,
    pub created_by: AccountId,
    pub created_at: Instant,
    pub withdrawn_at: Option<Instant>,
    pub rows: Vec<RunListLine>,
    /// What a withdrawal of it is made on
    pub revision: i64,
}

impl RunListView {
    fn of(list: RunListRow, revision: i64, rows: Vec<RunListLine>) -> Self {
        Self {
            id: list.id,
            institute_id: list.institute_id,
            instrument_id: list.instrument_id,
            instrument_file_id: list.instrument_file_id,
            file_pattern: list.file_pattern,
            created_by: list.created_by,
            created_at: list.created_at,
            withdrawn_at: list.withdrawn_at,
            rows,
            revision,
        }
    }
}

/// The state of a list.
fn state_of(list: &RunListRow) -> RunListState {
    if list.withdrawn_at.is_some() { RunListState::Withdrawn } else { RunListState::InForce }
}

/// Which samples there are of the numbers of a list.
fn samples_of(
    conn: &mut AnyConnection,
    own: &InstituteId,
    rows: &[RunListLine],
) -> Outcome<BTreeMap<String, SampleId>> {
    let numbers: Vec<String> = rows.iter().take(LINES).flat_map(|row| codes::forms(&row.sample_number)).collect();
    let mut found = BTreeMap::new();
    for part in numbers.chunks(400) {
        found.extend(samples_by_number(conn, own, part)?);
    }
    Ok(found)
}

/// Whether the lines of a list are in order: each place once, each sample there. Pure.
fn checked(rows: &[RunListLine], samples: &BTreeMap<String, SampleId>) -> Result<Vec<(String, SampleId)>, Refusal> {
    if rows.is_empty() || rows.len() > LINES {
        return Err(InstrumentRefusal::RowCount.into());
    }
    let mut lines: Vec<(String, SampleId)> = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let at = |field: &str| format!("rows[{index}].{field}");
        let place = text::required_as_filed(&at("place"), &row.place, 100)?;
        if lines.iter().any(|(known, _)| plain(known) == plain(&place)) {
            return Err(InstrumentRefusal::PlaceTwice { row: index, place }.into());
        }
        let number = text::required(&at("sample_number"), &row.sample_number, text::TEXT)?;
        let sample = codes::forms(&number).iter().find_map(|form| samples.get(form)).cloned();
        lines.push((place, sample.ok_or_else(|| InstrumentRefusal::NoSample(number).at(at("sample_number")))?));
    }
    Ok(lines)
}

/// The pattern of a list that is entered before its files: one that names them. Pure.
fn pattern(typed: Option<&str>) -> Result<String, Refusal> {
    let pattern = text::required_as_filed("file_pattern", typed.unwrap_or_default(), text::TEXT)?;
    file_globs(&pattern).map_err(|why| InstrumentRefusal::FilePattern { field: "file_pattern", why })?;
    if pattern.chars().all(|c| matches!(c, '*' | '?' | '.' | ';' | '/')) {
        // A list for every file there will ever be would name samples that were there on another day.
        return Err(InstrumentRefusal::PatternTooWide.into());
    }
    Ok(pattern)
}

fn insert(conn: &mut AnyConnection, list: &RunListRow, lines: Vec<(String, SampleId)>) -> Outcome<()> {
    let row = |((place, sample_id), position): ((String, SampleId), i64)| RunListLineRow {
        run_list_id: list.id.clone(),
        position,
        place,
        sample_id,
    };
    let lines: Vec<RunListLineRow> = lines.into_iter().zip(1_i64..).map(row).collect();
    diesel::insert_into(run_list::table).values(list).execute(conn)?;
    insert_all!(conn, run_list_row::table, &lines)?;
    Ok(())
}

fn withdrawn(conn: &mut AnyConnection, id: &RunListId, at: &Instant) -> Outcome<()> {
    diesel::update(run_list::table.find(id)).set(run_list::withdrawn_at.eq(at)).execute(conn)?;
    Ok(())
}

fn fresh(own: InstituteId, actor: &Actor, at: Instant) -> RunListRow {
    RunListRow {
        id: RunListId::new(),
        institute_id: own,
        instrument_id: None,
        instrument_file_id: None,
        file_pattern: None,
        created_by: actor.account.clone(),
        created_at: at,
        withdrawn_at: None,
    }
}

impl Action for AddRunList {
    const NAME: &'static str = "run_list.add";
    const PERMISSION: Permission = Permission::InstrumentAccept;
    const AS_FILED: &'static [&'static str] = self::AS_FILED;
    type Prepared = ();
    type Loaded = BTreeMap<String, SampleId>;
    type Plan = (String, Vec<(String, SampleId)>);
    type Done = RunListView;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Self::Loaded> {
        let own = cx.institute()?;
        active(cx.conn, &own, &self.id)?;
        samples_of(cx.conn, &own, &self.rows)
    }

    fn decide(&self, _: &Facts<'_>, samples: &Self::Loaded) -> Result<Self::Plan, Refusal> {
        Ok((pattern(self.file_pattern.as_deref())?, checked(&self.rows, samples)?))
    }

    fn keep(&self, cx: &mut Context<'_>, _: Self::Loaded, (pattern, lines): Self::Plan) -> Outcome<RunListView> {
        let list = RunListRow {
            instrument_id: Some(self.id.clone()),
            file_pattern: Some(pattern),
            ..fresh(cx.institute()?, cx.actor, cx.now.into())
        };
        insert(cx.conn, &list, lines)?;
        let content = json!({"run_list": list.id, "file_pattern": list.file_pattern, "rows": self.rows});
        cx.record(Change::created(Self::NAME, "instrument", &self.id, content));
        let revision = current(cx.conn, Revised::RunList, list.id.as_str())?.unwrap_or(1);
        Ok(RunListView::of(list, revision, self.rows.clone()))
    }
}

/// What the list of a file is decided from.
pub struct Sequence {
    file: InstrumentFileRow,
    observations: Vec<ObservationRow>,
    finder: Finder,
    samples: BTreeMap<String, SampleId>,
    /// The lists that it takes the place of.
    before: Vec<RunListId>,
}

/// The list of a file, and the values that have a sample by it.
pub struct Sequenced {
    lines: Vec<(String, SampleId)>,
    matched: Vec<(ObservationId, SampleId)>,
}

/// Which values have a sample by a list; one that says otherwise than the file is refused. Pure.
fn sequenced(finder: &Finder, observations: &[ObservationRow]) -> Result<Vec<(ObservationId, SampleId)>, Refusal> {
    let (mut rows, mut blank) = (observations.to_vec(), observations.to_vec());
    blank.iter_mut().for_each(|row| row.sample_id = None);
    match_samples(finder, &mut rows)?;
    match_samples(finder, &mut blank)?;
    for (old, now) in observations.iter().zip(&blank) {
        if old.sample_id.is_some() && old.sample_id != now.sample_id {
            let text = now.sample_text.clone().unwrap_or_default();
            return Err(InstrumentRefusal::OtherSample { text }.into());
        }
    }
    let fresh = observations.iter().zip(rows).filter(|(old, _)| old.sample_id.is_none());
    Ok(fresh.filter_map(|(_, now)| now.sample_id.map(|sample| (now.id, sample))).collect())
}

impl Action for AddFileRunList {
    const NAME: &'static str = "run_list.add_to_file";
    const PERMISSION: Permission = Permission::InstrumentAccept;
    const AS_FILED: &'static [&'static str] = self::AS_FILED;
    type Prepared = ();
    type Loaded = Sequence;
    type Plan = Sequenced;
    type Done = Matched;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::InstrumentFile, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Sequence> {
        let own = cx.institute()?;
        let file = file_of(cx.conn, &own, &self.id)?;
        let observations = observations_of_file(cx.conn, &self.id)?;
        let rule = machine_of(cx.conn, &file)?.as_ref().map(rule_of).transpose()?.unwrap_or_default();
        let finder = Finder::load(cx.conn, &Matching { file: &file, rule: &rule }, &observations)?;
        let samples = samples_of(cx.conn, &own, &self.rows)?;
        let before = lists_of_file(cx.conn, &self.id)?;
        Ok(Sequence { file, observations, finder, samples, before })
    }

    fn decide(&self, _: &Facts<'_>, found: &Sequence) -> Result<Sequenced, Refusal> {
        found.file.state.on(FileEvent::Match).map_err(InstrumentRefusal::from)?;
        let lines = checked(&self.rows, &found.samples)?;
        let mut places = Places::default();
        lines.iter().for_each(|(place, sample)| places.add(place, sample.clone()));
        let matched = sequenced(&found.finder.clone().with_places(places), &found.observations)?;
        Ok(Sequenced { lines, matched })
    }

    fn keep(&self, cx: &mut Context<'_>, found: Sequence, plan: Sequenced) -> Outcome<Matched> {
        let at = Instant::from(cx.now);
        for old in &found.before {
            withdrawn(cx.conn, old, &at)?;
        }
        let list = RunListRow { instrument_file_id: Some(self.id.clone()), ..fresh(cx.institute()?, cx.actor, at) };
        insert(cx.conn, &list, plan.lines)?;
        for (id, sample) in &plan.matched {
            diesel::update(observation::table.find(id)).set(observation::sample_id.eq(sample)).execute(cx.conn)?;
        }
        touch(cx.conn, &self.id)?;
        let content = json!({"run_list": list.id, "rows": self.rows, "matched": plan.matched.len()});
        cx.record(Change::created(Self::NAME, "instrument_file", &self.id, content));
        Ok(Matched { file_id: self.id.clone(), values: plan.matched.len() })
    }
}

impl Action for WithdrawRunList {
    const NAME: &'static str = "run_list.withdraw";
    const PERMISSION: Permission = Permission::InstrumentAccept;
    type Prepared = ();
    type Loaded = RunListRow;
    type Plan = String;
    type Done = ();

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::RunList, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<RunListRow> {
        let own = cx.institute()?;
        let found: Option<RunListRow> = run_list::table
            .find(&self.id)
            .filter(run_list::institute_id.eq(&own))
            .select(RunListRow::as_select())
            .first(cx.conn)
            .optional()?;
        found.ok_or_else(|| InstrumentRefusal::NoRunList(self.id.to_string()).into())
    }

    fn decide(&self, _: &Facts<'_>, list: &RunListRow) -> Result<String, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        state_of(list).on(RunListEvent::Withdraw).map_err(InstrumentRefusal::from)?;
        Ok(reason)
    }

    fn keep(&self, cx: &mut Context<'_>, _: RunListRow, reason: String) -> Outcome<()> {
        let at = Instant::from(cx.now);
        withdrawn(cx.conn, &self.id, &at)?;
        let change = Change::field(Self::NAME, "run_list", &self.id, "withdrawn_at", (), at.to_string());
        cx.record(change.because(reason));
        Ok(())
    }
}

/// The lists of an instrument that are in force, the newest first; at most 100.
///
/// # Errors
/// Where the reader's institute has no such instrument.
pub fn run_lists(services: &Services, reader: &Reader, id: &InstrumentId) -> Outcome<Vec<RunListView>> {
    services.db.read(|conn| {
        row_of(conn, reader.staff()?, id)?;
        let lists: Vec<(RunListRow, i64)> = run_list::table
            .filter(run_list::instrument_id.eq(id))
            .filter(run_list::withdrawn_at.is_null())
            .order(run_list::created_at.desc())
            .limit(100)
            .select((RunListRow::as_select(), run_list::revision))
            .load(conn)?;
        with_lines(conn, lists)
    })
}

/// The list of a file, where it has one.
pub(in crate::instruments) fn of_file(conn: &mut AnyConnection, id: &InstrumentFileId) -> Outcome<Option<RunListView>> {
    let lists: Vec<(RunListRow, i64)> = run_list::table
        .filter(run_list::instrument_file_id.eq(id))
        .filter(run_list::withdrawn_at.is_null())
        .order(run_list::created_at.desc())
        .limit(1)
        .select((RunListRow::as_select(), run_list::revision))
        .load(conn)?;
    Ok(with_lines(conn, lists)?.into_iter().next())
}

fn with_lines(conn: &mut AnyConnection, lists: Vec<(RunListRow, i64)>) -> Outcome<Vec<RunListView>> {
    let ids: Vec<&RunListId> = lists.iter().map(|(list, _)| &list.id).collect();
    let rows: Vec<(RunListId, String, String)> = run_list_row::table
        .inner_join(sample::table)
        .filter(run_list_row::run_list_id.eq_any(ids))
        .order((run_list_row::run_list_id, run_list_row::position))
        .select((run_list_row::run_list_id, run_list_row::place, sample::number))
        .load(conn)?;
    let mut lines: BTreeMap<RunListId, Vec<RunListLine>> = BTreeMap::new();
    for (id, place, sample_number) in rows {
        lines.entry(id).or_default().push(RunListLine { place, sample_number });
    }
    let view = |(list, revision): (RunListRow, i64)| {
        let rows = lines.remove(&list.id).unwrap_or_default();
        RunListView::of(list, revision, rows)
    };
    Ok(lists.into_iter().map(view).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruments::reception::take_in::tests::{row, seen};
    use crate::store::columns::Json;

    fn lines(text: &str) -> Vec<RunListLine> {
        RunListLine::all_of(text).expect("lines")
    }

    #[test]
    fn lines_are_read_as_they_are_pasted() {
        let rows = lines("12\tSX20260001\n\n 1:A,3  SX20260002 \nB7, SX20260003\nP1-A1,SX20260004");
        let told: Vec<(&str, &str)> = rows.iter().map(|r| (r.place.as_str(), r.sample_number.as_str())).collect();
        assert_eq!(
            told,
            [("12", "SX20260001"), ("1:A,3", "SX20260002"), ("B7", "SX20260003"), ("P1-A1", "SX20260004")]
        );
        assert_eq!(RunListLine::all_of("12").unwrap_err().field.as_deref(), Some("rows[0]"));
    }

    #[test]
    fn a_place_stands_once_and_its_sample_exists() {
        let samples = BTreeMap::from([("SX1".to_owned(), SampleId::from("one"))]);
        let field = |text: &str| checked(&lines(text), &samples).err().and_then(|refusal| refusal.field);
        assert_eq!(field("A1 SX1"), None);
        assert_eq!(field("12 SX1\nVial 12 SX1").as_deref(), Some("rows[1].place"));
        assert_eq!(field("A1 SX9").as_deref(), Some("rows[0].sample_number"));
        assert_eq!(checked(&[], &samples).err().and_then(|refusal| refusal.field).as_deref(), Some("rows"));
    }

    #[test]
    fn a_pattern_names_its_files() {
        assert_eq!(pattern(Some("plate7_*")).as_deref(), Ok("plate7_*"));
        for wrong in [None, Some("*.*"), Some("[")] {
            assert_eq!(pattern(wrong).err().and_then(|refusal| refusal.field).as_deref(), Some("file_pattern"));
        }
    }

    #[test]
    fn a_list_matches_what_has_no_sample_and_never_says_otherwise() {
        let well = |name: &str, sample: Option<&str>| ObservationRow {
            id: name.into(),
            sample_text: None,
            sample_id: sample.map(SampleId::from),
            context: Json::of(&json!({"well": name})),
            ..seen("")
        };
        let file = row("plate.txt");
        let rule = crate::instruments::register::MatchRule::default();
        let values = [well("A1", None), well("B1", Some("two"))];
        let of = |places: &[(&str, &str)]| {
            let mut all = Places::default();
            places.iter().for_each(|(place, sample)| all.add(place, (*sample).into()));
            let finder = Finder::unlooked(&Matching { file: &file, rule: &rule }, &values).expect("readable");
            sequenced(&finder.with_places(all), &values)
        };
        assert_eq!(of(&[("A1", "one"), ("B1", "two")]), Ok(vec![("A1".into(), "one".into())]));
        assert_eq!(of(&[("B1", "one")]), Err(InstrumentRefusal::OtherSample { text: String::new() }.into()));
    }
}
