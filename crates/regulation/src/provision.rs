//! A provision: one dated rule of one document, to what it applies and what it sets.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::case::CaseFacts;
use vocabulary::words::{
    Business, Category, ClockName, ClockUnit, Confidence, DateName, DeviceClass, Jurisdiction, Kind, Lane, Purpose,
    Trait,
};

/// One rule of the register.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Provision {
    /// Stable and readable: decisions cite it.
    pub id: String,
    /// The short name of the document (`N24`).
    pub document: String,
    /// How far title, number and date of the document were verified, where its text does not carry them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_confidence: Option<Confidence>,
    pub document_title: String,
    pub document_number: Option<String>,
    pub issuer: Option<String>,
    /// The date that the document carries.
    pub issued: Option<NaiveDate>,
    pub clause: String,
    pub title_zh: String,
    pub title_en: String,
    /// The clause in Chinese, word for word; empty where we do not have the text (`text_note` says so).
    pub text: String,
    pub text_note: Option<String>,
    pub source_note: Option<String>,
    pub jurisdiction: Jurisdiction,
    /// First day in force. `None`: in force on every date before `effective_to`, or, where `active` is false, not known.
    pub effective_from: Option<NaiveDate>,
    /// Last day in force. Cases accepted until then keep the provision.
    pub effective_to: Option<NaiveDate>,
    pub effective_note: Option<String>,
    /// Which date of the case is compared with the days in force.
    pub selected_by: DateName,
    pub confidence: Confidence,
    /// Whether the statement is an interpretation or a date that a laboratory may have to change.
    pub changeable: bool,
    /// An inactive provision decides nothing.
    pub active: bool,
    pub note_zh: Option<String>,
    pub note_en: Option<String>,
    /// The test (`path.rs::name`) that shows the function of which the notes speak.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown_by: Option<String>,
    pub applies: Applies,
    pub sets: Sets,
}

/// The conditions of a provision; an empty list or `None` sets no condition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Applies {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub business: Vec<Business>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub category: Vec<Category>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_class: Vec<DeviceClass>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub purpose: Vec<Purpose>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traits_all: Vec<Trait>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traits_any: Vec<Trait>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traits_none: Vec<Trait>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_submission: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standard_verification: Option<bool>,
}

/// What a provision sets; one that sets nothing is in the register for information only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sets {
    /// How many batches are tested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batches: Option<u32>,
    /// How many times the full-test amount is required of each batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity_multiple: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<Lane>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockRule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remainder: Option<RemainderRule>,
    /// Whether testing before the application is submitted is open to the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_submission: Option<Allowance>,
    /// A reason not to take the case at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RefusalRule>,
    /// Whether clocks in calendar days that end on a day off end on the next working day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day_off_moves_to_next_working_day: Option<bool>,
}

/// A time limit: `limit` units after the day `starts`, which is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockRule {
    pub name: ClockName,
    pub unit: ClockUnit,
    pub limit: u32,
    pub starts: DateName,
}

/// What must be met before remaining samples may be sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemainderRule {
    pub conditions: Vec<Condition>,
}

/// A condition with its stable word and its wording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    pub code: String,
    pub zh: String,
    pub en: String,
}

/// A permission, or its denial with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    pub allow: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zh: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub en: String,
}

/// A refusal with its stable word and its wording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefusalRule {
    pub code: String,
    pub zh: String,
    pub en: String,
}

impl Provision {
    /// Whether it is active and `day` lies within its days in force.
    pub fn in_force_on(&self, day: NaiveDate) -> bool {
        self.active
            && self.effective_from.is_none_or(|from| from <= day)
            && self.effective_to.is_none_or(|to| day <= to)
    }

    /// Whether it speaks to the case: in force on the date that selects it, made for the place, all conditions met.
    pub fn speaks_to(&self, case: &CaseFacts) -> bool {
        self.jurisdiction.covers(case.jurisdiction)
            && case.dates.get(self.selected_by).is_some_and(|day| self.in_force_on(day))
            && self.applies.met_by(case)
    }

    /// Its precedence among the provisions that apply to one case: the greater decides over the smaller.
    pub fn rank(&self) -> Rank {
        Rank {
            local: !self.jurisdiction.is_national(),
            conditions: self.applies.conditions(),
            effective_from: self.effective_from,
        }
    }

    /// Document and clause as a person cites them; a document that is known from memory alone is marked.
    pub fn citation(&self) -> String {
        let known = self.document_confidence.is_none_or(Confidence::is_read);
        let mark = if known { "" } else { "（文件名称、文号和日期未经核对）" };
        match &self.document_number {
            Some(number) => format!("{number}{mark}{}", self.clause),
            None => format!("《{}》{mark}{}", self.document_title, self.clause),
        }
    }

    /// Whether a document may cite it as its authority: statement and document were read in some text.
    pub fn is_authority(&self) -> bool {
        self.confidence.is_read() && self.document_confidence.is_none_or(Confidence::is_read)
    }
}

/// The order among provisions: the nearer jurisdiction, then more conditions, then the later one.
/// `None` for the date is the earliest, as an undated baseline gives way to anything dated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    local: bool,
    conditions: usize,
    effective_from: Option<NaiveDate>,
}

impl Applies {
    /// Whether the case meets every condition.
    pub fn met_by(&self, case: &CaseFacts) -> bool {
        let product = &case.product;
        let class = |class: &DeviceClass| product.device_class == Some(*class);
        let has = |one: &Trait| product.traits.contains(one);
        one_of(&self.business, &case.business)
            && self.kind.is_none_or(|kind| kind == product.category.kind())
            && one_of(&self.category, &product.category)
            && (self.device_class.is_empty() || self.device_class.iter().any(class))
            && one_of(&self.purpose, &case.purpose)
            && self.traits_all.iter().all(has)
            && (self.traits_any.is_empty() || self.traits_any.iter().any(has))
            && !self.traits_none.iter().any(has)
            && self.pre_submission.is_none_or(|wanted| wanted == case.pre_submission)
            && self.standard_verification.is_none_or(|wanted| wanted == case.standard_verification)
    }

    /// How many conditions there are; each required trait counts, a list of alternatives counts once.
    pub fn conditions(&self) -> usize {
        usize::from(!self.business.is_empty())
            + usize::from(self.kind.is_some())
            + usize::from(!self.category.is_empty())
            + usize::from(!self.device_class.is_empty())
            + usize::from(!self.purpose.is_empty())
            + self.traits_all.len()
            + usize::from(!self.traits_any.is_empty())
            + usize::from(!self.traits_none.is_empty())
            + usize::from(self.pre_submission.is_some())
            + usize::from(self.standard_verification.is_some())
    }

    /// Whether some case could meet both sets of conditions.
    pub fn overlaps(&self, other: &Applies) -> bool {
        self.categories().iter().any(|category| other.categories().contains(category))
            && lists_overlap(&self.business, &other.business)
            && lists_overlap(&self.device_class, &other.device_class)
            && lists_overlap(&self.purpose, &other.purpose)
            && flags_overlap(self.pre_submission, other.pre_submission)
            && flags_overlap(self.standard_verification, other.standard_verification)
            && self.traits_overlap(other)
    }

    fn categories(&self) -> Vec<Category> {
        let fits = |category: &&Category| {
            one_of(&self.category, *category) && self.kind.is_none_or(|kind| kind == category.kind())
        };
        Category::ALL.iter().filter(fits).copied().collect()
    }

    fn traits_overlap(&self, other: &Applies) -> bool {
        let forbidden = |one: &Trait| self.traits_none.contains(one) || other.traits_none.contains(one);
        let possible = |any: &[Trait]| any.is_empty() || any.iter().any(|one| !forbidden(one));
        !self.traits_all.iter().chain(&other.traits_all).any(forbidden)
            && possible(&self.traits_any)
            && possible(&other.traits_any)
    }
}

fn one_of<T: PartialEq>(list: &[T], value: &T) -> bool {
    list.is_empty() || list.contains(value)
}

fn lists_overlap<T: PartialEq>(one: &[T], other: &[T]) -> bool {
    one.is_empty() || other.is_empty() || one.iter().any(|value| other.contains(value))
}

fn flags_overlap(one: Option<bool>, other: Option<bool>) -> bool {
    one.is_none() || other.is_none() || one == other
}
