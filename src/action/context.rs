//! What an action works with inside its transaction.

use chrono::{DateTime, NaiveDate, Utc};

use super::stale::{Fields, Meanwhile};
use super::{Services, Subject};
use crate::people::{Reauthenticated, SignedContent};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::regulation::Regulation;
use crate::store::columns::{InstituteId, SignatureId};
use crate::store::{AnyConnection, Outcome, StoreError, pending};
use crate::vocabulary::SignatureMeaning;

/// What a decision may look at beside what was loaded: no database.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// Who acts.
    pub actor: &'a Actor,
    /// When.
    pub now: DateTime<Utc>,
    /// The provisions and the working days.
    pub regulation: &'a Regulation,
}

impl Facts<'_> {
    /// The statutory date of the action.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        crate::clock::statutory_date(self.now)
    }
}

/// The transaction of an action.
pub struct Context<'a> {
    /// The connection of the transaction.
    pub conn: &'a mut AnyConnection,
    /// What the laboratory works with.
    pub services: &'a Services,
    /// Who acts.
    pub actor: &'a Actor,
    /// When.
    pub now: DateTime<Utc>,
    pub(super) events: Vec<Change>,
    pub(super) filed: bool,
}

impl Context<'_> {
    /// The institute of the actor.
    ///
    /// # Errors
    /// [`crate::refusal::Code::Forbidden`] for an applicant.
    pub fn institute(&self) -> Result<InstituteId, Refusal> {
        self.actor.institute()
    }

    /// The statutory date of the action.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        crate::clock::statutory_date(self.now)
    }

    /// Keeps a file with the transaction: it is among the files once that is durable, and never where it is refused.
    /// The answer is its SHA-256.
    ///
    /// # Errors
    /// The store's failure.
    pub fn file(&mut self, bytes: &[u8]) -> Outcome<String> {
        self.filed = true;
        pending::keep(self.conn, bytes)
    }

    /// Signs what is approved, with what the action's `prepare` has proven.
    ///
    /// # Errors
    /// As [`Reauthenticated::sign`].
    pub fn sign(
        &mut self,
        proof: Option<&Reauthenticated>,
        meaning: SignatureMeaning,
        subject: (&'static str, &str),
        content: &SignedContent,
    ) -> Outcome<SignatureId> {
        let proof = proof.ok_or_else(|| StoreError::Other("nothing was proven to sign with".into()))?;
        proof.sign(self.conn, self.actor, self.now, meaning, subject, content)
    }

    /// Adds an event, which is written with the action's changes.
    pub fn record(&mut self, event: Change) {
        self.events.push(event);
    }

    /// Holds a line of a larger action to the version that it was made on, where one was named.
    ///
    /// # Errors
    /// [`crate::refusal::Code::Stale`] with what changed meanwhile.
    pub fn expect(&mut self, subject: &Subject, version: Option<i64>) -> Outcome<()> {
        match version {
            Some(version) => super::stale::hold(self.conn, self.actor, subject, version).map(|_| ()),
            None => Ok(()),
        }
    }

    /// What others changed of a thing since the entry of the trail that the caller has seen.
    ///
    /// # Errors
    /// The store's failure.
    pub fn since(&mut self, subject: &Subject, seen: impl Fn(&Fields) -> bool) -> Outcome<Vec<Meanwhile>> {
        super::stale::meanwhile(self.conn, self.actor, subject, seen)
    }
}
