//! What a certificate is composed from, loaded at once: a number of statements that does not depend on how much was
//! tested.

use diesel::prelude::*;

use super::dossier::{
    Attempt, Dossier, LabelledLot, LatestResult, ProtocolFinding, RunningClock, Sample, TestedProduct,
};
use super::refusals::CertificateRefusal;
use super::{compose, protocol};
use crate::business::Lines;
use crate::cases::{self, CaseFile};
use crate::clock::statutory_date;
use crate::custody;
use crate::documents::{Basis, Bilingual, Institution, Party};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::columns::{ApplicationId, InstituteId, SampleId};
use crate::store::rows::{
    ApplicantRow, ApplicationClockRow, ApplicationRow, BatchRow, InstituteRow, ProductRow, ProtocolReviewRow,
    ResultRow, SampleRow, TestItemRow, TestTaskRow,
};
use crate::store::schema::{
    applicant, application, application_clock, batch, container, custody_entry, result, test_item, test_task,
};
use crate::store::stored::At;
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{Comparison, Place};

/// Everything about one sample, and whose it is.
pub(super) struct TestedSample {
    pub case: ApplicationId,
    pub institute: InstituteId,
    pub dossier: Dossier,
    /// The tasks with their items and all their results, for the raw record.
    pub tasks: Vec<(TestTaskRow, TestItemRow, Vec<ResultRow>)>,
}

impl TestedSample {
    /// Loads the facts of a sample of the actor's institute.
    ///
    /// # Errors
    /// Where there is no such sample, it was not received, its case is not accepted, or something kept about it
    /// cannot be read.
    pub(super) fn load(conn: &mut AnyConnection, lines: &Lines, actor: &Actor, id: &SampleId) -> Outcome<Self> {
        let sample = custody::sample_of(conn, actor, id)?;
        if sample.state.as_str() != "received" {
            return Err(CertificateRefusal::SampleGone.into());
        }
        let case: ApplicationRow =
            application::table.find(&sample.application_id).select(ApplicationRow::as_select()).first(conn)?;
        let applicant: ApplicantRow =
            applicant::table.find(&case.applicant_id).select(ApplicantRow::as_select()).first(conn)?;
        let batch: BatchRow = batch::table.find(&sample.batch_id).select(BatchRow::as_select()).first(conn)?;
        let containers = tested(conn, id)?;
        let clocks: Vec<ApplicationClockRow> = application_clock::table
            .filter(application_clock::application_id.eq(&case.id))
            .order(application_clock::due)
            .load(conn)?;
        let file = CaseFile::of(conn, &case)?;
        let tasks = tasks(conn, id)?;
        let at = |column| At::new("application", column, case.id.as_str());
        let accepted = case.determination.as_ref();
        let accepted = accepted.ok_or(CertificateRefusal::CaseNotAccepted)?;
        let line = lines.of(case.business)?;
        let dossier = Dossier {
            business: case.business,
            standard_verification: case.standard_verification,
            acceptance_number: case.acceptance_number.clone().unwrap_or_default(),
            arrived_at_port_on: case.arrived_at_port_on.as_ref().map(|day| day.date()),
            sampled_on: case.sampled_on.as_ref().map(|day| day.date()),
            institution: institution(&file.institute),
            customer: Party { name: Bilingual::new(&applicant.name, ""), address: applicant.address.into() },
            product: product(&file.product),
            basis: Basis { title: file.specification.title.into(), edition: file.specification.edition.into() },
            lot: LabelledLot { number: batch.lot_number, produced_on: batch.produced_on, expires_on: batch.expires_on },
            sample: received(&sample, containers),
            particulars: cases::particulars_of(&case)?,
            protocol: protocol::latest(conn, id)?.map(finding),
            specified: file.items.len(),
            documents: (line.document(true), line.document(false)),
            determination: at("determination").read(accepted)?,
            clocks: clocks.iter().map(clock).collect::<Result<_, _>>()?,
            attempts: tasks.iter().map(attempt).collect::<Result<_, _>>()?,
        };
        Ok(Self { case: case.id, institute: case.institute_id, dossier, tasks })
    }
}

/// All attempts at all items, in the specification's order, each with its results, the newest last.
fn tasks(conn: &mut AnyConnection, id: &SampleId) -> Outcome<Vec<(TestTaskRow, TestItemRow, Vec<ResultRow>)>> {
    let tasks: Vec<(TestTaskRow, TestItemRow)> = test_task::table
        .inner_join(test_item::table)
        .filter(test_task::sample_id.eq(id))
        .order((test_item::position, test_task::attempt))
        .select((TestTaskRow::as_select(), TestItemRow::as_select()))
        .load(conn)?;
    let mut results: Vec<ResultRow> = result::table
        .filter(result::test_task_id.eq_any(tasks.iter().map(|(task, _)| task.id.clone())))
        .order((result::test_task_id, result::version))
        .select(ResultRow::as_select())
        .load(conn)?;
    let with_results = |(task, item): (TestTaskRow, TestItemRow)| {
        let of_task = results.extract_if(.., |one| one.test_task_id == task.id).collect();
        (task, item, of_task)
    };
    Ok(tasks.into_iter().map(with_results).collect())
}

fn institution(row: &InstituteRow) -> Institution {
    Institution {
        name: Bilingual::new(&row.name_zh, &row.name_en),
        abbreviation: row.abbreviation.clone().into(),
        address: Bilingual::new(&row.address_zh, &row.address_en),
        ..Institution::default()
    }
}

fn product(row: &ProductRow) -> TestedProduct {
    TestedProduct {
        name: Bilingual::new(&row.name_zh, &row.name_en),
        strength: row.strength.clone(),
        dosage_form: row.dosage_form.clone(),
        packaging: row.package_spec.clone(),
        container: row.container_name.clone(),
        manufacturer: row.manufacturer.clone(),
        holder: row.holder.clone(),
        approval_number: row.approval_number.clone().unwrap_or_default(),
        storage: row.storage.clone(),
    }
}

fn finding(row: ProtocolReviewRow) -> ProtocolFinding {
    ProtocolFinding {
        number: row.protocol_number,
        outcome: row.outcome,
        note: row.note,
        on: statutory_date(row.reviewed_at.utc()),
    }
}

/// The containers that the test is about: what was over on receipt does not count.
fn tested(conn: &mut AnyConnection, id: &SampleId) -> Outcome<i64> {
    let all: i64 = container::table.filter(container::sample_id.eq(id)).count().get_result(conn)?;
    let over: Vec<i64> = custody_entry::table
        .filter(custody_entry::sample_id.eq(id))
        .filter(custody_entry::from_place.eq(Place::Received))
        .filter(custody_entry::to_place.eq(Place::Surplus))
        .select(custody_entry::quantity)
        .load(conn)?;
    Ok(all - over.iter().sum::<i64>())
}

fn received(row: &SampleRow, containers: i64) -> Sample {
    Sample {
        number: row.number.clone(),
        received_on: statutory_date(row.received_at.utc()),
        containers,
        full_test_containers: row.full_test_containers,
        required_containers: row.required_containers,
        seals_intact: row.seals_intact,
        packages_intact: row.packages_intact,
        label_matches: row.label_matches,
        temperature: row.temperature.as_ref().map(ToString::to_string),
        note: row.condition_note.clone(),
    }
}

fn clock(row: &ApplicationClockRow) -> Result<RunningClock, Refusal> {
    let at = At::new("application_clock", "provisions", row.application_id.as_str());
    Ok(RunningClock {
        name: row.name,
        unit: row.unit,
        limit_days: row.limit_days,
        starts: row.starts.date(),
        due: row.due.date(),
        provisions: at.read(&row.provisions)?,
    })
}

fn attempt((task, item, results): &(TestTaskRow, TestItemRow, Vec<ResultRow>)) -> Result<Attempt, Refusal> {
    let found = |row: &ResultRow| LatestResult {
        id: row.id.clone(),
        reported: row.reported.clone(),
        limit: row.limit_text.clone(),
        unit: row.unit.clone(),
        verdict: compose::verdict(row.verdict),
        reviewed_on: row.reviewed_at.as_ref().map(|at| statutory_date(at.utc())),
    };
    Ok(Attempt {
        task: task.id.clone(),
        item_id: item.id.clone(),
        item: Bilingual::new(&item.name_zh, &item.name_en),
        method: item.method.clone(),
        in_scope: item.in_scope,
        compares_full: item.compare_by == Comparison::Full,
        annex: At::new("test_item", "annex", item.id.as_str()).read(&item.annex)?,
        number: task.attempt,
        state: task.state,
        started_on: task.started_at.as_ref().map(|at| statutory_date(at.utc())),
        result: results.last().map(found),
    })
}
