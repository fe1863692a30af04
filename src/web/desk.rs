//! 收样台: one form from application to receipt, and beside it, live, what the regulation asks for.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};

use super::form::{Form, in_form};
use super::named::{applicant_named, product_named};
use super::page::{Page, Refused, see_other, send};
use super::rules;
use crate::action::Services;
use crate::business::COMMON;
use crate::cases::{
    self, IntakePreview, NewApplication, NewBatch, NewContainers, NewSample, Particulars, Receipt, SubmitCase, TakeIn,
    Taken,
};
use crate::http::permit::permission::CaseCreate;
use crate::http::{May, Permit, Problem, Table, run};
use crate::refusal::Refusal;
use crate::store::views;
use crate::text::{self, TypedDate, TypedDecimal};
use crate::vocabulary::{Business, Purpose};

/// The most batches of one form.
const BATCHES: usize = 50;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/desk", blank)
        .post("/desk", take_in)
        .post("/desk/submit", submit)
        .post("/desk/form", change)
        .post("/desk/preview", preview)
}

async fn blank(_: Permit<CaseCreate>, page: Page, services: Data<Services>) -> Result<HttpResponse, Problem> {
    let mut form = Form::default();
    form.set("application.business", "drug_registration");
    form.set("application.purpose", "initial");
    add_batch(&mut form);
    page.filled("desk.html", content(&services, &form), &form)
}

/// Application, acceptance and receipt in one step.
async fn take_in(
    may: May<TakeIn>,
    page: Page,
    services: Data<Services>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    if let Err(problem) = look_up(&services, &page, &mut form).await {
        return sent_on(&page, &services, form, Err(problem)).await;
    }
    let (found, at) = samples(&form, "receipt.samples", Some("application.batches"));
    let action =
        found.and_then(|samples| Ok(TakeIn { application: application(&form)?, receipt: Receipt { samples } }));
    let taken = match action {
        Ok(action) => send(&services, &may, &page, &form, action)
            .await
            .map_err(|problem| in_sample_form(problem, &form, "receipt.samples", &at)),
        Err(refusal) => Err(Problem::from(refusal)),
    };
    sent_on(&page, &services, form, taken).await
}

/// The application alone: nothing arrived yet.
async fn submit(
    may: May<SubmitCase>,
    page: Page,
    services: Data<Services>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    if let Err(problem) = look_up(&services, &page, &mut form).await {
        return sent_on(&page, &services, form, Err(problem)).await;
    }
    let taken = match application(&form) {
        // A draft's refusals name the application's fields; the form has them under `application`.
        Ok(new) => send(&services, &may, &page, &form, SubmitCase(new)).await.map_err(|mut problem| {
            problem.0.field = problem.0.field.map(|field| format!("application.{field}"));
            problem
        }),
        Err(refusal) => Err(Problem::from(refusal)),
    };
    sent_on(&page, &services, form, taken).await
}

/// Batches come and go without anything being sent.
async fn change(
    _: Permit<CaseCreate>,
    page: Page,
    services: Data<Services>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    match form.text("do").as_str() {
        "remove_batch" => remove_batch(&mut form),
        _ => add_batch(&mut form),
    }
    let form = named_again(&services, &page, form).await?;
    page.filled("desk.html", content(&services, &form), &form)
}

/// On to the case, or the form again as it was sent.
async fn sent_on(
    page: &Page,
    services: &Services,
    form: Form,
    taken: Result<Taken, Problem>,
) -> Result<HttpResponse, Problem> {
    match taken {
        Ok(taken) => Ok(see_other(&format!("/cases/{}?done=taken", taken.application_id))),
        Err(problem) => {
            let (form, problem) = (named_again(services, page, form).await?, in_words(problem));
            page.again("desk.html", content(services, &form), Some(&Refused::new(form, problem)))
        }
    }
}

/// The ids of the product and of the applicant that the form names in words.
async fn look_up(services: &Services, page: &Page, form: &mut Form) -> Result<(), Problem> {
    if let Some(product) = product_named(services, page, form).await? {
        form.set("application.product_id", product.as_str());
    }
    if let Some(applicant) = applicant_named(services, page, form).await? {
        form.set("application.applicant_id", applicant.as_str());
    }
    Ok(())
}

/// The form with the words for a product and an applicant that were sent by their ids.
async fn named_again(services: &Services, page: &Page, mut form: Form) -> Result<Form, Problem> {
    let (db, reader) = (services.db.clone(), page.reader(services)?);
    let product = form.opt("application.product_id").filter(|_| form.opt("product_code").is_none());
    let applicant = form.opt("application.applicant_id").filter(|_| form.opt("applicant_name").is_none());
    let (product, applicant) = run(move || {
        db.read(|conn| {
            let product = product.map(|id| views::product(conn, &reader, &id.into())).transpose()?.flatten();
            let named = |id: String| views::applicant_name(conn, &reader, &id.into());
            let applicant = applicant.map(named).transpose()?.flatten();
            Ok((product.map(|one| one.code), applicant))
        })
    })
    .await?;
    for (field, words) in [("product_code", product), ("applicant_name", applicant)] {
        if let Some(words) = words {
            form.set(field, words);
        }
    }
    Ok(form)
}

/// A refusal's field as the form has it: by words, not by ids.
fn in_words(mut problem: Problem) -> Problem {
    problem.0.field = problem.0.field.map(|field| match field.as_str() {
        "application.product_id" => "product_code".to_owned(),
        "application.applicant_id" => "applicant_name".to_owned(),
        _ => field,
    });
    problem
}

fn add_batch(form: &mut Form) {
    let index = form.count("application.batches", BATCHES);
    if index >= BATCHES {
        return;
    }
    form.set(&format!("application.batches[{index}].lot_number"), "");
    for (field, value) in [("packages", "1"), ("seals_intact", "1"), ("packages_intact", "1"), ("label_matches", "1")] {
        form.set(&format!("receipt.samples[{index}].{field}"), value);
    }
}

fn remove_batch(form: &mut Form) {
    let count = form.count("application.batches", BATCHES);
    if count > 1 {
        form.remove(&format!("application.batches[{}]", count - 1));
        form.remove(&format!("receipt.samples[{}]", count - 1));
    }
}

/// What the form asks for.
fn content(services: &Services, form: &Form) -> Value {
    let batches: Vec<usize> = (0..form.count("application.batches", BATCHES)).collect();
    let lines: Vec<Value> = services
        .lines
        .all()
        .map(|line| {
            let (zh, en) = line.heading();
            let businesses = line.businesses();
            let shown_for: Vec<String> = businesses.iter().map(|business| format!("for-{business}")).collect();
            json!({"shown_for": shown_for.join(" "), "zh": zh, "en": en, "ticks": line.ticks(),
                   "dates": line.dates(), "particulars": line.particulars()})
        })
        .collect();
    json!({"batches": batches, "lines": lines, "common": COMMON})
}

fn application(form: &Form) -> Result<NewApplication, Refusal> {
    let named = |field: &str| format!("application.{field}");
    let opt = |field: &str| form.opt(&named(field));
    let date = |field: &str| text::date_opt(&named(field), opt(field).as_deref()).map(|day| day.map(TypedDate));
    let batch = |index: usize| {
        let at = |field: &str| form.opt(&format!("application.batches[{index}].{field}"));
        NewBatch {
            lot_number: at("lot_number").unwrap_or_default(),
            produced_on: at("produced_on"),
            expires_on: at("expires_on"),
            lot_size: at("lot_size"),
            despite_duplicate: at("despite_duplicate"),
        }
    };
    let purpose = opt("purpose").map(|word| text::word(&named("purpose"), &word, Purpose::parse)).transpose()?;
    Ok(NewApplication {
        business: form.word(&named("business"), Business::parse)?,
        purpose: purpose.unwrap_or(Purpose::Initial),
        pre_submission: form.ticked("application.pre_submission"),
        standard_verification: form.ticked("application.standard_verification"),
        institute_id: None,
        applicant_id: opt("applicant_id").map(Into::into),
        product_id: form.text(&named("product_id")).into(),
        specification_id: None,
        arrived_at_port_on: date("arrived_at_port_on")?,
        notice_received_on: date("notice_received_on")?,
        sampled_on: date("sampled_on")?,
        acceptance_number: opt("acceptance_number"),
        particulars: Particulars::of(|field| form.text(&format!("application.particulars.{field}"))),
        batches: (0..form.count("application.batches", BATCHES)).map(batch).collect(),
    })
}

/// The samples of a form, each with its place there. A batch for which nothing is said of containers did not
/// arrive; with `lots` their lot numbers are among the batches. What is not a number is refused where it is typed.
pub fn samples(form: &Form, prefix: &str, lots: Option<&str>) -> (Result<Vec<NewSample>, Refusal>, Vec<usize>) {
    let arrived = |index: &usize| {
        ["labels", "containers", "refuse_because"]
            .iter()
            .any(|field| form.ticked(&format!("{prefix}[{index}].{field}")))
    };
    let places: Vec<usize> = (0..form.count(lots.unwrap_or(prefix), BATCHES)).filter(arrived).collect();
    let all = places.iter().map(|index| sample(form, &format!("{prefix}[{index}]"), lots, *index)).collect();
    (all, places)
}

fn sample(form: &Form, at: &str, lots: Option<&str>, index: usize) -> Result<NewSample, Refusal> {
    let named = |field: &str| format!("{at}.{field}");
    let lot = lots.map_or_else(|| named("lot_number"), |lots| format!("{lots}[{index}].lot_number"));
    let labels: Vec<String> = form.text(&named("labels")).split_whitespace().map(str::to_owned).collect();
    let temperature = form.opt(&named("temperature"));
    let content = form.opt(&named("container_content"));
    let content = content
        .map(|typed| text::positive(&named("container_content"), &typed).map(|(_, amount)| TypedDecimal(amount)))
        .transpose()?;
    Ok(NewSample {
        lot_number: form.text(&lot),
        containers: match form.opt(&named("containers")) {
            _ if !labels.is_empty() => NewContainers::Labels(labels),
            Some(_) => NewContainers::Count(form.whole(&named("containers"))?),
            None => NewContainers::Count(0),
        },
        container_content: content,
        content_unit: form.opt(&named("content_unit")),
        temperature: temperature
            .map(|typed| text::decimal(&named("temperature"), &typed).map(|(_, celsius)| TypedDecimal(celsius)))
            .transpose()?,
        seals_intact: form.ticked(&named("seals_intact")),
        packages: form.whole(&named("packages"))?,
        packages_intact: form.ticked(&named("packages_intact")),
        label_matches: form.ticked(&named("label_matches")),
        note: form.text(&named("note")),
        refuse_because: form.opt(&named("refuse_because")),
    })
}

/// A refusal's field as the form has it: samples are counted there with those that did not arrive, and scanned
/// labels have a field of their own.
#[must_use]
pub fn in_sample_form(mut problem: Problem, form: &Form, prefix: &str, at: &[usize]) -> Problem {
    problem.0.field = problem.0.field.map(|field| {
        let field = in_form(&field, prefix, at);
        let labels = field.replace(".containers", ".labels");
        let start = labels.find(".labels").map(|end| format!("{}.labels", &labels[..end]));
        if start.is_some_and(|name| form.opt(&name).is_some()) { labels } else { field }
    });
    problem
}

async fn preview(
    permit: Permit<CaseCreate>,
    page: Page,
    services: Data<Services>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    // What is still being typed names nothing yet: that is reported when the form is sent.
    let _unnamed = look_up(&services, &page, &mut form).await;
    if form.opt("application.product_id").is_none() {
        return page.show("desk_preview.html", json!({"shown": null, "why": null, "cited": {}, "batches": []}));
    }
    let found = match far_enough(&form) {
        Ok(new) => {
            let services2 = services.clone();
            run(move || cases::preview(&services2, &permit.actor, &new)).await
        }
        Err(refusal) => Err(Problem::from(refusal)),
    };
    let content = match found {
        Ok(found) => shown(&services, &form, &found)?,
        Err(problem) => why(&page, &problem.0),
    };
    page.show("desk_preview.html", content)
}

/// What a half-filled form says already: what is still missing there does not touch the determination.
fn far_enough(form: &Form) -> Result<NewApplication, Refusal> {
    let mut new = application(form)?;
    new.applicant_id.get_or_insert_with(|| "-".into());
    for (index, batch) in new.batches.iter_mut().enumerate() {
        if batch.lot_number.is_empty() {
            batch.lot_number = format!("#{}", index + 1);
        }
    }
    Ok(new)
}

fn shown(services: &Services, form: &Form, found: &IntakePreview) -> Result<Value, Refusal> {
    let (arrived, _) = samples(form, "receipt.samples", Some("application.batches"));
    // What is not a number yet is reported when the form is sent.
    let arrived = arrived.unwrap_or_default();
    let needed = found.demand.required_containers;
    let lots = (0..form.count("application.batches", BATCHES))
        .map(|index| form.text(&format!("application.batches[{index}].lot_number")));
    let batches: Vec<Value> = lots
        .map(|lot| {
            let sample = arrived.iter().find(|sample| sample.lot_number == lot);
            let received = sample.map_or(0, |sample| match &sample.containers {
                NewContainers::Count(count) => *count,
                NewContainers::Labels(labels) => i64::try_from(labels.len()).unwrap_or(i64::MAX),
            });
            let refused = sample.is_some_and(|sample| sample.refuse_because.is_some());
            json!({"lot": lot, "received": received, "short": (needed - received).max(0), "refused": refused})
        })
        .collect();
    let tree = super::lists::shown(found)?;
    let cited = rules::cited_in(&services.regulation, &tree);
    Ok(json!({"shown": tree, "why": null, "cited": cited, "batches": batches}))
}

fn why(page: &Page, refusal: &Refusal) -> Value {
    let message = page.lang.pick(&refusal.message_zh, &refusal.message_en);
    json!({"shown": null, "why": {"message": message, "field": refusal.field}, "cited": {}, "batches": []})
}
