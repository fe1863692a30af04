//! The trail (审计追踪): who did what, when, from what to what, and why. Append-only, written in the same
//! transaction as the change itself.

mod record;

pub use record::{Actor, Author, Change, record, record_by};
