//! The duties that people have about one thing, and which of them one person may not have together.

vocabulary! {
    /// What somebody does, or has done, about a result, a certificate or a specification.
    Duty {
        /// Any version of any reading, and any result that was calculated from them.
        Entry = "entry", "录入数据", "entered values";
        ImportAcceptance = "import_acceptance", "采用导入", "accepted an import";
        ImportCheck = "import_check", "导入复核", "checked an import";
        ResultReview = "result_review", "结果复核", "reviewed a result";
        Decision = "oos_decision", "超标处理", "decided about an OOS result";
        CertificateDraft = "certificate_draft", "起草证书", "drafted a certificate";
        CertificateReview = "certificate_review", "审核证书", "reviewed a certificate";
        Signatory = "signatory", "签发证书", "signed a certificate";
        SpecificationDraft = "specification_draft", "起草质量标准", "drafted a specification";
        SpecificationRelease = "specification_release", "发布质量标准", "released a specification";
    }
}

/// Two duties about the same thing that one person does not have together, whichever comes first.
pub type Pair = (Duty, Duty);

/// The pairs that hold everywhere. The checker of an import and the reviewer of the result may be one. A laboratory adds
/// pairs in its configuration and takes none away.
pub const APART: &[Pair] = &[
    (Duty::Entry, Duty::ImportCheck),
    (Duty::Entry, Duty::ResultReview),
    (Duty::Entry, Duty::Decision),
    (Duty::Entry, Duty::Signatory),
    (Duty::ImportAcceptance, Duty::ImportCheck),
    // The analyst, the second person and the authorised signatory are three people.
    (Duty::ResultReview, Duty::Signatory),
    (Duty::CertificateDraft, Duty::CertificateReview),
    (Duty::CertificateDraft, Duty::Signatory),
    (Duty::CertificateReview, Duty::Signatory),
    (Duty::SpecificationDraft, Duty::SpecificationRelease),
];

/// Reads a pair as a configuration writes it: `result_review+oos_decision`.
#[must_use]
pub fn pair(text: &str) -> Option<Pair> {
    let (one, other) = text.split_once('+')?;
    Some((Duty::parse(one.trim())?, Duty::parse(other.trim())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_read_and_nothing_else_is() {
        assert_eq!(pair("result_review+oos_decision"), Some((Duty::ResultReview, Duty::Decision)));
        assert_eq!(pair("result_review"), None);
        assert_eq!(pair("result_review+lunch"), None);
    }

    #[test]
    fn no_pair_is_there_twice() {
        for (at, (one, other)) in APART.iter().enumerate() {
            assert_ne!(one, other);
            let again = |pair: &Pair| *pair == (*one, *other) || *pair == (*other, *one);
            assert!(!APART[at + 1..].iter().any(again), "{one} {other}");
        }
    }
}
