//! The JSON API: one table of routes, permission in every handler's signature, one form of refusal.
//!
//! A handler is a gate, parsed input and one workflow call; see [`accounts`] for the pattern.

pub mod accounts;
pub mod adapters;
pub mod audit;
pub mod catalogue;
pub mod certificates;
mod corrections;
pub mod evaluations;
mod figures;
pub mod instruments;
pub mod intake;
pub mod keeping;
pub mod openapi;
pub mod register;
pub mod regulation;
pub mod session;
pub mod testing;

use crate::http::Table;

/// Every route of the API.
#[must_use]
pub fn table() -> Table {
    session::table()
        .and(accounts::table())
        .and(audit::table())
        .and(regulation::table())
        .and(catalogue::table())
        .and(intake::table())
        .and(keeping::table())
        .and(testing::table())
        .and(instruments::table())
        .and(adapters::table())
        .and(figures::table())
        .and(evaluations::table())
        .and(register::table())
        .and(certificates::table())
        .and(corrections::table())
}
