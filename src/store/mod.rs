//! The store: one code path for SQLite (embedded) and PostgreSQL (scale-out), chosen by the URL.
//!
//! [`DbConn::write`] is the only way to write: read connections are opened read-only in the database itself.

mod connection;
mod failure;
mod health;
mod lots;
mod migrations;
mod unreadable;
mod writer;

pub mod blobs;
pub mod columns;
pub mod copy;
pub mod dialect;
pub mod invariants;
pub mod pending;
pub mod revisions;
pub mod rows;
pub mod schema;
pub mod stored;
pub mod structure;
pub mod touched;
pub mod views;

pub use connection::{AnyConnection, Backend, DbConn, DbSettings};
pub use failure::{Failure, StoreError};
pub use invariants::Invariant;
pub use migrations::applied_versions;

/// Result of a workflow or query.
pub type Outcome<T> = Result<T, Failure>;
