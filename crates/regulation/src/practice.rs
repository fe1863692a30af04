//! What the texts leave open and a laboratory decides, as data: how containers that are needed whole count, what becomes
//! of a lot that another institute refused, how long retained samples are kept.

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};
use vocabulary::words::{Business, Category, Confidence};

use crate::error::RegisterError;

const SHIPPED: &str = include_str!("data/practice.toml");

/// What is done with a lot that another institute refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedElsewhere {
    Refuse,
    Ask,
}

/// From which day a period of retention is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetainedFrom {
    /// The lot's expiry
    Expiry,
    /// The first issued report
    Report,
    Receipt,
}

/// How long what is retained of a sample is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionPeriod {
    /// Empty: every business
    #[serde(default)]
    pub business: Vec<Business>,
    /// Empty: every category
    #[serde(default)]
    pub category: Vec<Category>,
    pub from: RetainedFrom,
    pub months: u32,
    /// The provision that says so; without one it is the laboratory's default
    #[serde(default)]
    pub provision: Option<String>,
    pub confidence: Confidence,
    pub zh: String,
    pub en: String,
}

/// The days from which a period can be counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct RetentionDays {
    /// Where the label can be read as a date
    pub expiry: Option<NaiveDate>,
    pub report: Option<NaiveDate>,
    pub receipt: Option<NaiveDate>,
}

impl RetentionPeriod {
    fn fits(&self, business: Business, category: Category) -> bool {
        (self.business.is_empty() || self.business.contains(&business))
            && (self.category.is_empty() || self.category.contains(&category))
    }

    /// The last day on which it is kept; none where the day from which it is counted is not known.
    #[must_use]
    pub fn until(&self, days: RetentionDays) -> Option<NaiveDate> {
        let from = match self.from {
            RetainedFrom::Expiry => days.expiry,
            RetainedFrom::Report => days.report,
            RetainedFrom::Receipt => days.receipt,
        };
        from?.checked_add_months(Months::new(self.months))
    }
}

/// What a laboratory decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Practice {
    pub confidence: Confidence,
    pub whole_containers_multiplied: bool,
    pub refused_elsewhere: RefusedElsewhere,
    pub retention: Vec<RetentionPeriod>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    practice: Practice,
}

impl Practice {
    /// That of the program.
    ///
    /// # Errors
    /// Where the shipped file cannot be read.
    pub fn shipped() -> Result<Self, RegisterError> {
        Self::read("practice.toml", SHIPPED)
    }

    /// That of a file.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn read(file: &str, text: &str) -> Result<Self, RegisterError> {
        let syntax = |detail: String| RegisterError::Syntax { file: file.to_owned(), detail };
        let raw: RawFile = toml::from_str(text).map_err(|error| syntax(error.to_string()))?;
        Ok(raw.practice)
    }

    /// How long a sample of that business and category is retained; none where the laboratory says nothing of it.
    #[must_use]
    pub fn retention(&self, business: Business, category: Category) -> Option<&RetentionPeriod> {
        self.retention.iter().find(|one| one.fits(business, category))
    }

    /// What marks a rule as the laboratory's own, in Chinese and English: nobody takes it for an authority.
    #[must_use]
    pub fn mark(&self) -> (String, String) {
        let mark = self.confidence.as_str();
        (format!("实验室默认规则〔{mark}〕"), format!("a default of the laboratory [{mark}]"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn imports_are_kept_until_they_expire_and_others_by_the_laboratorys_table() {
        let practice = Practice::shipped().expect("the shipped file");
        let days = RetentionDays {
            expiry: Some(day("2028-01-31")),
            report: Some(day("2026-04-30")),
            receipt: Some(day("2026-03-02")),
        };
        let until = |business, category| practice.retention(business, category).and_then(|one| one.until(days));
        assert_eq!(until(Business::PortEntry, Category::Chemical), Some(day("2028-01-31")));
        assert_eq!(until(Business::DrugRegistration, Category::Chemical), Some(day("2029-01-31")));
        assert_eq!(until(Business::DeviceRegistration, Category::Device), Some(day("2027-04-30")));
        let port = practice.retention(Business::PortEntry, Category::Chemical).expect("a period");
        assert_eq!((port.provision.as_deref(), port.until(RetentionDays::default())), (Some("IM-28"), None));
        for one in practice.retention.iter().filter(|one| one.provision.is_none()) {
            assert!(!one.confidence.is_read(), "{}: a default is no authority", one.zh);
        }
    }

    #[test]
    fn a_laboratory_may_ask_where_the_program_refuses() {
        let own = SHIPPED.replace("refused_elsewhere = \"refuse\"", "refused_elsewhere = \"ask\"");
        assert_eq!(Practice::read("own.toml", &own).map(|own| own.refused_elsewhere).ok(), Some(RefusedElsewhere::Ask));
        assert!(Practice::read("own.toml", &own.replace("\"ask\"", "\"shrug\"")).is_err());
    }
}
