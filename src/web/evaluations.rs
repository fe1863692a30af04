//! 序列评价、板评价: choose files, say what each injection or well is, see every step, enter the result.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use serde_json::{Value, json};

use super::evaluation_form::{filled, read};
use super::form::Form;
use super::lists::{Pager, ROWS, institute, offset, unfolded};
use super::page::{Page, Refused, see_other};
use crate::action::Services;
use crate::calculation::outcome::WellLine;
use crate::calculation::setup::{Role, Setup};
use crate::evaluations::{self, AcceptEvaluation, Combination};
use crate::http::permit::permission::{EvaluationCreate, EvaluationRead, ResultEnter};
use crate::http::{Permit, Problem, Table, run};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::EvaluationId;
use crate::store::views::{self, FileFilter, Page as Part};
use crate::vocabulary::instruments::FileState;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/evaluations", list)
        .get("/evaluations/new", new)
        .post("/evaluations", create)
        .post("/evaluations/combine", combine)
        .get("/evaluations/{id}", show)
        .post("/evaluations/{id}/accept", accept)
}

#[derive(Deserialize)]
struct From {
    #[serde(default)]
    offset: String,
}

async fn list(
    permit: Permit<EvaluationRead>,
    page: Page,
    services: Data<Services>,
    from: Query<From>,
) -> Result<HttpResponse, Problem> {
    listed(&permit.actor, &page, &services, offset(&from.offset), None).await
}

async fn listed(
    actor: &Actor,
    page: &Page,
    services: &Services,
    from: i64,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    let (db, institute) = (services.db.clone(), institute(actor)?);
    let part = Part::of(Some(ROWS), Some(from));
    let listed = run(move || db.read(|conn| views::evaluations(conn, &institute, None, part))).await?;
    let pager = Pager::new("/evaluations", &[], listed.total, from);
    page.again("evaluations.html", json!({"rows": listed.items, "pager": pager}), refused)
}

async fn combine(
    permit: Permit<EvaluationCreate>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let new = Combination { title: form.text("title"), evaluation_ids: form.all("evaluation") };
    let (services2, actor) = (services.clone(), permit.actor.clone());
    match run(move || evaluations::combine(&services2, &actor, &new)).await {
        Ok(row) => Ok(see_other(&format!("/evaluations/{}", row.id))),
        Err(problem) => listed(&permit.actor, &page, &services, 0, Some(&Refused::new(form, problem))).await,
    }
}

/// What a new evaluation is to be made of: `file` may stand several times.
struct Choice {
    files: Vec<String>,
    method: String,
    /// An evaluation that is to be made again
    of: Option<String>,
}

impl Choice {
    fn of(fields: &[(String, String)]) -> Self {
        let one = |name: &str| fields.iter().find(|(key, value)| key == name && !value.is_empty()).map(|f| f.1.clone());
        let files = fields.iter().filter(|(key, value)| key == "file" && !value.is_empty()).map(|f| f.1.clone());
        Self { files: files.collect(), method: one("method").unwrap_or_default(), of: one("of") }
    }
}

async fn new(
    permit: Permit<EvaluationCreate>,
    page: Page,
    services: Data<Services>,
    fields: Query<Vec<(String, String)>>,
) -> Result<HttpResponse, Problem> {
    let mut choice = Choice::of(&fields);
    let before = match choice.of.clone() {
        None => None,
        Some(id) => Some(before(&services, &permit.actor, &id, &mut choice).await?),
    };
    if choice.files.is_empty() || choice.method.is_empty() {
        return choose(&permit.actor, &page, &services, &choice).await;
    }
    let content = content(&services, &permit.actor, &choice).await?;
    let form = match before {
        Some((title, setup)) => filled(&title, &setup),
        None => {
            let setup: Setup = serde_json::from_value(content["proposal"]["setup"].clone()).unwrap_or_default();
            filled("", &setup)
        }
    };
    page.filled("evaluation_new.html", content, &form)
}

/// The setup of the evaluation that is to be made again; its files and method where none others are chosen.
async fn before(services: &Services, actor: &Actor, id: &str, choice: &mut Choice) -> Result<(String, Setup), Problem> {
    let (db, institute, key) = (services.db.clone(), institute(actor)?, EvaluationId::from(id));
    let found = run(move || db.read(|conn| views::evaluation(conn, &institute, &key))).await?;
    let found = found.ok_or_else(|| Refusal::not_found("评价", "evaluation", id))?;
    if choice.files.is_empty() {
        choice.files = found.files.iter().map(|file| file.id.to_string()).collect();
    }
    if choice.method.is_empty() {
        choice.method.clone_from(&found.row.method_id);
    }
    Ok((found.row.title, found.row.setup.read().unwrap_or_default()))
}

/// The files that may be chosen and the methods.
async fn choose(actor: &Actor, page: &Page, services: &Services, choice: &Choice) -> Result<HttpResponse, Problem> {
    let (services2, reader) = (services.clone(), services.reader(actor)?);
    let (staged, accepted, methods) = run(move || {
        let methods = evaluations::methods(&services2)?;
        let of = |state: FileState| {
            let filter = FileFilter { state: Some(state), limit: Some(200), ..FileFilter::default() };
            services2.db.read(|conn| views::files(conn, &reader, &filter))
        };
        Ok((of(FileState::Staged)?, of(FileState::Accepted)?, methods))
    })
    .await?;
    let rows: Vec<_> = staged.items.into_iter().chain(accepted.items).collect();
    let content = json!({"files": unfolded(&rows)?, "methods": methods, "chosen": choice.files});
    page.show("evaluation_new.html", content)
}

async fn content(services: &Services, actor: &Actor, choice: &Choice) -> Result<Value, Problem> {
    let (services2, actor2, institute) = (services.clone(), actor.clone(), institute(actor)?);
    let (files, method) = (choice.files.clone(), choice.method.clone());
    let (proposal, standards) = run(move || {
        let proposal = evaluations::propose(&services2, &actor2, &files, &method)?;
        let standards = services2.db.read(|conn| views::standards(conn, &institute, true))?;
        Ok((proposal, standards.items))
    })
    .await?;
    let roles: Vec<_> = Role::ALL.iter().map(|role| json!({"word": role.1, "zh": role.2, "en": role.3})).collect();
    let solutions = proposal.setup.preparations.len().max(1) + 2;
    Ok(json!({"proposal": proposal, "standards": standards, "roles": roles, "solutions": solutions,
        "of": choice.of, "today": services.clock.today()}))
}

async fn create(
    permit: Permit<EvaluationCreate>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let choice = Choice { files: form.all("file"), method: form.text("method_id"), of: form.opt("of") };
    let keeps = form.text("go") != "preview";
    let (services2, actor, asked, of) = (services.clone(), permit.actor.clone(), form.clone(), choice.of.clone());
    let made = run(move || made(&services2, &actor, &asked, of, keeps)).await;
    match made {
        Ok(Made::Kept(id)) => Ok(see_other(&format!("/evaluations/{id}"))),
        Ok(Made::Tried(outcome)) => {
            let mut content = content(&services, &permit.actor, &choice).await?;
            content["preview"] = outcome;
            page.filled("evaluation_new.html", content, &form)
        }
        Err(problem) => {
            let content = content(&services, &permit.actor, &choice).await?;
            page.again("evaluation_new.html", content, Some(&Refused::new(form, problem)))
        }
    }
}

enum Made {
    Kept(String),
    Tried(Value),
}

fn made(services: &Services, actor: &Actor, form: &Form, of: Option<String>, keeps: bool) -> Outcome<Made> {
    let new = read(form)?;
    if !keeps {
        let found = evaluations::preview(services, actor, &new)?;
        return Ok(Made::Tried(shown(&json!(found.outcome))));
    }
    let row = match of {
        Some(of) => evaluations::version(services, actor, &EvaluationId::from(of), &new)?,
        None => evaluations::create(services, actor, &new)?,
    };
    Ok(Made::Kept(row.id.to_string()))
}

async fn show(
    permit: Permit<EvaluationRead>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let content = detail(&services, &permit.actor, &id).await?;
    page.show("evaluation.html", content)
}

async fn detail(services: &Services, actor: &Actor, id: &str) -> Result<Value, Problem> {
    let (services, actor, key) = (services.clone(), actor.clone(), EvaluationId::from(id));
    let (found, tasks, verified) = run(move || {
        let institute = institute(&actor)?;
        let found = services.db.read(|conn| views::evaluation(conn, &institute, &key))?;
        let found = found.ok_or_else(|| Refusal::not_found("评价", "evaluation", key.as_str()))?;
        let tasks = evaluations::tasks(&services, &actor, &key)?;
        // What can no longer be calculated again is said where the comparison would stand.
        let verified = evaluations::verify(&services, &actor, &key).map_err(crate::store::Failure::into_refusal);
        Ok((found, tasks, verified))
    })
    .await?;
    let verified = match verified {
        Ok(verified) => json!(verified),
        Err(refusal) => json!({"same": false, "refusal": {"zh": refusal.message_zh, "en": refusal.message_en}}),
    };
    let row = &found.row;
    let (outcome, setup, method) = (row.outcome.tree(), row.setup.tree(), row.method.tree());
    let standards = row.standards.tree();
    Ok(json!({"one": unfolded(&found)?, "outcome": shown(&outcome), "setup": setup, "method": method,
        "standards": standards, "tasks": tasks, "verified": verified}))
}

/// An outcome with its wells as the rows of a plate.
fn shown(outcome: &Value) -> Value {
    let mut outcome = outcome.clone();
    let wells: Vec<WellLine> = serde_json::from_value(outcome["wells"].clone()).unwrap_or_default();
    let (rows, columns) =
        wells.iter().fold((0, 0), |(rows, columns), well| (rows.max(well.row), columns.max(well.column)));
    let grid: Vec<Vec<Value>> = (1..=rows)
        .map(|row| {
            let cell = |column| wells.iter().find(|well| (well.row, well.column) == (row, column));
            (1..=columns).map(|column| cell(column).map_or(Value::Null, |well| json!(well))).collect()
        })
        .collect();
    outcome["grid"] = json!(grid);
    outcome
}

async fn accept(
    permit: Permit<ResultEnter>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let new = AcceptEvaluation {
        tasks: Some(form.all("tasks")),
        confirm_complete: form.ticked("confirm_complete"),
        despite_problems: form.opt("despite_problems"),
        reagents: form.text("reagents"),
        note: form.text("note"),
        reason: form.opt("reason"),
    };
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), EvaluationId::from(id.as_str()));
    match run(move || evaluations::accept(&services2, &actor, &key, &new)).await {
        Ok(_) => Ok(see_other(&format!("/evaluations/{id}"))),
        Err(problem) => {
            let content = detail(&services, &permit.actor, &id).await?;
            page.again("evaluation.html", content, Some(&Refused::new(form, problem)))
        }
    }
}
