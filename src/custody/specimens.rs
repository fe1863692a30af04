//! A sample, and who acts on it, for the unit tests of this module.

use crate::action::Facts;
use crate::record::Actor;
use crate::regulation::Regulation;
use crate::store::columns::{ApplicationId, BatchId, Instant, SampleId};
use crate::store::rows::SampleRow;
use crate::vocabulary::SampleState;

pub(super) fn actor(name: &str) -> Actor {
    Actor {
        account: name.into(),
        username: name.into(),
        display_name: name.into(),
        institute: Some("i".into()),
        applicant: None,
        roles: Vec::new(),
        request_id: None,
        session: None,
    }
}

/// Runs a decision with the facts of an actor at the epoch.
pub(super) fn facts_of<T>(actor: &Actor, decide: impl FnOnce(&Facts<'_>) -> T) -> T {
    let regulation = Regulation::embedded().expect("the regulation of the program");
    decide(&Facts { actor, now: chrono::DateTime::UNIX_EPOCH, regulation: &regulation })
}

pub(super) fn sample() -> SampleRow {
    let at = Instant::from(chrono::DateTime::UNIX_EPOCH);
    SampleRow {
        id: SampleId::new(),
        number: "S20260001".into(),
        application_id: ApplicationId::new(),
        batch_id: BatchId::new(),
        state: SampleState::Received,
        received_at: at,
        received_by: "a".into(),
        temperature: None,
        seals_intact: true,
        packages: 1,
        packages_intact: true,
        label_matches: true,
        condition_note: String::new(),
        state_reason: None,
        full_test_containers: 1,
        required_containers: 1,
        institute_id: "i".into(),
        content_amount: None,
        content_unit: None,
    }
}
