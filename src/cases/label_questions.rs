//! What a person has to look at before a lot is taken: dates of its label that cannot be read, that are missing or that
//! contradict each other. Nothing of it is refused outright: labels are wrong, printed badly, or right in a way that nobody
//! expected; but somebody says what was found. Pure.

use chrono::NaiveDate;

use super::label_date::{Before, LabelDate, first_day, last_day};
use crate::business::{CaseDates, Line};

/// A question about the dates of a lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DateQuestion {
    /// The label does not say whether it has expired.
    Expiry { label: String },
    /// The label does not say when it was made.
    Making { label: String },
    /// It was made after its last day of use.
    MadeAfterExpiry { made: String, expires: String },
    /// It was made on a day that has not come yet.
    MadeAhead { made: String },
    /// Its label has no date at all.
    Undated,
    /// A date of the case that its line of business counts from is not given.
    NotGiven { zh: &'static str, en: &'static str },
}

impl DateQuestion {
    /// In Chinese.
    pub(super) fn zh(&self) -> String {
        match self {
            Self::Expiry { label } => format!("有效期“{label}”不能确定是否已过"),
            Self::Making { label } => format!("生产日期“{label}”不能确定"),
            Self::MadeAfterExpiry { made, expires } => format!("生产日期“{made}”晚于有效期“{expires}”"),
            Self::MadeAhead { made } => format!("生产日期“{made}”晚于今日"),
            Self::Undated => "未填生产日期和有效期".to_owned(),
            Self::NotGiven { zh, .. } => format!("未填{zh}"),
        }
    }

    /// In English.
    pub(super) fn en(&self) -> String {
        match self {
            Self::Expiry { label } => format!("whether the lot has expired cannot be told from {label:?}"),
            Self::Making { label } => format!("when the lot was made cannot be told from {label:?}"),
            Self::MadeAfterExpiry { made, expires } => {
                format!("the lot was made {made:?}, after its expiry {expires:?}")
            }
            Self::MadeAhead { made } => format!("the lot was made {made:?}, which lies ahead"),
            Self::Undated => "neither the date of making nor the expiry is given".to_owned(),
            Self::NotGiven { en, .. } => format!("the date is not given: {}", en.to_lowercase()),
        }
    }
}

/// The dates of a case that are missing, of those that its line counts from.
pub(super) fn not_given(line: &dyn Line, dates: &CaseDates) -> Vec<DateQuestion> {
    let missing = line.dates_of_a_receipt().iter().filter(|field| dates.of(field).is_none());
    missing.map(|field| DateQuestion::NotGiven { zh: field.zh, en: field.en }).collect()
}

/// Whether the lot has expired for certain.
pub(super) fn expired(expires: Option<&str>, today: NaiveDate) -> bool {
    expires.is_some_and(|label| last_day(label).before(today) == Before::Yes)
}

/// What somebody has to look at, on that day.
pub(super) fn questions(made: Option<&str>, expires: Option<&str>, today: NaiveDate) -> Vec<DateQuestion> {
    let mut found = Vec::new();
    let (first, last) = (made.map(first_day), expires.map(last_day));
    if let (Some(label), Some(last)) = (expires, &last)
        && last.before(today) == Before::Unsure
    {
        found.push(DateQuestion::Expiry { label: label.to_owned() });
    }
    if let (Some(label), Some(first)) = (made, &first) {
        let made = label.to_owned();
        let several = matches!(first, LabelDate::Either(_));
        if first.days().is_empty() || several {
            found.push(DateQuestion::Making { label: made });
        } else if first.days().iter().all(|day| *day > today) {
            found.push(DateQuestion::MadeAhead { made });
        }
    }
    if let (Some(made), Some(expires), Some(first), Some(last)) = (made, expires, &first, &last) {
        let (made_at, last_at) = (first.days().iter().min(), last.days().iter().max());
        if made_at.zip(last_at).is_some_and(|(made, last)| made > last) {
            found.push(DateQuestion::MadeAfterExpiry { made: made.to_owned(), expires: expires.to_owned() });
        }
    }
    if made.is_none() && expires.is_none() {
        found.push(DateQuestion::Undated);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_told_or_contradicts_itself_is_asked() {
        let today = NaiveDate::from_ymd_opt(2026, 3, 4).expect("a day");
        let asked = |made: &str, expires: &str| {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            questions(some(made).as_deref(), some(expires).as_deref(), today)
        };
        for (made, expires) in [
            ("2023-01-01", "2028-12-31"),
            ("2023年1月", "2028年12月"),
            ("", "2028.12"),
            ("2023.01.05", ""),
            ("2026年3月", "2028-12-31"),
            ("05.05.2023", "(17)281200"),
        ] {
            assert_eq!(asked(made, expires), [], "{made} {expires}");
        }
        assert_eq!(asked("", ""), [DateQuestion::Undated]);
        assert_eq!(asked("见包装", "2028-12-31"), [DateQuestion::Making { label: "见包装".into() }]);
        assert_eq!(asked("05/06/2023", "2028-12-31"), [DateQuestion::Making { label: "05/06/2023".into() }]);
        assert_eq!(asked("2023-01-01", "36个月"), [DateQuestion::Expiry { label: "36个月".into() }]);
        assert_eq!(asked("2026-03-05", "2028-12-31"), [DateQuestion::MadeAhead { made: "2026-03-05".into() }]);
        let both = asked("2029-01-01", "2028-12-31");
        assert_eq!(both.len(), 2, "{both:?}");
        assert!(both.iter().all(|one| !one.zh().is_empty() && !one.en().contains('期')));
        assert!(expired(Some("2025年10月"), today) && !expired(Some("2026年3月"), today) && !expired(None, today));
    }
}
