//! The HTML pages: Tera on the server, htmx where it helps, everything usable without a script.
//!
//! A page does what the API does, through the same workflows and behind the same gates. [`outer::pages`] wraps
//! them all: it turns refusals into pages and leads to the login page. A form that is refused comes back as it
//! was typed, with the refusal at its field.

mod accounts;
mod adapters;
mod assets;
mod audit;
mod bench;
mod cases;
mod catalogue;
mod certificates;
mod corrections;
mod desk;
mod evaluation_form;
mod evaluations;
mod figures;
mod files;
mod form;
mod investigation;
mod keeping;
mod labels;
mod lists;
mod named;
mod offered;
mod outer;
mod own;
mod owners;
mod page;
mod register;
mod review;
mod rules;
mod samples;
mod session;
mod standards;
mod strict;
mod verify;
mod views;
mod words;

pub use outer::pages;
pub use views::SOURCES;

use crate::http::Table;

/// Every route of the pages.
#[must_use]
pub fn table() -> Table {
    session::table()
        .and(desk::table())
        .and(cases::table())
        .and(samples::table())
        .and(labels::table())
        .and(keeping::table())
        .and(bench::table())
        .and(files::table())
        .and(adapters::table())
        .and(figures::table())
        .and(evaluations::table())
        .and(standards::table())
        .and(register::table())
        .and(review::table())
        .and(investigation::table())
        .and(certificates::table())
        .and(corrections::table())
        .and(verify::table())
        .and(rules::table())
        .and(catalogue::table())
        .and(owners::table())
        .and(accounts::table())
        .and(own::table())
        .and(audit::table())
        .and(assets::table())
}
