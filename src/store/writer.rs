//! The one writer of a process. Writers that wait for it are grouped into one commit.
//!
//! A group runs plainly as long as every action succeeds, which is nearly always: savepoints cost two statements an
//! action, and a subtransaction each on PostgreSQL. Where one action is refused, the group is undone and runs again
//! with every action under a savepoint of its own, so that the refused one leaves the others alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::result::Error as DieselError;

use super::connection::{AnyConnection, Backend};
use super::touched;
use super::unreadable::placed;
use super::{Failure, Outcome, StoreError};
use crate::on_each;

/// How many waiting actions one commit takes along.
const GROUP: usize = 64;
/// How often a group is tried again after meeting another process's transaction.
const TRIES: u32 = 12;
/// How many actions may wait; the next caller waits for room.
const QUEUE: usize = 1024;

/// An action with its answer still to give.
trait Action: Send {
    /// Runs once, keeping the outcome.
    fn attempt(&mut self, conn: &mut AnyConnection) -> Attempt;
    /// Answers the caller, after the commit (`Ok`) or its failure.
    fn answer(&mut self, committed: Result<(), StoreError>);
}

/// How one attempt ended.
enum Attempt {
    Keep,
    Undo,
    /// Met another transaction: the whole group starts over.
    Again,
}

struct Typed<F, T> {
    action: F,
    outcome: Option<Outcome<T>>,
    reply: SyncSender<Outcome<T>>,
}

impl<F, T> Action for Typed<F, T>
where
    F: FnMut(&mut AnyConnection) -> Outcome<T> + Send,
    T: Send,
{
    fn attempt(&mut self, conn: &mut AnyConnection) -> Attempt {
        let run = || {
            let done = (self.action)(conn).map_err(|failure| placed(conn, failure))?;
            match touched::left(conn)? {
                None => Ok(done),
                Some(table) => Err(StoreError::Other(format!("a row of {table} was written without an event")).into()),
            }
        };
        let outcome = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            tracing::error!(panic = text, "an action panicked; its changes are undone");
            Err(StoreError::Panicked(text).into())
        });
        let attempt = match &outcome {
            Ok(_) => Attempt::Keep,
            Err(Failure::Store(StoreError::Serialization)) => Attempt::Again,
            Err(_) => Attempt::Undo,
        };
        self.outcome = Some(outcome);
        attempt
    }

    fn answer(&mut self, committed: Result<(), StoreError>) {
        let outcome = match (committed, self.outcome.take()) {
            // A refusal remains whatever became of the commit: it changed nothing.
            (_, Some(Err(failure))) => Err(failure),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Err(StoreError::Other("the action did not run".into()).into()),
        };
        // A caller that went away needs no answer.
        let _ = self.reply.send(outcome);
    }
}

/// The writer thread and the way to it.
pub(super) struct Writer {
    queue: Mutex<Option<SyncSender<Box<dyn Action>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(backend: Backend) -> Result<Self, StoreError> {
        let conn = connect(&backend)?;
        let (queue, waiting) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("qianfa-writer".into())
            .spawn(move || work(&backend, Some(conn), &waiting))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)) })
    }

    pub(super) fn run<T: Send + 'static>(
        &self,
        action: impl FnMut(&mut AnyConnection) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        let gone = || Failure::Store(StoreError::Unavailable("the writer has stopped".into()));
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(gone)?;
        let (reply, answer) = sync_channel(1);
        queue.send(Box::new(Typed { action, outcome: None, reply })).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Closing the queue lets the thread finish what waits, then end.
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
            // The last who holds the database may be an action that ends on this very thread: it ends by itself.
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

/// A connection that keeps what it writes for the event.
fn connect(backend: &Backend) -> Result<AnyConnection, StoreError> {
    let mut conn = backend.connect(false)?;
    touched::watch(&mut conn)?;
    Ok(conn)
}

fn work(backend: &Backend, mut conn: Option<AnyConnection>, waiting: &Receiver<Box<dyn Action>>) {
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        while group.len() < GROUP {
            match waiting.try_recv() {
                Ok(next) => group.push(next),
                Err(_) => break,
            }
        }
        let opened = match conn.take() {
            Some(open) => Ok(open),
            None => connect(backend).inspect_err(|error| tracing::error!(%error, "no connection to write")),
        };
        let committed = opened.and_then(|open| commit_group(conn.insert(open), &mut group));
        if committed.is_err() {
            // Whatever state the connection is in, a fresh one is in a known state.
            conn = None;
        }
        for action in &mut group {
            let told = match &committed {
                Ok(()) => Ok(()),
                Err(error) => Err(error.again()),
            };
            action.answer(told);
        }
    }
}

/// How the actions of a group run in their transaction.
#[derive(Clone, Copy)]
enum Manner {
    /// One after the other: all of them are kept or none.
    Together,
    /// Each under a savepoint: one that is refused is undone alone.
    Apart,
}

/// How a group's transaction ended.
enum Ended {
    /// What was kept is durable.
    Committed,
    /// One action was refused among others: nothing was kept.
    RunApart,
}

fn commit_group(conn: &mut AnyConnection, group: &mut [Box<dyn Action>]) -> Result<(), StoreError> {
    let mut tried = 0;
    let mut manner = Manner::Together;
    loop {
        match try_group(conn, group, manner) {
            Ok(Ended::Committed) => return Ok(()),
            Ok(Ended::RunApart) => manner = Manner::Apart,
            Err(StoreError::Serialization) if tried < TRIES => {
                tried += 1;
                std::thread::sleep(Duration::from_millis(u64::from(tried * tried)));
            }
            Err(error) => return Err(error),
        }
    }
}

fn try_group(conn: &mut AnyConnection, group: &mut [Box<dyn Action>], manner: Manner) -> Result<Ended, StoreError> {
    begin(conn)?;
    let ran = match manner {
        Manner::Together => run_together(conn, group),
        Manner::Apart => run_apart(conn, group).map(|()| Ran::All),
    };
    match ran {
        Ok(Ran::All) => {}
        // Alone there is nothing else to keep: undone, the refusal remains.
        Ok(Ran::Refused) => {
            undo(conn)?;
            return Ok(if group.len() == 1 { Ended::Committed } else { Ended::RunApart });
        }
        Err(error) => {
            undo(conn)?;
            return Err(error);
        }
    }
    if let Err(error) = keep(conn) {
        // A failed COMMIT may leave the transaction open; the error that matters is the first.
        let _ = undo(conn);
        return Err(error.into());
    }
    Ok(Ended::Committed)
}

/// How far a group ran.
enum Ran {
    All,
    /// To an action that refused.
    Refused,
}

fn run_together(conn: &mut AnyConnection, group: &mut [Box<dyn Action>]) -> Result<Ran, StoreError> {
    for action in group {
        match action.attempt(conn) {
            Attempt::Keep => {}
            Attempt::Undo => return Ok(Ran::Refused),
            Attempt::Again => return Err(StoreError::Serialization),
        }
    }
    Ok(Ran::All)
}

fn run_apart(conn: &mut AnyConnection, group: &mut [Box<dyn Action>]) -> Result<(), StoreError> {
    for action in group {
        savepoint(conn)?;
        match action.attempt(conn) {
            Attempt::Keep => keep(conn)?,
            Attempt::Undo => undo(conn)?,
            Attempt::Again => {
                undo(conn)?;
                return Err(StoreError::Serialization);
            }
        }
    }
    Ok(())
}

// Through diesel's own count of transactions, because it opens some by itself (batch inserts on SQLite).

fn begin(conn: &mut AnyConnection) -> Result<(), DieselError> {
    match conn {
        AnyConnection::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
        AnyConnection::Postgres(c) => {
            AnsiTransactionManager::begin_transaction_sql(c, "BEGIN ISOLATION LEVEL SERIALIZABLE")?;
            // Every transaction takes a number at the end of the trail. Writers of several servers take turns before any
            // of them has looked at the database: they would meet there anyway, and one of them would run again.
            c.batch_execute("LOCK TABLE audit_end IN EXCLUSIVE MODE")
        }
    }
}

fn savepoint(conn: &mut AnyConnection) -> Result<(), DieselError> {
    on_each!(conn, c => AnsiTransactionManager::begin_transaction(c))
}

/// Commits, or releases the savepoint.
fn keep(conn: &mut AnyConnection) -> Result<(), DieselError> {
    on_each!(conn, c => AnsiTransactionManager::commit_transaction(c))
}

/// Rolls back, to the savepoint where there is one.
fn undo(conn: &mut AnyConnection) -> Result<(), DieselError> {
    on_each!(conn, c => AnsiTransactionManager::rollback_transaction(c))
}
