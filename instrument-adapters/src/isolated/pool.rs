//! A few workers, given out one file at a time.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};

use super::WorkerFailure;
use super::child::{Broken, Worker};
use super::wire::{Answer, Request, With};
use crate::adapter::Explained;
use crate::model::{Options, Parsed};
use crate::selftest::{TestReport, TestedFile};
use crate::set::{AdapterSet, Detection, NotRecognised};

/// A worker that has read this much has grown: it makes room for a fresh one.
const BYTES_PER_WORKER: u64 = 64 << 20;

/// The program that a worker runs; its limits are added as words, see
/// [`Bounds::from_words`](super::worker::Bounds::from_words).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub(super) path: PathBuf,
    pub(super) args: Vec<OsString>,
}

impl Program {
    /// A program without words of its own.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), args: Vec::new() }
    }

    /// Adds a word, such as the name of a subcommand.
    #[must_use]
    pub fn arg(mut self, word: impl Into<OsString>) -> Self {
        self.args.push(word.into());
        self
    }
}

/// How many workers, and what one file may cost. An adapter may set less, never more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSettings {
    /// The most processes at once; they are started when there is something to read.
    pub workers: usize,
    /// Seconds for one file, of the wall and of the processor.
    pub seconds: u64,
    /// MiB for one file, beside what the program itself needs.
    pub memory_mb: u64,
    /// A worker that has read so many files is replaced.
    pub files_per_worker: u32,
}

impl Default for PoolSettings {
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Self { workers, seconds: 30, memory_mb: 512, files_per_worker: 500 }
    }
}

#[derive(Debug, Default)]
struct Hands {
    idle: Vec<Worker>,
    busy: usize,
    running: BTreeSet<u32>,
}

#[derive(Debug)]
struct Held {
    generation: u64,
    set: Arc<AdapterSet>,
    /// What is sent to a fresh worker, where the set is not the embedded one.
    load: Option<Arc<Request>>,
}

impl Held {
    fn new(generation: u64, set: AdapterSet) -> Self {
        let (own, withdrawn) = set.departures();
        let load = (!own.is_empty() || !withdrawn.is_empty()).then(|| Arc::new(Request::Load { own, withdrawn }));
        Self { generation, set: Arc::new(set), load }
    }
}

/// Reads files in worker processes. Share it freely; callers wait for a free worker.
#[derive(Debug)]
pub struct Pool {
    program: Program,
    settings: PoolSettings,
    held: RwLock<Held>,
    hands: Mutex<Hands>,
    free: Condvar,
}

/// A place in the pool, given back when it is dropped.
struct Turn<'a> {
    pool: &'a Pool,
    worker: Option<Worker>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let worker = self.worker.take().and_then(|mut worker| self.pool.is_good(&mut worker).then_some(worker));
        let mut hands = self.pool.hands();
        hands.busy = hands.busy.saturating_sub(1);
        hands.idle.extend(worker);
        drop(hands);
        self.pool.free.notify_one();
    }
}

impl Pool {
    /// A pool that has started nothing yet.
    pub fn new(program: Program, settings: PoolSettings, adapters: AdapterSet) -> Self {
        Self {
            program,
            settings: PoolSettings { workers: settings.workers.max(1), ..settings },
            held: RwLock::new(Held::new(0, adapters)),
            hands: Mutex::default(),
            free: Condvar::new(),
        }
    }

    /// The adapters that files are read with.
    pub fn adapters(&self) -> Arc<AdapterSet> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner).set)
    }

    /// Reads with other adapters from the next file on; readings under way end with those that they began with.
    pub fn replace(&self, adapters: AdapterSet) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        *held = Held::new(held.generation.wrapping_add(1), adapters);
        drop(held);
        let idle = std::mem::take(&mut self.hands().idle);
        for worker in idle {
            self.dismiss(worker);
        }
    }

    /// Process ids of the workers that run now.
    pub fn running(&self) -> Vec<u32> {
        self.hands().running.iter().copied().collect()
    }

    /// Whether workers can limit themselves on this system. Starts one to find out, where none runs.
    ///
    /// # Errors
    /// [`WorkerFailure`] where no worker can be started.
    pub fn limited(&self) -> Result<bool, WorkerFailure> {
        let mut turn = self.turn();
        Ok(self.worker(&mut turn)?.limited)
    }

    /// Reads a file, as [`AdapterSet::parse`].
    ///
    /// # Errors
    /// As [`AdapterSet::parse`]; [`NotRecognised::Failed`] where the reading did not come to its end before an
    /// adapter had taken the file for its own. After that the result says so itself, in a problem of the same code.
    pub fn parse(
        &self,
        name: &str,
        bytes: &[u8],
        adapter: Option<&str>,
        options: &Options,
    ) -> Result<Parsed, NotRecognised> {
        match self.read(name, bytes, With::named(adapter), options, false)? {
            Answer::Parsed(parsed) => Ok(parsed),
            Answer::NotRecognised(why) => Err(why),
            _ => Err(out_of_place()),
        }
    }

    /// Reads a file and says what each line became, as [`AdapterSet::explain`].
    ///
    /// # Errors
    /// As [`Pool::parse`].
    pub fn explain(
        &self,
        name: &str,
        bytes: &[u8],
        adapter: Option<&str>,
        options: &Options,
    ) -> Result<Explained, NotRecognised> {
        match self.read(name, bytes, With::named(adapter), options, true)? {
            Answer::Explained(explained) => Ok(explained),
            Answer::NotRecognised(why) => Err(why),
            _ => Err(out_of_place()),
        }
    }

    /// Reads a file with an adapter that is not loaded, such as a draft or an earlier version.
    ///
    /// # Errors
    /// As [`Pool::parse`]; a declaration that cannot be read refuses the file.
    pub fn parse_with(
        &self,
        declaration: &str,
        name: &str,
        bytes: &[u8],
        options: &Options,
    ) -> Result<Parsed, NotRecognised> {
        match self.read(name, bytes, With::Declaration(declaration), options, false)? {
            Answer::Parsed(parsed) => Ok(parsed),
            Answer::NotRecognised(why) => Err(why),
            _ => Err(out_of_place()),
        }
    }

    fn read(
        &self,
        name: &str,
        bytes: &[u8],
        adapter: With,
        options: &Options,
        explain: bool,
    ) -> Result<Answer, NotRecognised> {
        let (request, parts) = Request::read(name, bytes, adapter, options, explain);
        match self.ask(&request, &parts) {
            Ok(answer) => Ok(answer),
            Err(failure) => match failure.record(bytes) {
                None => Err(NotRecognised::Failed(failure)),
                Some(parsed) if explain => Ok(Answer::Explained(Explained::without_lines(parsed))),
                Some(parsed) => Ok(Answer::Parsed(parsed)),
            },
        }
    }

    /// Asks every adapter whether the file is its own, as [`AdapterSet::detect`].
    ///
    /// # Errors
    /// [`WorkerFailure`] where the worker did not come to an end.
    pub fn detect(&self, name: &str, bytes: &[u8]) -> Result<Detection, WorkerFailure> {
        let (request, parts) = Request::detect(name, bytes);
        match self.ask(&request, &parts)? {
            Answer::Detected(detection) => Ok(detection),
            _ => Err(WorkerFailure::new("reader_broken", "the worker answered something else")),
        }
    }

    /// Has a file read that is not an instrument's, by the program's own [`OtherReader`](super::worker::OtherReader).
    ///
    /// # Errors
    /// [`WorkerFailure`] where the worker did not come to an end, or has no reader of that kind.
    pub fn read_other(&self, kind: &str, beside: &str, bytes: &[u8]) -> Result<String, WorkerFailure> {
        let (request, parts) = Request::other(kind, beside, bytes);
        match self.ask(&request, &parts)? {
            Answer::Other(Some(found)) => Ok(found),
            Answer::Other(None) => Err(WorkerFailure::new("reader_broken", format!("no worker reads {kind}"))),
            _ => Err(WorkerFailure::new("reader_broken", "the worker answered something else")),
        }
    }

    /// Runs the samples and rejects of an adapter that is not loaded.
    pub fn test(&self, declaration: &str, cases: &[TestedFile]) -> TestReport {
        let (request, parts) = Request::test(declaration, cases);
        let failed = |failure: WorkerFailure| TestReport::not_run(format!("{}: {}", failure.code, failure.message));
        match self.ask(&request, &parts) {
            Ok(Answer::Tested(report)) => report,
            Ok(_) => failed(WorkerFailure::new("reader_broken", "the worker answered something else")),
            Err(failure) => failed(failure),
        }
    }

    fn ask(&self, request: &Request, parts: &[&[u8]]) -> Result<Answer, WorkerFailure> {
        let mut turn = self.turn();
        let seasoned = self.worker(&mut turn)?.files > 0;
        match self.ask_once(&mut turn, request, parts) {
            Ok(answer) => Ok(answer),
            // One that had ended between two files is not this file's fault: a fresh one is asked.
            Err(broken) if seasoned && broken.early && broken.failure.code == "reader_killed" => {
                self.ask_once(&mut turn, request, parts).map_err(|broken| broken.failure)
            }
            Err(broken) => Err(broken.failure),
        }
    }

    fn ask_once(&self, turn: &mut Turn, request: &Request, parts: &[&[u8]]) -> Result<Answer, Broken> {
        let seconds = self.settings.seconds;
        let worker = self.worker(turn).map_err(|failure| Broken { failure, early: true })?;
        let answer = worker.ask(request, parts, seconds);
        if answer.is_err()
            && !worker.is_usable()
            && let Some(worker) = turn.worker.take()
        {
            self.dismiss(worker);
        }
        answer
    }

    fn turn(&self) -> Turn<'_> {
        let mut hands = self.hands();
        while hands.busy >= self.settings.workers {
            hands = self.free.wait(hands).unwrap_or_else(PoisonError::into_inner);
        }
        hands.busy += 1;
        let worker = hands.idle.pop();
        Turn { pool: self, worker }
    }

    /// The turn's worker: the one that it has, where it is good, else a fresh one.
    fn worker<'t>(&self, turn: &'t mut Turn) -> Result<&'t mut Worker, WorkerFailure> {
        let kept = turn.worker.take().and_then(|mut worker| self.is_good(&mut worker).then_some(worker));
        let worker = match kept {
            Some(worker) => worker,
            None => self.start()?,
        };
        Ok(turn.worker.insert(worker))
    }

    fn start(&self) -> Result<Worker, WorkerFailure> {
        let (generation, load) = {
            let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
            (held.generation, held.load.clone())
        };
        let worker = Worker::start(&self.program, &self.settings, generation, load.as_deref())?;
        self.hands().running.insert(worker.id());
        Ok(worker)
    }

    /// True where a worker can take the next file; one that cannot is ended here.
    fn is_good(&self, worker: &mut Worker) -> bool {
        let generation = self.held.read().unwrap_or_else(PoisonError::into_inner).generation;
        let good = worker.generation == generation
            && worker.files < self.settings.files_per_worker
            && worker.bytes < BYTES_PER_WORKER
            && worker.is_usable();
        if !good {
            self.hands().running.remove(&worker.id());
        }
        good
    }

    fn dismiss(&self, worker: Worker) {
        self.hands().running.remove(&worker.id());
        drop(worker);
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn out_of_place() -> NotRecognised {
    NotRecognised::Failed(WorkerFailure::new("reader_broken", "the worker answered something else"))
}
