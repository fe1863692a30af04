//! The register as it is shown.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::calibrations::{CalibrationView, newest_first, standing};
use super::pattern::MatchRule;
use super::rows::{row_of, rule_of};
use crate::action::Services;
use crate::store::columns::{AccountId, Instant, InstituteId, InstrumentId};
use crate::store::rows::{CalibrationRow, InstrumentRow, InstrumentWayRow};
use crate::store::schema::{calibration, instrument, instrument_way};
use crate::store::views::{Reader, keyset};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::instruments::{
    CalibrationStanding, DayOrder, DeadLetterState, InstrumentState, ListenerKind, WayKind,
};

/// The most instruments of one answer.
const MOST: i64 = 500;
/// The most choices that a search offers.
const CHOICES: i64 = 20;
/// Files of an instrument, counted up to a bound.
const FILES: &str = "(SELECT count(*) FROM (SELECT 1 AS one FROM instrument_file \
                     WHERE instrument_file.instrument_id = instrument.id LIMIT 10000) AS counted)";

/// Its open dead letters, counted up to a bound.
fn letters() -> String {
    let open = DeadLetterState::Open;
    format!(
        "(SELECT count(*) FROM (SELECT 1 AS one FROM dead_letter WHERE dead_letter.instrument_id = instrument.id \
         AND dead_letter.state = '{open}' LIMIT 1000) AS counted)"
    )
}

/// An instrument of the register.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct InstrumentRecord {
    pub id: InstrumentId,
    pub institute_id: InstituteId,
    /// The account in whose name its files come in
    pub account_id: AccountId,
    pub code: String,
    pub name: String,
    pub vendor: String,
    pub model: String,
    pub serial: String,
    pub adapter: Option<String>,
    pub date_order: Option<DayOrder>,
    pub zone: Option<String>,
    pub matching: MatchRule,
    pub folder: Option<String>,
    pub folder_pattern: String,
    pub listener_kind: Option<ListenerKind>,
    pub listener_port: Option<i64>,
    pub listener_idle_ms: i64,
    /// Who may speak to the listener; empty: this machine alone
    pub listener_peers: String,
    pub state: InstrumentState,
    pub state_reason: Option<String>,
    pub created_by: AccountId,
    pub created_at: Instant,
    pub changed_by: Option<AccountId>,
    pub changed_at: Option<Instant>,
    /// What a change of it is made on
    pub revision: i64,
}

/// How a way in is doing.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct WayView {
    pub instrument_id: InstrumentId,
    pub kind: WayKind,
    pub reached_at: Option<Instant>,
    pub failing_since: Option<Instant>,
    pub error: Option<String>,
}

/// An instrument with what is known of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct InstrumentView {
    #[serde(flatten)]
    pub instrument: InstrumentRecord,
    /// The newest calibration
    pub calibration: Option<CalibrationView>,
    /// Today
    pub calibration_state: CalibrationStanding,
    /// The states of its folder and of its listener
    pub ways: Vec<WayView>,
    /// Counted up to 10 000
    pub files: i64,
    /// Counted up to 1000
    pub open_dead_letters: i64,
}

/// Which instruments are asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct InstrumentFilter {
    /// A part of the code or of the name
    pub q: Option<String>,
    pub state: Option<InstrumentState>,
    /// The code of the last instrument of the part before
    pub after: Option<String>,
    /// How many at most: 1 to 500, 500 without it
    pub limit: Option<i64>,
}

/// An instrument to choose.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InstrumentChoice {
    pub code: String,
    pub name: String,
}

impl InstrumentRecord {
    fn of(row: InstrumentRow, revision: i64) -> Outcome<Self> {
        Ok(Self {
            matching: rule_of(&row)?,
            id: row.id,
            institute_id: row.institute_id,
            account_id: row.account_id,
            code: row.code,
            name: row.name,
            vendor: row.vendor,
            model: row.model,
            serial: row.serial,
            adapter: row.adapter,
            date_order: row.date_order,
            zone: row.zone,
            folder: row.folder,
            folder_pattern: row.folder_pattern,
            listener_kind: row.listener_kind,
            listener_port: row.listener_port,
            listener_idle_ms: row.listener_idle_ms,
            listener_peers: row.listener_peers,
            state: row.state,
            state_reason: row.state_reason,
            created_by: row.created_by,
            created_at: row.created_at,
            changed_by: row.changed_by,
            changed_at: row.changed_at,
            revision,
        })
    }
}

impl From<InstrumentWayRow> for WayView {
    fn from(row: InstrumentWayRow) -> Self {
        Self {
            instrument_id: row.instrument_id,
            kind: row.kind,
            reached_at: row.reached_at,
            failing_since: row.failing_since,
            error: row.error,
        }
    }
}

/// An instrument by its id, whatever its state.
pub(in crate::instruments) fn record_of(
    conn: &mut AnyConnection,
    id: &InstrumentId,
) -> Outcome<Option<(InstrumentRow, InstrumentRecord)>> {
    let found: Option<(InstrumentRow, i64)> =
        instrument::table.find(id).select((InstrumentRow::as_select(), instrument::revision)).first(conn).optional()?;
    found.map(|(row, revision)| Ok((row.clone(), InstrumentRecord::of(row, revision)?))).transpose()
}

/// One instrument with its state.
///
/// # Errors
/// Where the reader's institute has no such instrument.
pub fn instrument_view(services: &Services, reader: &Reader, id: &InstrumentId) -> Outcome<InstrumentView> {
    let today = services.clock.today();
    services.db.read(|conn| {
        let row = row_of(conn, reader.staff()?, id)?;
        view_of(conn, row, today)
    })
}

/// The instruments of the reader's institute, by code.
///
/// # Errors
/// The store's failure.
pub fn instruments(services: &Services, reader: &Reader, filter: &InstrumentFilter) -> Outcome<Vec<InstrumentView>> {
    let today = services.clock.today();
    services.db.read(|conn| {
        let mut query = instrument::table.filter(instrument::institute_id.eq(reader.staff()?.clone())).into_boxed();
        if let Some(state) = filter.state {
            query = query.filter(instrument::state.eq(state));
        }
        if let Some(after) = &filter.after {
            query = query.filter(instrument::code.gt(after.clone()));
        }
        if let Some(part) = filter.q.as_deref().and_then(keyset::containing) {
            query = query.filter(instrument::code.like(part.clone()).or(instrument::name.like(part)));
        }
        let rows: Vec<(InstrumentRow, i64, i64, i64)> = query
            .order(instrument::code)
            .limit(filter.limit.unwrap_or(MOST).clamp(1, MOST))
            .select((InstrumentRow::as_select(), instrument::revision, sql::<BigInt>(FILES), sql::<BigInt>(&letters())))
            .load(conn)?;
        views_of(conn, rows, today)
    })
}

/// The instruments in use whose code or name has this part in it, by code: for a field that takes one.
///
/// # Errors
/// The store's failure.
pub fn instrument_choices(services: &Services, reader: &Reader, q: &str) -> Outcome<Vec<InstrumentChoice>> {
    let part = keyset::containing(q).unwrap_or_else(|| "%".to_owned());
    services.db.read(|conn| {
        let rows: Vec<(String, String)> = instrument::table
            .filter(instrument::institute_id.eq(reader.staff()?))
            .filter(instrument::state.eq(InstrumentState::Active))
            .filter(instrument::code.like(&part).or(instrument::name.like(&part)))
            .order(instrument::code)
            .limit(CHOICES)
            .select((instrument::code, instrument::name))
            .load(conn)?;
        Ok(rows.into_iter().map(|(code, name)| InstrumentChoice { code, name }).collect())
    })
}

pub(super) fn view_of(conn: &mut AnyConnection, row: InstrumentRow, today: NaiveDate) -> Outcome<InstrumentView> {
    let id = row.id.clone();
    let told = instrument::table
        .find(&id)
        .select((instrument::revision, sql::<BigInt>(FILES), sql::<BigInt>(&letters())))
        .first::<(i64, i64, i64)>(conn)?;
    let views = views_of(conn, vec![(row, told.0, told.1, told.2)], today)?;
    let one = views.into_iter().next();
    one.ok_or_else(|| crate::instruments::refusals::InstrumentRefusal::NoInstrument(id.to_string()).into())
}

/// The views of a part of the register: two statements, however many rows.
fn views_of(
    conn: &mut AnyConnection,
    rows: Vec<(InstrumentRow, i64, i64, i64)>,
    today: NaiveDate,
) -> Outcome<Vec<InstrumentView>> {
    let ids: Vec<InstrumentId> = rows.iter().map(|(row, ..)| row.id.clone()).collect();
    let mut newest: BTreeMap<InstrumentId, CalibrationRow> = BTreeMap::new();
    let calibrations: Vec<CalibrationRow> = calibration::table
        .filter(calibration::instrument_id.eq_any(&ids))
        .order((calibration::performed_on, calibration::recorded_at))
        .load(conn)?;
    for row in calibrations {
        newest.insert(row.instrument_id.clone(), row);
    }
    let mut ways: BTreeMap<InstrumentId, Vec<WayView>> = BTreeMap::new();
    let found: Vec<InstrumentWayRow> = instrument_way::table
        .filter(instrument_way::instrument_id.eq_any(&ids))
        .order((instrument_way::instrument_id, instrument_way::kind))
        .load(conn)?;
    for row in found {
        ways.entry(row.instrument_id.clone()).or_default().push(row.into());
    }
    rows.into_iter()
        .map(|(row, revision, files, open_dead_letters)| {
            let calibration = newest.remove(&row.id);
            Ok(InstrumentView {
                calibration_state: standing(calibration.as_ref(), today),
                calibration: calibration.map(CalibrationView::from),
                ways: ways.remove(&row.id).unwrap_or_default(),
                files,
                open_dead_letters,
                instrument: InstrumentRecord::of(row, revision)?,
            })
        })
        .collect()
}

/// The calibrations of an instrument, the newest first; at most 500.
///
/// # Errors
/// Where the reader's institute has no such instrument.
pub fn calibrations(services: &Services, reader: &Reader, id: &InstrumentId) -> Outcome<Vec<CalibrationView>> {
    services.db.read(|conn| {
        row_of(conn, reader.staff()?, id)?;
        Ok(newest_first(conn, id)?.into_iter().map(CalibrationView::from).collect())
    })
}
