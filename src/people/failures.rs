//! Failed log-ins of strangers, and what accounts tried that they may not do, summed up: the trail has one entry for each
//! source and interval, however often it tries.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Duration, Utc};
use serde_json::json;

use crate::record::Change;
use crate::store::columns::Instant;

/// How many sources are distinguished within an interval; those beyond are counted together.
const MOST_SOURCES: usize = 10_000;
/// How many names an entry lists; those beyond are only counted.
const MOST_NAMES: usize = 20;

/// What a source has tried since `first`.
struct Tally {
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    count: u64,
    stopped: u64,
    names: BTreeMap<String, u64>,
    other_names: u64,
}

/// What failed and is not on the trail yet.
pub(super) struct Failures {
    /// The event's name.
    action: &'static str,
    held: Mutex<HashMap<Option<IpAddr>, Tally>>,
}

impl Failures {
    /// Failures that become events of that name.
    pub fn of(action: &'static str) -> Self {
        Self { action, held: Mutex::default() }
    }

    /// Counts a failure: for which name, and whether a limit stopped it before its password was looked at.
    pub fn count(&self, source: Option<IpAddr>, name: String, stopped: bool, now: DateTime<Utc>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let source = if held.len() >= MOST_SOURCES && !held.contains_key(&source) { None } else { source };
        let fresh = || Tally { first: now, last: now, count: 0, stopped: 0, names: BTreeMap::new(), other_names: 0 };
        let tally = held.entry(source).or_insert_with(fresh);
        tally.last = now;
        tally.count += 1;
        tally.stopped += u64::from(stopped);
        if tally.names.len() < MOST_NAMES || tally.names.contains_key(&name) {
            *tally.names.entry(name).or_default() += 1;
        } else {
            tally.other_names += 1;
        }
    }

    /// Takes what is older than `age` out, as events.
    pub fn due(&self, age: Duration, now: DateTime<Utc>) -> Vec<Change> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let due: Vec<Option<IpAddr>> =
            held.iter().filter(|(_, tally)| now - tally.first >= age).map(|(source, _)| *source).collect();
        let taken = due.into_iter().filter_map(|source| Some((source, held.remove(&source)?)));
        let mut events: Vec<Change> = taken.map(|(source, tally)| event(self.action, source, &tally)).collect();
        events.sort_by(|one, other| one.id.cmp(&other.id));
        events
    }
}

fn event(action: &'static str, source: Option<IpAddr>, tally: &Tally) -> Change {
    let id = source.map_or_else(|| "unknown".to_owned(), |address| address.to_string());
    let content = json!({
        "attempts": tally.count, "stopped_by_limit": tally.stopped, "names": tally.names,
        "other_names": tally.other_names, "first": Instant::from(tally.first), "last": Instant::from(tally.last),
    });
    Change::created(action, "source", id, content).in_version(2)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    #[test]
    fn a_source_is_one_entry_however_often_it_tries() {
        let (failures, now) = (Failures::of("login.fail"), Utc.with_ymd_and_hms(2026, 3, 2, 1, 0, 0).single().unwrap());
        for number in 0..1000 {
            let source = IpAddr::from([10, 0, 0, number as u8 % 2]);
            failures.count(Some(source), format!("n{}", number / 10), number % 10 == 0, now);
        }
        assert!(failures.due(Duration::minutes(5), now + Duration::minutes(4)).is_empty());
        let events = failures.due(Duration::minutes(5), now + Duration::minutes(5));
        assert_eq!(events.len(), 2);
        assert_eq!(events[0].id, "10.0.0.0");
        assert_eq!(events[0].changes["attempts"]["new"], 500);
        assert_eq!(events[0].changes["stopped_by_limit"]["new"], 100);
        assert_eq!(events[0].changes["names"]["new"].as_object().map(serde_json::Map::len), Some(MOST_NAMES));
        assert!(failures.due(Duration::zero(), now + Duration::minutes(9)).is_empty(), "told once");
    }
}
