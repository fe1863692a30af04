//! Whether the server can do its work: it reads, it writes, there is room, and its clock goes forward.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::action::Services;
use crate::record;
use crate::refusal::{Code, Refusal};
use crate::store::{Failure, Outcome, applied_versions};

/// For how long an answer serves everybody who asks: nobody makes the server write by asking.
const FRESH: Duration = Duration::from_secs(1);
/// How long a probe may take until the server is said to be stuck.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a probe found: the newest schema, or the trouble.
type Answer = Result<Option<String>, Refusal>;

/// Asks at most one question at a time.
#[derive(Clone, Default)]
pub struct Readiness(Arc<Inner>);

#[derive(Default)]
struct Inner {
    last: Mutex<Option<(Instant, Answer)>>,
    asking: AtomicBool,
}

impl Readiness {
    /// Whether the server is ready. Blocks for at most three seconds.
    ///
    /// # Errors
    /// The trouble, with its code.
    pub fn ask(&self, services: &Services) -> Answer {
        let last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, answer)) = &last
            && at.elapsed() < FRESH
        {
            return answer.clone();
        }
        if self.0.asking.swap(true, Ordering::SeqCst) {
            // Somebody asks already: what was found last still holds, unless that was long ago.
            return match last {
                Some((at, answer)) if at.elapsed() < PATIENCE => answer,
                None => Ok(None),
                Some(_) => Err(stuck()),
            };
        }
        let (tell, told) = sync_channel(1);
        let (services, inner) = (services.clone(), self.0.clone());
        let probing = std::thread::Builder::new().name("probe".into()).spawn(move || {
            let answer = probe(&services);
            *inner.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), answer.clone()));
            inner.asking.store(false, Ordering::SeqCst);
            // Whoever asked may have lost patience.
            let _ = tell.send(answer);
        });
        if probing.is_err() {
            self.0.asking.store(false, Ordering::SeqCst);
            return Err(stuck());
        }
        match told.recv_timeout(PATIENCE) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(stuck()),
        }
    }
}

fn stuck() -> Refusal {
    Refusal::new(
        Code::DatabaseLocked,
        "数据库在 3 秒内没有完成写入",
        "the database did not finish a write within 3 seconds",
    )
}

fn probe(services: &Services) -> Answer {
    let written = write(services).map_err(Failure::into_refusal);
    // Damage that was met anywhere stays, whatever this one write found.
    if let Some(trouble) = services.db.trouble() {
        return Err(trouble);
    }
    written
}

fn write(services: &Services) -> Outcome<Option<String>> {
    services.files.probe()?;
    services.db.probe()?;
    let now = services.clock.now();
    services.db.read(|conn| {
        record::not_before_the_last(conn, now)?;
        Ok(applied_versions(conn)?.pop())
    })
}
