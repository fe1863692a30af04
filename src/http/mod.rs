//! What the API and the pages share: the table of routes with the permission in every handler's signature, bodies,
//! problems, cookies, the idempotency header, uploads.

pub mod body;
pub mod caller;
pub mod command;
pub mod cookies;
mod describe;
pub mod edge;
pub mod idempotency;
pub mod jar;
pub mod permit;
pub mod problem;
pub mod renewal;
pub mod run;
pub mod stranger;
pub mod table;
pub mod upload;

pub use body::Body;
pub use command::{Command, act_blocking};
pub use describe::Described;
pub use edge::request_id;
pub use idempotency::IdempotencyKey;
pub use permit::{AnyAccount, May, Permit, Public, permission};
pub use problem::Problem;
pub use run::{answer, created, done, run};
pub use table::Table;
