//! Accounts: an administrator's matter.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde_json::json;

use super::form::Form;
use super::lists::{Onward, ROWS, RegisterSearch};
use super::named::applicant_named;
use super::page::{Page, Refused, see_other, send};
use crate::accounts::{
    AppointSignatory, CreateAccount, DisableAccount, EndSignatoryField, ResetPassword, ResetSecondFactor, SetRoles,
};
use crate::action::{Action, Services};
use crate::http::permit::permission::AccountRead;
use crate::http::{May, Permit, Problem, Table, run};
use crate::refusal::Refusal;
use crate::store::views;
use crate::text;
use crate::vocabulary::{Business, Category, Role};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/accounts", list)
        .post("/accounts", create)
        .post("/accounts/{id}/roles", set_roles)
        .post("/accounts/{id}/disabled", set_disabled)
        .post("/accounts/{id}/password", reset_password)
        .post("/accounts/{id}/second-factor", reset_second_factor)
        .post("/accounts/{id}/fields", appoint)
        .post("/signatory-fields/{id}/end", end_field)
}

async fn list(
    _: Permit<AccountRead>,
    page: Page,
    services: Data<Services>,
    wanted: Query<RegisterSearch>,
) -> Result<HttpResponse, Problem> {
    show(&page, &services, &wanted, "", None).await
}

/// The accounts; where the form of one was refused, that one is open, with what was typed.
async fn show(
    page: &Page,
    services: &Services,
    wanted: &RegisterSearch,
    changing: &str,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    let (db, reader, search) = (services.db.clone(), page.reader(services)?, wanted.search(ROWS));
    let (part, institute, fields) = run(move || {
        let own = reader.staff()?.clone();
        db.read(|conn| {
            let fields = views::signatory_fields(conn, &reader, None)?;
            Ok((views::accounts(conn, &reader, &search)?, views::institute(conn, &own)?, fields))
        })
    })
    .await?;
    let onward = Onward::new("/accounts", &[("q", &wanted.q)], &wanted.after, &part);
    let ticked = refused.map(|refused| refused.form.all("roles")).unwrap_or_default();
    let content = json!({"accounts": part.items, "onward": onward, "filter": wanted, "institute": institute,
        "changing": changing, "ticked": ticked, "fields": fields, "nothing": {}});
    page.again("accounts.html", content, refused)
}

/// Back to the accounts, or the page again with what was refused.
async fn sent<A: Action>(
    (may, page, services): (May<A>, Page, Data<Services>),
    (id, form): (&str, Form),
    action: Result<A, Refusal>,
) -> Result<HttpResponse, Problem> {
    let done = match action {
        Ok(action) => send(&services, &may, &page, &form, action).await.map(|_| ()),
        Err(refusal) => Err(refusal.into()),
    };
    match done {
        Ok(()) => Ok(see_other("/accounts")),
        Err(problem) => {
            show(&page, &services, &RegisterSearch::default(), id, Some(&Refused::new(form, problem))).await
        }
    }
}

fn roles(form: &Form) -> Result<Vec<Role>, Refusal> {
    let role = |(index, word): (usize, String)| text::word(&format!("roles[{index}]"), &word, Role::parse);
    form.all("roles").into_iter().enumerate().map(role).collect()
}

async fn create(
    may: May<CreateAccount>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let applicant = match applicant_named(&services, &page, &form).await {
        Ok(applicant) => applicant,
        Err(problem) => {
            return show(&page, &services, &RegisterSearch::default(), "", Some(&Refused::new(form, problem))).await;
        }
    };
    // Staff are of the house; nobody makes accounts of another.
    let own = page.reader(&services)?.institute().cloned();
    let action = roles(&form).map(|roles| CreateAccount {
        username: form.text("username"),
        display_name: form.text("display_name"),
        password: form.raw("password").into(),
        institute: if applicant.is_none() { own } else { None },
        applicant,
        roles,
    });
    sent((may, page, services), ("", form), action).await
}

async fn set_roles(
    may: May<SetRoles>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let reason = form.text("reason");
    let action = roles(&form).map(|roles| SetRoles { id: id.as_str().into(), roles, reason });
    sent((may, page, services), (&id, form), action).await
}

async fn set_disabled(
    may: May<DisableAccount>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (disabled, reason) = (form.text("disabled") == "yes", form.text("reason"));
    let action = DisableAccount { id: id.as_str().into(), disabled, reason };
    sent((may, page, services), (&id, form), Ok(action)).await
}

async fn reset_password(
    may: May<ResetPassword>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (password, reason) = (form.raw("password").into(), form.text("reason"));
    let action = ResetPassword { id: id.as_str().into(), password, reason };
    sent((may, page, services), (&id, form), Ok(action)).await
}

async fn reset_second_factor(
    may: May<ResetSecondFactor>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = ResetSecondFactor { id: id.as_str().into(), reason: form.text("reason") };
    sent((may, page, services), (&id, form), Ok(action)).await
}

async fn appoint(
    may: May<AppointSignatory>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let category = match form.opt("category") {
        Some(_) => form.word("category", Category::parse).map(Some),
        None => Ok(None),
    };
    let action = form.word("business", Business::parse).and_then(|business| {
        Ok(AppointSignatory {
            id: id.as_str().into(),
            business,
            category: category?,
            valid_from: form.text("valid_from"),
            valid_to: form.opt("valid_to"),
            document: form.text("document"),
        })
    });
    sent((may, page, services), (&id, form), action).await
}

async fn end_field(
    may: May<EndSignatoryField>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action =
        EndSignatoryField { id: id.as_str().into(), ends_on: form.text("ends_on"), reason: form.text("reason") };
    sent((may, page, services), (&id, form), Ok(action)).await
}
