//! Follows the laboratory's folder of adapters while the server runs: what is new or changed is tested and used without
//! a restart.
//!
//! The system's notices only shorten the wait. The truth is what a look at the folder finds, since network shares give
//! no notices and a notice may come before the file is whole.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use instrument_adapters::isolated::Adapters;
use notify::{RecursiveMode, Watcher};

/// Between a first sight of a change and its use the folder must stay unchanged for so long, or for one look.
const STANDS_STILL: Duration = Duration::from_millis(500);

enum Word {
    Changed,
    Stop,
}

/// A thread that follows the folder until it is dropped.
pub struct Following {
    say: Sender<Word>,
    thread: Option<JoinHandle<()>>,
}

impl Following {
    /// Starts to follow, where there is a folder.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(adapters: Arc<Adapters>, every: Duration) -> std::io::Result<Option<Self>> {
        let Some(folder) = adapters.folder() else { return Ok(None) };
        let (say, listen) = mpsc::channel();
        let notice = say.clone();
        let watcher = notify::recommended_watcher(move |_| {
            // Where nobody listens any longer, nothing is to be done.
            let _ = notice.send(Word::Changed);
        });
        let watcher = watcher.and_then(|mut watcher| {
            watcher.watch(&folder, RecursiveMode::Recursive)?;
            Ok(watcher)
        });
        if let Err(error) = &watcher {
            tracing::info!(folder = %folder.display(), %error, "no notices of changes: the folder is looked at instead");
        }
        let thread = std::thread::Builder::new().name("adapters".into()).spawn(move || {
            let _watcher = watcher;
            follow(&adapters, &listen, every);
        })?;
        Ok(Some(Self { say, thread: Some(thread) }))
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // A thread that has ended hears nothing, and is joined all the same.
        let _ = self.say.send(Word::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn follow(adapters: &Adapters, listen: &Receiver<Word>, every: Duration) {
    let settle = STANDS_STILL.min(every);
    // What was loaded at the start may have changed since: the first look says.
    let (mut used, mut seen) = (None, None);
    let mut wait = settle;
    loop {
        match listen.recv_timeout(wait) {
            Ok(Word::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(Word::Changed) => {
                wait = settle;
                continue;
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let found = adapters.fingerprint().inspect_err(|error| tracing::warn!(%error, "the adapters' folder")).ok();
        wait = every;
        if found.is_none() || found == used {
        } else if found != seen {
            wait = settle;
        } else {
            match adapters.refresh() {
                Ok(loaded) => crate::instruments::tell_loaded(&loaded),
                Err(error) => tracing::warn!(%error, "the adapters' folder cannot be read; those in use stay"),
            }
            used.clone_from(&found);
        }
        seen = found;
    }
}
