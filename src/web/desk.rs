//! 收样台: one form from application to receipt, and beside it, live, what the regulation asks for.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};

use super::form::{Form, in_form};
use super::page::{Page, Refused, see_other};
use super::rules;
use crate::action::Services;
use crate::action::permitted;
use crate::cases::{self, Intake, NewApplication, NewBatch, NewContainers, NewSample, Particulars, Preview, Receipt};
use crate::http::permit::permission::CaseCreate;
use crate::http::{Permit, Problem, Table, run};
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::views::{self, Search};
use crate::vocabulary::Permission;

/// The most batches of one form.
const BATCHES: usize = 50;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default().get("/desk", blank).post("/desk", send).post("/desk/preview", preview)
}

async fn blank(_: Permit<CaseCreate>, page: Page, services: Data<Services>) -> Result<HttpResponse, Problem> {
    let mut form = Form::default();
    form.set("application.business", "drug_registration");
    form.set("application.purpose", "initial");
    add_batch(&mut form);
    let content = content(&page, &services, &form).await?;
    page.filled("desk.html", content, &form)
}

async fn send(
    permit: Permit<CaseCreate>,
    page: Page,
    services: Data<Services>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    let (services2, sent, actor) = (services.clone(), form.clone(), permit.actor);
    match form.text("do").as_str() {
        "add_batch" => add_batch(&mut form),
        "remove_batch" => remove_batch(&mut form),
        word => {
            let draft = word == "submit";
            let taken =
                run(move || if draft { submit(&services2, &actor, &sent) } else { take_in(&services2, &actor, &sent) });
            return sent_on(&page, &services, form, taken.await).await;
        }
    }
    page.filled("desk.html", content(&page, &services, &form).await?, &form)
}

/// On to the case, or the form again as it was sent.
async fn sent_on(
    page: &Page,
    services: &Services,
    form: Form,
    taken: Result<cases::Taken, Problem>,
) -> Result<HttpResponse, Problem> {
    match taken {
        Ok(taken) => Ok(see_other(&format!("/cases/{}?done=taken", taken.application_id))),
        Err(problem) => {
            let problem = in_sample_form(problem, &form, "receipt.samples", &arrived(&form).1);
            page.again("desk.html", content(page, services, &form).await?, Some(&Refused::new(form, problem)))
        }
    }
}

fn submit(services: &Services, actor: &crate::record::Actor, form: &Form) -> Outcome<cases::Taken> {
    cases::submit(services, actor, &application(form)).map_err(within)
}

fn arrived(form: &Form) -> (Vec<NewSample>, Vec<usize>) {
    samples(form, "receipt.samples", Some("application.batches"))
}

fn take_in(services: &Services, actor: &crate::record::Actor, form: &Form) -> Outcome<cases::Taken> {
    permitted(actor, Permission::CaseAccept)?;
    permitted(actor, Permission::SampleReceive)?;
    let receipt = Receipt { samples: arrived(form).0 };
    cases::take_in(services, actor, &Intake { application: application(form), receipt })
}

/// A draft's refusals name the application's fields; the form has them under `application`.
fn within(failure: crate::store::Failure) -> crate::store::Failure {
    match failure {
        crate::store::Failure::Refused(mut refusal) => {
            refusal.field = refusal.field.map(|field| format!("application.{field}"));
            crate::store::Failure::Refused(refusal)
        }
        store => store,
    }
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

/// What the form chooses from.
async fn content(page: &Page, services: &Services, form: &Form) -> Result<Value, Problem> {
    let (db, reader) = (services.db.clone(), page.reader(services)?);
    let (products, applicants) = run(move || {
        db.read(|conn| {
            let all = Search { limit: Some(500), ..Search::default() };
            Ok((views::products(conn, &reader, &all)?.items, views::applicants(conn, &reader, &all)?.items))
        })
    })
    .await?;
    let batches: Vec<usize> = (0..form.count("application.batches", BATCHES)).collect();
    Ok(json!({"products": products, "applicants": applicants, "batches": batches}))
}

fn application(form: &Form) -> NewApplication {
    let opt = |field: &str| form.opt(&format!("application.{field}"));
    let text = |field: &str| form.text(&format!("application.{field}"));
    let batch = |index: usize| {
        let at = |field: &str| form.opt(&format!("application.batches[{index}].{field}"));
        NewBatch {
            lot_number: at("lot_number").unwrap_or_default(),
            produced_on: at("produced_on"),
            expires_on: at("expires_on"),
            lot_size: at("lot_size"),
        }
    };
    NewApplication {
        business: text("business"),
        purpose: opt("purpose").unwrap_or_else(|| "initial".to_owned()),
        pre_submission: form.ticked("application.pre_submission"),
        standard_verification: form.ticked("application.standard_verification"),
        institute_id: None,
        applicant_id: opt("applicant_id"),
        product_id: text("product_id"),
        specification_id: None,
        arrived_at_port_on: opt("arrived_at_port_on"),
        notice_received_on: opt("notice_received_on"),
        sampled_on: opt("sampled_on"),
        acceptance_number: opt("acceptance_number"),
        particulars: particulars(form),
        batches: (0..form.count("application.batches", BATCHES)).map(batch).collect(),
    }
}

fn particulars(form: &Form) -> Particulars {
    let text = |field: &str| form.text(&format!("application.particulars.{field}"));
    Particulars {
        supplier: text("supplier"),
        test_purpose: text("test_purpose"),
        release_quantity: text("release_quantity"),
        import_registration: text("import_registration"),
        notice_number: text("notice_number"),
        customs_number: text("customs_number"),
        contract_number: text("contract_number"),
        import_quantity: text("import_quantity"),
        port: text("port"),
        sampling_place: text("sampling_place"),
        sampling_packages: text("sampling_packages"),
        manufacturer_report: text("manufacturer_report"),
        summary_protocol: text("summary_protocol"),
        remarks: text("remarks"),
    }
}

/// The samples of a form, each with its place there. A batch for which nothing is said of containers did not
/// arrive; with `lots` their lot numbers stand among the batches.
#[must_use]
pub fn samples(form: &Form, prefix: &str, lots: Option<&str>) -> (Vec<NewSample>, Vec<usize>) {
    (0..form.count(lots.unwrap_or(prefix), BATCHES))
        .filter_map(|index| {
            let at = |field: &str| format!("{prefix}[{index}].{field}");
            let labels: Vec<String> = form.text(&at("labels")).split_whitespace().map(str::to_owned).collect();
            let count = form.opt(&at("containers"));
            let refused = form.opt(&at("refuse_because"));
            if labels.is_empty() && count.is_none() && refused.is_none() {
                return None;
            }
            let lot = format!("{}[{index}].lot_number", lots.unwrap_or(prefix));
            let sample = NewSample {
                lot_number: form.text(&lot),
                containers: if labels.is_empty() {
                    NewContainers::Count(count.and_then(|text| text.parse().ok()).unwrap_or(0))
                } else {
                    NewContainers::Labels(labels)
                },
                temperature: form.opt(&at("temperature")),
                seals_intact: form.ticked(&at("seals_intact")),
                // What is no number is refused where it is typed.
                packages: form.text(&at("packages")).parse().unwrap_or(-1),
                packages_intact: form.ticked(&at("packages_intact")),
                label_matches: form.ticked(&at("label_matches")),
                note: form.text(&at("note")),
                refuse_because: refused,
            };
            Some((sample, index))
        })
        .unzip()
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
    form: Form,
) -> Result<HttpResponse, Problem> {
    if form.opt("application.product_id").is_none() {
        return page.show("desk_preview.html", json!({"shown": null, "why": null, "cited": {}, "batches": []}));
    }
    let (services2, new) = (services.clone(), far_enough(&form));
    let found = run(move || cases::preview(&services2, &permit.actor, &new)).await;
    let content = match found {
        Ok(found) => shown(&services, &form, &found)?,
        Err(problem) => why(&page, &problem.0),
    };
    page.show("desk_preview.html", content)
}

/// What a half-filled form says already: what is still missing there does not touch the determination.
fn far_enough(form: &Form) -> NewApplication {
    let mut new = application(form);
    new.applicant_id.get_or_insert_with(|| "-".to_owned());
    for (index, batch) in new.batches.iter_mut().enumerate() {
        if batch.lot_number.is_empty() {
            batch.lot_number = format!("#{}", index + 1);
        }
    }
    new
}

fn shown(services: &Services, form: &Form, found: &Preview) -> Result<Value, Refusal> {
    let (arrived, _) = arrived(form);
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
    let tree = super::lists::unfolded(found)?;
    let cited = rules::cited_in(&services.regulation, &tree);
    Ok(json!({"shown": tree, "why": null, "cited": cited, "batches": batches}))
}

fn why(page: &Page, refusal: &Refusal) -> Value {
    let message = page.lang.pick(&refusal.message_zh, &refusal.message_en);
    json!({"shown": null, "why": {"message": message, "field": refusal.field}, "cited": {}, "batches": []})
}
