//! Custody (样品流转): a ledger by double entry. Every entry moves containers from one place to another, the
//! sum over all places stays nothing, and no place but the outside goes below nothing; the database holds
//! to all three by itself.

pub(crate) mod amounts;
mod handover;
mod keeping;
mod labels;
mod moves;
mod refusals;
#[cfg(test)]
mod specimens;
mod undo;
mod using;

use crate::vocabulary::Place;
pub use handover::{HandOver, HandedOver};
pub use keeping::{ApproveKeeping, AskKeeping, CarryOutKeeping, KeepingAnswer, RefuseKeeping, WitnessKeeping};
pub use labels::{LABELS_AT_ONCE, LabelsPrinted, PrintLabels, PrintedLabel};
pub use moves::{DestroyContainers, MoveContainers, Moved, ReturnContainers};
pub(crate) use moves::{by_container, sample_of};
pub use refusals::CustodyRefusal;
pub use undo::UndoMove;
pub(crate) use using::{give_back, there, use_up};

use chrono::{DateTime, Utc};

use crate::record::Actor;
use crate::store::columns::{ContainerId, CustodyEntryId};
use crate::store::rows::{ContainerRow, CustodyEntryRow, SampleRow};

/// The entries of a receipt: each container comes in under its own label, full, then the sample is split into its
/// portions and what is over; a refused sample goes back.
#[must_use]
pub fn receive(
    sample: &SampleRow,
    containers: &[ContainerRow],
    places: &[(Place, i64)],
    actor: &Actor,
    now: DateTime<Utc>,
) -> Vec<CustodyEntryRow> {
    let mut entries: Vec<CustodyEntryRow> = containers
        .iter()
        .map(|container| {
            let one = Some(container.id.clone());
            entry(sample, one, (Place::Supplied, Place::Received), 1, "收样 received", actor, now)
        })
        .collect();
    for (place, quantity) in places {
        let reason = match place {
            Place::Returned => "拒收退回 refused and returned".to_owned(),
            place => format!("{} {}", place.zh(), place.en()),
        };
        entries.push(entry(sample, None, (Place::Received, *place), *quantity, &reason, actor, now));
    }
    filled(sample, &mut entries);
    entries
}

/// The entries by which the containers of a sample that was refused by mistake come back, and are split as at a receipt.
#[must_use]
pub(crate) fn reinstate(
    sample: &SampleRow,
    containers: i64,
    places: &[(Place, i64)],
    actor: &Actor,
    now: DateTime<Utc>,
) -> Vec<CustodyEntryRow> {
    let back = (Place::Returned, Place::Received);
    let mut entries = vec![entry(sample, None, back, containers, "误记更正 recorded by mistake", actor, now)];
    for (place, quantity) in places {
        let reason = format!("{} {}", place.zh(), place.en());
        entries.push(entry(sample, None, (Place::Received, *place), *quantity, &reason, actor, now));
    }
    filled(sample, &mut entries);
    entries
}

/// Nothing was opened yet: each container holds what it holds.
fn filled(sample: &SampleRow, entries: &mut [CustodyEntryRow]) {
    let full = amounts::content_of(sample).and_then(|content| amounts::billionths(content.amount));
    for entry in entries {
        entry.billionths = full.map(|full| full.saturating_mul(entry.quantity));
    }
}

/// One entry of the ledger; its amount is the caller's to say, where the sample's ledger counts amounts.
#[must_use]
pub(crate) fn entry(
    sample: &SampleRow,
    container_id: Option<ContainerId>,
    (from, to): (Place, Place),
    quantity: i64,
    reason: &str,
    actor: &Actor,
    now: DateTime<Utc>,
) -> CustodyEntryRow {
    CustodyEntryRow {
        id: CustodyEntryId::new(),
        sample_id: sample.id.clone(),
        container_id,
        from_place: from,
        to_place: to,
        quantity,
        reason: reason.into(),
        moved_by: actor.account.clone(),
        moved_at: now.into(),
        billionths: None,
        test_task_id: None,
        receipt: None,
    }
}
