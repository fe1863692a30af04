//! Sealing: new entries, a few seconds old, become the leaves of a Merkle tree whose root is chained to the seal
//! before and signed. No writer waits for it: hashing and signing happen outside any transaction.

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::canonical::{BEGINNING, Hash, chained, leaf, root, write_leaves};
use super::key::{PublicKeys, SealKey};
use super::outside::{AnchorSettings, Anchored};
use super::refusals::RecordRefusal;
use super::verify::{Memory, Report, verify};
use super::witness::{Witness, end, misremembered, remember};
use crate::clock::Clock;
use crate::refusal::Refusal;
use crate::store::blobs::Blobs;
use crate::store::dialect::{Horizon, audit_horizon, horizon_passed};
use crate::store::rows::{AuditEntryRow, AuditSealRow};
use crate::store::schema::{audit_entry, audit_seal};
use crate::store::{DbConn, Failure, Outcome, StoreError};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// The most entries of one seal: verifying holds one seal in memory.
const MOST: i64 = 4096;
/// Seals the trail of one database.
pub struct Sealer {
    db: DbConn,
    clock: Clock,
    key: SealKey,
    folder: PathBuf,
    files: Blobs,
    /// What the last look at everything found.
    checked: Mutex<Option<RecordCheck>>,
    /// How showing seals outside does.
    anchored: Mutex<Anchored>,
    /// What the last round saw; sealed when every transaction of that moment has ended.
    seen: Mutex<Option<Horizon>>,
}

impl Sealer {
    /// A sealer with the key in `folder`.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn open(db: DbConn, clock: Clock, folder: impl Into<PathBuf>, files: Blobs) -> Result<Self, String> {
        let folder = folder.into();
        let (key, fresh) = SealKey::open(&folder)?;
        let sealer = Self {
            db,
            clock,
            key,
            folder,
            files,
            seen: Mutex::new(None),
            checked: Mutex::new(None),
            anchored: Mutex::default(),
        };
        let told = |failure: Failure| failure.to_string();
        if fresh && Witness::read(&sealer.folder)?.is_none() {
            let end = sealer.db.read(|conn| end(conn, None)).map_err(told)?;
            if end.last == 0 {
                remember(&sealer.folder, None).map_err(told)?;
            }
        }
        sealer.guard().map_err(told)?;
        Ok(sealer)
    }

    pub(super) fn db(&self) -> &DbConn {
        &self.db
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How showing seals outside does.
    #[must_use]
    pub fn anchored(&self) -> Anchored {
        self.anchored.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn note(&self, change: impl FnOnce(&mut Anchored)) {
        change(&mut self.anchored.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Compares the database with what is remembered of it. Where they differ nothing is sealed or written until a person
    /// has decided.
    fn guard(&self) -> Outcome<bool> {
        let witness = Witness::read(&self.folder).map_err(|text| Failure::Store(StoreError::Other(text)))?;
        let there = self.db.read(|conn| end(conn, witness.as_ref()))?;
        let how = misremembered(witness.as_ref(), &there);
        if let Some(how) = how {
            let refusal = Refusal::from(RecordRefusal::Misremembered(how));
            tracing::error!(why = refusal.message_en, "nothing is written");
            self.db.hold(Some(refusal));
        } else {
            self.db.hold(None);
        }
        Ok(how.is_none())
    }

    /// One round: seals what the round before saw, once it is settled, and looks anew. Tells how many entries
    /// were sealed.
    ///
    /// # Errors
    /// The store's failure.
    pub fn round(&self) -> Outcome<u64> {
        if !self.guard()? {
            return Ok(0);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_none() {
            *seen = self.db.read(audit_horizon)?;
        }
        let Some(horizon) = *seen else { return Ok(0) };
        if !self.db.read(|conn| horizon_passed(conn, &horizon))? {
            // Something long is still running; what it may add belongs below this horizon.
            return Ok(0);
        }
        let mut sealed = 0;
        loop {
            match self.seal_some(horizon.last_entry)? {
                0 => break,
                count => sealed += count,
            }
        }
        *seen = self.db.read(audit_horizon)?;
        Ok(sealed)
    }

    /// Seals everything that is on the trail now, waiting up to `patience` for running transactions to end.
    /// True where all of it is sealed.
    ///
    /// # Errors
    /// The store's failure.
    pub fn seal_all(&self, patience: Duration) -> Outcome<bool> {
        let Some(goal) = self.db.read(audit_horizon)? else {
            return Ok(true);
        };
        let mut waited = Duration::ZERO;
        let pause = Duration::from_millis(20);
        loop {
            self.round()?;
            let last: Option<i64> = self
                .db
                .read(|conn| Ok(audit_seal::table.select(diesel::dsl::max(audit_seal::last_entry)).first(conn)?))?;
            if last.unwrap_or(0) >= goal.last_entry {
                return Ok(true);
            }
            if waited >= patience {
                return Ok(false);
            }
            std::thread::sleep(pause);
            waited += pause;
        }
    }

    /// Recomputes every seal, and compares every row and file with the trail.
    ///
    /// # Errors
    /// The store's failure, or a key file that cannot be read.
    pub fn verify(&self) -> Outcome<Report> {
        let other = |text: String| Failure::Store(StoreError::Other(text));
        let keys = PublicKeys::open(&self.folder).map_err(other)?;
        let witness = Witness::read(&self.folder).map_err(other)?;
        let report = verify(&self.db, &keys, Memory::Kept(witness.as_ref()), Some(&self.files))?;
        if let Some(misfit) = &report.misfit {
            tracing::error!(what = misfit.message_en, "the record is not what the trail says");
        }
        let checked = RecordCheck { at: self.clock.now(), report: report.clone() };
        *self.checked.lock().unwrap_or_else(PoisonError::into_inner) = Some(checked);
        Ok(report)
    }

    /// What the last look at everything found; none before the first.
    #[must_use]
    pub fn checked(&self) -> Option<RecordCheck> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Seals one batch up to `horizon`; tells how many entries it holds.
    fn seal_some(&self, horizon: i64) -> Outcome<u64> {
        let (last, rows) = self.db.read(|conn| {
            let last: Option<AuditSealRow> = audit_seal::table
                .order(audit_seal::seq.desc())
                .select(AuditSealRow::as_select())
                .first(conn)
                .optional()?;
            let after = last.as_ref().map_or(0, |seal| seal.last_entry);
            let rows: Vec<AuditEntryRow> = audit_entry::table
                .filter(audit_entry::seq.gt(after))
                .filter(audit_entry::seq.le(horizon))
                .order(audit_entry::seq)
                .limit(MOST)
                .select(AuditEntryRow::as_select())
                .load(conn)?;
            Ok((last, rows))
        })?;
        let Some(seal) = self.seal_of(last.as_ref(), &rows) else {
            return Ok(0);
        };
        let witness = Witness { seq: seal.seq, chained: seal.chained.clone() };
        let written = self.db.write(move |conn| {
            diesel::insert_into(audit_seal::table).values(&seal).execute(conn)?;
            Ok(())
        });
        match written {
            // Another process sealed the same entries; the next look begins behind its seal.
            Err(Failure::Store(StoreError::Unique { .. })) => return Ok(0),
            other => other?,
        }
        tracing::debug!(seal = witness.seq, entries = rows.len(), chained = witness.chained, "sealed");
        if let Err(error) = witness.write(&self.folder) {
            tracing::warn!(%error, "the last seal could not be remembered beside the keys");
        }
        Ok(rows.len() as u64)
    }

    fn seal_of(&self, last: Option<&AuditSealRow>, rows: &[AuditEntryRow]) -> Option<AuditSealRow> {
        let leaves: Vec<(i64, Hash)> = rows.iter().map(|row| (row.seq, leaf(row))).collect();
        let hashes: Vec<Hash> = leaves.iter().map(|(_, hash)| *hash).collect();
        let mut seal = AuditSealRow {
            seq: last.map_or(1, |seal| seal.seq + 1),
            first_entry: rows.first()?.seq,
            last_entry: rows.last()?.seq,
            entry_count: i64::try_from(rows.len()).ok()?,
            leaves: write_leaves(&leaves),
            root: hex::encode(root(&hashes)),
            previous: last.map_or_else(|| BEGINNING.to_owned(), |seal| seal.chained.clone()),
            chained: String::new(),
            key_id: self.key.id().to_owned(),
            signature: String::new(),
            sealed_at: self.clock.now().into(),
        };
        let hash = chained(&seal);
        seal.chained = hex::encode(hash);
        seal.signature = self.key.sign(&hash);
        Some(seal)
    }

    /// Seals in the background, a round every `every`, until the returned handle is dropped; then once more.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn in_background(self: &Arc<Self>, every: Duration) -> std::io::Result<Sealing> {
        let (sealer, last) = (self.clone(), self.clone());
        let round = move || {
            if let Err(error) = sealer.round() {
                tracing::error!(%error, "sealing failed; it is tried again");
            }
        };
        let end = move || {
            if let Err(error) = last.seal_all(Duration::from_secs(2)) {
                tracing::error!(%error, "sealing failed at the end; the next start seals the rest");
            }
        };
        Sealing::start("qianfa-sealer", (every, every), round, end)
    }

    /// Shows seals outside in the background, a round every `every`.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn show_in_background(self: &Arc<Self>, settings: AnchorSettings, every: Duration) -> std::io::Result<Sealing> {
        let sealer = self.clone();
        let round = move || {
            if let Err(error) = sealer.show(&settings) {
                tracing::error!(%error, "what was shown of the seals could not be kept; it is tried again");
            }
        };
        Sealing::start("qianfa-anchor", (every, every), round, || {})
    }

    /// Looks at everything in the background: first after `first`, then every `every`.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn check_in_background(self: &Arc<Self>, first: Duration, every: Duration) -> std::io::Result<Sealing> {
        let sealer = self.clone();
        let look = move || {
            if let Err(error) = sealer.verify() {
                tracing::error!(%error, "the record could not be compared with the trail; it is tried again");
            }
        };
        Sealing::start("qianfa-checker", (first, every), look, || {})
    }
}

/// A look at everything.
#[derive(Clone, Debug)]
pub struct RecordCheck {
    /// When it ended.
    pub at: DateTime<Utc>,
    /// What it found.
    pub report: Report,
}

/// Background work; dropping it ends it.
pub struct Sealing {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sealing {
    /// Runs `work` after the first pause and then after every further one, and `end` when it is to stop.
    fn start(
        name: &str,
        (first, every): (Duration, Duration),
        work: impl Fn() + Send + 'static,
        end: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let mut pause = first;
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(pause) {
                work();
                pause = every;
            }
            end();
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Sealing {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}
