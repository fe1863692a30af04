//! Reading in processes of their own, with limits: a file can at worst cost its own reading.
//!
//! A [`Pool`] keeps a few worker processes. Each reads one file after the other; the parser never sees the
//! memory, the open files or the network of the program that asked. A reading that panics, takes too long or
//! too much memory, or whose process is killed, ends as [`NotRecognised::Failed`](crate::NotRecognised::Failed)
//! with a stable code, and the pool goes on with a fresh process:
//!
//! | code | what happened |
//! |---|---|
//! | `reader_panicked` | a fault in the reader; its process went on |
//! | `reader_timeout` | longer than the seconds allowed, by the wall or by the processor |
//! | `reader_out_of_memory` | more memory than allowed |
//! | `reader_killed` | the process ended without an answer |
//! | `reader_broken` | the answer could not be understood |
//! | `reader_not_started` | there is no process to read with |
//!
//! A worker is any program that calls [`worker::serve`]: the binary `instrument-adapters-worker` of this crate,
//! or one of the caller's own commands.
//!
//! ```no_run
//! use instrument_adapters::isolated::{Pool, Program, PoolSettings};
//! use instrument_adapters::{AdapterSet, Options};
//!
//! let program = Program::new("instrument-adapters-worker");
//! let pool = Pool::new(program, PoolSettings::default(), AdapterSet::embedded());
//! let bytes = std::fs::read("report.txt")?;
//! let parsed = pool.parse("report.txt", &bytes, None, &Options::default())?;
//! println!("{} values", parsed.observations.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! On Unix a worker lowers its own limits before it looks at anything: memory, processor time, no new file,
//! socket, process or core dump, no new privileges. Elsewhere only the wall clock is watched, and
//! [`Pool::limited`] says so.

mod adapters;
mod child;
mod limits;
mod pool;
mod wire;
pub mod worker;

pub use adapters::Adapters;
pub use pool::{Pool, PoolSettings, Program};

use serde::{Deserialize, Serialize};

use crate::model::{Locator, Parsed, Problem, Severity};

/// A reading that did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct WorkerFailure {
    /// Stable word for programs, see the [module](self).
    pub code: String,
    /// One sentence for people.
    pub message: String,
    /// The adapter that was reading, where it had come that far.
    pub adapter: Option<String>,
}

impl WorkerFailure {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), adapter: None }
    }

    pub(crate) fn by(mut self, adapter: Option<String>) -> Self {
        self.adapter = self.adapter.or(adapter);
        self
    }

    /// The same as a problem of a file.
    pub fn problem(&self) -> Problem {
        Problem {
            code: self.code.clone(),
            severity: Severity::Error,
            message: self.message.clone(),
            locator: Locator::default(),
        }
    }

    /// A record of the file, without values and never complete, where an adapter had taken it for its own.
    pub fn record(&self, bytes: &[u8]) -> Option<Parsed> {
        Some(Parsed {
            adapter: self.adapter.clone()?,
            file_sha256: crate::sha256(bytes),
            run: serde_json::Map::new(),
            observations: Vec::new(),
            problems: vec![self.problem()],
            complete: Some(false),
        })
    }
}
