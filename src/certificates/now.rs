//! What the document of a sample would state by the records as they are now: a draft whose records changed is drafted
//! anew, and a correction names the certificates that it changes.

use super::compose;
use super::facts::TestedSample;
use super::refusals::CertificateRefusal;
use crate::action::Context;
use crate::documents::{CertificateData, Verification, stated_changes};
use crate::store::columns::SampleId;
use crate::store::{Failure, Outcome};

/// The document by the records of now; none where the sample has no document any more.
pub struct StatedNow(Option<CertificateData>);

impl StatedNow {
    /// The document, where there is one.
    pub(super) fn data(&self) -> Option<&CertificateData> {
        self.0.as_ref()
    }

    /// Whether the other one states something else, or that cannot be said.
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => !stated_changes(one, other).is_empty(),
            _ => true,
        }
    }
}

/// Composes the document of a sample, to be compared with another.
///
/// # Errors
/// The store's failure.
pub fn stated_now(cx: &mut Context<'_>, sample: &SampleId) -> Outcome<StatedNow> {
    let found = match TestedSample::load(cx.conn, &cx.services.lines, cx.actor, sample) {
        Ok(found) => found,
        Err(Failure::Refused(_)) => return Ok(StatedNow(None)),
        Err(failure) => return Err(failure),
    };
    let Ok(finals) = found.dossier.finals() else { return Ok(StatedNow(None)) };
    let regulation = &cx.services.regulation;
    Ok(StatedNow(Some(compose::compose(&found.dossier, &finals, regulation, Verification::default()))))
}

/// A document is reviewed and signed as long as it states what is on record.
///
/// # Errors
/// Names what changed.
pub(super) fn unchanged(drafted: &CertificateData, now: &CertificateData) -> Result<(), CertificateRefusal> {
    let changes = stated_changes(drafted, now);
    if changes.is_empty() {
        return Ok(());
    }
    Err(CertificateRefusal::ChangedSinceDraft { changes })
}
