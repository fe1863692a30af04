//! The ways by which an instrument's files come by themselves, and how they are doing.

use diesel::prelude::*;

use crate::action::{Action, Context, Facts, Services, act_as_program};
use crate::instruments::refusals::InstrumentRefusal;
use crate::on_each;
use crate::record::{Actor, Author};
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::{Instant, InstituteId, InstrumentId};
use crate::store::rows::{InstrumentRow, InstrumentWayRow};
use crate::store::schema::{account, institute, instrument, instrument_way as way};
use crate::vocabulary::Permission;
use crate::vocabulary::instruments::{InstrumentEvent, InstrumentState, WayKind};

/// A way by which files come in, as the background work needs it.
#[derive(Clone, Debug)]
pub struct Way {
    pub instrument: InstrumentRow,
    /// The code of its institute, by which the institute's folders are distinguished
    pub institute: String,
    /// The instrument itself, in whose name its files come in
    pub actor: Actor,
}

/// The instruments in use, of all institutes, that have a folder or a listener.
///
/// # Errors
/// The store's failure.
pub fn ways(services: &Services) -> Outcome<Vec<Way>> {
    services.db.read(|conn| {
        let rows: Vec<(InstrumentRow, String, (String, String))> = instrument::table
            .inner_join(account::table)
            .inner_join(institute::table.on(institute::id.eq(instrument::institute_id)))
            .filter(instrument::state.eq(InstrumentState::Active))
            .filter(instrument::folder.is_not_null().or(instrument::listener_kind.is_not_null()))
            .order(instrument::id)
            .select((InstrumentRow::as_select(), institute::code, (account::username, account::display_name)))
            .load(conn)?;
        let way = |(row, institute, (username, display_name)): (InstrumentRow, String, (String, String))| Way {
            institute,
            actor: Actor {
                account: row.account_id.clone(),
                username,
                display_name,
                institute: Some(row.institute_id.clone()),
                applicant: None,
                roles: Vec::new(),
                request_id: None,
                session: None,
            },
            instrument: row,
        };
        Ok(rows.into_iter().map(way).collect())
    })
}

/// The instrument in use that has this id or this code.
///
/// # Errors
/// Where the institute has none.
pub(in crate::instruments) fn named(services: &Services, own: &InstituteId, text: &str) -> Outcome<InstrumentRow> {
    services.db.read(|conn| {
        let found: Option<InstrumentRow> = instrument::table
            .filter(instrument::institute_id.eq(own))
            .filter(instrument::code.eq(text.trim()).or(instrument::id.eq(InstrumentId::from(text.trim()))))
            .select(InstrumentRow::as_select())
            .first(conn)
            .optional()?;
        let row = found.ok_or_else(|| InstrumentRefusal::NoInstrument(text.to_owned()).at("instrument"))?;
        let served = row.state.on(InstrumentEvent::Serve);
        served.map_err(|refused| InstrumentRefusal::from(refused).at("instrument"))?;
        Ok(row)
    })
}

/// Says how a way in is doing: no error where it is reached. The time since when it fails is kept.
#[derive(Clone, Debug)]
struct ReportWay {
    instrument: InstrumentId,
    kind: WayKind,
    error: Option<String>,
}

impl Action for ReportWay {
    const NAME: &'static str = "instrument.report_way";
    const PERMISSION: Permission = Permission::InstrumentRegisterManage;
    type Prepared = ();
    type Loaded = Option<InstrumentWayRow>;
    type Plan = InstrumentWayRow;
    type Done = ();

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Self::Loaded> {
        Ok(way::table.find((&self.instrument, self.kind)).first(cx.conn).optional()?)
    }

    fn decide(&self, facts: &Facts<'_>, old: &Self::Loaded) -> Result<InstrumentWayRow, Refusal> {
        let at = Instant::from(facts.now);
        let since = old.as_ref().and_then(|old| old.failing_since.clone()).unwrap_or_else(|| at.clone());
        let reached = old.as_ref().and_then(|old| old.reached_at.clone());
        Ok(InstrumentWayRow {
            instrument_id: self.instrument.clone(),
            kind: self.kind,
            reached_at: if self.error.is_none() { Some(at) } else { reached },
            failing_since: self.error.is_some().then_some(since),
            error: self.error.clone(),
        })
    }

    fn keep(&self, cx: &mut Context<'_>, _: Self::Loaded, row: InstrumentWayRow) -> Outcome<()> {
        on_each!(cx.conn, c => diesel::insert_into(way::table)
            .values(&row)
            .on_conflict((way::instrument_id, way::kind))
            .do_update()
            .set((
                way::reached_at.eq(&row.reached_at),
                way::failing_since.eq(&row.failing_since),
                way::error.eq(&row.error),
            ))
            .execute(c))?;
        Ok(())
    }
}

/// Says how a way in is doing: `None` where it is reached, the error where it is not.
///
/// # Errors
/// The store's failure.
pub fn report(services: &Services, way: &Way, kind: WayKind, error: Option<String>) -> Outcome<()> {
    let report = ReportWay { instrument: way.instrument.id.clone(), kind, error };
    act_as_program(services, &way.actor, Author::from(&way.actor), report)
}
