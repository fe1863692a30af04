#![doc = include_str!("../docs/crate.md")]
#![warn(missing_docs)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod adapter;
mod containers;
mod dates;
pub mod diff;
mod doubt;
pub mod draft;
pub mod embedded;
mod encodings;
pub mod export;
mod folder;
pub mod fs;
pub mod isolated;
pub mod link;
mod marks;
mod model;
mod numbers;
mod readers;
mod schema;
mod selftest;
mod set;
mod sheets;
mod sink;
mod spec;
mod tabular;
mod text;
mod units;
mod validation;

pub use adapter::{Adapter, AdapterError, Explained, sha256};
pub use folder::{Folder, Tester};
pub use model::{
    Companion, DateOrder, Locator, Observation, ObservationContext, Options, Parsed, Problem, Severity, Status,
};
pub use schema::schema;
pub use selftest::{CaseResult, TestReport, TestedFile};
pub use set::{AdapterSet, Candidate, Detection, LoadedFolder, NotRecognised, Summary};
pub use spec::AdapterStatus;
pub use validation::{AdapterStanding, Validation, digest};
