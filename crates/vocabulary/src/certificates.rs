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
    /// What a signature stands for. The words are those that are printed and kept.
    SignatureMeaning {
        /// A certificate is issued by the authorised signatory.
        AuthorisedIssue = "授权签发", "授权签发", "authorised for issue";
        /// A certificate is approved and issued.
        ApprovedIssue = "批准签发", "批准签发", "approved for issue";
        /// A result was reviewed and is approved.
        ResultApproved = "复核通过", "复核通过", "result reviewed and approved";
        /// A result was reviewed and goes back to the bench.
        ResultSentBack = "复核退回", "复核退回", "result reviewed and sent back";
        /// What was imported is what the file says.
        ImportConfirmed = "导入复核一致", "导入复核一致", "import checked and confirmed";
        /// What was imported is not what the file says.
        ImportRejected = "导入复核不通过", "导入复核不通过", "import checked and rejected";
        /// The result of a test is invalid for an assignable cause.
        InvalidationApproved = "批准检验无效", "批准检验无效", "invalidation approved";
        /// A plan of repetitions after a result out of specification.
        RepetitionApproved = "批准复试方案", "批准复试方案", "plan of repetitions approved";
        /// A result that decides nothing is repeated with a method that can tell.
        OtherMethodOrdered = "批准换方法复试", "批准换方法复试", "repetition by a method that can tell approved";
        /// As signed before there were investigations; nothing signs it any more.
        RetestOrdered = "批准复验", "批准复验", "re-test approved";
        /// A result out of specification is the result.
        FailureConfirmed = "确认不符合规定", "确认不符合规定", "failing result confirmed";
        /// A specification comes into force.
        SpecificationReleased = "批准质量标准", "批准质量标准", "specification released";
        /// What is retained is used, or destroyed.
        KeepingApproved = "批准动用或销毁样品", "批准动用或销毁样品", "use or destruction of a sample approved";
        /// Somebody saw the sample being destroyed.
        DestructionWitnessed = "见证样品销毁", "见证样品销毁", "destruction of a sample witnessed";
        /// The summary protocol of a lot was reviewed.
        ProtocolReviewed = "审核批记录摘要", "审核批记录摘要", "summary protocol reviewed";
        /// Something on record that was found wrong has its new text.
        CorrectionApproved = "批准更正", "批准更正", "correction approved";
        /// An approved result was found wrong and is superseded.
        ResultCorrected = "批准更正结果", "批准更正结果", "correction of a result approved";
        /// The data of a certificate were reviewed.
        CertificateReviewed = "审核证书", "审核证书", "certificate reviewed";
        /// A certificate is withdrawn.
        CertificateWithdrawn = "批准撤销证书", "批准撤销证书", "certificate withdrawn";
    }
}

vocabulary! {
    /// What the review of a summary protocol found.
    ProtocolOutcome {
        Conforms = "conforms", "符合要求", "conforms";
        Deficient = "deficient", "不符合要求", "deficient";
    }
}

vocabulary! {
    /// What a signatory may choose the signature on a certificate to stand for.
    IssueMeaning {
        Authorised = "授权签发", "授权签发", "authorised for issue";
        Approved = "批准签发", "批准签发", "approved for issue";
    }
}

impl IssueMeaning {
    /// As a signature is kept.
    #[must_use]
    pub const fn kept(self) -> SignatureMeaning {
        match self {
            Self::Authorised => SignatureMeaning::AuthorisedIssue,
            Self::Approved => SignatureMeaning::ApprovedIssue,
        }
    }
}

impl CertificateState {
    /// Not signed yet, and not given up: such a certificate may be discarded.
    pub const UNDER_WAY: &'static [Self] = &[Self::Drafted, Self::Reviewed];
    /// Under way or in force: what is found wrong in it has to be put right.
    pub const LIVE: &'static [Self] = &[Self::Drafted, Self::Reviewed, Self::Issued];
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
        for issue in IssueMeaning::ALL {
            assert_eq!(issue.as_str(), issue.kept().as_str());
        }
    }
}
