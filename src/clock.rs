//! The one place that asks what time it is; everything else is given the time.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Asia::Shanghai;

/// Tells the time. The system's in service, a settable one in tests and in the demonstration.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Set(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that shows `at` until it is set.
    #[must_use]
    pub fn set_to(at: DateTime<Utc>) -> Self {
        Self(Source::Set(Arc::new(Mutex::new(at))))
    }

    /// Moves a settable clock; the system's clock cannot be moved and stays.
    pub fn set(&self, at: DateTime<Utc>) {
        if let Source::Set(time) = &self.0 {
            *time.lock().unwrap_or_else(PoisonError::into_inner) = at;
        }
    }

    /// Now, in UTC.
    #[must_use]
    #[allow(clippy::disallowed_methods)]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Source::System => Utc::now(),
            Source::Set(time) => *time.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Today as the regulation counts days: the date in Asia/Shanghai.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        statutory_date(self.now())
    }
}

/// An instant as people here read it: in Asia/Shanghai, to the minute.
#[must_use]
pub fn local_time(at: DateTime<Utc>) -> String {
    at.with_timezone(&Shanghai).format("%Y-%m-%d %H:%M").to_string()
}

/// As [`local_time`], to the second: for a record.
#[must_use]
pub fn local_second(at: DateTime<Utc>) -> String {
    at.with_timezone(&Shanghai).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// The statutory date of an instant: its date in Asia/Shanghai.
#[must_use]
pub fn statutory_date(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&Shanghai).date_naive()
}
