//! What a person says of a run: the role of each injection or well, weighings and volumes, doses.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use regulation::numeric::parse_decimal;

/// What an injection or a well is in its run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[schema(as = InjectionRole)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 空白
    Blank,
    /// 系统适用性
    SystemSuitability,
    /// 对照（标准）
    Standard,
    /// 随行对照: brackets samples
    CheckStandard,
    /// 供试品
    Sample,
    /// 质控, of plates
    Control,
    /// 供试品加标, of endotoxin tests
    Spike,
    /// 空孔
    Empty,
    /// Takes no part
    #[default]
    Other,
}

impl Role {
    /// Every role with its word and its names.
    pub const ALL: &'static [(Role, &'static str, &'static str, &'static str)] = &[
        (Role::Blank, "blank", "空白", "blank"),
        (Role::SystemSuitability, "system_suitability", "系统适用性", "system suitability"),
        (Role::Standard, "standard", "对照", "standard"),
        (Role::CheckStandard, "check_standard", "随行对照", "check standard"),
        (Role::Sample, "sample", "供试品", "sample"),
        (Role::Control, "control", "质控", "control"),
        (Role::Spike, "spike", "加标供试品", "spiked sample"),
        (Role::Empty, "empty", "空孔", "empty"),
        (Role::Other, "other", "不参与", "takes no part"),
    ];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|one| one.0 == self).map_or("other", |one| one.1)
    }

    /// The role of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|one| one.1 == word).map(|one| one.0)
    }

    /// Its Chinese name.
    #[must_use]
    pub fn zh(self) -> &'static str {
        self.names().0
    }

    /// Its English name.
    #[must_use]
    pub fn en(self) -> &'static str {
        self.names().1
    }

    /// Its names.
    #[must_use]
    pub fn names(self) -> (&'static str, &'static str) {
        Self::ALL.iter().find(|one| one.0 == self).map_or(("", ""), |one| (one.2, one.3))
    }
}

/// How a run is evaluated; kept with the evaluation as it was given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Setup {
    /// The analyte as the file names it
    pub analyte: String,
    /// The internal standard as the file names it
    pub internal_standard: String,
    /// The detector signal, where the files have several
    pub signal: String,
    pub injections: Vec<AssignedRole>,
    pub preparations: Vec<Preparation>,
    pub plate: Option<PlateSetup>,
    /// The evaluations of independent assays that are combined
    pub assays: Vec<String>,
}

/// The role of one injection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AssignedRole {
    /// The injection's key, as the proposal gives it
    pub injection: String,
    pub role: Role,
    /// The label of the preparation that was injected
    pub preparation: String,
    /// Why a role differs from the one proposed, or an injection takes no part
    pub reason: String,
    /// What the method's patterns had proposed; set by the program
    pub proposed: Option<Role>,
    /// Who assigned it; set by the program
    pub assigned_by: String,
}

/// One weighing and what was made of it. Numbers are text, kept as typed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Preparation {
    pub label: String,
    /// The lot of the reference standard, of standards
    pub standard_id: String,
    /// Mass weighed
    pub weight: String,
    /// The volume that it was made up to
    pub volume: String,
    /// By how much it was diluted further; 1 without it
    pub dilution: String,
    /// Water or loss on drying of the sample, in per cent
    pub water: String,
    /// The standard was dried before it was weighed
    pub dried: bool,
    /// The internal standard's amount in the solution
    pub internal_amount: String,
    /// The labelled amount of one unit
    pub label_amount: String,
    /// The average mass of one unit
    pub average_weight: String,
}

/// How a plate is laid out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlateSetup {
    /// What was read, e.g. `absorbance`; without it, the method's
    pub quantity: String,
    /// The plate, where the file has several
    pub plate: String,
    /// The wavelength or channel, where the file has several
    pub wavelength: String,
    /// A wavelength that is subtracted well by well
    pub reference_wavelength: String,
    pub wells: Vec<WellSetup>,
    /// The potency that the standard is assigned, and its unit
    pub standard_potency: String,
    pub unit: String,
    /// The lot of the reference standard
    pub standard_id: String,
    /// What a control's result must be, by its name
    pub controls: Vec<ControlSetup>,
    /// The assumed potency of each sample, by its name; without it, the standard's
    pub samples: Vec<SampleSetup>,
}

/// The role of wells: one or several of one level.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WellSetup {
    pub wells: Vec<String>,
    pub role: Role,
    /// The standard, control or sample
    pub name: String,
    /// The dose or nominal concentration of the level
    pub dose: String,
    /// By how much the sample was diluted; 1 without it
    pub dilution: String,
    /// Why wells take no part
    pub reason: String,
}

/// What a control must give.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ControlSetup {
    pub name: String,
    /// E.g. `0.8~1.2`
    pub expected: String,
}

/// A sample of a potency assay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SampleSetup {
    pub name: String,
    pub assumed_potency: String,
}

/// A lot of a reference standard, as the register has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StandardFacts {
    pub id: String,
    pub name: String,
    pub batch: String,
    /// In per cent
    pub purity: String,
    /// `as_is`: of the substance as it is; `dried` or `anhydrous`: of the dried or water-free substance
    pub basis: String,
    /// Water or loss on drying, in per cent
    pub water: String,
}

/// A number that was typed; `Ok(None)` where nothing was.
///
/// # Errors
/// The text, where it cannot be read as a number.
pub fn number(text: &str) -> Result<Option<Decimal>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    parse_decimal(text.trim()).map(Some).map_err(|_| text.to_owned())
}
