//! The action: whatever a person, a machine or a job does to the laboratory.
//!
//! An action is a thing: a struct of its typed input that implements [`Action`]. It has one name and one permission,
//! declared in its type, so that the API, a page, a command and a job cannot differ. [`act`] is the only way to run
//! one: permission, once only, the version it was made on, load, decide (pure), keep, and its events, in one
//! transaction.
//!
//! Invariant: nothing outside of `keep` writes, and nothing outside of [`act`] calls `keep`.

mod act;
mod context;
mod reversal;
mod services;
mod stale;
mod strangers;

pub use act::{Answered, Call, Made, Once, act, act_as_program, act_called, hindered, permitted};
pub use context::{Context, Facts};
pub use reversal::TakenBack;
pub use services::{Services, SigningFiles, Site, files_folder};
pub use stale::{Fields, Meanwhile};
pub use strangers::Strangers;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::revisions::Revised;
use crate::vocabulary::Permission;

/// Something that can be done to the laboratory. The implementing struct is its input.
pub trait Action: Clone + Send + 'static {
    /// Its one name (`case.accept`): in the trail, the log, the table of routes and the matrix.
    const NAME: &'static str;
    /// The one permission that it asks for, whichever way it comes in.
    const PERMISSION: Permission;
    /// Whether its input takes the place of what somebody wrote before. Such an action may not be made on a version
    /// that nobody named, except on the first.
    const REPLACES: bool = false;

    /// Whether its input carries a password. Of such a request no digest is kept: a fast hash of a password would let
    /// it be guessed. A repeat under its key is then taken for the same request.
    const SECRET: bool = false;

    /// The fields that repeat what a file or an instrument says, by their paths without places (`rows.place`): what lies
    /// in or below them is never refused for a character that no document can print. Every other typed text is.
    const AS_FILED: &'static [&'static str] = &[];

    /// What is made ready before the transaction: a document typeset, a password hashed, a file read.
    type Prepared: Default + Send + 'static;
    /// What the decision is made from.
    type Loaded;
    /// What was decided.
    type Plan;
    /// What the caller is answered.
    type Done: Serialize + DeserializeOwned + Send + 'static;

    /// The one thing that it changes, whose version the caller may name.
    fn subject(&self) -> Option<Subject> {
        None
    }

    /// Makes ready what takes long or has an effect outside the database. Runs once, after the permission was
    /// checked and before the transaction.
    ///
    /// # Errors
    /// What it refuses.
    fn prepare(&self, _services: &Services, _actor: &Actor) -> Outcome<Self::Prepared> {
        Ok(Self::Prepared::default())
    }

    /// Reads what the decision is made from. May run more than once.
    ///
    /// # Errors
    /// What is not there, and the store's failure.
    fn load(&self, cx: &mut Context<'_>, prepared: &Self::Prepared) -> Outcome<Self::Loaded>;

    /// Decides: pure, from what was loaded to a plan.
    ///
    /// # Errors
    /// The refusal, with its field and its provisions.
    fn decide(&self, facts: &Facts<'_>, loaded: &Self::Loaded) -> Result<Self::Plan, Refusal>;

    /// Writes what was decided, and its events.
    ///
    /// # Errors
    /// The store's failure.
    fn keep(&self, cx: &mut Context<'_>, loaded: Self::Loaded, plan: Self::Plan) -> Outcome<Self::Done>;
}

/// The one thing that an action changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its kind: where its version is kept, and how the trail calls it.
    pub kind: Revised,
    /// Its id.
    pub id: String,
}

impl Subject {
    /// The thing of that kind and id.
    #[must_use]
    pub fn new(kind: Revised, id: impl ToString) -> Self {
        Self { kind, id: id.to_string() }
    }
}
