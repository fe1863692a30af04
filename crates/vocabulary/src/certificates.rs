//! The words of certificates: which document, the named sets of its states, and what a signature stands for.

use crate::states::CertificateState;

vocabulary! {
    /// Which document is made. The word is also the name of its layout's file.
    CertificateKind {
        /// 检验报告书, also where the conclusion is 不符合规定.
        TestReport = "test_report", "检验报告书", "Test report";
        /// 生物制品批签发证明.
        LotRelease = "lot_release", "生物制品批签发证明", "Lot release certificate";
        /// 生物制品不予批签发通知书.
        LotReleaseRefusal = "lot_release_refusal", "不予批签发通知书", "Refusal of lot release";
        /// 进口药品检验报告书.
        ImportReport = "import_report", "进口药品检验报告书", "Test report of imported drug";
        /// 检验原始记录: a printable record for the file, never signed as a certificate.
        RawRecord = "raw_record", "检验原始记录", "Raw record";
    }
}

#[allow(clippy::derivable_impls)] // The vocabulary's macro derives the rest.
impl Default for CertificateKind {
    fn default() -> Self {
        Self::TestReport
    }
}

vocabulary! {
    /// What the signature on a certificate stands for. The words are those that are printed and kept.
    SignatureMeaning {
        /// Issued by the authorised signatory.
        AuthorisedIssue = "授权签发", "授权签发", "authorised for issue";
        /// Approved and issued.
        ApprovedIssue = "批准签发", "批准签发", "approved for issue";
    }
}

impl CertificateState {
    /// Not signed yet, and not given up: such a certificate may be discarded.
    pub const UNDER_WAY: &'static [Self] = &[Self::Drafted, Self::Reviewed];
    /// Was signed once: what applicants and the public may see, whatever became of it.
    pub const SIGNED: &'static [Self] = &[Self::Issued, Self::Superseded, Self::Withdrawn];
    /// Leaves its sample without a certificate.
    pub const GIVEN_UP: &'static [Self] = &[Self::Discarded, Self::Withdrawn];

    /// Whether it was signed once.
    #[must_use]
    pub fn is_signed(self) -> bool {
        Self::SIGNED.contains(&self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::states::CertificateEvent;

    #[test]
    fn the_sets_say_what_the_transitions_allow() {
        for state in CertificateState::ALL {
            let discards = state.on(CertificateEvent::Discard).is_ok();
            assert_eq!(discards, CertificateState::UNDER_WAY.contains(state), "{state}");
            assert!(!(state.is_signed() && CertificateState::UNDER_WAY.contains(state)), "{state}");
        }
    }

    #[test]
    fn the_texts_of_signatures_are_words() {
        assert_eq!(SignatureMeaning::parse("授权签发"), Some(SignatureMeaning::AuthorisedIssue));
        assert_eq!(SignatureMeaning::parse("同意"), None);
    }
}
