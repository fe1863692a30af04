//! One watched folder. Looking at it again and again is the ground truth, since network shares tell of no changes;
//! what the system tells is only a hint to look now. A file is read once it looked the same twice, some time apart.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use instrument_adapters::Companion;
use notify::{RecursiveMode, Watcher};

use super::scan::{self, Found, Unread};
use super::{Shared, Signal};
use crate::instruments::{
    self, Globs, Incoming, Known, LARGEST, Letter, Source, Unwatchable, Way, companions_wanted, file_globs,
};
use crate::refusal::Code;
use crate::store::Outcome;
use crate::vocabulary::instruments::{LetterCode, WayKind};

/// The longest pause between two tries of a folder that cannot be reached.
const LONGEST: Duration = Duration::from_secs(300);
/// Tries of a file that cannot be read before a person is notified.
const TRIES: u32 = 3;

/// A file that is not done with.
struct Waiting {
    look: (i64, i64),
    /// Since when it looks so.
    since: Instant,
    looks: u32,
    /// Failed tries, and when the next one is due.
    failed: u32,
    next: Instant,
}

/// What became of a try.
enum Tried {
    Done,
    /// Not yet: it changed, or what belongs to it is not there.
    Later,
    Failed(String),
}

struct Folder<'a> {
    shared: &'a Shared,
    way: &'a Way,
    /// As the register has it.
    path: PathBuf,
    /// Where that led at this look.
    real: PathBuf,
    globs: Option<Globs>,
    known: Known,
    waiting: HashMap<String, Waiting>,
}

/// Watches until asked to stop.
pub(super) fn watch(shared: &Shared, way: &Way, signal: &Arc<Signal>) {
    let Some(path) = way.instrument.folder.clone().map(PathBuf::from) else { return };
    let globs = file_globs(&way.instrument.folder_pattern).ok().flatten();
    let mut pause = Duration::from_millis(500);
    let known = loop {
        match instruments::known(&shared.services, &way.instrument.id) {
            Ok(known) => break known,
            Err(error) => tracing::error!(%error, folder = %path.display(), "what was seen cannot be read"),
        }
        if !signal.wait(pause) {
            return;
        }
        pause = (pause * 2).min(LONGEST);
    };
    let mut folder = Folder { shared, way, real: PathBuf::new(), path, globs, known, waiting: HashMap::new() };
    folder.run(signal);
}

/// Has the system ring the bell when something happens in the folder. Where it cannot, looking is enough.
fn hints(path: &Path, signal: &Arc<Signal>) -> Option<notify::RecommendedWatcher> {
    let bell = signal.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            bell.hint();
        }
    })
    .ok()?;
    watcher.watch(path, RecursiveMode::NonRecursive).ok()?;
    Some(watcher)
}

impl Folder<'_> {
    fn run(&mut self, signal: &Arc<Signal>) {
        let settings = &self.shared.settings;
        let mut pause = settings.poll;
        let mut failing: Option<String> = None;
        let mut told = false;
        let mut watcher = None;
        loop {
            match self.found() {
                Ok(files) => {
                    if watcher.is_none() {
                        watcher = hints(&self.real, signal);
                    }
                    if failing.take().is_some() || !told {
                        told = self.report(None);
                    }
                    self.look(&files, signal);
                    // A file that waits only for its time is looked at again as soon as that has passed.
                    pause = if self.waiting.is_empty() { settings.poll } else { settings.poll.min(settings.settle) };
                }
                Err(text) => {
                    watcher = None;
                    if failing.as_ref() != Some(&text) {
                        tracing::warn!(instrument = %self.way.instrument.code, error = text, "a folder is not reached");
                        self.report(Some(text.clone()));
                    }
                    pause = if failing.is_some() { (pause * 2).min(LONGEST) } else { settings.poll };
                    failing = Some(text);
                    told = false;
                }
            }
            // A burst of hints must not become a burst of looks.
            let least = pause.min(Duration::from_millis(200));
            if !signal.rest(least) || !signal.wait(pause - least) {
                return;
            }
        }
    }

    /// The files that are there, of a folder that may be watched still: it may have become a link since it was
    /// registered, and the configuration another one.
    fn found(&mut self) -> Result<Vec<Found>, String> {
        let Self { shared, way, path, .. } = &*self;
        let at = |why: String| format!("{}: {why}", path.display());
        self.real = match instruments::watchable(&shared.services.site, &way.institute, path) {
            Ok(real) => real,
            Err(Unwatchable::Unreached(why)) => return Err(why),
            Err(why) => return Err(at(format!("{} / {why}", why.zh()))),
        };
        scan::files(&self.real, self.globs.as_ref()).map_err(|error| format!("{}: {error}", self.path.display()))
    }

    fn report(&self, error: Option<String>) -> bool {
        let told = instruments::report(&self.shared.services, self.way, WayKind::Folder, error);
        if let Err(error) = &told {
            tracing::error!(%error, "the state of a folder cannot be stored");
        }
        told.is_ok()
    }

    /// One look: notes what is new or changed, and takes in what has settled.
    fn look(&mut self, files: &[Found], signal: &Signal) {
        match instruments::again(&self.shared.services, &self.way.instrument.id) {
            Ok(paths) => paths.iter().for_each(|path| {
                self.known.remove(path);
                self.waiting.remove(path);
            }),
            Err(error) => tracing::error!(%error, "what is to be read again cannot be read"),
        }
        let now = Instant::now();
        let settle = self.shared.settings.settle;
        let mut ready = Vec::new();
        let mut still: HashMap<String, Waiting> = HashMap::new();
        for found in files {
            let look = (found.seen.size, found.seen.modified);
            if found.seen.size == 0 || self.known.get(&found.seen.path) == Some(&look) {
                continue;
            }
            let mut one = match self.waiting.remove(&found.seen.path) {
                Some(one) if one.look == look => one,
                _ => Waiting { look, since: now, looks: 0, failed: 0, next: now },
            };
            one.looks += 1;
            if one.looks >= 2 && now.duration_since(one.since) >= settle && one.next <= now {
                ready.push((found, now.duration_since(one.since)));
            }
            still.insert(found.seen.path.clone(), one);
        }
        self.waiting = still;
        self.take_in(files, &ready, signal);
    }

    /// Takes the settled files in, several at once.
    fn take_in(&mut self, files: &[Found], ready: &[(&Found, Duration)], signal: &Signal) {
        let (next, this) = (AtomicUsize::new(0), &*self);
        let threads = this.shared.settings.readers.min(ready.len());
        let work = || {
            let mut done = Vec::new();
            while !signal.stopped() {
                let Some((found, age)) = ready.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                let tried = this.shared.turns.take(|| this.one(files, found, *age));
                done.push((found.seen.clone(), tried));
            }
            done
        };
        let done: Vec<_> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            all.into_iter().flat_map(|one| one.join().unwrap_or_default()).collect()
        });
        for (seen, tried) in done {
            match tried {
                Tried::Done => {
                    self.waiting.remove(&seen.path);
                    self.known.insert(seen.path, (seen.size, seen.modified));
                }
                Tried::Later => {}
                Tried::Failed(why) => self.failed(&seen.path, &why),
            }
        }
    }

    /// A file that could not be taken in is tried again, later and later; a person is notified.
    fn failed(&mut self, path: &str, why: &str) {
        let Some(one) = self.waiting.get_mut(path) else { return };
        one.failed += 1;
        let pause = self.shared.settings.poll * 2_u32.saturating_pow(one.failed.min(10));
        one.next = Instant::now() + pause.min(LONGEST);
        if one.failed == TRIES {
            let size = one.look.0;
            let reason = format!("文件无法读取：{why} / the file cannot be read: {why}");
            let letter = self.letter(path, LetterCode::Unreadable, reason, size);
            self.tell(letter);
        }
    }

    fn letter(&self, path: &str, code: LetterCode, reason: String, size: i64) -> Letter {
        Letter {
            instrument: Some(self.way.instrument.id.clone()),
            source: Source::Folder,
            name: path.rsplit('/').next().unwrap_or(path).to_owned(),
            path: Some(path.to_owned()),
            code,
            reason,
            sha256: None,
            size: Some(size),
            file: None,
        }
    }

    fn tell(&self, letter: Letter) {
        if let Err(error) = instruments::put(&self.shared.services, &self.way.actor, letter, None) {
            tracing::error!(%error, "a dead letter cannot be stored");
        }
    }

    fn one(&self, files: &[Found], found: &Found, age: Duration) -> Tried {
        match self.attempt(files, found, age) {
            Ok(tried) => tried,
            Err(failure) => {
                let refusal = failure.into_refusal();
                let lasting = matches!(refusal.code, Code::InvalidField | Code::TooLarge);
                let why = format!("{} / {}", refusal.message_zh, refusal.message_en);
                if lasting { self.refused(found, LetterCode::Refused, why) } else { Tried::Failed(why) }
            }
        }
    }

    /// A file that no further try will take in: remembered, and reported to a person.
    fn refused(&self, found: &Found, code: LetterCode, why: String) -> Tried {
        self.tell(self.letter(&found.seen.path, code, why, found.seen.size));
        match instruments::refuse(&self.shared.services, self.way, &found.seen) {
            Ok(()) => Tried::Done,
            Err(error) => Tried::Failed(error.to_string()),
        }
    }

    fn attempt(&self, files: &[Found], found: &Found, age: Duration) -> Outcome<Tried> {
        let bytes = match scan::read(&self.real, found, LARGEST) {
            Ok(bytes) => bytes,
            Err(Unread::Changed) => return Ok(Tried::Later),
            Err(error @ Unread::TooLarge(_)) => {
                let why = format!("文件超过 {LARGEST} 字节 / {error}");
                return Ok(self.refused(found, LetterCode::TooLarge, why));
            }
            Err(Unread::Io(error)) => return Ok(Tried::Failed(error.to_string())),
        };
        let name = found.seen.path.rsplit('/').next().unwrap_or(&found.seen.path).to_owned();
        let adapter = self.way.instrument.adapter.as_deref();
        let wanted = companions_wanted(&self.shared.services, &name, &bytes, adapter);
        let Some(beside) = self.beside(files, found, &wanted, age) else { return Ok(Tried::Later) };
        let incoming = Incoming {
            name,
            bytes,
            beside,
            source: Source::Folder,
            path: Some(found.seen.path.clone()),
            instrument: Some(self.way.instrument.clone()),
            seen: Some(found.seen.clone()),
        };
        let taken = instruments::take(&self.shared.services, &self.way.actor, incoming)?;
        tracing::debug!(path = found.seen.path, known = taken.known, state = %taken.state, "taken in");
        Ok(Tried::Done)
    }

    /// The files of the same folder that the adapter asks for. `None` where one is still being written, or is not
    /// there yet and may still come.
    fn beside(&self, files: &[Found], found: &Found, wanted: &[String], age: Duration) -> Option<Vec<Companion>> {
        let folder = found.seen.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let patience = self.shared.settings.settle * 10;
        let mut all = Vec::with_capacity(wanted.len());
        for name in wanted {
            let there = files.iter().find(|other| {
                let (place, last) = other.seen.path.rsplit_once('/').unwrap_or(("", &other.seen.path));
                place == folder && last.eq_ignore_ascii_case(name)
            });
            // What the patterns leave out may still be a companion.
            let there = there.cloned().or_else(|| self.listed(found, name));
            let Some(other) = there else { if age < patience { return None } else { continue } };
            let fresh = self
                .waiting
                .get(&other.seen.path)
                .is_some_and(|one| one.looks < 2 || one.since.elapsed() < self.shared.settings.settle);
            if fresh {
                return None;
            }
            match scan::read(&self.real, &other, LARGEST) {
                Ok(bytes) => all.push(Companion { name: name.clone(), bytes }),
                Err(Unread::TooLarge(_)) => {}
                Err(_) if age < patience => return None,
                Err(_) => {}
            }
        }
        Some(all)
    }

    /// A file of that name beside another one, whatever the patterns say.
    fn listed(&self, found: &Found, name: &str) -> Option<Found> {
        self.globs.as_ref()?;
        let here = found.place.parent()?;
        let depth_one = scan::files(here, None).ok()?;
        let other = depth_one.into_iter().find(|other| other.seen.path.eq_ignore_ascii_case(name))?;
        let mut seen = other.seen;
        seen.path = scan::path_of(&self.real, &other.place)?;
        Some(Found { place: other.place, seen })
    }
}
