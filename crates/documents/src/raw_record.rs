//! The raw record of tests (检验原始记录) as it is printed: readings with their place in the file,
//! calculation steps, reagents, people and times.

use serde::{Deserialize, Serialize};

use super::data::{Bilingual, PrintedVerdict};

/// One reading of an instrument or a person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RawReading)]
#[serde(default)]
pub struct RecordedReading {
    /// What was read, for example `峰面积 对照 1`.
    pub label: String,
    /// The text as written in the file or typed.
    pub raw: String,
    /// The decimal value used.
    pub value: String,
    /// Unit.
    pub unit: String,
    /// File name, empty for a typed reading.
    pub file: String,
    /// Line, cell or path inside the file.
    pub locator: String,
    /// Address of the page that shows the value in its file, empty for a typed reading.
    pub href: String,
    /// Flags of the instrument, or a remark.
    pub note: String,
}

/// An instrument file that a test rests on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RawSourceFile)]
#[serde(default)]
pub struct CitedFile {
    /// File name as uploaded.
    pub name: String,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// Adapter and its version.
    pub adapter: String,
    /// Instrument or software named in the file.
    pub instrument: String,
    /// Time of import and person.
    pub imported: String,
}

/// One step of a calculation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RawCalculationStep)]
#[serde(default)]
pub struct CalculationStep {
    /// What is calculated.
    pub label: String,
    /// The formula with its names.
    pub formula: String,
    /// The formula with the numbers put in.
    pub substituted: String,
    /// Result at full precision.
    pub result: String,
}

/// The raw record of one test (检验原始记录).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct RawTest {
    /// 检验项目.
    pub item: Bilingual,
    /// Method or general chapter.
    pub method: String,
    /// 标准规定.
    pub standard: String,
    /// Instruments with their numbers and calibration dates, as text.
    pub equipment: Vec<String>,
    /// Reagents, reference substances and their lots, as text.
    pub reagents: Vec<String>,
    /// Conditions: temperature, humidity, column and so on.
    pub conditions: String,
    /// Instrument files.
    pub files: Vec<CitedFile>,
    /// Readings.
    pub readings: Vec<RecordedReading>,
    /// Calculation.
    pub steps: Vec<CalculationStep>,
    /// Result before rounding.
    pub unrounded: String,
    /// Reported result.
    pub result: String,
    /// Unit of the result.
    pub unit: String,
    /// Verdict.
    pub verdict: PrintedVerdict,
    /// Which attempt this is (first test, re-test) and why.
    pub attempt: String,
    /// Analyst.
    pub analyst: String,
    /// Time of the analyst's entry.
    pub analysed_at: String,
    /// Reviewer, somebody else.
    pub reviewer: String,
    /// Time of the review.
    pub reviewed_at: String,
    /// Remarks, corrections with their reasons.
    pub remarks: Vec<String>,
}
