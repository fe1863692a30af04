//! Working days: the published arrangement of each year as data, and an honest guess for years without one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use toml::{Table, Value};

use crate::error::RegisterError;
use crate::load;

const YEARS: &[(&str, &str)] = &[
    ("2024.toml", include_str!("data/calendar/2024.toml")),
    ("2025.toml", include_str!("data/calendar/2025.toml")),
    ("2026.toml", include_str!("data/calendar/2026.toml")),
];
const FIXED: (&str, &str) = ("fixed.toml", include_str!("data/calendar/fixed.toml"));

/// Longest period that is counted, in days: far beyond any statutory limit, and a bound on the work of one request.
pub const LONGEST_PERIOD: u32 = 50_000;

/// The working days of China (工作日).
#[derive(Clone, Debug)]
pub struct Calendar {
    years: BTreeMap<i32, PublishedYear>,
    off: BTreeSet<NaiveDate>,
    make_up: BTreeSet<NaiveDate>,
    fixed: Vec<FixedHoliday>,
}

/// The notice that arranges a year's holidays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublishedYear {
    pub year: i32,
    /// The number of the notice of the General Office of the State Council.
    pub notice: String,
    pub title: String,
    pub issued: Option<NaiveDate>,
    pub confidence: String,
}

/// A date that a period ends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    pub date: NaiveDate,
    /// The period touches a year whose working days are not published.
    pub provisional: bool,
}

/// A number of working days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    pub working_days: u32,
    pub provisional: bool,
}

/// A period that cannot be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CalendarError {
    #[error("the period is longer than {LONGEST_PERIOD} days or leaves the calendar")]
    TooLong,
    #[error("`to` ({to}) is before `from` ({from})")]
    Backwards { from: NaiveDate, to: NaiveDate },
}

impl CalendarError {
    /// A stable word for the kind of problem.
    pub const fn code(&self) -> &'static str {
        match self {
            CalendarError::TooLong => "period_too_long",
            CalendarError::Backwards { .. } => "period_backwards",
        }
    }
}

/// A holiday that has the same date every year.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FixedHoliday {
    #[serde(rename = "name")]
    _name: String,
    month: u32,
    days: Vec<u32>,
    #[serde(default)]
    from_year: i32,
}

impl Calendar {
    /// The years that ship with the program.
    ///
    /// # Errors
    /// The shipped data are wrong, which a test excludes.
    pub fn embedded() -> Result<Self, RegisterError> {
        let mut calendar = Calendar {
            years: BTreeMap::new(),
            off: BTreeSet::new(),
            make_up: BTreeSet::new(),
            fixed: fixed_holidays(FIXED.0, FIXED.1)?,
        };
        for (name, text) in YEARS {
            calendar.add_year(name, load::parse(name, text)?)?;
        }
        Ok(calendar)
    }

    /// Takes a year's file; a year that is there already is replaced.
    pub(crate) fn add_year(&mut self, file: &str, table: Table) -> Result<(), RegisterError> {
        let fail = |detail: String| RegisterError::File { file: file.to_owned(), detail };
        let year = YearFile::read(table).map_err(fail)?;
        let number = year.published.year;
        if self.years.contains_key(&number) {
            self.off.retain(|date| date.year() != number);
            self.make_up.retain(|date| date.year() != number);
        }
        self.off.extend(year.off);
        self.make_up.extend(year.make_up);
        self.years.insert(number, year.published);
        Ok(())
    }

    /// The years whose arrangement is known, with their notices.
    pub fn published_years(&self) -> impl Iterator<Item = &PublishedYear> {
        self.years.values()
    }

    /// Whether the working days of a year are published, so that dates in it are final.
    pub fn is_published(&self, year: i32) -> bool {
        self.years.contains_key(&year)
    }

    /// Whether a day is worked: a make-up day, or Monday to Friday and no day off.
    /// In a year without data: Monday to Friday less the holidays that have a fixed date.
    pub fn is_working_day(&self, day: NaiveDate) -> bool {
        if self.make_up.contains(&day) {
            return true;
        }
        if matches!(day.weekday(), Weekday::Sat | Weekday::Sun) || self.off.contains(&day) {
            return false;
        }
        self.is_published(day.year()) || !self.fixed.iter().any(|holiday| holiday.falls_on(day))
    }

    /// The last day of a period of `n` working days; the day `from` is not counted, and `n` = 0 ends on `from`.
    ///
    /// # Errors
    /// The period is too long, or leaves the calendar.
    pub fn add_working_days(&self, from: NaiveDate, n: u32) -> Result<Due, CalendarError> {
        if n > LONGEST_PERIOD {
            return Err(CalendarError::TooLong);
        }
        let mut due = Due { date: from, provisional: false };
        let mut left = n;
        while left > 0 {
            due = self.step(due)?;
            if self.is_working_day(due.date) {
                left -= 1;
            }
        }
        Ok(due)
    }

    /// The day that lies `n` working days before `to`: from the day after it up to and including `to` there are as many.
    ///
    /// # Errors
    /// The period is too long, or leaves the calendar.
    pub fn working_days_before(&self, to: NaiveDate, n: u32) -> Result<Due, CalendarError> {
        if n > LONGEST_PERIOD {
            return Err(CalendarError::TooLong);
        }
        let mut due = Due { date: to, provisional: !self.is_published(to.year()) };
        let mut left = n;
        while left > 0 || !self.is_working_day(due.date) {
            left -= u32::from(left > 0 && self.is_working_day(due.date));
            let date = due.date.pred_opt().ok_or(CalendarError::TooLong)?;
            due = Due { date, provisional: due.provisional || !self.is_published(date.year()) };
        }
        Ok(due)
    }

    /// The last day of a period of `n` calendar days; the day `from` is not counted. With `to_working_day`, a period
    /// that ends on a day off ends on the next working day.
    ///
    /// # Errors
    /// The period is too long, or leaves the calendar.
    pub fn add_calendar_days(&self, from: NaiveDate, n: u32, to_working_day: bool) -> Result<Due, CalendarError> {
        if n > LONGEST_PERIOD {
            return Err(CalendarError::TooLong);
        }
        let date = from.checked_add_days(Days::new(u64::from(n))).ok_or(CalendarError::TooLong)?;
        let mut due = Due { date, provisional: !self.is_published(date.year()) };
        while to_working_day && !self.is_working_day(due.date) {
            due = self.step(due)?;
        }
        Ok(due)
    }

    /// The working days after `from`, up to and including `to`.
    ///
    /// # Errors
    /// `to` is before `from`, or the period is too long.
    pub fn count(&self, from: NaiveDate, to: NaiveDate) -> Result<Count, CalendarError> {
        if to < from {
            return Err(CalendarError::Backwards { from, to });
        }
        if to.signed_duration_since(from).num_days() > i64::from(LONGEST_PERIOD) {
            return Err(CalendarError::TooLong);
        }
        let mut count = Count { working_days: 0, provisional: false };
        for day in from.iter_days().skip(1).take_while(|day| *day <= to) {
            count.working_days += u32::from(self.is_working_day(day));
            count.provisional |= !self.is_published(day.year());
        }
        Ok(count)
    }

    fn step(&self, due: Due) -> Result<Due, CalendarError> {
        let date = due.date.succ_opt().ok_or(CalendarError::TooLong)?;
        Ok(Due { date, provisional: due.provisional || !self.is_published(date.year()) })
    }
}

impl FixedHoliday {
    fn falls_on(&self, day: NaiveDate) -> bool {
        day.year() >= self.from_year && day.month() == self.month && self.days.contains(&day.day())
    }
}

fn fixed_holidays(file: &str, text: &str) -> Result<Vec<FixedHoliday>, RegisterError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Fixed {
        #[serde(rename = "notice")]
        _notice: String,
        #[serde(rename = "confidence")]
        _confidence: String,
        fixed: Vec<FixedHoliday>,
    }
    let fixed: Fixed = load::parse(file, text)?
        .try_into()
        .map_err(|error: toml::de::Error| RegisterError::File { file: file.to_owned(), detail: error.to_string() })?;
    Ok(fixed.fixed)
}

/// A year's file, checked.
struct YearFile {
    published: PublishedYear,
    off: BTreeSet<NaiveDate>,
    make_up: BTreeSet<NaiveDate>,
}

impl YearFile {
    fn read(table: Table) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            year: i32,
            notice: String,
            #[serde(default)]
            title: String,
            issued: Option<Value>,
            #[serde(default)]
            confidence: String,
            off: Vec<Span>,
            #[serde(default)]
            make_up: Vec<Value>,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Span {
            name: String,
            from: Value,
            to: Value,
        }
        let raw: Raw = table.try_into().map_err(|error: toml::de::Error| error.to_string())?;
        let mut off = BTreeSet::new();
        for span in &raw.off {
            let from = in_year(raw.year, "off.from", &span.from)?;
            let to = in_year(raw.year, "off.to", &span.to)?;
            if to < from {
                return Err(format!("field `off`: {} ends before it begins", span.name));
            }
            off.extend(from.iter_days().take_while(|day| *day <= to));
        }
        let mut make_up = BTreeSet::new();
        for value in &raw.make_up {
            let day = in_year(raw.year, "make_up", value)?;
            if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
                return Err(format!("field `make_up`: {day} is not a Saturday or Sunday"));
            }
            if off.contains(&day) {
                return Err(format!("field `make_up`: {day} is also a day off"));
            }
            make_up.insert(day);
        }
        let issued = raw.issued.as_ref().map(|value| load::date("issued", value)).transpose()?;
        Ok(YearFile {
            published: PublishedYear {
                year: raw.year,
                notice: raw.notice,
                title: raw.title,
                issued,
                confidence: raw.confidence,
            },
            off,
            make_up,
        })
    }
}

/// A date of the year, or of the last days of the year before: New Year's arrangement may reach back into December.
fn in_year(year: i32, field: &str, value: &Value) -> Result<NaiveDate, String> {
    let day = load::date(field, value)?;
    if day.year() == year || (day.year() == year - 1 && day.month() == 12) {
        Ok(day)
    } else {
        Err(format!("field `{field}`: {day} is not in {year}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn calendar() -> Calendar {
        Calendar::embedded().expect("the shipped calendar")
    }

    fn day(text: &str) -> NaiveDate {
        crate::case::parse_date(text).expect(text)
    }

    #[test]
    fn worked_deadlines() {
        let table = [
            ("2025-04-01", 60, "2025-06-30"),
            ("2025-04-02", 45, "2025-06-10"),
            ("2025-11-03", 30, "2025-12-15"),
            ("2026-01-05", 30, "2026-02-14"),
            ("2026-02-13", 3, "2026-02-25"),
            ("2025-09-30", 3, "2025-10-11"),
            ("2026-09-18", 2, "2026-09-21"),
            ("2026-07-01", 30, "2026-08-12"),
            ("2026-07-01", 45, "2026-09-02"),
            ("2026-07-01", 60, "2026-09-22"),
        ];
        for (from, n, due) in table {
            let found = calendar().add_working_days(day(from), n).expect(from);
            assert_eq!(found, Due { date: day(due), provisional: false }, "{from} +{n}");
        }
    }

    #[test]
    fn working_days_of_the_published_years() {
        let calendar = calendar();
        let of = |from: &str, to: &str| calendar.count(day(from), day(to)).expect(from).working_days;
        assert_eq!(of("2023-12-31", "2024-12-31"), 251);
        assert_eq!(of("2024-12-31", "2025-12-31"), 248);
        assert_eq!(of("2025-12-31", "2026-12-31"), 248);
        let months: Vec<u32> = (1..=12)
            .map(|month| {
                let first = NaiveDate::from_ymd_opt(2026, month, 1).expect("a month");
                let next = first.checked_add_months(chrono::Months::new(1)).expect("a month");
                let eve = first.pred_opt().expect("a day");
                calendar.count(eve, next.pred_opt().expect("a day")).expect("a month").working_days
            })
            .collect();
        assert_eq!(months, [21, 16, 22, 21, 19, 21, 23, 21, 22, 18, 21, 23]);
    }

    #[test]
    fn a_year_without_data_is_provisional_until_it_is_loaded() {
        let mut calendar = calendar();
        let from = day("2026-12-30");
        assert_eq!(calendar.add_working_days(from, 1), Ok(Due { date: day("2026-12-31"), provisional: false }));
        assert_eq!(calendar.add_working_days(from, 2), Ok(Due { date: day("2027-01-04"), provisional: true }));
        // 1 October 2027 is a Friday and a holiday by a date that never moves; 2 May only since 2025.
        assert!(!calendar.is_working_day(day("2027-10-01")));
        assert!(!calendar.is_working_day(day("2028-05-02")) && calendar.is_working_day(day("2023-05-02")));
        let text = "year = 2027\nnotice = \"x\"\nmake_up = [2027-01-02]\n\
                    [[off]]\nname = \"元旦\"\nfrom = 2027-01-01\nto = 2027-01-01\n";
        calendar.add_year("2027.toml", load::parse("2027.toml", text).expect("toml")).expect("a year");
        assert_eq!(calendar.add_working_days(from, 2), Ok(Due { date: day("2027-01-02"), provisional: false }));
    }

    #[test]
    fn wrong_years_are_refused_by_file_and_field() {
        let table = [
            ("year = 2027\nnotice = \"x\"\noff = []\nmake_up = [2027-01-04]", "make_up"),
            ("year = 2027\nnotice = \"x\"\noff = []\nmake_up = [2028-01-01]", "make_up"),
            ("year = 2027\noff = []", "notice"),
            ("year = 2027\nnotice = \"x\"\noff = []\nof = 1", "of"),
            ("year = 2027\nnotice = \"x\"\n[[off]]\nname = \"a\"\nfrom = 2027-01-03\nto = 2027-01-01", "off"),
            ("year = 2027\nnotice = \"x\"\n[[off]]\nname = \"a\"\nfrom = \"soon\"\nto = 2027-01-01", "off.from"),
        ];
        for (text, field) in table {
            let table = load::parse("2027.toml", text).expect("toml");
            let error = calendar().add_year("2027.toml", table).expect_err(text).to_string();
            assert!(error.contains("2027.toml") && error.contains(field), "{error}");
        }
    }

    #[test]
    fn calendar_days_that_end_on_a_day_off_move_on() {
        let calendar = calendar();
        // 2026-02-15 is the first day of Spring Festival, 2026-02-24 the first working day after it.
        let due = calendar.add_calendar_days(day("2026-02-13"), 2, true);
        assert_eq!(due, Ok(Due { date: day("2026-02-24"), provisional: false }));
        let due = calendar.add_calendar_days(day("2026-02-13"), 2, false);
        assert_eq!(due, Ok(Due { date: day("2026-02-15"), provisional: false }));
        // A make-up Saturday is a working day.
        let due = calendar.add_calendar_days(day("2026-02-12"), 2, true);
        assert_eq!(due, Ok(Due { date: day("2026-02-14"), provisional: false }));
        let due = calendar.add_calendar_days(day("2026-12-20"), 20, true);
        assert_eq!(due, Ok(Due { date: day("2027-01-11"), provisional: true }));
    }

    #[test]
    fn hostile_periods_are_errors() {
        let calendar = calendar();
        assert_eq!(calendar.add_working_days(day("2026-01-01"), u32::MAX), Err(CalendarError::TooLong));
        assert_eq!(calendar.add_calendar_days(NaiveDate::MAX, 2, true), Err(CalendarError::TooLong));
        assert_eq!(calendar.add_working_days(NaiveDate::MAX, 1), Err(CalendarError::TooLong));
        assert!(calendar.count(day("2026-01-02"), day("2026-01-01")).is_err());
        assert_eq!(calendar.count(day("2026-01-02"), day("2026-01-02")).map(|c| c.working_days), Ok(0));
    }

    proptest! {
        #[test]
        fn due_and_count_are_inverse(offset in 0i64..1096, n in 1u32..120) {
            let calendar = calendar();
            let from = day("2024-01-01") + chrono::Duration::days(offset);
            let due = calendar.add_working_days(from, n).expect("a date");
            prop_assert!(calendar.is_working_day(due.date));
            let count = calendar.count(from, due.date).expect("a count");
            prop_assert_eq!(count.working_days, n);
            prop_assert_eq!(count.provisional, due.provisional);
            // The day before has one less: the due date is the first that completes the period.
            let before = calendar.count(from, due.date.pred_opt().expect("a day")).expect("a count");
            prop_assert_eq!(before.working_days, n - 1);
        }
    }
}
