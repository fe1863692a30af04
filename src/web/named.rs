//! What a field names in words that people know: a product by its code, an applicant by its name. Such a field offers
//! what is found while it is typed, where a choice of all that there are would not end.

use super::form::Form;
use super::page::Page;
use crate::action::Services;
use crate::catalogue::CatalogueRefusal;
use crate::http::{Problem, run};
use crate::refusal::Refusal;
use crate::store::columns::{ApplicantId, ProductId};
use crate::store::views;

/// The product of the code in a field; none where nothing was typed.
///
/// # Errors
/// Names the field, where there is none of that code.
pub async fn product_named(services: &Services, page: &Page, form: &Form) -> Result<Option<ProductId>, Problem> {
    let Some(code) = form.opt("product_code") else { return Ok(None) };
    let (db, reader, wanted) = (services.db.clone(), page.reader(services)?, code.clone());
    let found = run(move || db.read(|conn| views::product_of_code(conn, &reader, &wanted))).await?;
    let missing = || Refusal::from(CatalogueRefusal::NoProductOfCode(code));
    Ok(Some(found.ok_or_else(missing)?))
}

/// The applicant of the name in a field; none where nothing was typed.
///
/// # Errors
/// Names the field, where nobody is called that.
pub async fn applicant_named(services: &Services, page: &Page, form: &Form) -> Result<Option<ApplicantId>, Problem> {
    let Some(name) = form.opt("applicant_name") else { return Ok(None) };
    let (db, reader, wanted) = (services.db.clone(), page.reader(services)?, name.clone());
    let found = run(move || db.read(|conn| views::applicant_of_name(conn, &reader, &wanted))).await?;
    let missing = || Refusal::from(CatalogueRefusal::NoApplicantOfName(name));
    Ok(Some(found.ok_or_else(missing)?))
}
