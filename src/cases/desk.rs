//! The intake desk's actions. Each is one transaction: load, decide, number, store, audit.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::acceptance::{self, Acceptance};
use super::application::{self, Draft, NewApplication};
use super::load::{self, CaseFile, specification_in_force};
use super::receipt::{self, Demand, Receipt, Received};
use crate::action::Services;
use crate::insert_all;
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::regulation::{Business, Determination, Regulation};
use crate::store::columns::{ApplicationId, BatchId, Day, Json, SpecificationId};
use crate::store::dialect::next_number;
use crate::store::rows::{ApplicationRow, BatchRow, ContainerRow, CustodyEntryRow, SampleRow, TestTaskRow};
use crate::store::schema;
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::CaseState;
use crate::vocabulary::states::CaseEvent;

/// An application with what arrived for it: the desk's one form.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Intake {
    pub application: NewApplication,
    pub receipt: Receipt,
}

/// What an intake gave.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Taken {
    pub application_id: String,
    pub application_number: String,
    pub state: String,
    pub determination: Option<Determination>,
    pub demand: Option<Demand>,
    pub samples: Vec<TakenSample>,
}

/// A sample that was numbered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TakenSample {
    pub id: String,
    pub number: String,
    pub lot_number: String,
    pub state: String,
    pub containers: Vec<String>,
}

/// What the desk shows while a form is filled: the determination and what is asked of each batch.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Preview {
    pub determination: Determination,
    pub demand: Demand,
    /// Why it would not be accepted today, if so
    pub refusal: Option<Refusal>,
}

/// When the action happens, with what the regulation is on that day.
struct Desk<'a> {
    regulation: &'a Regulation,
    actor: &'a Actor,
    now: DateTime<Utc>,
}

impl Desk<'_> {
    fn today(&self) -> NaiveDate {
        crate::clock::statutory_date(self.now)
    }

    /// Marks the application as accepted today, with its determination and clocks.
    fn accept(&self, row: &mut ApplicationRow, file: &CaseFile, batches: usize) -> Outcome<Acceptance> {
        row.state = moved(row.state, CaseEvent::Accept)?;
        let accepted = acceptance::decide(self.regulation, row, file, batches, self.today())?;
        row.accepted_on = Some(self.today().into());
        row.lane = Some(accepted.determination.lane.value);
        row.lane_rank = acceptance::lane_rank(accepted.determination.lane.value);
        row.determination = Some(Json::of(&accepted.determination));
        Ok(accepted)
    }

    /// Checks what arrived, in the order given.
    fn check(
        &self,
        row: &ApplicationRow,
        batches: &[BatchRow],
        received: &[BatchId],
        need: &Demand,
        receipt: &Receipt,
    ) -> Outcome<Vec<Received>> {
        if receipt.samples.is_empty() {
            return Err(Refusal::field("samples", "至少一份样品", "expected at least one sample").into());
        }
        let mut done = received.to_vec();
        let mut all = Vec::with_capacity(receipt.samples.len());
        for (index, new) in receipt.samples.iter().enumerate() {
            let batch = receipt::batch_of(index, &new.lot_number, batches, &done)?;
            all.push(receipt::check(index, new, batch, need, row, self.actor, self.now)?);
            done.push(batch.id.clone());
        }
        Ok(all)
    }

    /// Numbers and stores what arrived, with its containers, custody and tasks.
    fn store(
        &self,
        conn: &mut AnyConnection,
        row: &ApplicationRow,
        file: &CaseFile,
        due: Option<&Day>,
        arrived: &mut [Received],
        changes: &mut Vec<Change>,
    ) -> Outcome<()> {
        for received in arrived.iter_mut() {
            let number = numbered(conn, &file.institute.sample_prefix, self.today())?;
            receipt::number(received, number);
            if received.sample.state == "received" {
                received.tasks = receipt::tasks(&received.sample, &file.items, row.lane_rank, due, self.now);
            }
            let sample = &received.sample;
            let action = if sample.state == "received" { "sample.receive" } else { "sample.refuse" };
            let labels: Vec<&str> = received.containers.iter().map(|c| c.label_code.as_str()).collect();
            let mut change =
                Change::created(action, "sample", &sample.id, json!(sample)).and("containers", (), json!(labels));
            change.reason.clone_from(&sample.state_reason);
            changes.push(change);
        }
        let samples: Vec<SampleRow> = arrived.iter().map(|r| r.sample.clone()).collect();
        let containers: Vec<ContainerRow> = arrived.iter().flat_map(|r| r.containers.clone()).collect();
        let entries: Vec<CustodyEntryRow> = arrived.iter().flat_map(|r| r.entries.clone()).collect();
        let tasks: Vec<TestTaskRow> = arrived.iter().flat_map(|r| r.tasks.clone()).collect();
        insert_all!(conn, schema::sample::table, samples)?;
        insert_all!(conn, schema::container::table, containers)?;
        insert_all!(conn, schema::custody_entry::table, entries)?;
        insert_all!(conn, schema::test_task::table, tasks)?;
        Ok(())
    }
}

/// The institute that a new application goes to.
fn file_for(conn: &mut AnyConnection, actor: &Actor, now: DateTime<Utc>, new: &NewApplication) -> Outcome<CaseFile> {
    let institute = match (&actor.institute, &new.institute_id) {
        (Some(own), None) => own.clone(),
        (Some(own), Some(named)) if own.as_str() == named => own.clone(),
        (Some(_), Some(_)) => {
            return Err(Refusal::new(Code::Forbidden, "只能在本机构收样", "take in at your own institute only")
                .at("institute_id")
                .into());
        }
        (None, Some(named)) => named.as_str().into(),
        (None, None) => return Err(Refusal::field("institute_id", "不能为空", "must not be empty").into()),
    };
    let product = new.product_id.as_str().into();
    let specification = match new.specification_id.as_deref() {
        Some(named) => SpecificationId::from(named),
        None => specification_in_force(conn, &product, crate::clock::statutory_date(now))?,
    };
    CaseFile::load(conn, Business::parse(&new.business), &institute, &product, &specification)
}

/// The state after an event, or a refusal that names both.
pub(crate) fn moved(state: CaseState, event: CaseEvent) -> Result<CaseState, Refusal> {
    state.on(event).map_err(|refused| Refusal::new(Code::WrongState, refused.zh(), refused.en()))
}

fn numbered(conn: &mut AnyConnection, prefix: &str, today: NaiveDate) -> Outcome<String> {
    use chrono::Datelike;
    let year = i64::from(today.year());
    let number = next_number(conn, prefix, year)?;
    Ok(format!("{prefix}{year}{number:04}"))
}

fn testing_due(clocks: &[crate::store::rows::ApplicationClockRow]) -> Option<Day> {
    let of_the_laboratory = |name: &str| matches!(name, "testing" | "port_report");
    clocks.iter().filter(|clock| of_the_laboratory(&clock.name)).map(|clock| clock.due.clone()).min()
}

fn taken(
    row: &ApplicationRow,
    determination: Option<Determination>,
    demand: Option<Demand>,
    batches: &[BatchRow],
    arrived: &[Received],
) -> Taken {
    let lot = |id: &BatchId| {
        batches.iter().find(|batch| batch.id == *id).map(|batch| batch.lot_number.clone()).unwrap_or_default()
    };
    let sample = |received: &Received| TakenSample {
        id: received.sample.id.to_string(),
        number: received.sample.number.clone(),
        lot_number: lot(&received.sample.batch_id),
        state: received.sample.state.clone(),
        containers: received.containers.iter().map(|c| c.label_code.clone()).collect(),
    };
    Taken {
        application_id: row.id.to_string(),
        application_number: row.number.clone(),
        state: row.state.to_string(),
        determination,
        demand,
        samples: arrived.iter().map(sample).collect(),
    }
}

/// What the regulation says of a form that is being filled; nothing is stored.
///
/// # Errors
/// Where the form cannot be read that far.
pub fn preview(services: &Services, actor: &Actor, new: &NewApplication) -> Outcome<Preview> {
    let now = services.clock.now();
    let desk = Desk { regulation: &services.regulation, actor, now };
    services.db.read(|conn| {
        let file = file_for(conn, actor, now, new)?;
        let draft = application::draft(new, &file, actor, now)?;
        let case = acceptance::case_of(&draft.row, &file, desk.today())?;
        let determination = acceptance::determine(&services.regulation, &case)?;
        let demand = receipt::demand(&file, &determination)?;
        let refusal =
            acceptance::decide(&services.regulation, &draft.row, &file, draft.batches.len(), desk.today()).err();
        Ok(Preview { determination, demand, refusal })
    })
}

/// Stores an application as a draft, numbered.
///
/// # Errors
/// Names the field that is not as expected.
pub fn submit(services: &Services, actor: &Actor, new: &NewApplication) -> Outcome<Taken> {
    let (actor, now, new) = (actor.clone(), services.clock.now(), new.clone());
    services.db.write(move |conn| submit_with(conn, &actor, now, &new))
}

/// [`submit`] inside a transaction of the caller's.
///
/// # Errors
/// As [`submit`].
pub fn submit_with(
    conn: &mut AnyConnection,
    actor: &Actor,
    now: DateTime<Utc>,
    new: &NewApplication,
) -> Outcome<Taken> {
    let file = file_for(conn, actor, now, new)?;
    let Draft { mut row, batches } = application::draft(new, &file, actor, now)?;
    let today = crate::clock::statutory_date(now);
    row.number = numbered(conn, &format!("{}C", file.institute.sample_prefix), today)?;
    diesel::insert_into(schema::application::table).values(&row).execute(conn)?;
    insert_all!(conn, schema::batch::table, &batches)?;
    let change =
        Change::created("application.submit", "application", &row.id, json!(row)).and("batches", (), json!(batches));
    record::record(conn, actor, now, vec![change])?;
    Ok(taken(&row, None, None, &batches, &[]))
}

/// Accepts a draft (受理): the determination of that day is frozen with the case.
///
/// # Errors
/// A provision, an authorisation that is missing, or a state that does not allow it.
pub fn accept(services: &Services, actor: &Actor, id: &ApplicationId) -> Outcome<Taken> {
    let (regulation, actor, now, id) = (services.regulation.clone(), actor.clone(), services.clock.now(), id.clone());
    services.db.write(move |conn| {
        let desk = Desk { regulation: &regulation, actor: &actor, now };
        let mut row = load::application_of(conn, actor.institute.as_ref(), &id)?;
        let file = CaseFile::of(conn, &row)?;
        let batches = load::batches_of(conn, &id)?;
        let accepted = desk.accept(&mut row, &file, batches.len())?;
        diesel::update(schema::application::table.find(&id))
            .set((
                schema::application::state.eq(row.state),
                schema::application::accepted_on.eq(&row.accepted_on),
                schema::application::lane.eq(row.lane),
                schema::application::lane_rank.eq(row.lane_rank),
                schema::application::determination.eq(&row.determination),
            ))
            .execute(conn)?;
        insert_all!(conn, schema::application_clock::table, &accepted.clocks)?;
        let change = Change::field("application.accept", "application", &id, "state", "draft", "accepted").and(
            "determination",
            (),
            json!(accepted.determination),
        );
        record::record(conn, &actor, now, vec![change])?;
        let demand = receipt::demand(&file, &accepted.determination)?;
        Ok(taken(&row, Some(accepted.determination), Some(demand), &batches, &[]))
    })
}

/// Receives samples of an accepted case (收样).
///
/// # Errors
/// Names the field, or what is short with the numbers and the provisions; then nothing was received.
pub fn receive(services: &Services, actor: &Actor, id: &ApplicationId, new: &Receipt) -> Outcome<Taken> {
    let (regulation, actor, now, id) = (services.regulation.clone(), actor.clone(), services.clock.now(), id.clone());
    let new = new.clone();
    services.db.write(move |conn| {
        let desk = Desk { regulation: &regulation, actor: &actor, now };
        let mut row = load::application_of(conn, actor.institute.as_ref(), &id)?;
        let before = row.state;
        let determination: Determination =
            row.determination.as_ref().and_then(|stored| stored.read().ok()).ok_or_else(|| {
                Refusal::new(Code::WrongState, "该申请尚未受理", "the application is not accepted yet")
            })?;
        let file = CaseFile::of(conn, &row)?;
        let batches = load::batches_of(conn, &id)?;
        let done: Vec<BatchId> = schema::sample::table
            .filter(schema::sample::application_id.eq(&id))
            .filter(schema::sample::state.eq("received"))
            .select(schema::sample::batch_id)
            .load(conn)?;
        let need = receipt::demand(&file, &determination)?;
        let mut arrived = desk.check(&row, &batches, &done, &need, &new)?;
        if arrived.iter().any(|received| received.sample.state == "received") {
            row.state = moved(row.state, CaseEvent::Receive)?;
        }
        let clocks =
            schema::application_clock::table.filter(schema::application_clock::application_id.eq(&id)).load(conn)?;
        let mut changes = vec![Change::field(
            "application.receive",
            "application",
            &id,
            "state",
            before.as_str(),
            row.state.as_str(),
        )];
        desk.store(conn, &row, &file, testing_due(&clocks).as_ref(), &mut arrived, &mut changes)?;
        let received_on = row.received_on.clone().unwrap_or_else(|| desk.today().into());
        diesel::update(schema::application::table.find(&id))
            .set((schema::application::state.eq(row.state), schema::application::received_on.eq(received_on)))
            .execute(conn)?;
        record::record(conn, &actor, now, changes)?;
        Ok(taken(&row, Some(determination), Some(need), &batches, &arrived))
    })
}

/// Application, acceptance and receipt in one transaction: all of it, or nothing.
///
/// # Errors
/// As of its parts.
pub fn take_in(services: &Services, actor: &Actor, new: &Intake) -> Outcome<Taken> {
    let (regulation, actor, now, new) = (services.regulation.clone(), actor.clone(), services.clock.now(), new.clone());
    services.db.write(move |conn| take_in_with(conn, &regulation, &actor, now, &new))
}

/// [`take_in`] inside a transaction of the caller's.
///
/// # Errors
/// As of its parts.
pub fn take_in_with(
    conn: &mut AnyConnection,
    regulation: &Regulation,
    actor: &Actor,
    now: DateTime<Utc>,
    new: &Intake,
) -> Outcome<Taken> {
    let desk = Desk { regulation, actor, now };
    let file = file_for(conn, actor, now, &new.application)?;
    let Draft { mut row, batches } =
        application::draft(&new.application, &file, actor, now).map_err(|refusal| within("application", refusal))?;
    let accepted = desk.accept(&mut row, &file, batches.len())?;
    let need = receipt::demand(&file, &accepted.determination)?;
    let mut arrived = desk.check(&row, &batches, &[], &need, &new.receipt).map_err(|failure| match failure {
        crate::store::Failure::Refused(refusal) => within("receipt", *refusal).into(),
        store => store,
    })?;
    if arrived.iter().any(|received| received.sample.state == "received") {
        row.state = moved(row.state, CaseEvent::Receive)?;
    }
    row.received_on = Some(desk.today().into());
    row.number = numbered(conn, &format!("{}C", file.institute.sample_prefix), desk.today())?;
    diesel::insert_into(schema::application::table).values(&row).execute(conn)?;
    insert_all!(conn, schema::batch::table, &batches)?;
    insert_all!(conn, schema::application_clock::table, &accepted.clocks)?;
    let mut changes = vec![Change::created("application.take_in", "application", &row.id, json!(row)).and(
        "batches",
        (),
        json!(batches),
    )];
    desk.store(conn, &row, &file, testing_due(&accepted.clocks).as_ref(), &mut arrived, &mut changes)?;
    record::record(conn, actor, now, changes)?;
    Ok(taken(&row, Some(accepted.determination), Some(need), &batches, &arrived))
}

fn within(part: &str, mut refusal: Refusal) -> Refusal {
    refusal.field = refusal.field.map(|field| format!("{part}.{field}"));
    refusal
}

/// Dates that become known after acceptance; the clocks that start from them begin to run.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LaterDates {
    pub arrived_at_port_on: Option<String>,
    pub notice_received_on: Option<String>,
    pub sampled_on: Option<String>,
}

/// Records dates that became known. What was determined at acceptance stays; only clocks are added.
///
/// # Errors
/// Where a date is none, lies in the future, or was recorded otherwise before.
pub fn record_dates(services: &Services, actor: &Actor, id: &ApplicationId, new: &LaterDates) -> Outcome<Taken> {
    let (regulation, actor, now, id) = (services.regulation.clone(), actor.clone(), services.clock.now(), id.clone());
    let new = new.clone();
    services.db.write(move |conn| {
        let desk = Desk { regulation: &regulation, actor: &actor, now };
        let mut row = load::application_of(conn, actor.institute.as_ref(), &id)?;
        let mut change = Change::created("application.dates", "application", &id, json!({}));
        for (field, text, day) in [
            ("arrived_at_port_on", &new.arrived_at_port_on, &mut row.arrived_at_port_on),
            ("notice_received_on", &new.notice_received_on, &mut row.notice_received_on),
            ("sampled_on", &new.sampled_on, &mut row.sampled_on),
        ] {
            let Some(date) = text::date_opt(field, text.as_deref())? else { continue };
            if date > desk.today() {
                return Err(Refusal::field(field, "晚于今天", "lies in the future").into());
            }
            if day.as_ref().is_some_and(|day| day.date() != date) {
                return Err(Refusal::new(Code::Conflict, "该日期已登记", "this date is recorded already")
                    .at(field)
                    .into());
            }
            change = change.and(field, day.as_ref().map(|d| d.to_string()), date.to_string());
            *day = Some(date.into());
        }
        diesel::update(schema::application::table.find(&id))
            .set((
                schema::application::arrived_at_port_on.eq(&row.arrived_at_port_on),
                schema::application::notice_received_on.eq(&row.notice_received_on),
                schema::application::sampled_on.eq(&row.sampled_on),
            ))
            .execute(conn)?;
        if row.accepted_on.is_some() {
            super::ending::add_clocks(conn, &regulation, &row)?;
        }
        record::record(conn, &actor, now, vec![change])?;
        let batches = load::batches_of(conn, &id)?;
        Ok(taken(&row, None, None, &batches, &[]))
    })
}
