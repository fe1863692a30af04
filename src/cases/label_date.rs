//! Dates as labels write them. Pure.
//!
//! A month means its last day for the end of use and its first for the making; so does a day `00`, as GS1 writes it. Labels
//! say `2025-10-31`, `2025.10.31`, `2025年10月`, `31 Oct 2025` or `05/06/2026`. What can be read is compared; what
//! can be read in two ways is compared in both; what cannot be read is said so, and never passed over.

use chrono::{Days, Months, NaiveDate};

/// Which day a label means that names a month alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    First,
    Last,
}

/// A date of a label, as far as it can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LabelDate {
    /// One day.
    On(NaiveDate),
    /// The days that it may mean, the earliest first.
    Either(Vec<NaiveDate>),
    /// It is not a date.
    Unread,
}

/// Whether a label's date lies before a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Yes,
    No,
    /// It cannot be said: somebody must look.
    Unsure,
}

impl LabelDate {
    /// The days that it may mean; none where it is not a date.
    pub(super) fn days(&self) -> &[NaiveDate] {
        match self {
            LabelDate::On(one) => std::slice::from_ref(one),
            LabelDate::Either(several) => several,
            LabelDate::Unread => &[],
        }
    }

    /// Whether it lies before that day, whatever it means.
    pub(super) fn before(&self, day: NaiveDate) -> Before {
        let readings = match self {
            LabelDate::On(one) => std::slice::from_ref(one),
            LabelDate::Either(several) => several,
            LabelDate::Unread => return Before::Unsure,
        };
        match (readings.iter().all(|one| *one < day), readings.iter().any(|one| *one < day)) {
            (true, _) => Before::Yes,
            (_, false) => Before::No,
            _ => Before::Unsure,
        }
    }
}

/// A part of a date.
#[derive(Clone, Copy)]
enum Part {
    /// A number with its count of digits.
    Number(u32, usize),
    /// A month by name.
    Month(u32),
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Reads a label's last day of use. A month without a day ends with its last.
pub(super) fn last_day(label: &str) -> LabelDate {
    read(label, Edge::Last)
}

/// Reads the day on which a label says that the lot was made. A month without a day begins with its first.
pub(super) fn first_day(label: &str) -> LabelDate {
    read(label, Edge::First)
}

fn read(label: &str, edge: Edge) -> LabelDate {
    let Some(parts) = parts(label) else { return LabelDate::Unread };
    let month = |year: u32, of: u32| month(year, of, edge);
    // A day of zero means the whole month.
    let day = |year: u32, of: u32, on: u32| if on == 0 { month(year, of) } else { day(year, of, on) };
    let mut days: Vec<NaiveDate> = match parts.as_slice() {
        [Part::Number(all, 8)] => day(all / 10_000, all / 100 % 100, all % 100).into_iter().collect(),
        // `202510`, or `251031` as GS1 writes it.
        [Part::Number(all, 6)] => {
            let written = [month(all / 100, all % 100), day(2000 + all / 10_000, all / 100 % 100, all % 100)];
            written.into_iter().flatten().collect()
        }
        [Part::Number(y, 4), Part::Number(m, 1..=2)] | [Part::Number(m, 1..=2), Part::Number(y, 4)] => {
            month(*y, *m).into_iter().collect()
        }
        [Part::Number(y, digits), Part::Month(m)] | [Part::Month(m), Part::Number(y, digits)] => {
            year(*y, *digits).and_then(|y| month(y, *m)).into_iter().collect()
        }
        // Two short numbers are month and year, in either order.
        [Part::Number(a, 1..=2), Part::Number(b, 1..=2)] => {
            [month(2000 + b, *a), month(2000 + a, *b)].into_iter().flatten().collect()
        }
        [Part::Number(y, 4), Part::Number(m, 1..=2), Part::Number(d, 1..=2)] => day(*y, *m, *d).into_iter().collect(),
        [Part::Number(a, 1..=2), Part::Number(b, 1..=2), Part::Number(y, 4)] => {
            [day(*y, *b, *a), day(*y, *a, *b)].into_iter().flatten().collect()
        }
        // Three short numbers may be written in any of the three orders in use.
        [Part::Number(a, 1..=2), Part::Number(b, 1..=2), Part::Number(c, 1..=2)] => {
            let orders = [day(2000 + a, *b, *c), day(2000 + c, *b, *a), day(2000 + c, *a, *b)];
            orders.into_iter().flatten().collect()
        }
        [Part::Number(d, 1..=2), Part::Month(m), Part::Number(y, digits @ (2 | 4))]
        | [Part::Month(m), Part::Number(d, 1..=2), Part::Number(y, digits @ (2 | 4))]
        | [Part::Number(y, digits @ 4), Part::Month(m), Part::Number(d, 1..=2)] => {
            year(*y, *digits).and_then(|y| day(y, *m, *d)).into_iter().collect()
        }
        _ => Vec::new(),
    };
    days.sort_unstable();
    days.dedup();
    match days.as_slice() {
        [] => LabelDate::Unread,
        [one] => LabelDate::On(*one),
        _ => LabelDate::Either(days),
    }
}

fn year(written: u32, digits: usize) -> Option<u32> {
    match digits {
        4 => Some(written),
        2 => Some(2000 + written),
        _ => None,
    }
}

fn day(year: u32, month: u32, day: u32) -> Option<NaiveDate> {
    (1900..2200).contains(&year).then_some(())?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// The first or the last day of a month.
fn month(year: u32, month: u32, edge: Edge) -> Option<NaiveDate> {
    let first = day(year, month, 1)?;
    match edge {
        Edge::First => Some(first),
        Edge::Last => first.checked_add_months(Months::new(1))?.checked_sub_days(Days::new(1)),
    }
}

/// What labels write before a date, in small letters; the longer ones first.
const HEADS: &[&str] = &[
    "(17)",
    "(15)",
    "(11)",
    "(13)",
    "有效期至",
    "失效日期",
    "失效期",
    "有效期",
    "使用期限",
    "生产日期",
    "制造日期",
    "expiry date",
    "expiration date",
    "exp date",
    "exp. date",
    "expiry",
    "exp",
    "use by",
    "best before",
    "date of manufacture",
    "manufactured",
    "mfg date",
    "mfg. date",
    "mfg",
    "mfd",
    "prod",
];

/// The numbers and months of a label, between its signs; none where it says anything else.
fn parts(label: &str) -> Option<Vec<Part>> {
    let plain: String = label.chars().map(half_width).collect::<String>().trim().to_lowercase();
    let plain = HEADS.iter().find_map(|head| plain.strip_prefix(head)).unwrap_or(&plain);
    let plain = plain.trim_start_matches([':', ' ', '.']);
    let sign = |c: char| c.is_whitespace() || ['-', '.', '/', ',', '年', '月', '日', '至'].contains(&c);
    plain.split(sign).filter(|part| !part.is_empty()).map(part).collect()
}

fn part(text: &str) -> Option<Part> {
    if text.chars().all(|c| c.is_ascii_digit()) {
        return Some(Part::Number(text.parse().ok()?, text.len()));
    }
    let name = text.to_ascii_lowercase();
    let whole = name.chars().all(|c| c.is_ascii_lowercase());
    let found = MONTHS.iter().position(|month| whole && name.starts_with(month) && name.len() <= 9)?;
    Some(Part::Month(u32::try_from(found).ok()? + 1))
}

fn half_width(c: char) -> char {
    match c {
        '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10).unwrap_or(c),
        '／' => '/',
        '．' | '。' => '.',
        '－' | '–' | '—' => '-',
        '：' => ':',
        '（' => '(',
        '）' => ')',
        '\u{3000}' | '\u{a0}' => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(text: &str) -> LabelDate {
        LabelDate::On(text.parse().expect("a date"))
    }

    #[test]
    fn the_usual_forms_are_read() {
        for (label, day) in [
            ("2025-10-31", "2025-10-31"),
            ("2025.10.31", "2025-10-31"),
            ("2025/10/31", "2025-10-31"),
            ("2025. 1. 3", "2025-01-03"),
            ("2025年10月31日", "2025-10-31"),
            ("２０２５年１０月", "2025-10-31"),
            ("2025年2月", "2025-02-28"),
            ("有效期至：2024年2月", "2024-02-29"),
            ("20251031", "2025-10-31"),
            ("202510", "2025-10-31"),
            ("2025-10", "2025-10-31"),
            ("10/2025", "2025-10-31"),
            ("EXP 10.2025", "2025-10-31"),
            ("31/08/2027", "2027-08-31"),
            ("08/31/2027", "2027-08-31"),
            ("05.05.2027", "2027-05-05"),
            ("31 Aug 2027", "2027-08-31"),
            ("AUG.2027", "2027-08-31"),
            ("August 31, 2027", "2027-08-31"),
            ("2027-AUG-31", "2027-08-31"),
            ("08/27", "2027-08-31"),
            ("OCT 2025", "2025-10-31"),
            ("251031", "2025-10-31"),
            ("251000", "2025-10-31"),
            ("20251000", "2025-10-31"),
            ("2025-10-00", "2025-10-31"),
            ("(17)251000", "2025-10-31"),
            ("失效期 2025年10月", "2025-10-31"),
            ("Exp. Date: 31 OCT 2025", "2025-10-31"),
        ] {
            assert_eq!(last_day(label), on(day), "{label}");
        }
    }

    #[test]
    fn two_readings_stay_two_and_none_stays_none() {
        let LabelDate::Either(days) = last_day("05/06/2026") else { panic!("one reading") };
        assert_eq!(days.len(), 2);
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        assert_eq!(last_day("05/06/2026").before(day("2026-05-20")), Before::Unsure);
        assert_eq!(last_day("05/06/2026").before(day("2026-03-04")), Before::No);
        assert_eq!(last_day("05/06/2026").before(day("2027-03-04")), Before::Yes);
        for label in ["36个月", "见包装", "2025-13-01", "2025", "5", "31/31/2027", "soon", "2025-10-31A"] {
            assert_eq!(last_day(label), LabelDate::Unread, "{label}");
            assert_eq!(last_day(label).before(day("2026-03-04")), Before::Unsure, "{label}");
        }
    }

    #[test]
    fn a_lot_is_made_on_the_first_day_that_its_label_can_mean() {
        for (label, day) in [
            ("2023年1月", "2023-01-01"),
            ("202301", "2023-01-01"),
            ("MFG 01/2023", "2023-01-01"),
            ("生产日期：2023.01.05", "2023-01-05"),
            ("(11)230100", "2023-01-01"),
            ("JAN 2023", "2023-01-01"),
        ] {
            assert_eq!(first_day(label), on(day), "{label}");
        }
        // Six digits may be a year with its month, or a short year with month and day.
        assert_eq!(first_day("201012").days().len(), 2);
    }

    #[test]
    fn the_last_day_itself_is_not_past() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        assert_eq!(last_day("2025年10月").before(day("2025-10-31")), Before::No);
        assert_eq!(last_day("2025年10月").before(day("2025-11-01")), Before::Yes);
    }
}
