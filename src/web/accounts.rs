//! Accounts: an administrator's matter.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde_json::json;

use super::form::Form;
use super::page::{Page, Refused, see_other};
use crate::action::Services;
use crate::http::permit::permission::{AccountManage, AccountRead};
use crate::http::{Permit, Problem, Table, run};
use crate::people::NewAccount;
use crate::store::Outcome;
use crate::store::columns::AccountId;
use crate::store::views::{self, Page as Part};
use crate::vocabulary::Role;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/accounts", list)
        .post("/accounts", create)
        .post("/accounts/{id}/roles", set_roles)
        .post("/accounts/{id}/disabled", set_disabled)
        .post("/accounts/{id}/password", reset_password)
}

async fn list(_: Permit<AccountRead>, page: Page, services: Data<Services>) -> Result<HttpResponse, Problem> {
    show(&page, &services, None).await
}

async fn show(page: &Page, services: &Services, refused: Option<&Refused>) -> Result<HttpResponse, Problem> {
    let services = services.clone();
    let (accounts, institutes, applicants) = run(move || {
        let accounts = services.identity.accounts()?;
        let (institutes, applicants) = services
            .db
            .read(|conn| Ok((views::institutes(conn)?, views::applicants(conn, Part::of(Some(500), None))?.items)))?;
        Ok((accounts, institutes, applicants))
    })
    .await?;
    let content = json!({"accounts": accounts, "institutes": institutes, "applicants": applicants});
    page.again("accounts.html", content, refused)
}

async fn answer(
    page: &Page,
    services: &Services,
    form: Form,
    work: impl FnOnce() -> Outcome<()> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    match run(work).await {
        Ok(()) => Ok(see_other("/accounts")),
        Err(problem) => show(page, services, Some(&Refused::new(form, problem))).await,
    }
}

fn roles(form: &Form) -> Vec<Role> {
    form.all("roles").iter().filter_map(|word| Role::parse(word)).collect()
}

async fn create(
    permit: Permit<AccountManage>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let new = NewAccount {
        username: form.text("username"),
        display_name: form.text("display_name"),
        password: form.raw("password"),
        institute: form.opt("institute").map(Into::into),
        applicant: form.opt("applicant").map(Into::into),
        roles: roles(&form),
    };
    let identity = services.identity.clone();
    answer(&page, &services, form, move || identity.create_account(&permit.actor, new).map(|_| ())).await
}

async fn set_roles(
    permit: Permit<AccountManage>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (identity, key) = (services.identity.clone(), AccountId::from(id.into_inner()));
    let (roles, reason) = (roles(&form), form.text("reason"));
    let work = move || identity.set_roles(&permit.actor, &key, &roles, &reason).map(|_| ());
    answer(&page, &services, form, work).await
}

async fn set_disabled(
    permit: Permit<AccountManage>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (identity, key) = (services.identity.clone(), AccountId::from(id.into_inner()));
    let (disabled, reason) = (form.text("disabled") == "yes", form.text("reason"));
    let work = move || identity.set_disabled(&permit.actor, &key, disabled, &reason).map(|_| ());
    answer(&page, &services, form, work).await
}

async fn reset_password(
    permit: Permit<AccountManage>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (identity, key) = (services.identity.clone(), AccountId::from(id.into_inner()));
    let (password, reason) = (form.raw("password"), form.text("reason"));
    let work = move || identity.reset_password(&permit.actor, &key, &password, &reason);
    answer(&page, &services, form, work).await
}
