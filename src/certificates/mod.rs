//! Certificates (检验报告书、批签发证明、进口药品检验报告书): composed from reviewed results, drafted, reviewed
//! (and numbered), then signed by the authorised signatory. An issued one is immutable: an amendment is a new
//! certificate that names the old.

mod annex;
mod compose;
mod content;
mod dossier;
mod draft;
mod end;
mod examine;
mod facts;
mod find;
mod now;
mod numbers;
mod protocol;
mod public;
mod raw;
mod read;
mod refusals;
mod review;
mod sign;

pub use draft::{Amend, DraftCertificate};
pub use end::{DiscardCertificate, WithdrawCertificate};
pub use examine::{Examined, examine, known, read_in_worker};
pub use now::{StatedNow, stated_now};
pub use protocol::{ProtocolReviewed, ReviewProtocol};
pub use public::{PublicStatus, by_code, by_file, status_of};
pub use raw::raw_record;
pub use read::{internal_copy, own_file, preview, show};
pub use refusals::CertificateRefusal;
pub use review::ReviewCertificate;
pub use sign::SignCertificate;
