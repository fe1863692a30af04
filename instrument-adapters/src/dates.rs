//! Dates as instruments print them, to ISO 8601; what can be read two ways needs a word from somewhere.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use regex::Regex;

use crate::model::{DateOrder, Options};
use crate::spec::TextSpec;

/// Reads the dates of one file.
#[derive(Debug, Clone)]
pub(crate) struct DateReader<'a> {
    spec: &'a TextSpec,
    /// The word of the instrument register.
    caller: Option<DateOrder>,
    /// What an unmistakable date of the same file shows.
    seen: Option<DateOrder>,
    zone: Option<String>,
}

/// A date as it came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Read {
    Iso(String),
    /// Day and month cannot be distinguished, and nobody says which is which.
    Ambiguous,
    Unknown,
}

impl<'a> DateReader<'a> {
    pub fn new(spec: &'a TextSpec, options: &Options, text: &str) -> Self {
        Self {
            spec,
            caller: options.date_order,
            seen: evidence(text),
            zone: options.zone.clone().or_else(|| spec.zone.clone()),
        }
    }

    /// The order for an ambiguous date: what the file shows, then the register, then the adapter.
    fn order(&self, format: &str) -> Option<DateOrder> {
        self.seen.or(self.caller).or(self.spec.date_order_of.get(format).copied()).or(self.spec.date_order)
    }

    /// Reads one date and time.
    pub fn read(&self, written: &str) -> Read {
        let text = written.trim();
        // Year first and unmistakable; cells of workbooks come in this form.
        static ISO: LazyLock<Option<Regex>> =
            LazyLock::new(|| Regex::new(r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?)?$").ok());
        if ISO.as_ref().is_some_and(|p| p.is_match(text)) {
            let iso = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d"];
            if let Some(date) = iso.iter().find_map(|format| self.one(text, format)) {
                return Read::Iso(date);
            }
        }
        for format in &self.spec.dates {
            let Some(swapped) = swapped(format) else {
                if let Some(iso) = self.one(text, format) {
                    return Read::Iso(iso);
                }
                continue;
            };
            let (mdy, dmy) = if format.find("%m") < format.find("%d") {
                (self.one(text, format), self.one(text, &swapped))
            } else {
                (self.one(text, &swapped), self.one(text, format))
            };
            match (mdy, dmy) {
                (None, None) => {}
                (Some(iso), None) | (None, Some(iso)) => return Read::Iso(iso),
                (Some(mdy), Some(dmy)) if mdy == dmy => return Read::Iso(mdy),
                (Some(mdy), Some(dmy)) => {
                    return match self.order(format) {
                        Some(DateOrder::Mdy) => Read::Iso(mdy),
                        Some(DateOrder::Dmy) => Read::Iso(dmy),
                        None => Read::Ambiguous,
                    };
                }
            }
        }
        Read::Unknown
    }

    fn one(&self, text: &str, format: &str) -> Option<String> {
        if format.contains("%z") || format.contains("%:z") {
            let date = DateTime::parse_from_str(text, format).ok()?;
            return plausible(date.naive_local()).then(|| date.to_rfc3339());
        }
        let date = if format.contains("%H") || format.contains("%I") {
            NaiveDateTime::parse_from_str(text, format).ok()?
        } else {
            let date = NaiveDate::parse_from_str(text, format).ok()?;
            return plausible(date.and_hms_opt(0, 0, 0)?).then(|| date.to_string());
        };
        let zone = self.zone.as_deref().unwrap_or_default();
        plausible(date).then(|| format!("{}{zone}", date.format("%Y-%m-%dT%H:%M:%S%.f")))
    }
}

/// `%Y` takes any number of digits; an instrument's clock shows years of our time.
fn plausible(date: NaiveDateTime) -> bool {
    use chrono::Datelike;
    (1970..2200).contains(&date.year())
}

/// The format with day and month exchanged; `None` where the format leaves no doubt.
///
/// A year in front, a month by name and the dots of the German form leave none.
fn swapped(format: &str) -> Option<String> {
    let (m, d, y) = (format.find("%m")?, format.find("%d")?, format.find("%Y").or_else(|| format.find("%y")));
    if y.is_some_and(|y| y < m && y < d) || format.contains("%d.%m") {
        return None;
    }
    Some(format.replace("%m", "%\u{0}").replace("%d", "%m").replace("%\u{0}", "%d"))
}

/// Order shown by a date that can be read in one way only, where no other contradicts it.
fn evidence(text: &str) -> Option<DateOrder> {
    static PATTERN: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\b(\d{1,2})([/-])(\d{1,2})[/-](\d{4})\b").ok());
    let pattern = PATTERN.as_ref()?;
    let mut seen = None;
    for found in pattern.captures_iter(text).take(10_000) {
        let part = |i| found.get(i).and_then(|m| m.as_str().parse::<u32>().ok());
        let order = match (part(1)?, part(3)?) {
            (13..=31, 1..=12) => DateOrder::Dmy,
            (1..=12, 13..=31) => DateOrder::Mdy,
            _ => continue,
        };
        if seen.is_some_and(|s| s != order) {
            return None;
        }
        seen = Some(order);
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, written: &str, word: Option<DateOrder>) -> Read {
        let spec = TextSpec {
            dates: [
                "%m/%d/%Y %I:%M:%S %p(%:z)",
                "%m/%d/%Y %I:%M:%S %p",
                "%m/%d/%Y %H:%M:%S",
                "%d.%m.%Y %H:%M:%S",
                "%d-%b-%y, %H:%M:%S",
                "%Y/%m/%d %H:%M:%S",
                "%m-%d-%Y %H:%M:%S",
            ]
            .map(String::from)
            .to_vec(),
            date_order: word,
            ..TextSpec::default()
        };
        DateReader::new(&spec, &Options::default(), text).read(written)
    }

    #[test]
    fn unmistakable_dates() {
        let iso = |s: &str| Read::Iso(s.to_owned());
        assert_eq!(read("", "7/24/2023 9:37:10 PM", None), iso("2023-07-24T21:37:10"));
        assert_eq!(read("", "24.07.2023 21:37:10", None), iso("2023-07-24T21:37:10"));
        assert_eq!(read("", "24-Jul-23, 21:37:10", None), iso("2023-07-24T21:37:10"));
        assert_eq!(read("", "06/16/2022 04:38:28 PM(-07:00)", None), iso("2022-06-16T16:38:28-07:00"));
        assert_eq!(read("", "2023/7/4 21:37:10", None), iso("2023-07-04T21:37:10"));
        assert_eq!(read("", "soon", None), Read::Unknown);
    }

    #[test]
    fn two_readings_need_a_word() {
        let date = "09-10-2024 15:24:19";
        assert_eq!(read("", date, None), Read::Ambiguous);
        assert_eq!(read("", date, Some(DateOrder::Dmy)), Read::Iso("2024-10-09T15:24:19".into()));
        // Another date of the file settles it, whatever the word.
        assert_eq!(
            read("saved 09-30-2024 08:00:00", date, Some(DateOrder::Dmy)),
            Read::Iso("2024-09-10T15:24:19".into())
        );
        // The same number twice leaves no doubt.
        assert_eq!(read("", "10-10-2024 15:24:19", None), Read::Iso("2024-10-10T15:24:19".into()));
    }
}
