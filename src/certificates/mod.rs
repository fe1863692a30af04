//! Certificates (检验报告书、批签发证明、进口药品检验报告书): composed from reviewed results, drafted, reviewed
//! (and numbered), then signed by the authorised signatory. An issued one is immutable: an amendment is a new
//! certificate that names the old.

mod annex;
mod compose;
mod draft;
mod end;
mod facts;
mod issue;
mod numbers;
mod public;
mod raw;

pub use draft::{Amend, CertificateView, Draft, draft, own_file, preview, review, show};
pub use end::{discard, withdraw};
pub use issue::issue;
pub use public::{PublicStatus, by_code, by_file, status_of};
pub use raw::raw_record;
