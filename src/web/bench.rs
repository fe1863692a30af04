//! 我的工作: the queue by lane and due date, and one test with everything entered for it.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::form::{Form, in_form};
use super::lists::{Pager, ROWS, institute, offset, unfolded};
use super::page::{Page, Refused, see_other};
use crate::action::Services;
use crate::bench::{self, Entry, NewReading};
use crate::evaluations;
use crate::http::permit::permission::{ResultEnter, TaskRead, TaskStart};
use crate::http::{Permit, Problem, Table, run};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::columns::{EvaluationId, TestTaskId};
use crate::store::views::{self, QueueFilter};

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
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Filter {
    state: String,
    item: String,
    sample: String,
    mine: String,
    offset: String,
}

impl Filter {
    fn wanted(&self, actor: &Actor) -> QueueFilter {
        QueueFilter {
            state: Some(self.state.clone()),
            item: Some(self.item.trim().to_owned()),
            sample: Some(self.sample.trim().to_owned()),
            analyst: (!self.mine.is_empty()).then(|| actor.account.to_string()),
            limit: Some(ROWS),
            offset: Some(offset(&self.offset)),
        }
    }
}

async fn queue(
    permit: Permit<TaskRead>,
    page: Page,
    services: Data<Services>,
    filter: Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let (filter, institute) = (filter.into_inner(), institute(&permit.actor)?);
    let (db, wanted) = (services.db.clone(), filter.wanted(&permit.actor));
    let listed = run(move || db.read(|conn| views::queue(conn, &institute, &wanted))).await?;
    let fields =
        [("state", &*filter.state), ("item", &*filter.item), ("sample", &*filter.sample), ("mine", &*filter.mine)];
    let pager = Pager::new("/bench", &fields, listed.total, offset(&filter.offset));
    let (now, today) = (services.clock.now().to_rfc3339(), services.clock.today().to_string());
    page.show("bench.html", json!({"rows": listed.items, "pager": pager, "filter": filter, "now": now, "today": today}))
}

/// Takes the first test that waits: by lane, then by due date.
async fn take_next(permit: Permit<TaskStart>, services: Data<Services>) -> Result<HttpResponse, Problem> {
    let (db, institute) = (services.db.clone(), institute(&permit.actor)?);
    let wanted = QueueFilter { state: Some("waiting".to_owned()), limit: Some(1), ..QueueFilter::default() };
    let listed = run(move || db.read(|conn| views::queue(conn, &institute, &wanted))).await?;
    let Some(first) = listed.items.into_iter().next() else { return Ok(see_other("/bench")) };
    let id = TestTaskId::from(first.task_id.as_str());
    run(move || bench::start(&services, &permit.actor, &id)).await?;
    Ok(see_other(&format!("/tasks/{}", first.task_id)))
}

async fn start(permit: Permit<TaskStart>, services: Data<Services>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let key = TestTaskId::from(id.as_str());
    run(move || bench::start(&services, &permit.actor, &key)).await?;
    Ok(see_other(&format!("/tasks/{id}")))
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

/// A test with its lines of readings. It names no applicant.
///
/// # Errors
/// Where the reader's institute has no such test.
pub async fn content(services: &Services, actor: &Actor, id: &str) -> Result<Value, Problem> {
    let (db, institute, key) = (services.db.clone(), institute(actor)?, TestTaskId::from(id));
    let (found, names) = run(move || {
        db.read(|conn| {
            let found = views::task(conn, &institute, &key)?;
            let people: Vec<_> = found.iter().flat_map(|one| &one.readings).map(|row| &row.entered_by).collect();
            let names = views::names(conn, &people)?;
            Ok((found, names))
        })
    })
    .await?;
    let found = found.ok_or_else(|| Refusal::not_found("检验任务", "test task", id))?;
    let mut one = unfolded(&found)?;
    one["evaluations"] = recalculated(services, actor, &one["evaluations"]).await?;
    let lines = lines(&one);
    Ok(
        json!({"one": one, "lines": lines, "names": names, "me": actor.account, "now": services.clock.now().to_rfc3339()}),
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

async fn enter(
    permit: Permit<ResultEnter>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (entry, at) = entry(&form);
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), TestTaskId::from(id.as_str()));
    match run(move || bench::enter(&services2, &actor, &key, &entry)).await {
        Ok(_) => Ok(see_other(&format!("/tasks/{id}"))),
        Err(mut problem) => {
            problem.0.field = problem.0.field.map(|field| in_form(&field, "readings", &at));
            let content = content(&services, &permit.actor, &id).await?;
            page.again("task.html", content, Some(&Refused::new(form, problem)))
        }
    }
}

/// What was typed, and at which line of the form each reading stands: lines left empty are not sent.
fn entry(form: &Form) -> (Entry, Vec<usize>) {
    let mut at = Vec::new();
    let mut readings = Vec::new();
    for index in 0..form.count("readings", READINGS) {
        let field = |name: &str| format!("readings[{index}].{name}");
        let Some(raw) = form.opt(&field("raw")) else { continue };
        at.push(index);
        let position = form.text(&field("position")).parse().unwrap_or(1);
        readings.push(NewReading { name: form.text(&field("name")), position, raw, observed: None, evaluated: None });
    }
    let conforms = match form.text("conforms").as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    let entry = Entry {
        readings,
        conforms,
        reagents: form.text("reagents"),
        note: form.text("note"),
        reason: form.opt("reason"),
    };
    (entry, at)
}
