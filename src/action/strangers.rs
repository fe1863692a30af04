//! What a stranger may cost: places for what is sent to the public verification, and processes that read it.

use std::sync::Arc;
use std::time::Duration;

use instrument_adapters::AdapterSet;
use instrument_adapters::isolated::{Pool, PoolSettings, Program, WorkerFailure};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::refusal::{Code, Refusal};

/// How many documents of strangers are looked at at the same time.
const AT_ONCE: usize = 2;
/// How many may be on their way in at the same time: with their largest size, the memory that strangers can fill.
const ARRIVING: usize = 16;
/// How long one that has arrived waits for its turn.
const PATIENCE: Duration = Duration::from_secs(2);
/// What reading one document may take: a certificate takes a tenth of it.
const MEMORY_MB: u64 = 128;
/// For how long.
const SECONDS: u64 = 5;

/// The places of strangers. Clones share them.
#[derive(Clone)]
pub struct Strangers {
    readers: Option<Arc<Pool>>,
    arriving: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl Strangers {
    /// Documents are read by processes of that program. Without one they are not read at all: nothing that a stranger
    /// sends is parsed in this process.
    #[must_use]
    pub fn new(program: Option<Program>) -> Self {
        let limits =
            PoolSettings { workers: AT_ONCE, memory_mb: MEMORY_MB, seconds: SECONDS, ..PoolSettings::default() };
        let readers = program.map(|program| Arc::new(Pool::new(program, limits, AdapterSet::embedded())));
        let places = |count| Arc::new(Semaphore::new(count));
        Self { readers, arriving: places(ARRIVING), turns: places(AT_ONCE) }
    }

    /// A place for a document on its way in.
    ///
    /// # Errors
    /// [`Code::Busy`].
    pub fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        self.arriving.clone().try_acquire_owned().map_err(|_| busy())
    }

    /// The turn of a document that has arrived.
    ///
    /// # Errors
    /// [`Code::Busy`] where those before it take too long.
    pub async fn turn(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        match tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(busy()),
        }
    }

    /// Has a document read in a process of its own; `None` where there is no program to run. Blocks.
    ///
    /// # Errors
    /// [`WorkerFailure`] where the reading did not come to its end.
    pub fn read(&self, kind: &str, beside: &str, bytes: &[u8]) -> Option<Result<String, WorkerFailure>> {
        self.readers.as_ref().map(|pool| pool.read_other(kind, beside, bytes))
    }
}

fn busy() -> Refusal {
    Refusal::new(Code::Busy, "核验请求过多，请稍后再试", "too many documents are being verified at once: try again")
}
