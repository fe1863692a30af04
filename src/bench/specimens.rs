//! A task for the unit tests of this module.

use crate::action::Facts;
use crate::calculation::inputs::ReadingInput;
use crate::record::Actor;
use crate::regulation::Regulation;
use crate::store::columns::{
    ApplicationId, BatchId, Dec, Instant, InstituteId, Json, ResultId, SampleId, SpecificationId, TestItemId,
    TestTaskId,
};
use crate::store::rows::{ResultRow, SampleRow, TestItemRow, TestTaskRow};
use crate::store::views::DutyFact;
use crate::vocabulary::{Comparison, Duty, ItemKind, SampleState, TaskState, Verdict};

use super::task::TaskFile;

pub(super) fn actor(name: &str) -> Actor {
    Actor {
        account: name.into(),
        username: name.into(),
        display_name: name.into(),
        institute: Some("i".into()),
        applicant: None,
        roles: Vec::new(),
        request_id: None,
        session: None,
    }
}

/// Something that somebody did about a test.
pub(super) fn did(who: &str, duty: Duty) -> DutyFact {
    DutyFact {
        duty,
        account: who.into(),
        name: who.into(),
        what_zh: "S20260001 含量".into(),
        what_en: "S20260001 assay".into(),
        at: chrono::DateTime::UNIX_EPOCH.into(),
    }
}

/// Runs a decision with the facts of an actor at the epoch.
pub(super) fn facts_of<T>(actor: &Actor, decide: impl FnOnce(&Facts<'_>) -> T) -> T {
    let regulation = Regulation::embedded().expect("the regulation of the program");
    decide(&Facts { actor, now: chrono::DateTime::UNIX_EPOCH, regulation: &regulation })
}

/// A task of an assay of 95.0~105.0 % with one reading.
pub(super) fn sheet_file(state: TaskState, analyst: &str) -> TaskFile {
    let at = Instant::from(chrono::DateTime::UNIX_EPOCH);
    let institute = InstituteId::from("i");
    let input = ReadingInput {
        name: "x".into(),
        label_zh: String::new(),
        label_en: String::new(),
        unit: "%".into(),
        count: 1,
        source: None,
        range: None,
    };
    let item = TestItemRow {
        id: TestItemId::new(),
        specification_id: SpecificationId::new(),
        position: 1,
        code: "assay".into(),
        name_zh: "含量".into(),
        name_en: "Assay".into(),
        method: "HPLC".into(),
        kind: ItemKind::Numeric,
        unit: "%".into(),
        limit_text: "95.0~105.0".into(),
        compare_by: Comparison::Rounded,
        rounding_step: None,
        formula: None,
        inputs: Json::of(&[input]),
        replicates: 1,
        consumes: Dec::from(rust_decimal::Decimal::TEN),
        in_scope: true,
        annex: Json::of(&Vec::<String>::new()),
        plausible: None,
        retest_allowed: None,
        consumes_unit: None,
        whole_containers: None,
    };
    let sample = SampleRow {
        id: SampleId::new(),
        number: "S20260001".into(),
        application_id: ApplicationId::new(),
        batch_id: BatchId::new(),
        state: SampleState::Received,
        received_at: at.clone(),
        received_by: "desk".into(),
        temperature: None,
        seals_intact: true,
        packages: 1,
        packages_intact: true,
        label_matches: true,
        condition_note: String::new(),
        state_reason: None,
        full_test_containers: 1,
        required_containers: 1,
        institute_id: institute.clone(),
        content_amount: None,
        content_unit: None,
    };
    let task = TestTaskRow {
        id: TestTaskId::new(),
        sample_id: sample.id.clone(),
        test_item_id: item.id.clone(),
        attempt: 1,
        state,
        lane_rank: 2,
        due: None,
        available_at: at,
        started_at: None,
        analyst_id: Some(analyst).filter(|name| !name.is_empty()).map(Into::into),
        institute_id: institute,
        assigned_to: None,
        repeats_result_id: None,
    };
    TaskFile { task, revision: 1, item, sample }
}

/// The first result of a task, entered by its analyst.
pub(super) fn result_of(file: &TaskFile, verdict: Verdict) -> ResultRow {
    ResultRow {
        id: ResultId::new(),
        test_task_id: file.task.id.clone(),
        version: 1,
        calculated: "94.2".into(),
        reported: "94.2".into(),
        unit: "%".into(),
        limit_text: file.item.limit_text.clone(),
        compare_by: file.item.compare_by,
        verdict,
        steps: Json::of(&Vec::<String>::new()),
        reagents: String::new(),
        note: String::new(),
        analyst_id: file.task.analyst_id.clone().unwrap_or_else(|| "analyst".into()),
        entered_at: file.task.available_at.clone(),
        reviewer_id: None,
        reviewed_at: None,
        review_outcome: None,
        review_note: None,
        outside: Json::of(&Vec::<String>::new()),
        despite_range: None,
    }
}
