//! What a line of business declares of itself: its fields, its checks, its steps, its document. Pure.
//!
//! The declaration lies below the case, since the table of lines travels in `Services`, which the case is given; the
//! lines themselves are rooms of `lines/`, and nothing below them names one.

mod particulars;
mod refusals;

use chrono::NaiveDate;

pub use particulars::{Particulars, StoredParticulars};
pub use refusals::BusinessRefusal;

use crate::documents::CertificateKind;
use crate::refusal::Refusal;
use crate::regulation::{Authorisation, Business, Category};
use crate::vocabulary::CaseState;

/// A field of the case that a line asks for, with its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Field {
    /// The name that it has in JSON.
    pub name: &'static str,
    /// The label in Chinese.
    pub zh: &'static str,
    /// The label in English.
    pub en: &'static str,
}

impl Field {
    /// A field of that name with its labels.
    #[must_use]
    pub const fn new(name: &'static str, zh: &'static str, en: &'static str) -> Self {
        Self { name, zh, en }
    }
}

/// A field as it is on record.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RecordedField {
    pub field: Field,
    /// Empty where nothing is recorded.
    pub value: String,
}

/// Something that a line does beside the common way of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The action that it is done by.
    pub action: &'static str,
    /// The states of the case in which it is done.
    pub during: &'static [CaseState],
}

/// The dates that a case may say beside those of its own way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaseDates {
    pub arrived_at_port: Option<NaiveDate>,
    pub notice_received: Option<NaiveDate>,
    pub sampled: Option<NaiveDate>,
}

impl CaseDates {
    /// The date of that name.
    #[must_use]
    pub fn of(&self, field: &Field) -> Option<NaiveDate> {
        match field.name {
            "arrived_at_port_on" => self.arrived_at_port,
            "notice_received_on" => self.notice_received,
            "sampled_on" => self.sampled,
            _ => None,
        }
    }

    /// Nothing has happened yet that is dated tomorrow.
    ///
    /// # Errors
    /// Names the field.
    pub fn not_after(&self, today: NaiveDate) -> Result<(), BusinessRefusal> {
        for (field, day) in [
            ("arrived_at_port_on", self.arrived_at_port),
            ("notice_received_on", self.notice_received),
            ("sampled_on", self.sampled),
        ] {
            if day.is_some_and(|day| day > today) {
                return Err(BusinessRefusal::InFuture { field });
            }
        }
        Ok(())
    }
}

/// What a line looks at when a case of it is accepted.
#[derive(Clone, Copy, Debug)]
pub struct Accepting<'a> {
    /// The institute's entries of the register of authorisations; empty where the line does not work under them.
    pub authorisations: &'a [Authorisation],
    pub institute: &'a str,
    pub product: &'a str,
    pub category: Category,
    /// The codes of the specification's items.
    pub items: &'a [&'a str],
    /// The day of acceptance.
    pub on: NaiveDate,
}

/// A line of business.
pub trait Line: Send + Sync {
    /// The businesses that it serves.
    fn businesses(&self) -> &'static [Business];

    /// The heading of its own part of the form, in Chinese and English.
    fn heading(&self) -> (&'static str, &'static str);

    /// The yes-or-no questions that it asks; a provision reads the answers.
    fn ticks(&self) -> &'static [Field] {
        &[]
    }

    /// The dates that it asks for, and that may become known after acceptance.
    fn dates(&self) -> &'static [Field] {
        &[]
    }

    /// Those of its dates that a receipt is not complete without: where one is missing, a person says why.
    fn dates_of_a_receipt(&self) -> &'static [Field] {
        &[]
    }

    /// The particulars that it asks for beside [`COMMON`].
    fn particulars(&self) -> &'static [Field] {
        &[]
    }

    /// What it does beside the common way of a case.
    fn steps(&self) -> &'static [Step] {
        &[]
    }

    /// Whether the institute needs an authorisation for the product.
    fn authorised(&self) -> bool {
        false
    }

    /// Whether the maker's summary protocol of each lot is reviewed beside the tests.
    fn reviews_protocols(&self) -> bool {
        false
    }

    /// Whether its dates agree with one another.
    ///
    /// # Errors
    /// Names the field.
    fn check_dates(&self, _dates: &CaseDates) -> Result<(), Refusal> {
        Ok(())
    }

    /// What it asks beside the provisions when a case is accepted.
    ///
    /// # Errors
    /// Why the case is not accepted.
    fn check_acceptance(&self, _case: &Accepting<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    /// The document that a case of it ends in.
    fn document(&self, conforms: bool) -> CertificateKind;
}

/// The particulars that every line asks for.
pub const COMMON: &[Field] = &[
    Field::new("supplier", "供样单位", "Supplied by"),
    Field::new("test_purpose", "检验目的（报告书用语）", "Purpose as on the report"),
    Field::new("manufacturer_report", "原厂检验报告号", "Manufacturer's report"),
    Field::new("remarks", "备注", "Remarks"),
];

/// The lines of the installation: one for every business.
#[derive(Clone)]
pub struct Lines(Vec<&'static dyn Line>);

impl Lines {
    /// The table of those lines.
    #[must_use]
    pub fn new(lines: Vec<&'static dyn Line>) -> Self {
        Self(lines)
    }

    /// All lines.
    pub fn all(&self) -> impl Iterator<Item = &'static dyn Line> {
        self.0.iter().copied()
    }

    /// The line of a business.
    ///
    /// # Errors
    /// Where the installation has none.
    pub fn of(&self, business: Business) -> Result<&'static dyn Line, Refusal> {
        self.all()
            .find(|line| line.businesses().contains(&business))
            .ok_or_else(|| BusinessRefusal::NoLine(business).into())
    }
}
