//! Certificates as documents: [`CertificateData`] → typeset PDF/A-3 ([`Typesetter`]) → signed
//! ([`sign`]) → verified ([`verify`]).
//!
//! Nothing here knows of the database, of HTTP or of a clock. Times come in as parameters, and
//! the same data give the same document.

mod data;
mod fonts;
mod raw_record;
#[cfg(test)]
mod specimens;
mod templates;
mod typeset;

pub use data::*;
pub use fonts::missing_glyphs;
pub use raw_record::{CalculationStep, RawTest, Reading, SourceFile};
pub use templates::TemplateError;
pub use typeset::{RenderError, Typesetter};
