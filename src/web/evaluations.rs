//! 序列评价、板评价: choose files, say what each injection or well is, see every step, enter the result.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use serde_json::{Value, json};

use super::evaluation_form::{filled, lots_of, read};
use super::form::Form;
use super::lists::{Onward, ROWS};
use super::page::{Page, Refused, see_other, send};
use crate::action::Services;
use crate::calculation::outcome::WellLine;
use crate::calculation::setup::{Role, Setup};
use crate::evaluations::{self, AcceptEvaluation, CombineEvaluations, CreateEvaluation, ReviseEvaluation};
use crate::http::permit::permission::{EvaluationCreate, EvaluationRead};
use crate::http::{May, Permit, Problem, Table, run};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::columns::{EvaluationId, InstrumentFileId};
use crate::store::stored::At;
use crate::store::views::{self, EvaluationFilter, EvaluationView, StandardFilter};

/// How many lots of reference standards a form offers; a search finds the others.
const LOTS: i64 = 100;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/evaluations", list)
        .get("/evaluations/new", new)
        .post("/evaluations", create)
        .post("/evaluations/combine", combine)
        .get("/evaluations/{id}", show)
        .post("/evaluations/{id}/versions", revise)
        .post("/evaluations/{id}/accept", accept)
}

#[derive(Deserialize)]
struct From {
    #[serde(default)]
    after: String,
}

async fn list(
    permit: Permit<EvaluationRead>,
    page: Page,
    services: Data<Services>,
    from: Query<From>,
) -> Result<HttpResponse, Problem> {
    listed(&permit.actor, &page, &services, &from.after, None).await
}

async fn listed(
    actor: &Actor,
    page: &Page,
    services: &Services,
    after: &str,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    let (db, reader) = (services.db.clone(), services.reader(actor)?);
    let wanted = EvaluationFilter { limit: Some(ROWS), after: Some(after.to_owned()), ..EvaluationFilter::default() };
    let listed = run(move || db.read(|conn| views::evaluations(conn, &reader, &wanted))).await?;
    let onward = Onward::new("/evaluations", &[], after, &listed);
    page.again("evaluations.html", json!({"rows": listed.items, "onward": onward}), refused)
}

async fn combine(
    may: May<CombineEvaluations>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let evaluation_ids = form.all("evaluation").into_iter().map(Into::into).collect();
    let action = CombineEvaluations { title: form.text("title"), evaluation_ids };
    match send(&services, &may, &page, &form, action).await {
        Ok(kept) => Ok(see_other(&format!("/evaluations/{}", kept.id))),
        Err(problem) => listed(&may.actor, &page, &services, "", Some(&Refused::new(form, problem))).await,
    }
}

/// What a new evaluation is to be made of: `file` may be given several times.
struct Choice {
    files: Vec<InstrumentFileId>,
    method: String,
    /// An evaluation that is to be made again
    of: Option<String>,
    /// A part of the name of a file that is looked for, and where its list goes on
    search: String,
    after: String,
}

impl Choice {
    fn of(fields: &[(String, String)]) -> Self {
        let one = |name: &str| fields.iter().find(|(key, value)| key == name && !value.is_empty()).map(|f| f.1.clone());
        let files = fields.iter().filter(|(key, value)| key == "file" && !value.is_empty());
        Self {
            files: files.map(|(_, id)| id.as_str().into()).collect(),
            method: one("method").unwrap_or_default(),
            of: one("of"),
            search: one("search").unwrap_or_default(),
            after: one("after").unwrap_or_default(),
        }
    }

    fn in_form(form: &Form, of: Option<String>) -> Self {
        Self {
            files: form.all("file").into_iter().map(Into::into).collect(),
            method: form.text("method_id"),
            of,
            search: String::new(),
            after: String::new(),
        }
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
    // Who looks for more files has not chosen yet, whatever is ticked.
    let chosen = !choice.files.is_empty() && !choice.method.is_empty();
    if !chosen || fields.iter().any(|(name, value)| name == "go" && value == "search") {
        return choose(&permit.actor, &page, &services, &choice).await;
    }
    let filled_with = |setup: &Setup| match &before {
        Some((title, setup)) => filled(title, setup),
        None => filled("", setup),
    };
    let chosen = before.as_ref().map(|(_, setup)| filled("", setup)).unwrap_or_default();
    let (proposed, content) = content(&services, &permit.actor, &choice, &chosen).await?;
    page.filled("evaluation_new.html", content, &filled_with(&proposed))
}

/// The setup of the evaluation that is to be made again; its files and method where none others are chosen.
async fn before(services: &Services, actor: &Actor, id: &str, choice: &mut Choice) -> Result<(String, Setup), Problem> {
    let (db, reader, key) = (services.db.clone(), services.reader(actor)?, EvaluationId::from(id));
    let found = run(move || db.read(|conn| views::evaluation(conn, &reader, &key))).await?;
    let found = found.ok_or_else(|| Refusal::not_found("评价", "evaluation", id))?;
    if choice.files.is_empty() {
        choice.files = found.files.iter().map(|file| file.id.clone()).collect();
    }
    let EvaluationView { title, method_id, setup, .. } = found.evaluation;
    if choice.method.is_empty() {
        choice.method = method_id;
    }
    let unreadable = |error| At::new("evaluation", "setup", id).unreadable(error);
    Ok((title, serde_json::from_value(setup).map_err(unreadable)?))
}

/// The files that may be chosen and the methods.
async fn choose(actor: &Actor, page: &Page, services: &Services, choice: &Choice) -> Result<HttpResponse, Problem> {
    let (services2, reader) = (services.clone(), services.reader(actor)?);
    let (search, after) = (choice.search.clone(), choice.after.clone());
    let (files, methods) = run(move || {
        let methods = evaluations::methods(&services2)?;
        let part = (Some(after.as_str()), ROWS);
        let files = services2.db.read(|conn| views::evaluable_files(conn, &reader, &search, part))?;
        Ok((files, methods))
    })
    .await?;
    let mut fields = vec![("search", choice.search.as_str()), ("method", choice.method.as_str())];
    fields.extend(choice.files.iter().map(|id| ("file", id.as_str())));
    let onward =
        Onward::new("/evaluations/new", &[fields.as_slice(), &[("go", "search")]].concat(), &choice.after, &files);
    // What is ticked stays ticked on the other parts of the list.
    let elsewhere: Vec<_> = choice.files.iter().filter(|id| files.items.iter().all(|file| file.id != **id)).collect();
    let content = json!({"elsewhere": elsewhere, "files": files.items, "onward": onward, "methods": methods, "chosen": choice.files,
        "method_chosen": choice.method, "filter": {"search": choice.search}});
    page.show("evaluation_choose.html", content)
}

/// What the form needs, and the setup that the files propose. The lots that it offers are those that its search finds
/// and those that are chosen in it.
async fn content(services: &Services, actor: &Actor, choice: &Choice, form: &Form) -> Result<(Setup, Value), Problem> {
    let (services2, actor2, reader) = (services.clone(), actor.clone(), services.reader(actor)?);
    let (files, method, chosen) = (choice.files.clone(), choice.method.clone(), lots_of(form));
    let wanted =
        StandardFilter { in_use: true, search: form.opt("lots"), limit: Some(LOTS), ..StandardFilter::default() };
    let (proposal, lots, named) = run(move || {
        let proposal = evaluations::propose(&services2, &actor2, &files, &method)?;
        let (lots, named) = services2.db.read(|conn| {
            let lots = views::standards(conn, &reader, &wanted)?;
            Ok((lots, views::standards_named(conn, &reader, &chosen)?))
        })?;
        Ok((proposal, lots, named))
    })
    .await?;
    let more = lots.next.is_some() || form.opt("lots").is_some();
    let mut standards = lots.items;
    for one in named {
        if !standards.iter().any(|known| known.id == one.id) {
            standards.push(one);
        }
    }
    let roles: Vec<_> = Role::ALL.iter().map(|role| json!({"word": role.1, "zh": role.2, "en": role.3})).collect();
    let solutions = proposal.setup.preparations.len().max(1) + 2;
    let setup = proposal.setup.clone();
    let content = json!({"proposal": proposal, "standards": standards, "more_lots": more, "roles": roles,
        "solutions": solutions, "of": choice.of, "today": services.clock.today(), "preview": null});
    Ok((setup, content))
}

/// What a form is sent for.
enum Go {
    /// To be calculated and shown
    EvaluationPreview,
    /// To find other lots
    Lots,
    Keep,
}

impl Go {
    fn of(form: &Form) -> Self {
        match form.text("go").as_str() {
            "preview" => Self::EvaluationPreview,
            "lots" => Self::Lots,
            _ => Self::Keep,
        }
    }
}

/// The form as it is, with what a trial calculation found.
async fn tried(
    (actor, page, services): (&Actor, &Page, &Services),
    choice: &Choice,
    form: Form,
    calculates: bool,
) -> Result<HttpResponse, Problem> {
    let (_, mut content) = content(services, actor, choice, &form).await?;
    if calculates {
        let (services2, actor2, asked) = (services.clone(), actor.clone(), form.clone());
        let found = run(move || evaluations::preview(&services2, &actor2, &read(&asked)?)).await;
        match found.and_then(|found| Ok(shown(&json!(found.outcome))?)) {
            Ok(outcome) => content["preview"] = outcome,
            Err(problem) => return page.again("evaluation_new.html", content, Some(&Refused::new(form, problem))),
        }
    }
    page.filled("evaluation_new.html", content, &form)
}

/// On to the evaluation that was kept, or the form again with what was refused.
async fn kept(
    (actor, page, services): (&Actor, &Page, &Services),
    choice: &Choice,
    form: Form,
    done: Result<EvaluationView, Problem>,
) -> Result<HttpResponse, Problem> {
    match done {
        Ok(kept) => Ok(see_other(&format!("/evaluations/{}", kept.id))),
        Err(problem) => {
            let (_, content) = content(services, actor, choice, &form).await?;
            page.again("evaluation_new.html", content, Some(&Refused::new(form, problem)))
        }
    }
}

async fn create(
    may: May<CreateEvaluation>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (choice, seen) = (Choice::in_form(&form, None), (&may.actor, &page, &**services));
    let done = match Go::of(&form) {
        Go::EvaluationPreview => return tried(seen, &choice, form, true).await,
        Go::Lots => return tried(seen, &choice, form, false).await,
        Go::Keep => match read(&form) {
            Ok(action) => send(&services, &may, &page, &form, action).await,
            Err(refusal) => Err(refusal.into()),
        },
    };
    kept(seen, &choice, form, done).await
}

async fn revise(
    may: May<ReviseEvaluation>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (choice, seen) = (Choice::in_form(&form, Some(id.to_string())), (&may.actor, &page, &**services));
    let again = |new: CreateEvaluation| ReviseEvaluation {
        id: id.as_str().into(),
        title: new.title,
        method_id: new.method_id,
        file_ids: new.file_ids,
        setup: new.setup,
        reason: new.reason,
    };
    let done = match Go::of(&form) {
        Go::EvaluationPreview => return tried(seen, &choice, form, true).await,
        Go::Lots => return tried(seen, &choice, form, false).await,
        Go::Keep => match read(&form).map(again) {
            Ok(action) => send(&services, &may, &page, &form, action).await,
            Err(refusal) => Err(refusal.into()),
        },
    };
    kept(seen, &choice, form, done).await
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
    let (mut found, tasks, verified) = run(move || {
        let reader = services.reader(&actor)?;
        let found = services.db.read(|conn| views::evaluation(conn, &reader, &key))?;
        let found = found.ok_or_else(|| Refusal::not_found("评价", "evaluation", key.as_str()))?;
        let tasks = evaluations::tasks(&services, &actor, &key)?;
        // What can no longer be calculated again is said where the comparison would be.
        let verified = evaluations::verify(&services, &actor, &key).map_err(crate::store::Failure::into_refusal);
        Ok((found, tasks, verified))
    })
    .await?;
    let verified = match verified {
        Ok(verified) => json!(verified),
        Err(refusal) => json!({"same": false, "refusal": {"zh": refusal.message_zh, "en": refusal.message_en}}),
    };
    let (outcome, setup) = (shown(&found.evaluation.outcome.take())?, found.evaluation.setup.take());
    let (method, standards) = (found.evaluation.method.take(), found.evaluation.standards.take());
    Ok(json!({"one": found, "outcome": outcome, "setup": setup, "method": method, "standards": standards,
        "tasks": tasks, "verified": verified}))
}

/// An outcome with its wells as the rows of a plate.
fn shown(outcome: &Value) -> Result<Value, Refusal> {
    let mut outcome = outcome.clone();
    let wells: Option<Vec<WellLine>> = serde_json::from_value(outcome["wells"].clone())
        .map_err(|error| At::new("evaluation", "outcome", "wells").unreadable(error))?;
    let wells = wells.unwrap_or_default();
    let (rows, columns) =
        wells.iter().fold((0, 0), |(rows, columns), well| (rows.max(well.row), columns.max(well.column)));
    let grid: Vec<Vec<Value>> = (1..=rows)
        .map(|row| {
            let cell = |column| wells.iter().find(|well| (well.row, well.column) == (row, column));
            (1..=columns).map(|column| cell(column).map_or(Value::Null, |well| json!(well))).collect()
        })
        .collect();
    outcome["grid"] = json!(grid);
    Ok(outcome)
}

async fn accept(
    may: May<AcceptEvaluation>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = AcceptEvaluation {
        id: id.as_str().into(),
        tasks: Some(form.all("tasks").into_iter().map(Into::into).collect()),
        confirm_complete: form.ticked("confirm_complete"),
        despite_problems: form.opt("despite_problems"),
        reagents: form.text("reagents"),
        note: form.text("note"),
        reason: form.opt("reason"),
        despite_range: form.opt("despite_range"),
    };
    match send(&services, &may, &page, &form, action).await {
        Ok(_) => Ok(see_other(&format!("/evaluations/{id}"))),
        Err(problem) => {
            let content = detail(&services, &may.actor, &id).await?;
            page.again("evaluation.html", content, Some(&Refused::new(form, problem)))
        }
    }
}
