//! Duties that one person does not have together about the same thing. Pure: what was done about it is loaded by
//! whoever asks (`store::views::duties_of_task` and its siblings), and the database holds to the same pairs.

use crate::clock::local_time;
use crate::refusal::{Code, Refusal};
use crate::store::Failure;
use crate::store::columns::AccountId;
use crate::store::views::DutyFact;
use crate::vocabulary::Duty;
use crate::vocabulary::duties::{APART, Pair};

/// Why somebody may not do a thing: what the same person has done about it before.
#[derive(Clone, Debug, PartialEq)]
pub struct DutyConflict {
    /// What was to be done.
    pub wanted: Duty,
    /// What keeps from it.
    pub had: DutyFact,
}

/// Whether one person does not have both duties.
fn apart(one: Duty, other: Duty, more: &[Pair]) -> bool {
    APART.iter().chain(more).any(|pair| *pair == (one, other) || *pair == (other, one))
}

/// Whether somebody may have a duty about a thing, by what was done about it. `more` are the laboratory's own pairs.
///
/// # Errors
/// The first thing that the same person did and that keeps from it.
pub fn may_have(wanted: Duty, who: &AccountId, done: &[DutyFact], more: &[Pair]) -> Result<(), DutyConflict> {
    let mut own = done.iter().filter(|one| one.account == *who);
    match own.find(|one| apart(wanted, one.duty, more)) {
        Some(had) => Err(DutyConflict { wanted, had: had.clone() }),
        None => Ok(()),
    }
}

/// What was done about a thing, with the pairs that hold in this laboratory.
#[derive(Clone, Debug, Default)]
pub struct DutiesDone {
    /// Who did what.
    pub facts: Vec<DutyFact>,
    /// The laboratory's own pairs.
    pub more: Vec<Pair>,
}

impl DutiesDone {
    /// Whether somebody may have a further duty about the thing.
    ///
    /// # Errors
    /// As [`may_have`].
    pub fn allow(&self, wanted: Duty, who: &AccountId) -> Result<(), DutyConflict> {
        may_have(wanted, who, &self.facts, &self.more)
    }
}

impl From<DutyConflict> for Refusal {
    fn from(DutyConflict { wanted, had }: DutyConflict) -> Self {
        let at = local_time(had.at.utc());
        let zh = format!("{}于{at}{}（{}），不得再由同一人办理{}", had.name, had.duty.zh(), had.what_zh, wanted.zh());
        let en = format!(
            "{} {} on {at} ({}): the same person does not have the duty {:?}",
            had.name,
            had.duty.en(),
            had.what_en,
            wanted.as_str()
        );
        let details = serde_json::json!({"duty": wanted, "had": had.duty, "account": had.account, "name": had.name,
            "at": had.at});
        Self::new(Code::SelfReview, zh, en).with(details)
    }
}

impl From<DutyConflict> for Failure {
    fn from(why: DutyConflict) -> Self {
        Refusal::from(why).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn did(who: &str, duty: Duty) -> DutyFact {
        DutyFact {
            duty,
            account: who.into(),
            name: "王敏".into(),
            what_zh: "SX20260001 含量".into(),
            what_en: "SX20260001 assay".into(),
            at: chrono::DateTime::UNIX_EPOCH.into(),
        }
    }

    #[test]
    fn all_pairs_are_refused_in_both_directions_and_nothing_else_is() {
        let (who, other) = (AccountId::from("a"), AccountId::from("b"));
        for one in Duty::ALL {
            for two in Duty::ALL {
                let listed = APART.contains(&(*one, *two)) || APART.contains(&(*two, *one));
                let done = [did("b", Duty::Entry), did("a", *one)];
                assert_eq!(may_have(*two, &who, &done, &[]).is_err(), listed, "{one} then {two}");
                assert_eq!(may_have(*two, &other, &[did("a", *one)], &[]), Ok(()), "{one}, then somebody else {two}");
            }
        }
    }

    #[test]
    fn the_checker_of_an_import_may_review_the_result() {
        assert_eq!(may_have(Duty::ResultReview, &"a".into(), &[did("a", Duty::ImportCheck)], &[]), Ok(()));
    }

    #[test]
    fn a_laboratory_adds_pairs_and_takes_none_away() {
        let (who, done) = (AccountId::from("a"), [did("a", Duty::ResultReview)]);
        assert_eq!(may_have(Duty::CertificateReview, &who, &done, &[]), Ok(()));
        let more = [(Duty::CertificateReview, Duty::ResultReview)];
        assert!(may_have(Duty::CertificateReview, &who, &done, &more).is_err());
        assert!(may_have(Duty::Signatory, &who, &done, &more).is_err(), "what holds everywhere still holds");
    }

    #[test]
    fn a_refusal_names_who_did_what() {
        let refused = may_have(Duty::Decision, &"a".into(), &[did("a", Duty::Entry)], &[]).expect_err("own work");
        let refusal = Refusal::from(refused);
        assert_eq!((refusal.code, refusal.code.status()), (Code::SelfReview, 409));
        for text in ["王敏", "录入数据", "SX20260001 含量", "超标处理"] {
            assert!(refusal.message_zh.contains(text), "{text}: {refusal}");
        }
        assert!(refusal.message_en.contains("entered values") && refusal.message_en.contains("assay"), "{refusal}");
        assert_eq!(refusal.details["had"], "entry");
    }
}
