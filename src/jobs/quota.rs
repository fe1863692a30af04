//! What one address may send to one listener within an hour, so that nobody fills the files or the dead letters.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long it takes until an address may send anew.
const WINDOW: Duration = Duration::from_secs(3600);

/// What one address may send to one listener within an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadLetterQuota {
    pub bytes: u64,
    /// How many times it may send what becomes a dead letter.
    pub letters: u32,
}

struct Used {
    since: Instant,
    bytes: u64,
    letters: u32,
}

/// What was sent, by address. One that has sent all it may is heard again when its hour is over.
pub(super) struct Quota {
    allowance: DeadLetterQuota,
    /// The instrument has more open dead letters than anybody looks through: one more, and its sender is not heard.
    crowded: AtomicBool,
    used: Mutex<HashMap<IpAddr, Used>>,
}

/// An address as places and quotas count it: of version 6 the network, since one machine has all of its addresses.
pub(super) fn source(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(own) if !own.is_loopback() => IpAddr::V6(Ipv6Addr::from_bits(own.to_bits() & !u128::from(u64::MAX))),
        other => other,
    }
}

impl Quota {
    pub(super) fn new(allowance: DeadLetterQuota) -> Self {
        Self { allowance, crowded: AtomicBool::new(false), used: Mutex::default() }
    }

    pub(super) fn crowd(&self, crowded: bool) {
        self.crowded.store(crowded, Ordering::SeqCst);
    }

    /// Notes what an address sent.
    pub(super) fn spend(&self, source: IpAddr, bytes: usize, letters: u32, now: Instant) {
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, used| now.duration_since(used.since) < WINDOW);
        let used = all.entry(source).or_insert(Used { since: now, bytes: 0, letters: 0 });
        used.bytes = used.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        used.letters = used.letters.saturating_add(letters);
    }

    /// Whether this address has sent all it may.
    pub(super) fn is_spent(&self, source: IpAddr, now: Instant) -> bool {
        let all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&source).is_some_and(|used| self.spent(used, now))
    }

    /// Who has sent all they may.
    pub(super) fn spent_by(&self, now: Instant) -> Vec<IpAddr> {
        let all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<IpAddr> =
            all.iter().filter(|(_, used)| self.spent(used, now)).map(|(who, _)| *who).collect();
        found.sort_unstable();
        found
    }

    fn spent(&self, used: &Used, now: Instant) -> bool {
        let letters = if self.crowded.load(Ordering::SeqCst) { 1 } else { self.allowance.letters };
        now.duration_since(used.since) < WINDOW && (used.bytes >= self.allowance.bytes || used.letters >= letters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_hour_has_its_bytes_and_its_letters_for_each_address() {
        let quota = Quota::new(DeadLetterQuota { bytes: 100, letters: 3 });
        let (one, other, now) = (address("10.2.0.1"), address("10.2.0.2"), Instant::now());
        quota.spend(one, 99, 0, now);
        quota.spend(other, 10, 2, now);
        assert!(!quota.is_spent(one, now) && !quota.is_spent(other, now));
        quota.spend(one, 1, 0, now);
        assert!(quota.is_spent(one, now) && !quota.is_spent(other, now));
        quota.spend(other, 1, 1, now);
        assert_eq!(quota.spent_by(now), [one, other]);
        let later = now + WINDOW;
        assert!(quota.spent_by(later).is_empty());
        quota.spend(one, 5, 0, later);
        assert!(!quota.is_spent(one, later));
    }

    #[test]
    fn where_nobody_looks_through_the_letters_one_more_is_enough() {
        let quota = Quota::new(DeadLetterQuota { bytes: 100, letters: 3 });
        let (one, now) = (address("10.2.0.1"), Instant::now());
        quota.spend(one, 1, 1, now);
        assert!(!quota.is_spent(one, now));
        quota.crowd(true);
        assert!(quota.is_spent(one, now));
        assert!(!quota.is_spent(address("10.2.0.2"), now));
    }

    #[test]
    fn a_network_of_version_6_is_one_source() {
        assert_eq!(source(address("fd00:1:2:3::7")), source(address("fd00:1:2:3:9::")));
        assert_ne!(source(address("fd00:1:2:3::7")), source(address("fd00:1:2:4::7")));
        assert_eq!(source(address("::ffff:10.2.0.1")), address("10.2.0.1"));
        assert_eq!(source(address("::1")), address("::1"));
    }
}
