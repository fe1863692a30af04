use super::super::specimens::{actor, did, facts_of, result_of, sheet_file};
use super::*;
use crate::custody::amounts::There;
use crate::refusal::Code;
use crate::regulation::quantities::{Content, ItemDemand};

fn failing(name: &str) -> Failing {
    let mut file = sheet_file(TaskState::Oos, "analyst");
    file.item.name_zh = name.into();
    let result = Some(result_of(&file, Verdict::Fail));
    let done = DutiesDone { facts: vec![did("analyst", Duty::Entry)], ..DutiesDone::default() };
    let ten = rust_decimal::Decimal::TEN;
    let item = ItemDemand { code: "x".into(), amount_per_test: ten, unit: None, whole_containers: 0, replicates: 1 };
    let content = Content { amount: ten, unit: "片".into() };
    let retained = There { containers: 9, billionths: None };
    let over = There::default();
    let stock = repetition::Stock { item, content, over, retained, free: 0, last: 1 };
    let (steps, readings, repeated) = (Vec::new(), Vec::new(), Vec::new());
    Failing {
        file,
        result,
        steps,
        done,
        readings,
        repeated,
        invalid_before: false,
        analyst_known: true,
        stock,
        proof: None,
    }
}

fn taken(who: &str, asked: StepAsked, of: &mut Failing) -> Result<Plan, Refusal> {
    let plan = facts_of(&actor(who), |facts| decide(facts, asked, of))?;
    of.steps.push(plan.step.clone());
    Ok(plan)
}

fn check(cause: Option<&str>) -> StepAsked {
    let points = FailingRules::shipped().expect("the shipped rules").point;
    let answer = |point: &crate::regulation::failing::FailingWord| PointAnswer {
        point: point.code.clone(),
        finding: CheckFinding::InOrder,
        note: String::new(),
    };
    let answers = points.iter().map(answer).collect();
    let (cause, evidence) = (cause.map(Into::into), "原始记录第 3 页".into());
    CheckLaboratory { id: "t".into(), answers, cause, evidence, reason: "查".into() }.asked()
}

fn plan(repetitions: i64, who: &str) -> StepAsked {
    ProposePlan { id: "t".into(), repetitions, second_analyst: who.into(), reason: "复试".into() }.asked()
}

fn step(event: InvestigationEvent) -> StepAsked {
    StepAsked::of(event, "同意")
}

#[test]
fn a_cause_is_approved_by_another_and_the_test_is_done_again_once() {
    let mut of = failing("含量");
    taken("boss", check(Some("instrument_fault")), &mut of).expect("a cause");
    let own = taken("boss", step(InvestigationEvent::ApproveCause), &mut of).expect_err("the own cause");
    assert_eq!(own.code, Code::SelfReview);
    let approved = taken("quality", step(InvestigationEvent::ApproveCause), &mut of).expect("approved");
    assert_eq!(approved.task, Some(TaskState::RetestOrdered));
    taken("quality", step(InvestigationEvent::ApproveCause), &mut of).expect_err("once");
    let mut unknown = failing("含量");
    assert_eq!(
        taken("boss", check(Some("weather")), &mut unknown).expect_err("no cause").field.as_deref(),
        Some("cause")
    );
}

#[test]
fn a_plan_is_fixed_beforehand_for_a_second_analyst_and_within_the_most() {
    let mut of = failing("含量");
    taken("boss", plan(2, "second"), &mut of).expect_err("before the laboratory check");
    taken("boss", check(None), &mut of).expect("no cause");
    assert_eq!(
        taken("boss", plan(2, "analyst"), &mut of).expect_err("the first").field.as_deref(),
        Some("second_analyst")
    );
    assert_eq!(taken("boss", plan(99, "second"), &mut of).expect_err("too many").field.as_deref(), Some("repetitions"));
    taken("boss", plan(2, "second"), &mut of).expect("a plan");
    taken("boss", step(InvestigationEvent::ApprovePlan), &mut of).expect_err("the own plan");
    let approved = taken("quality", step(InvestigationEvent::ApprovePlan), &mut of).expect("approved");
    assert_eq!(approved.ordered.map(|ordered| ordered.containers()), Some(2));
    taken("boss", plan(1, "second"), &mut of).expect_err("no more than the plan says");
    taken("quality", step(InvestigationEvent::Confirm), &mut of).expect_err("nothing was repeated");
    let done = |verdict| (TestTaskId::new(), TaskState::Reviewed, Some(verdict));
    of.repeated = vec![done(Verdict::Pass), done(Verdict::Pass)];
    let confirmed =
        taken("quality", step(InvestigationEvent::Confirm), &mut of).expect("the failing value stays valid");
    assert_eq!(confirmed.task, Some(TaskState::Confirmed));
}

#[test]
fn sterility_has_no_plan_and_is_invalid_for_listed_causes_once() {
    let mut of = failing("无菌检查");
    taken("boss", check(Some("instrument_fault")), &mut of).expect_err("a cause of other tests");
    let mut invalid = failing("无菌检查");
    taken("boss", check(Some("negative_control")), &mut invalid).expect("a listed cause");
    invalid.invalid_before = true;
    taken("quality", step(InvestigationEvent::ApproveCause), &mut invalid).expect_err("once only");
    taken("boss", check(None), &mut of).expect("no cause");
    taken("boss", plan(1, "second"), &mut of).expect_err("no re-test");
    taken("quality", step(InvestigationEvent::Confirm), &mut of).expect("confirmed");
}

/// Every sequence of up to seven steps, with repetitions that all pass: none makes the failing value disappear but by
/// a cause that another person approved.
#[test]
fn no_sequence_of_steps_reaches_a_conforming_conclusion_while_a_valid_value_fails() {
    let steps: [fn() -> StepAsked; 7] = [
        || check(None),
        || check(Some("operation_fault")),
        || step(InvestigationEvent::ApproveCause),
        || step(InvestigationEvent::SendBack),
        || plan(1, "second"),
        || step(InvestigationEvent::ApprovePlan),
        || step(InvestigationEvent::Confirm),
    ];
    let mut seen = 0;
    let mut sequences: Vec<Vec<usize>> = vec![Vec::new()];
    while let Some(sequence) = sequences.pop() {
        let mut of = failing("含量");
        let mut last = None;
        for (turn, at) in sequence.iter().enumerate() {
            if of.steps.last().is_some_and(|step| step.event == InvestigationEvent::ApprovePlan) {
                of.repeated = vec![(TestTaskId::new(), TaskState::Reviewed, Some(Verdict::Pass))];
            }
            let who = if turn % 2 == 0 { "boss" } else { "quality" };
            last = Some(taken(who, steps[*at](), &mut of));
        }
        match last {
            Some(Err(_)) => continue,
            Some(Ok(plan)) => {
                seen += 1;
                match plan.task {
                    Some(TaskState::RetestOrdered) => {
                        let before = &of.steps[of.steps.len() - 2];
                        assert_eq!(before.event, InvestigationEvent::FindCause);
                        assert_ne!(before.by_account, plan.step.by_account);
                    }
                    Some(TaskState::Confirmed) => {
                        assert!(of.steps.iter().any(|one| one.event == InvestigationEvent::FindNone))
                    }
                    Some(other) => panic!("{sequence:?} leads to {other}"),
                    None => {}
                }
            }
            None => {}
        }
        if sequence.len() < 7 {
            for at in 0..steps.len() {
                let mut next = sequence.clone();
                next.push(at);
                sequences.push(next);
            }
        }
    }
    assert!(seen > 20, "{seen} sequences were possible");
}
