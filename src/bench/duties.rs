//! Who may not decide about what: four eyes. Pure; the database holds to these rules too.

use crate::store::columns::AccountId;

/// A decision that somebody else has to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnWork {
    /// The review of a result.
    Review,
    /// The decision about an OOS result.
    OosDecision,
    /// The check of an import.
    Import,
}

/// A result is reviewed by somebody who neither entered it nor a reading that it was calculated from.
///
/// # Errors
/// [`OwnWork::Review`].
pub fn may_review<'a>(
    reviewer: &AccountId,
    analyst: &AccountId,
    entered_by: impl IntoIterator<Item = &'a AccountId>,
) -> Result<(), OwnWork> {
    let own = reviewer == analyst || entered_by.into_iter().any(|account| account == reviewer);
    if own { Err(OwnWork::Review) } else { Ok(()) }
}

/// An OOS result is decided about by somebody else than its analyst.
///
/// # Errors
/// [`OwnWork::OosDecision`].
pub fn may_decide(decider: &AccountId, analyst: &AccountId) -> Result<(), OwnWork> {
    if decider == analyst { Err(OwnWork::OosDecision) } else { Ok(()) }
}

/// An import is checked by somebody else than the one who accepted the file.
///
/// # Errors
/// [`OwnWork::Import`].
pub fn may_check(checker: &AccountId, accepted_by: Option<&AccountId>) -> Result<(), OwnWork> {
    if accepted_by == Some(checker) { Err(OwnWork::Import) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::{Code, Refusal};

    fn account(name: &str) -> AccountId {
        name.into()
    }

    #[test]
    fn who_entered_a_reading_does_not_review_the_result() {
        let (one, two, three) = (account("one"), account("two"), account("three"));
        assert_eq!(may_review(&one, &one, []), Err(OwnWork::Review));
        assert_eq!(may_review(&two, &one, [&one, &two]), Err(OwnWork::Review));
        assert_eq!(may_review(&three, &one, [&one, &two]), Ok(()));
    }

    #[test]
    fn nobody_decides_about_an_own_result_or_import() {
        let (one, two) = (account("one"), account("two"));
        assert_eq!(may_decide(&one, &one), Err(OwnWork::OosDecision));
        assert_eq!(may_decide(&two, &one), Ok(()));
        assert_eq!(may_check(&one, Some(&one)), Err(OwnWork::Import));
        assert_eq!(may_check(&one, Some(&two)), Ok(()));
        assert_eq!(may_check(&one, None), Ok(()));
    }

    #[test]
    fn a_refusal_says_so_in_both_languages() {
        let refusal = Refusal::from(OwnWork::Review);
        assert_eq!(refusal.code, Code::SelfReview);
        assert!(refusal.message_zh.contains("本人") && refusal.message_en.contains("somebody"));
    }
}
