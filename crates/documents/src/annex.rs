//! What the annex shows beside the results: plots of the files that they were read from.

use serde::{Deserialize, Serialize};

use super::data::Bilingual;
use super::printed::Printed;

/// One plot of an accepted result's instrument file, as it was drawn when the certificate was drafted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct AnnexFigure {
    /// 检验项目 whose result was read from the file.
    pub item: Bilingual,
    /// `chromatogram`.
    pub kind: Printed,
    /// File name as taken in.
    pub file: Printed,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: Printed,
    /// Sample as the file names it.
    pub sample: Printed,
    /// Injection as the file names it.
    pub injection: Printed,
    /// Signals as the file names them.
    pub signals: Vec<Printed>,
    /// The picture; empty where the file has no curve of this sample.
    pub svg: Printed,
}
