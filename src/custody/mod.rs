//! Custody (样品流转): a ledger by double entry. Every entry moves containers from one place to another, the
//! sum over all places stays nothing, and no place but the outside goes below nothing; the database holds
//! to all three by itself.

mod labels;
mod moves;
mod refusals;
#[cfg(test)]
mod specimens;
mod undo;

use crate::vocabulary::Place;
pub use labels::{LABELS_AT_ONCE, LabelsPrinted, PrintLabels, PrintedLabel};
pub use moves::{DestroyContainers, MoveContainers, Moved, ReturnContainers};
pub(crate) use moves::{balance, sample_of};
pub use refusals::CustodyRefusal;
pub use undo::UndoMove;

use chrono::{DateTime, Utc};

use crate::record::Actor;
use crate::store::columns::{ContainerId, CustodyEntryId};
use crate::store::rows::{ContainerRow, CustodyEntryRow, SampleRow};

/// The entries of a receipt: each container comes in under its own label, then the sample is split into
/// the test portion and the retention and re-test portion; a refused sample goes back.
#[must_use]
pub fn receive(
    sample: &SampleRow,
    containers: &[ContainerRow],
    refused: bool,
    full_test: i64,
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
    let all = i64::try_from(containers.len()).unwrap_or(i64::MAX);
    let parts = if refused {
        vec![(Place::Returned, all, "拒收退回 refused and returned")]
    } else {
        vec![
            (Place::TestPortion, full_test.min(all), "检验用 test portion"),
            (Place::Retention, all - full_test.min(all), "留样及复试用 retention and re-test"),
        ]
    };
    for (place, quantity, reason) in parts {
        if quantity > 0 {
            entries.push(entry(sample, None, (Place::Received, place), quantity, reason, actor, now));
        }
    }
    entries
}

/// The entries by which the containers of a sample that was refused by mistake come back, and are split as at a receipt.
#[must_use]
pub(crate) fn reinstate(
    sample: &SampleRow,
    containers: i64,
    full_test: i64,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Vec<CustodyEntryRow> {
    let back = "误记更正 recorded by mistake";
    let parts = [
        (Place::Returned, Place::Received, containers, back),
        (Place::Received, Place::TestPortion, full_test.min(containers), "检验用 test portion"),
        (
            Place::Received,
            Place::Retention,
            containers - full_test.min(containers),
            "留样及复试用 retention and re-test",
        ),
    ];
    let entry_of = |(from, to, quantity, reason)| entry(sample, None, (from, to), quantity, reason, actor, now);
    parts.into_iter().filter(|(.., quantity, _)| *quantity > 0).map(entry_of).collect()
}

/// One entry of the ledger.
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
    }
}
