//! What a certificate is composed from, loaded at once.

use diesel::prelude::*;

use crate::bench;
use crate::cases::{CaseFile, Particulars};
use crate::custody;
use crate::record::Actor;
use crate::refusal::{Code, Refusal};
use crate::regulation::Determination;
use crate::store::columns::SampleId;
use crate::store::rows::{
    ApplicantRow, ApplicationClockRow, ApplicationRow, BatchRow, ResultRow, SampleRow, TestItemRow, TestTaskRow,
};
use crate::store::schema::{applicant, application, application_clock, batch, container, test_item, test_task};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::TaskState;

/// The final result of one item.
#[derive(Clone, Debug)]
pub(super) struct Final {
    pub item: TestItemRow,
    pub task: TestTaskRow,
    pub result: ResultRow,
}

/// Everything about one sample.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub application: ApplicationRow,
    pub applicant: ApplicantRow,
    pub case: CaseFile,
    pub particulars: Particulars,
    pub batch: BatchRow,
    pub sample: SampleRow,
    pub containers: i64,
    pub clocks: Vec<ApplicationClockRow>,
    pub determination: Determination,
    /// All attempts of all items, in the specification's order
    pub tasks: Vec<(TestTaskRow, TestItemRow)>,
}

impl Facts {
    pub(super) fn load(conn: &mut AnyConnection, actor: &Actor, id: &SampleId) -> Outcome<Self> {
        let sample = custody::sample_of(conn, actor, id)?;
        if sample.state != "received" {
            return Err(Refusal::new(Code::WrongState, "样品已拒收或作废", "the sample was refused or voided").into());
        }
        let application: ApplicationRow =
            application::table.find(&sample.application_id).select(ApplicationRow::as_select()).first(conn)?;
        let determination = application.determination.as_ref().and_then(|stored| stored.read().ok());
        let determination = determination
            .ok_or_else(|| Refusal::new(Code::WrongState, "申请尚未受理", "the application is not accepted"))?;
        let tasks = test_task::table
            .inner_join(test_item::table)
            .filter(test_task::sample_id.eq(id))
            .order((test_item::position, test_task::attempt))
            .select((TestTaskRow::as_select(), TestItemRow::as_select()))
            .load(conn)?;
        Ok(Self {
            applicant: applicant::table
                .find(&application.applicant_id)
                .select(ApplicantRow::as_select())
                .first(conn)?,
            case: CaseFile::of(conn, &application)?,
            particulars: application.particulars.read().unwrap_or_default(),
            batch: batch::table.find(&sample.batch_id).select(BatchRow::as_select()).first(conn)?,
            containers: container::table.filter(container::sample_id.eq(id)).count().get_result(conn)?,
            clocks: application_clock::table
                .filter(application_clock::application_id.eq(&application.id))
                .order(application_clock::due)
                .load(conn)?,
            determination,
            application,
            sample,
            tasks,
        })
    }

    /// The final result of every item: the last attempt's, reviewed within limits or confirmed outside them.
    ///
    /// # Errors
    /// Where a result is missing, or one out of limit awaits its decision: these block the certificate.
    pub(super) fn finals(&self, conn: &mut AnyConnection) -> Outcome<Vec<Final>> {
        let mut finals: Vec<Final> = Vec::new();
        for (task, item) in &self.tasks {
            let last = !self
                .tasks
                .iter()
                .any(|(other, _)| other.test_item_id == task.test_item_id && other.attempt > task.attempt);
            if !last {
                continue;
            }
            match task.state {
                TaskState::Reviewed | TaskState::Confirmed => {}
                TaskState::Oos => {
                    return Err(Refusal::new(
                        Code::OutOfLimitOpen,
                        format!("{}：超标结果尚未决定，不得签发", item.name_zh),
                        format!("{}: a result out of limit awaits its decision", item.name_en),
                    )
                    .with(serde_json::json!({"task_id": task.id}))
                    .into());
                }
                state => {
                    return Err(Refusal::new(
                        Code::ResultsMissing,
                        format!("{}：检验尚未完成（{}）", item.name_zh, state.zh()),
                        format!("{}: not finished ({})", item.name_en, state.en()),
                    )
                    .with(serde_json::json!({"task_id": task.id}))
                    .into());
                }
            }
            let result = bench::latest_result(conn, &task.id)?.ok_or_else(|| {
                Refusal::new(
                    Code::ResultsMissing,
                    format!("{}：没有结果", item.name_zh),
                    format!("{}: no result", item.name_en),
                )
            })?;
            finals.push(Final { item: item.clone(), task: task.clone(), result });
        }
        if finals.is_empty() {
            return Err(Refusal::new(Code::ResultsMissing, "没有检验结果", "there are no results").into());
        }
        Ok(finals)
    }
}
