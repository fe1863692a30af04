//! The work in the background: watched folders and listeners of instruments. It starts and stops with the server.
//!
//! One thread looks at the register and keeps a thread for every folder and every listener of an instrument in use, so
//! that a share that hangs holds up nobody else. What a file becomes is decided in [`crate::instruments`].

mod folder;
mod listener;
mod quota;
mod scan;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::action::Services;
use crate::instruments::{self, Way};
pub use quota::DeadLetterQuota;

/// How files of instruments come in by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSettings {
    /// Whether this server watches and listens at all; of several on one database, one does.
    pub take_in: bool,
    /// How often a folder is looked at.
    pub poll: Duration,
    /// How long a file must have stayed as it is.
    pub settle: Duration,
    /// How many files are read at once.
    pub readers: usize,
    /// The address of listeners.
    pub listen: IpAddr,
    /// How many connections a listener has at once.
    pub connections: usize,
    /// How many of them one address has.
    pub connections_per_address: usize,
    /// How long a connection may say nothing at all.
    pub first_byte: Duration,
    /// What one address may send to one listener.
    pub allowance: DeadLetterQuota,
    /// How many open dead letters an instrument has before its listener is strict.
    pub open_letters: i64,
    /// How long a connection may be silent.
    pub idle: Duration,
    /// The most bytes of one message.
    pub message_bytes: usize,
}

/// Tells a thread to stop or to look now; it waits for this instead of sleeping.
#[derive(Default)]
pub(crate) struct Signal {
    state: Mutex<(bool, bool)>,
    bell: Condvar,
}

impl Signal {
    /// Stop.
    pub fn stop(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0 = true;
        self.bell.notify_all();
    }

    /// Look now.
    pub fn hint(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.bell.notify_all();
    }

    /// Whether to stop.
    pub fn stopped(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits for `time`, whatever is hinted. False where it is to stop.
    pub fn rest(&self, time: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.bell.wait_timeout_while(state, time, |state| !state.0);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !state.0
    }

    /// Waits until a signal comes, at most `time`. False where it is to stop.
    pub fn wait(&self, time: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let still = |state: &mut (bool, bool)| !state.0 && !state.1;
        let waited = self.bell.wait_timeout_while(state, time, still);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.1 = false;
        !state.0
    }
}

/// Bounds how many files are read at once, by all folders together.
pub(crate) struct Turns {
    free: Mutex<usize>,
    bell: Condvar,
}

impl Turns {
    fn new(count: usize) -> Self {
        Self { free: Mutex::new(count.max(1)), bell: Condvar::new() }
    }

    /// Runs `work` when it is its turn.
    pub fn take<T>(&self, work: impl FnOnce() -> T) -> T {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.bell.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        drop(free);
        let turn = Turn(self);
        let done = work();
        drop(turn);
        done
    }
}

/// Gives a turn back, also where the work panics.
struct Turn<'a>(&'a Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.bell.notify_one();
    }
}

/// What every thread works with.
#[derive(Clone)]
pub(crate) struct Shared {
    pub services: Services,
    pub settings: ChannelSettings,
    pub turns: Arc<Turns>,
}

/// What makes a way's thread out of date when it changes.
type Key = (String, &'static str);

struct Running {
    /// The register's words that it was started with.
    words: String,
    signal: Arc<Signal>,
    thread: JoinHandle<()>,
}

/// The threads of the background work.
pub struct Jobs {
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
}

impl Jobs {
    /// Starts the background work.
    ///
    /// # Errors
    /// The system's, where it gives no thread.
    pub fn start(services: &Services, settings: &ChannelSettings) -> std::io::Result<Self> {
        let signal = Arc::new(Signal::default());
        if !settings.take_in {
            return Ok(Self { signal, thread: None });
        }
        let turns = Arc::new(Turns::new(settings.readers));
        let shared = Shared { services: services.clone(), settings: settings.clone(), turns };
        let told = signal.clone();
        let thread = std::thread::Builder::new().name("ways-in".into()).spawn(move || keep(&shared, &told))?;
        Ok(Self { signal, thread: Some(thread) })
    }

    /// Stops it: what was begun is finished, for at most `patience`. A thread that hangs in a dead network share
    /// ends with the process.
    pub fn stop(mut self, patience: Duration) {
        self.signal.stop();
        if let Some(thread) = self.thread.take() {
            join(thread, Instant::now() + patience);
        }
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.signal.stop();
    }
}

fn join(thread: JoinHandle<()>, until: Instant) {
    while !thread.is_finished() {
        if Instant::now() >= until {
            tracing::warn!("a thread of the ways in does not end");
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    if thread.join().is_err() {
        tracing::error!("a thread of the ways in panicked");
    }
}

/// Keeps the threads as the register says, until asked to stop.
fn keep(shared: &Shared, signal: &Signal) {
    let mut running: HashMap<Key, Running> = HashMap::new();
    let every = shared.settings.poll.min(Duration::from_secs(1));
    loop {
        match instruments::ways(&shared.services) {
            Ok(ways) => settle(shared, &mut running, &ways),
            Err(error) => tracing::error!(%error, "the register of instruments cannot be read"),
        }
        if !signal.wait(every) {
            break;
        }
    }
    let until = Instant::now() + Duration::from_secs(8);
    running.values().for_each(|one| one.signal.stop());
    for (_, one) in running {
        join(one.thread, until);
    }
}

/// Ends what is out of date and starts what is missing.
fn settle(shared: &Shared, running: &mut HashMap<Key, Running>, ways: &[Way]) {
    let mut wanted: HashMap<Key, (String, &Way)> = HashMap::new();
    for way in ways {
        let one = &way.instrument;
        // Any change of the instrument counts: its files are read by its words.
        let words = format!("{one:?}");
        if one.folder.is_some() {
            wanted.insert((one.id.to_string(), "folder"), (words.clone(), way));
        }
        if one.listener_kind.is_some() {
            wanted.insert((one.id.to_string(), "listener"), (words, way));
        }
    }
    let over: Vec<Key> = running
        .iter()
        .filter(|(key, one)| one.thread.is_finished() || wanted.get(*key).is_none_or(|(words, _)| *words != one.words))
        .map(|(key, _)| key.clone())
        .collect();
    over.iter().filter_map(|key| running.get(key)).for_each(|one| one.signal.stop());
    for key in over {
        if let Some(one) = running.remove(&key) {
            join(one.thread, Instant::now() + Duration::from_secs(5));
        }
    }
    for (key, (words, way)) in wanted {
        if running.contains_key(&key) {
            continue;
        }
        match spawn(shared, key.1, way) {
            Ok((signal, thread)) => {
                running.insert(key, Running { words, signal, thread });
            }
            Err(error) => tracing::error!(%error, "no thread for a way in"),
        }
    }
}

fn spawn(shared: &Shared, kind: &'static str, way: &Way) -> std::io::Result<(Arc<Signal>, JoinHandle<()>)> {
    let signal = Arc::new(Signal::default());
    let (shared, way, told) = (shared.clone(), way.clone(), signal.clone());
    let name = format!("{kind} {}", way.instrument.code);
    let thread = std::thread::Builder::new().name(name).spawn(move || match kind {
        "folder" => folder::watch(&shared, &way, &told),
        _ => listener::listen(&shared, &way, &told),
    })?;
    Ok((signal, thread))
}
