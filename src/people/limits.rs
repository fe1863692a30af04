//! How often somebody may try to log in: by where the attempt comes from, by the name that it is for, and by both.
//!
//! An attempt costs a token before the password is looked at, and a success gives it back: attempts beside one another
//! do not get past a limit. Nobody is locked out by a stranger: what a stranger uses up is the stranger's own, and what
//! is left of a name for all strangers together is not asked of a source from which its owner has logged in before.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock as Source;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};
use sha2::{Digest, Sha256};

use super::SessionRules;
use crate::clock::Clock;

/// More keys than this are not kept: those that would be free again go first, then all of them. Whoever can send from
/// so many addresses is stopped by the limits of the names.
const MOST_KEYS: usize = 50_000;

/// The clock of the program as the limits read it.
#[derive(Clone)]
struct Told(Clock);

impl Source for Told {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.now().timestamp_micros()).unwrap_or(0))
    }
}

/// The states of the keys, kept so that a success can give back what it took.
#[derive(Clone)]
struct States<K>(Arc<Mutex<HashMap<K, Nanos>>>);

impl<K> States<K> {
    fn held(&self) -> MutexGuard<'_, HashMap<K, Nanos>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq + Clone> StateStore for States<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut held = self.held();
        let (outcome, next) = measure(held.get(key).copied())?;
        held.insert(key.clone(), next);
        Ok(outcome)
    }
}

/// So many attempts for a key, then one each time a part of the period has passed.
struct Limit<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, States<K>, Told, NoOpMiddleware<Duration>>,
    states: States<K>,
    clock: Told,
    began: Duration,
    each: u64,
}

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(clock: &Clock, attempts: u32, period: chrono::Duration) -> Self {
        let attempts = NonZeroU32::new(attempts).unwrap_or(NonZeroU32::MIN);
        let period = period.to_std().unwrap_or_default().max(Duration::from_secs(1));
        let quota = Quota::with_period(period / attempts.get()).unwrap_or_else(|| Quota::per_minute(attempts));
        let quota = quota.allow_burst(attempts);
        let (states, clock) = (States(Arc::default()), Told(clock.clone()));
        let began = clock.now();
        let each = u64::from(Nanos::from(quota.replenish_interval()));
        Self { limiter: RateLimiter::new(quota, states.clone(), clock.clone()), states, clock, began, each }
    }

    /// Takes a token; without one, how long it takes until there is one.
    fn take(&self, key: &K) -> Result<(), Duration> {
        if self.states.held().len() >= MOST_KEYS {
            let now = u64::from(Nanos::from(self.clock.now().saturating_sub(self.began)));
            self.states.held().retain(|_, free_at| u64::from(*free_at) > now);
            if self.states.held().len() >= MOST_KEYS {
                self.states.held().clear();
            }
        }
        self.limiter.check_key(key).map_err(|not| not.wait_time_from(self.clock.now()))
    }

    fn give_back(&self, key: &K) {
        if let Some(state) = self.states.held().get_mut(key) {
            *state = Nanos::from(u64::from(*state).saturating_sub(self.each));
        }
    }

    fn forget(&self, key: &K) {
        self.states.held().remove(key);
    }
}

/// A name as a key: its digest, so that nothing that was typed is kept.
type Name = [u8; 32];

/// An attempt that was let through, to be given back where it succeeds.
pub(super) struct LoginAttempt {
    source: IpAddr,
    name: Name,
    of_strangers: bool,
}

/// Why an attempt was not let through.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The source has tried too often: for how long it waits.
    Source(Duration),
    /// The name was tried too often from there, or by strangers altogether.
    Name,
}

/// The limits of logging in.
pub(super) struct LoginLimits {
    sources: Limit<IpAddr>,
    names: Limit<Name>,
    pairs: Limit<(IpAddr, Name)>,
}

impl LoginLimits {
    pub fn new(clock: &Clock, rules: &SessionRules) -> Self {
        Self {
            sources: Limit::new(clock, rules.source_attempts, rules.lock),
            names: Limit::new(clock, rules.name_attempts, rules.lock),
            pairs: Limit::new(clock, rules.failures, rules.lock),
        }
    }

    /// Lets an attempt through, or not. `is_known` asks whether the name's owner has logged in from there before.
    pub fn enter<E>(
        &self,
        source: IpAddr,
        name: &str,
        is_known: impl FnOnce() -> Result<bool, E>,
    ) -> Result<Result<LoginAttempt, Stopped>, E> {
        let (source, name) = (network(source), Sha256::digest(name).into());
        if let Err(wait) = self.sources.take(&source) {
            return Ok(Err(Stopped::Source(wait)));
        }
        if self.pairs.take(&(source, name)).is_err() {
            return Ok(Err(Stopped::Name));
        }
        let of_strangers = !is_known()?;
        if of_strangers && self.names.take(&name).is_err() {
            return Ok(Err(Stopped::Name));
        }
        Ok(Ok(LoginAttempt { source, name, of_strangers }))
    }

    /// A success costs nothing, and its pair of source and name begins afresh.
    pub fn succeeded(&self, attempt: &LoginAttempt) {
        self.sources.give_back(&attempt.source);
        self.pairs.forget(&(attempt.source, attempt.name));
        if attempt.of_strangers {
            self.names.give_back(&attempt.name);
        }
    }
}

/// What counts as one source: an address, or the network that one subscriber has of IPv6.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use chrono::{TimeZone, Utc};

    use super::*;

    fn limits() -> (Clock, LoginLimits) {
        let clock = Clock::set_to(Utc.with_ymd_and_hms(2026, 3, 2, 1, 0, 0).single().unwrap());
        let rules = SessionRules { failures: 5, source_attempts: 12, name_attempts: 8, ..SessionRules::default() };
        (clock.clone(), LoginLimits::new(&clock, &rules))
    }

    fn enter(limits: &LoginLimits, source: &str, name: &str, known: bool) -> Result<LoginAttempt, Stopped> {
        limits.enter(source.parse().unwrap(), name, || Ok::<_, Infallible>(known)).unwrap()
    }

    #[test]
    fn a_source_has_five_tries_for_a_name_and_one_more_each_part_of_the_period() {
        let (clock, limits) = limits();
        for _ in 0..5 {
            assert!(enter(&limits, "10.0.0.1", "wang", false).is_ok());
        }
        assert_eq!(enter(&limits, "10.0.0.1", "wang", false).err(), Some(Stopped::Name));
        assert!(enter(&limits, "10.0.0.1", "li", false).is_ok(), "another name is its own");
        assert!(enter(&limits, "10.0.0.2", "wang", false).is_ok(), "another source is its own");
        clock.set(clock.now() + chrono::Duration::minutes(3));
        assert!(enter(&limits, "10.0.0.1", "wang", false).is_ok());
        assert_eq!(enter(&limits, "10.0.0.1", "wang", false).err(), Some(Stopped::Name));
    }

    #[test]
    fn strangers_use_a_name_up_for_strangers_only() {
        let (_, limits) = limits();
        let tries = |number: u8| enter(&limits, &format!("10.0.1.{number}"), "wang", false);
        assert_eq!((0..20).filter(|number| tries(*number).is_ok()).count(), 8);
        assert_eq!(enter(&limits, "10.0.2.1", "wang", false).err(), Some(Stopped::Name));
        assert!(enter(&limits, "10.0.2.1", "wang", true).is_ok(), "its owner was here before");
    }

    #[test]
    fn a_source_that_tries_many_names_waits() {
        let (_, limits) = limits();
        let tries = |number: u8| enter(&limits, "2001:db8::1", &format!("n{number}"), false);
        assert_eq!((0..40).filter(|number| tries(*number).is_ok()).count(), 12);
        let Some(Stopped::Source(wait)) = enter(&limits, "2001:db8::2", "other", true).err() else { panic!("goes on") };
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(75), "{wait:?}");
        assert!(enter(&limits, "2001:db8:0:1::1", "other", false).is_ok(), "the next subscriber");
    }

    #[test]
    fn a_success_costs_nothing() {
        let (_, limits) = limits();
        for _ in 0..100 {
            let Ok(attempt) = enter(&limits, "10.0.0.1", "wang", false) else { panic!("stopped") };
            limits.succeeded(&attempt);
        }
        // Nor does it give back what failed before, but for its own name from there.
        for number in 0..12 {
            assert!(enter(&limits, "10.0.0.1", &format!("n{number}"), false).is_ok(), "{number}");
        }
        assert!(matches!(enter(&limits, "10.0.0.1", "wang", true).err(), Some(Stopped::Source(_))));
    }

    #[test]
    fn no_flood_of_names_grows_the_memory() {
        let clock = Clock::set_to(Utc.with_ymd_and_hms(2026, 3, 2, 1, 0, 0).single().unwrap());
        let limit: Limit<u32> = Limit::new(&clock, 5, chrono::Duration::minutes(15));
        for key in 0..200_000 {
            let _ = limit.take(&key);
        }
        assert!(limit.states.held().len() <= MOST_KEYS);
    }
}
