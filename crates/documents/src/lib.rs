//! Certificates as documents: [`CertificateData`] → typeset PDF/A-3 ([`Typesetter`]) → signed
//! ([`sign`]) → verified ([`verify`]).
//!
//! Nothing here knows of the database, of HTTP or of a clock. Times come in as parameters, and
//! the same data give the same document.

mod annex;
#[cfg(test)]
mod annex_tests;
mod chain;
mod changes;
mod cms;
mod data;
mod fonts;
#[cfg(test)]
mod key_tests;
mod keys;
#[cfg(test)]
mod layout_tests;
pub mod numbers;
mod pdf;
pub mod plot;
mod press;
mod printed;
mod raw_record;
mod required;
mod sign;
#[cfg(test)]
mod specimens;
mod tagging;
mod templates;
mod test_ca;
#[cfg(test)]
mod tests;
mod timestamp;
mod typeset;
mod verify;

pub use annex::AnnexFigure;
pub use chain::Trust;
pub use changes::{StatedChange, stated_changes};
pub use data::*;
pub use fonts::{missing_glyphs, unseen};
pub use keys::{KeyError, SigningKey, certificates_from_pem};
pub use numbers::{NumberPatterns, PatternError};
/// The operating system's source of randomness, for [`TestCa::create`].
pub use p256::elliptic_curve::rand_core::OsRng;
pub use press::Press;
pub use printed::Printed;
pub use raw_record::{CalculationStep, CitedFile, RawTest, RecordedReading};
pub use required::RequiredFact;
pub use sign::{SignError, SignInfo, sign};
pub use templates::TemplateError;
pub use test_ca::TestCa;
pub use timestamp::{TimeStamp, check_timestamp, timestamp_request, timestamp_token};
pub use typeset::{RenderError, Typesetter};
pub use verify::{SignatureReport, VerifyReport, attached_json, verify};
