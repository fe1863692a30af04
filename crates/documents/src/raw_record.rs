//! The raw record of tests (检验原始记录) as it is printed: readings with their place in the file,
//! calculation steps, reagents, people and times.

use serde::{Deserialize, Serialize};

use super::data::{Bilingual, PrintedVerdict};
use super::printed::Printed;

/// One reading of an instrument or a person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RawReading)]
#[serde(default)]
pub struct RecordedReading {
    /// What was read, for example `峰面积 对照 1`.
    pub label: Printed,
    /// The text as written in the file or typed.
    pub raw: Printed,
    /// The decimal value used.
    pub value: Printed,
    /// Unit.
    pub unit: Printed,
    /// File name, empty for a typed reading.
    pub file: Printed,
    /// Line, cell or path inside the file.
    pub locator: Printed,
    /// Address of the page that shows the value in its file, empty for a typed reading.
    pub href: Printed,
    /// Flags of the instrument, or a remark.
    pub note: Printed,
}

/// An instrument file that a test rests on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RawSourceFile)]
#[serde(default)]
pub struct CitedFile {
    /// File name as uploaded.
    pub name: Printed,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: Printed,
    /// Adapter and its version.
    pub adapter: Printed,
    /// Instrument or software named in the file.
    pub instrument: Printed,
    /// Time of import and person.
    pub imported: Printed,
}

/// One step of a calculation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RawCalculationStep)]
#[serde(default)]
pub struct CalculationStep {
    /// What is calculated.
    pub label: Printed,
    /// The formula with its names.
    pub formula: Printed,
    /// The formula with the numbers put in.
    pub substituted: Printed,
    /// Result at full precision.
    pub result: Printed,
}

/// The raw record of one test (检验原始记录).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct RawTest {
    /// 检验项目.
    pub item: Bilingual,
    /// Method or general chapter.
    pub method: Printed,
    /// 标准规定.
    pub standard: Printed,
    /// Instruments with their numbers and calibration dates, as text.
    pub equipment: Vec<Printed>,
    /// Reagents, reference substances and their lots, as text.
    pub reagents: Vec<Printed>,
    /// Conditions: temperature, humidity, column and so on.
    pub conditions: Printed,
    /// Instrument files.
    pub files: Vec<CitedFile>,
    /// Readings.
    pub readings: Vec<RecordedReading>,
    /// Calculation.
    pub steps: Vec<CalculationStep>,
    /// Result before rounding.
    pub unrounded: Printed,
    /// Reported result.
    pub result: Printed,
    /// Unit of the result.
    pub unit: Printed,
    /// Verdict.
    pub verdict: PrintedVerdict,
    /// Which attempt this is (first test, re-test) and why.
    pub attempt: Printed,
    /// Analyst.
    pub analyst: Printed,
    /// Time of the analyst's entry.
    pub analysed_at: Printed,
    /// Reviewer, somebody else.
    pub reviewer: Printed,
    /// Time of the review.
    pub reviewed_at: Printed,
    /// Remarks, corrections with their reasons.
    pub remarks: Vec<Printed>,
}
