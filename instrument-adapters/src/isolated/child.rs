//! The pool's side of one worker process.

use std::io::{self, BufReader, Read};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::WorkerFailure;
use super::pool::{PoolSettings, Program};
use super::wire::{self, Answer, Request};

/// How long a fresh process may take until its first word and for its adapters: generous, for a machine under load.
const STARTING: Duration = Duration::from_secs(30);

/// A running worker that waits for a file.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    pipes: Option<(ChildStdin, BufReader<ChildStdout>)>,
    /// Which set of adapters it has.
    pub generation: u64,
    pub files: u32,
    pub bytes: u64,
    pub limited: bool,
}

/// How a conversation ended, where it did not end with an answer.
pub(super) struct Broken {
    pub failure: WorkerFailure,
    /// It ended before the worker said that it had begun.
    pub early: bool,
}

enum Heard {
    Word(Box<Answer>),
    Silence(io::Result<()>),
}

impl Worker {
    pub fn start(
        program: &Program,
        settings: &PoolSettings,
        generation: u64,
        adapters: Option<&Request>,
    ) -> Result<Self, WorkerFailure> {
        let mut command = Command::new(&program.path);
        command.args(&program.args);
        command.args(["--memory-mb", &settings.memory_mb.to_string(), "--seconds", &settings.seconds.to_string()]);
        // The server's environment has its secrets: a passphrase, a database's URL. A worker needs nothing of it.
        command.env_clear();
        // Without it, no program starts there.
        #[cfg(windows)]
        command.envs(std::env::vars_os().filter(|(name, _)| name.eq_ignore_ascii_case("SystemRoot")));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: whatever it might start ends with it, and a Ctrl-C at our terminal is not its affair.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let not_started = |why: String| WorkerFailure::new("reader_not_started", why);
        let path = program.path.display();
        let mut child = command.spawn().map_err(|error| not_started(format!("{path}: {error}")))?;
        let pipes = child.stdin.take().zip(child.stdout.take().map(BufReader::new));
        let mut worker = Self { child, pipes, generation, files: 0, bytes: 0, limited: false };
        match worker.hear(None, &[], STARTING) {
            Ok(Answer::Ready { version: wire::VERSION, limited }) => worker.limited = limited,
            Ok(_) => return Err(not_started(format!("{path} is no worker of this version"))),
            Err(broken) => return Err(not_started(format!("{path}: {}", broken.failure.message))),
        }
        if let Some(request) = adapters {
            match worker.hear(Some(request), &[], STARTING) {
                Ok(Answer::Loaded) => {}
                Ok(_) => return Err(not_started("the worker did not take the adapters".into())),
                Err(broken) => return Err(not_started(broken.failure.message)),
            }
        }
        Ok(worker)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a request and waits for its answer; a worker that does not give one in time is ended.
    pub fn ask(&mut self, request: &Request, parts: &[&[u8]], seconds: u64) -> Result<Answer, Broken> {
        self.files = self.files.saturating_add(1);
        self.bytes = self.bytes.saturating_add(parts.iter().map(|part| part.len() as u64).sum());
        self.hear(Some(request), parts, Duration::from_secs(seconds))
    }

    fn hear(&mut self, request: Option<&Request>, parts: &[&[u8]], patience: Duration) -> Result<Answer, Broken> {
        let Some((mut stdin, mut stdout)) = self.pipes.take() else {
            return Err(Broken { failure: WorkerFailure::new("reader_killed", "the worker has ended"), early: true });
        };
        let mut deadline = Instant::now().checked_add(patience);
        let mut adapter = None;
        let (say, listen) = mpsc::channel();
        // The talking is done beside the waiting: neither a full pipe nor a silent worker can hold the caller.
        let heard = thread::scope(|scope| {
            let talking = scope.spawn(|| {
                // A worker that ends early may still have said why: what it wrote is read in any case.
                let sent = request.map_or(Ok(()), |request| wire::send(&mut stdin, request, parts));
                converse(&mut stdout, sent, &say);
            });
            let heard = loop {
                let left = deadline.map_or(patience, |at| at.saturating_duration_since(Instant::now()));
                match listen.recv_timeout(left) {
                    Ok(Heard::Word(word)) => match *word {
                        Answer::Began { adapter: id, seconds } => {
                            adapter = Some(id);
                            let own = seconds.and_then(|s| Instant::now().checked_add(Duration::from_secs(s)));
                            deadline = own.map_or(deadline, |own| deadline.map(|at| at.min(own)));
                        }
                        word => break Ok(word),
                    },
                    Ok(Heard::Silence(how)) => break Err(Some(how)),
                    Err(RecvTimeoutError::Disconnected) => break Err(Some(Ok(()))),
                    Err(RecvTimeoutError::Timeout) => break Err(None),
                }
            };
            if heard.is_err() {
                end(&mut self.child);
            }
            // It cannot panic; were it to, the silence is an answer too.
            let _ = talking.join();
            heard
        });
        let early = adapter.is_none();
        match heard {
            Ok(Answer::Panicked { message }) => {
                self.pipes = Some((stdin, stdout));
                let message = format!("the reader has a fault: {message}");
                Err(Broken { failure: WorkerFailure::new("reader_panicked", message).by(adapter), early })
            }
            Ok(Answer::TooLong) => {
                self.pipes = Some((stdin, stdout));
                let failure =
                    WorkerFailure::new("reader_out_of_memory", "the file holds more values than can be passed on");
                Err(Broken { failure: failure.by(adapter), early })
            }
            Ok(word) => {
                self.pipes = Some((stdin, stdout));
                Ok(word)
            }
            Err(None) => {
                let message = "reading took longer than the time allowed and was ended";
                Err(Broken { failure: WorkerFailure::new("reader_timeout", message).by(adapter), early })
            }
            Err(Some(how)) => Err(Broken { failure: self.obituary(&how).by(adapter), early }),
        }
    }

    /// True where the process can be asked again.
    pub fn is_usable(&mut self) -> bool {
        self.pipes.is_some() && matches!(self.child.try_wait(), Ok(None))
    }

    /// Why a worker ended without an answer.
    fn obituary(&mut self, how: &io::Result<()>) -> WorkerFailure {
        let mut said = String::new();
        if let Some(stderr) = self.child.stderr.take() {
            let mut bytes = Vec::new();
            // What was said up to a break is kept.
            let _ = stderr.take(4096).read_to_end(&mut bytes);
            said = String::from_utf8_lossy(&bytes).trim().replace('\n', " ");
        }
        if let Err(error) = how
            && error.kind() == io::ErrorKind::InvalidData
        {
            return WorkerFailure::new("reader_broken", format!("the worker's answer is none: {error}"));
        }
        let status = self.child.wait().ok();
        if said.contains("memory allocation of") || said.contains("capacity overflow") {
            return WorkerFailure::new("reader_out_of_memory", "reading took more memory than allowed and was ended");
        }
        if status.is_some_and(took_too_long) {
            return WorkerFailure::new("reader_timeout", "reading took more processor time than allowed and was ended");
        }
        let status = status.map_or_else(|| "its end is unknown".to_owned(), |status| status.to_string());
        let said = if said.is_empty() { String::new() } else { format!("; it said: {said}") };
        WorkerFailure::new("reader_killed", format!("the reading process ended without an answer ({status}){said}"))
    }
}

/// Reads words until the last one of the answer, or the end.
fn converse(stdout: &mut BufReader<ChildStdout>, sent: io::Result<()>, say: &mpsc::Sender<Heard>) {
    loop {
        let heard = match wire::receive::<Answer>(stdout) {
            Ok(Some(word)) => Heard::Word(Box::new(word)),
            Ok(None) => Heard::Silence(Ok(())),
            Err(error) => Heard::Silence(Err(error)),
        };
        let more = matches!(&heard, Heard::Word(word) if matches!(**word, Answer::Began { .. }));
        // Where nobody waits any longer, the worker has been ended.
        if say.send(heard).is_err() || !more {
            // That the pipe broke is seen when the worker ends.
            drop(sent);
            return;
        }
    }
}

#[cfg(unix)]
fn took_too_long(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(rustix::process::Signal::XCPU.as_raw())
}

#[cfg(not(unix))]
fn took_too_long(_: ExitStatus) -> bool {
    false
}

/// Ends the process with all that it may have started.
fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // Already gone is as good.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.pipes = None;
        end(&mut self.child);
        // Otherwise it would stay in the process table.
        let _ = self.child.wait();
    }
}
