//! The side of the process that reads: a loop over requests, with limits of its own making.

use std::any::Any;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};

use super::limits::{self, Budget};
use super::wire::{self, Answer, Attached, AttachedCase, Request};
use crate::adapter::Adapter;
use crate::model::{Companion, Options};
use crate::selftest::{self, TestedFile};
use crate::set::{AdapterSet, NotRecognised};

/// What a worker may take for one file.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Memory in MiB, beside what the program itself needs.
    pub memory_mb: u64,
    /// Seconds of the processor.
    pub seconds: u64,
}

impl Bounds {
    /// The words by which a pool gives its workers their bounds, behind those of its [`Program`](super::Program):
    /// `--memory-mb N --seconds N`.
    ///
    /// # Errors
    /// A sentence on the first word that is not one of these, or not a number.
    pub fn from_words(words: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut bounds = Self { memory_mb: 512, seconds: 30 };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let number = words.next().and_then(|text| text.parse().ok());
            let number = number.ok_or_else(|| format!("{word} is followed by a whole number"))?;
            match word.as_str() {
                "--memory-mb" => bounds.memory_mb = number,
                "--seconds" => bounds.seconds = number,
                _ => return Err(format!("{word} is none of --memory-mb and --seconds")),
            }
        }
        Ok(bounds)
    }
}

/// What a program reads in its workers beside the files of instruments: by its kind, with what is to be known beside
/// it, to a text of the program's own. `None` where it reads no such kind.
pub type OtherReader = fn(kind: &str, beside: &str, bytes: &[u8]) -> Option<String>;

/// Reads files for a [`Pool`](super::Pool) until `from` is closed: those of instruments alone.
///
/// # Errors
/// As [`serve_with`].
pub fn serve(from: &mut impl Read, to: &mut impl Write, bounds: Bounds) -> io::Result<()> {
    serve_with(from, to, bounds, |_, _, _| None)
}

/// Reads files for a [`Pool`](super::Pool) until `from` is closed; `other` reads those of the program's own kinds, under
/// the same limits.
///
/// On Unix the process lowers its own limits first, for good: call it in a program that does nothing else, from
/// its main thread. Panics of readers are caught and answered.
///
/// # Errors
/// Where the pipes break, or what comes is not a request.
pub fn serve_with(from: &mut impl Read, to: &mut impl Write, bounds: Bounds, other: OtherReader) -> io::Result<()> {
    let budget = Budget { memory: bounds.memory_mb.saturating_mul(1 << 20), seconds: bounds.seconds };
    let own = limits::own_bytes();
    let limited = limits::lower(budget);
    let said = listen_to_panics();
    wire::send(to, &Answer::Ready { version: wire::VERSION, limited }, &[])?;
    let mut worker = Worker { adapters: AdapterSet::embedded(), own, budget, other };
    while let Some(request) = wire::receive(from)? {
        let request = take(from, request)?;
        limits::for_file(own, budget);
        let answer = guarded(&said, || worker.answer(request, to))?;
        match wire::send(to, &answer, &[]) {
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => wire::send(to, &Answer::TooLong, &[])?,
            sent => sent?,
        }
    }
    Ok(())
}

/// The answer, or the panic as one: the process goes on either way.
fn guarded(said: &Said, answer: impl FnOnce() -> io::Result<Answer>) -> io::Result<Answer> {
    panic::catch_unwind(AssertUnwindSafe(answer))
        .unwrap_or_else(|panic| Ok(Answer::Panicked { message: sentence(said, panic.as_ref()) }))
}

type Said = Arc<Mutex<Option<String>>>;

/// Keeps what a panic says with its place, instead of printing it.
fn listen_to_panics() -> Said {
    let said = Said::default();
    let heard = Arc::clone(&said);
    panic::set_hook(Box::new(move |info| {
        *heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(info.to_string().replace('\n', " "));
    }));
    said
}

fn sentence(said: &Said, panic: &(dyn Any + Send)) -> String {
    let heard = said.lock().unwrap_or_else(PoisonError::into_inner).take();
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    heard.or(text).unwrap_or_else(|| "a panic without a word".to_owned())
}

/// A request with its bytes.
enum Task {
    Load(Vec<String>, Vec<String>),
    Read { file: Companion, adapter: Option<String>, declaration: Option<String>, options: Options, explain: bool },
    Detect(Companion),
    Other { kind: String, beside: String, bytes: Vec<u8> },
    Test(String, Vec<TestedFile>),
}

fn file(from: &mut impl Read, attached: Attached) -> io::Result<Companion> {
    Ok(Companion { bytes: wire::receive_bytes(from, attached.size)?, name: attached.name })
}

fn take(from: &mut impl Read, request: Request) -> io::Result<Task> {
    Ok(match request {
        Request::Load { own, withdrawn } => Task::Load(own, withdrawn),
        Request::Detect { file: attached } => Task::Detect(file(from, attached)?),
        Request::Other { kind, beside, file: attached } => {
            Task::Other { kind, beside, bytes: file(from, attached)?.bytes }
        }
        Request::Read { file: attached, companions, adapter, declaration, curves, date_order, zone, explain } => {
            let main = file(from, attached)?;
            let companions = companions.into_iter().map(|one| file(from, one)).collect::<io::Result<_>>()?;
            let options = Options { curves, companions, date_order, zone };
            Task::Read { file: main, adapter, declaration, options, explain }
        }
        Request::Test { declaration, cases } => {
            let mut waiting: VecDeque<AttachedCase> = cases.into();
            let mut cases = Vec::new();
            while let Some(AttachedCase { file: attached, expected, reject }) = waiting.pop_front() {
                let Companion { name, bytes } = file(from, attached)?;
                cases.push(TestedFile { name, bytes, expected, reject });
            }
            Task::Test(declaration, cases)
        }
    })
}

struct Worker {
    adapters: AdapterSet,
    own: u64,
    budget: Budget,
    other: OtherReader,
}

impl Worker {
    fn answer(&mut self, task: Task, to: &mut impl Write) -> io::Result<Answer> {
        Ok(match task {
            Task::Load(own, withdrawn) => {
                // They passed their tests before they came here; one that cannot be read now is an error.
                self.adapters = AdapterSet::of_tested(&own, &withdrawn).map_err(io::Error::other)?;
                Answer::Loaded
            }
            Task::Detect(file) => Answer::Detected(self.adapters.detect(&file.name, &file.bytes)),
            Task::Other { kind, beside, bytes } => Answer::Other((self.other)(&kind, &beside, &bytes)),
            Task::Test(declaration, cases) => Answer::Tested(selftest::run(&declaration, &cases)),
            Task::Read { file, adapter, declaration, options, explain } => {
                let unloaded = match declaration.as_deref().map(Adapter::from_toml).transpose() {
                    Ok(unloaded) => unloaded,
                    Err(why) => {
                        return Ok(Answer::NotRecognised(NotRecognised::Refused("?".into(), why.to_string())));
                    }
                };
                let chosen = match &unloaded {
                    Some(adapter) => adapter.takes(&file.name, &file.bytes),
                    None => self.adapters.choose(&file.name, &file.bytes, adapter.as_deref()),
                };
                let chosen = match chosen {
                    Ok(chosen) => chosen,
                    Err(why) => return Ok(Answer::NotRecognised(why)),
                };
                let limits = chosen.limits();
                wire::send(to, &Answer::Began { adapter: chosen.id().to_owned(), seconds: limits.seconds }, &[])?;
                let memory = limits.memory_mb.map_or(self.budget.memory, |mb| mb.saturating_mul(1 << 20));
                let budget = Budget {
                    memory: memory.min(self.budget.memory),
                    seconds: limits.seconds.unwrap_or(self.budget.seconds).min(self.budget.seconds),
                };
                limits::for_file(self.own, budget);
                if explain {
                    Answer::Explained(chosen.explain(&file.name, &file.bytes, &options))
                } else {
                    Answer::Parsed(chosen.read(&file.name, &file.bytes, &options))
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_answer() {
        let said = Said::default();
        let answer = guarded(&said, || panic!("line 3 is beyond me")).unwrap();
        let Answer::Panicked { message } = answer else { panic!("another answer") };
        assert_eq!(message, "line 3 is beyond me");
        *said.lock().unwrap() = Some("panicked at a.rs:1:1: no".into());
        let answer = guarded(&said, || panic!("no")).unwrap();
        let Answer::Panicked { message } = answer else { panic!("another answer") };
        assert_eq!(message, "panicked at a.rs:1:1: no");
        assert!(matches!(guarded(&said, || Ok(Answer::Loaded)), Ok(Answer::Loaded)));
    }

    #[test]
    fn bounds_are_words() {
        let read = |words: &[&str]| Bounds::from_words(words.iter().map(|w| (*w).to_owned()));
        let bounds = read(&["--memory-mb", "64", "--seconds", "5"]).unwrap();
        assert_eq!((bounds.memory_mb, bounds.seconds), (64, 5));
        assert!(read(&["--memory-mb"]).is_err());
        assert!(read(&["--seconds", "soon"]).is_err());
        assert!(read(&["--files", "1"]).is_err());
    }
}
