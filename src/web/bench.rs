//! 我的工作: the queue by lane and due date, and one test with everything entered for it.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::form::{Form, in_form};
use super::lists::{Onward, ROWS, unfolded};
use super::offered::{Asking, of_task};
use super::page::{Page, Refused, kept_from, see_other, send};
use crate::action::Services;
use crate::bench::{EnterReadings, HandBackTask, NewReading, Source, StartTask, TakeNext, TaskEntry};
use crate::evaluations;
use crate::http::permit::permission::TaskRead;
use crate::http::{May, Permit, Problem, Table, run};
use crate::people::DutiesDone;
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::columns::{EvaluationId, TestTaskId};
use crate::store::views::{self, QueueFilter};
use crate::vocabulary::{Duty, TaskState, Verdict};

/// The most readings of one form.
const READINGS: usize = 500;
/// Empty lines offered where an item takes as many readings as there are.
const SPARE: i64 = 4;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/bench", queue)
        .post("/bench/next", take_next)
        .get("/tasks/{id}", show)
        .post("/tasks/{id}", enter)
        .post("/tasks/{id}/start", start)
        .post("/tasks/{id}/hand-back", hand_back)
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Filter {
    state: String,
    item: String,
    sample: String,
    mine: String,
    after: String,
}

impl Filter {
    fn wanted(&self, actor: &Actor) -> QueueFilter {
        QueueFilter {
            state: Some(self.state.clone()),
            item: Some(self.item.trim().to_owned()),
            sample: Some(self.sample.trim().to_owned()),
            analyst: (!self.mine.is_empty()).then(|| actor.account.to_string()),
            limit: Some(ROWS),
            after: Some(self.after.clone()),
            offset: None,
        }
    }
}

async fn queue(
    permit: Permit<TaskRead>,
    page: Page,
    services: Data<Services>,
    filter: Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let (filter, reader) = (filter.into_inner(), services.reader(&permit.actor)?);
    let (db, wanted) = (services.db.clone(), filter.wanted(&permit.actor));
    let listed = run(move || db.read(|conn| views::queue(conn, &reader, &wanted))).await?;
    let fields =
        [("state", &*filter.state), ("item", &*filter.item), ("sample", &*filter.sample), ("mine", &*filter.mine)];
    let onward = Onward::new("/bench", &fields, &filter.after, &listed);
    let (now, today) = (services.clock.now().to_rfc3339(), services.clock.today().to_string());
    let open: Vec<&str> = TaskState::OPEN.iter().map(|state| state.as_str()).collect();
    let content = json!({"rows": listed.items, "onward": onward, "filter": filter, "now": now, "today": today,
        "open": open});
    page.show("bench.html", content)
}

/// Takes the first test that waits: by lane, then by due date.
async fn take_next(
    may: May<TakeNext>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let taken = send(&services, &may, &page, &form, TakeNext {}).await?;
    Ok(see_other(&taken.task.map_or_else(|| "/bench".to_owned(), |task| format!("/tasks/{}", task.id))))
}

async fn start(
    may: May<StartTask>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let done = send(&services, &may, &page, &form, StartTask { id: id.as_str().into() }).await.map(|_| ());
    answer(&page, &services, &may.actor, (&id, form), done, &format!("/tasks/{id}")).await
}

async fn hand_back(
    may: May<HandBackTask>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = HandBackTask { id: id.as_str().into(), reason: form.text("reason") };
    let done = send(&services, &may, &page, &form, action).await.map(|_| ());
    answer(&page, &services, &may.actor, (&id, form), done, &format!("/tasks/{id}")).await
}

async fn show(
    permit: Permit<TaskRead>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let content = content(&services, &permit.actor, &id).await?;
    page.show("task.html", content)
}

/// A test with its lines of readings. It names no applicant, nor who entered the case.
///
/// # Errors
/// Where the reader's institute has no such test.
pub async fn content(services: &Services, actor: &Actor, id: &str) -> Result<Value, Problem> {
    let (db, reader, key) = (services.db.clone(), services.reader(actor)?, TestTaskId::from(id));
    let more = services.site.apart.clone();
    let (services2, actor2) = (services.clone(), actor.clone());
    let (found, names, (done, offered), signatures, analysts) = run(move || {
        db.read(|conn| {
            let found = views::task(conn, &reader, &key)?;
            let mut facts = views::duties_of_task(conn, &key)?;
            let open = found.iter().flat_map(|one| &one.imports).filter(|import| !import.checked());
            for import in open {
                facts.extend(views::duties_of_import(conn, &import.file_id, Some(&key))?);
            }
            let results: Vec<&str> = found.iter().flat_map(|one| &one.results).map(|row| row.id.as_str()).collect();
            let files: Vec<&str> = found.iter().flat_map(|one| &one.imports).map(|row| row.file_id.as_str()).collect();
            let mut signatures = views::signatures(conn, &reader, "result", &results)?;
            signatures.extend(views::signatures(conn, &reader, "instrument_file", &files)?);
            let people: Vec<_> = found.iter().flat_map(|one| &one.readings).map(|row| &row.entered_by).collect();
            let names = views::names(conn, &people)?;
            let analysts = views::analysts(conn, &reader)?;
            let mut asking = Asking { conn: &mut *conn, services: &services2, actor: &actor2 };
            let offered = found.as_ref().map(|one| of_task(&mut asking, one)).transpose()?.unwrap_or_default();
            Ok((found, names, (DutiesDone { facts, more }, offered), signatures, analysts))
        })
    })
    .await?;
    let found = found.ok_or_else(|| Refusal::not_found("检验任务", "test task", id))?;
    let enterable = TaskState::ENTERABLE.contains(&found.task.state);
    let mut one = unfolded(&found)?;
    one["evaluations"] = recalculated(services, actor, &one["evaluations"]).await?;
    let lines = lines(&one);
    let now = services.clock.now().to_rfc3339();
    let kept = |duty| kept_from(&done, duty, actor);
    let item = &found.item;
    let names_of_item = [&*item.code, &*item.name_zh, &*item.name_en, &*item.method];
    let retest = services.regulation.failing().retest_allowed(item.retest_allowed, &names_of_item);
    let mut apart = offered;
    apart["entry"] = kept(Duty::Entry);
    apart["review"] = kept(Duty::ResultReview);
    apart["check"] = kept(Duty::ImportCheck);
    let last = found.results.last().map(|result| result.verdict);
    let open = [TaskState::Entered, TaskState::Oos].contains(&found.task.state);
    let undecided = open && last == Some(Verdict::Indeterminate);
    let investigated = undecided || found.task.state == TaskState::Oos || !one["investigation"].is_null();
    Ok(
        json!({"one": one, "lines": lines, "undecided": undecided, "investigated": investigated, "enterable": enterable, "names": names, "me": actor.account, "now": now,
        "apart": apart, "signatures": signatures, "analysts": analysts,
        "failing": services.regulation.failing(), "retest": retest}),
    )
}

/// The evaluations that readings rest on, each calculated again: who reviews sees whether it comes out the same.
async fn recalculated(services: &Services, actor: &Actor, evaluations: &Value) -> Result<Value, Problem> {
    let mut shown: Vec<Value> = Vec::new();
    for one in evaluations.as_array().into_iter().flatten() {
        let Some(id) = one["evaluation_id"].as_str() else { continue };
        if shown.iter().any(|known| known["evaluation_id"] == one["evaluation_id"]) {
            continue;
        }
        let (services, actor, id) = (services.clone(), actor.clone(), EvaluationId::from(id));
        let same = run(move || Ok(evaluations::verify(&services, &actor, &id).is_ok_and(|found| found.same))).await?;
        let mut one = one.clone();
        one["same"] = json!(same);
        shown.push(one);
    }
    Ok(json!(shown))
}

/// One line for every reading that the item takes, with what was read last.
fn lines(one: &Value) -> Vec<Value> {
    let replicates = one["item"]["replicates"].as_i64().unwrap_or(1);
    let mut lines = Vec::new();
    for input in one["item"]["inputs"].as_array().into_iter().flatten() {
        let versions: Vec<&Value> =
            one["readings"].as_array().into_iter().flatten().filter(|row| row["name"] == input["name"]).collect();
        let last = versions.iter().filter_map(|row| row["position"].as_i64()).max().unwrap_or(0);
        let wanted = match input["count"].as_i64().unwrap_or(1) {
            0 => last + SPARE,
            count => count.saturating_mul(replicates).max(last),
        };
        for position in 1..=wanted.min(i64::try_from(READINGS).unwrap_or(500)) {
            let of_line: Vec<&&Value> = versions.iter().filter(|row| row["position"] == position).collect();
            let seen = of_line.last().and_then(|row| row["observation_id"].as_str());
            let observed = one["observations"].as_array().into_iter().flatten().find(|o| o["id"].as_str() == seen);
            // A reading of a rejected import is shown among the versions and not offered again.
            let void = of_line.last().is_some_and(|row| rejected(one, row));
            let current = of_line.last().filter(|_| !void);
            lines.push(json!({"input": input, "position": position, "several": wanted > 1, "void": void,
                "current": current, "versions": of_line, "observed": seen.and(observed)}));
        }
    }
    lines
}

/// Whether a reading comes from an import that a second person rejected.
fn rejected(one: &Value, row: &Value) -> bool {
    let imports = one["imports"].as_array().into_iter().flatten();
    row["observation_id"].is_string()
        && imports.filter(|import| import["outcome"] == "rejected").any(|import| {
            import["observations"].as_array().into_iter().flatten().any(|id| *id == row["observation_id"])
        })
}

/// On to `then`, or the test's page again with what was refused.
///
/// # Errors
/// Where the reader's institute has no such test.
pub(super) async fn answer(
    page: &Page,
    services: &Services,
    actor: &Actor,
    (id, form): (&str, Form),
    done: Result<(), Problem>,
    then: &str,
) -> Result<HttpResponse, Problem> {
    match done {
        Ok(()) => Ok(see_other(then)),
        Err(problem) => {
            let content = content(services, actor, id).await?;
            page.again("task.html", content, Some(&Refused::new(form, problem)))
        }
    }
}

async fn enter(
    may: May<EnterReadings>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let done = match entry(&form) {
        Ok((entry, at)) => {
            let action = EnterReadings::of(id.as_str().into(), entry);
            let sent = send(&services, &may, &page, &form, action).await.map(|_| ());
            sent.map_err(|mut problem| {
                problem.0.field = problem.0.field.map(|field| in_form(&field, "readings", &at));
                problem
            })
        }
        Err(refusal) => Err(refusal.into()),
    };
    answer(&page, &services, &may.actor, (&id, form), done, &format!("/tasks/{id}")).await
}

/// What was typed, and at which line of the form each reading was typed: lines left empty are not sent.
fn entry(form: &Form) -> Result<(TaskEntry, Vec<usize>), Refusal> {
    let mut at = Vec::new();
    let mut readings = Vec::new();
    for index in 0..form.count("readings", READINGS) {
        let field = |name: &str| format!("readings[{index}].{name}");
        let raw = form.text(&field("raw"));
        // A line that had a value and has none now was emptied: that is not to say nothing.
        if raw.is_empty() && !form.ticked(&field("entered")) {
            continue;
        }
        at.push(index);
        let position = form.whole(&field("position"))?;
        readings.push(NewReading { name: form.text(&field("name")), position, raw, source: Source::Typed });
    }
    let conforms = match form.text("conforms").as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    let (reagents, note, reason) = (form.text("reagents"), form.text("note"), form.opt("reason"));
    let despite_range = form.opt("despite_range");
    Ok((TaskEntry { readings, conforms, reagents, note, reason, despite_range }, at))
}
