//! Who did what about one thing: the duties that are kept apart, over every version of every reading, former ones too.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::Serialize;

use super::names;
use crate::store::columns::{
    AccountId, CertificateId, Instant, InstrumentFileId, SampleId, SpecificationId, TestTaskId,
};
use crate::store::rows::{CertificateRow, SpecificationRow};
use crate::store::schema::{
    certificate, import_check, instrument_file, observation, out_of_limit_decision, reading, result, sample,
    specification, test_item, test_task,
};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::Duty;

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DutyFact {
    pub duty: Duty,
    pub account: AccountId,
    /// The display name
    pub name: String,
    /// About what, in Chinese
    pub what_zh: String,
    pub what_en: String,
    pub at: Instant,
}

/// Facts whose names are still to be looked up.
#[derive(Default)]
struct Facts(Vec<DutyFact>);

impl Facts {
    /// Adds a fact, once for each person and duty about the same.
    fn add(&mut self, duty: Duty, account: &AccountId, what: (&str, &str), at: &Instant) {
        if self.0.iter().any(|one| (one.duty, &one.account, one.what_zh.as_str()) == (duty, account, what.0)) {
            return;
        }
        let (account, at) = (account.clone(), at.clone());
        let (what_zh, what_en) = (what.0.to_owned(), what.1.to_owned());
        self.0.push(DutyFact { duty, account, name: String::new(), what_zh, what_en, at });
    }

    fn named(mut self, conn: &mut AnyConnection) -> Outcome<Vec<DutyFact>> {
        let known = names(conn, &self.0.iter().map(|one| &one.account).collect::<Vec<_>>())?;
        for one in &mut self.0 {
            one.name = known.get(one.account.as_str()).cloned().unwrap_or_else(|| one.account.to_string());
        }
        Ok(self.0)
    }
}

/// Sample number and item of tasks, in Chinese and English.
fn titles(conn: &mut AnyConnection, tasks: &[TestTaskId]) -> Outcome<BTreeMap<TestTaskId, (String, String)>> {
    let rows: Vec<(TestTaskId, String, String, String)> = test_task::table
        .inner_join(test_item::table)
        .inner_join(sample::table)
        .filter(test_task::id.eq_any(tasks))
        .select((test_task::id, sample::number, test_item::name_zh, test_item::name_en))
        .load(conn)?;
    let title = |(id, number, zh, en): (TestTaskId, String, String, String)| {
        (id, (format!("{number} {zh}"), format!("{number} {en}")))
    };
    Ok(rows.into_iter().map(title).collect())
}

/// What was done at the bench about some tasks.
fn of_tasks(conn: &mut AnyConnection, tasks: &[TestTaskId], facts: &mut Facts) -> Outcome<()> {
    let titles = titles(conn, tasks)?;
    let what = |id: &TestTaskId| titles.get(id).map_or(("", ""), |(zh, en)| (zh.as_str(), en.as_str()));
    let entered: Vec<(TestTaskId, AccountId, Instant)> = reading::table
        .filter(reading::test_task_id.eq_any(tasks))
        .order((reading::entered_at, reading::id))
        .select((reading::test_task_id, reading::entered_by, reading::entered_at))
        .load(conn)?;
    for (task, by, at) in &entered {
        facts.add(Duty::Entry, by, what(task), at);
    }
    type Calculated = (TestTaskId, AccountId, Instant, Option<AccountId>, Option<Instant>);
    let results: Vec<Calculated> = result::table
        .filter(result::test_task_id.eq_any(tasks))
        .order((result::test_task_id, result::version))
        .select((
            result::test_task_id,
            result::analyst_id,
            result::entered_at,
            result::reviewer_id,
            result::reviewed_at,
        ))
        .load(conn)?;
    for (task, analyst, entered_at, reviewer, reviewed_at) in &results {
        facts.add(Duty::Entry, analyst, what(task), entered_at);
        if let (Some(reviewer), Some(at)) = (reviewer, reviewed_at) {
            facts.add(Duty::ResultReview, reviewer, what(task), at);
        }
    }
    let decided: Vec<(TestTaskId, AccountId, Instant)> = out_of_limit_decision::table
        .inner_join(result::table)
        .filter(result::test_task_id.eq_any(tasks))
        .order(out_of_limit_decision::decided_at)
        .select((result::test_task_id, out_of_limit_decision::decided_by, out_of_limit_decision::decided_at))
        .load(conn)?;
    for (task, by, at) in &decided {
        facts.add(Duty::Decision, by, what(task), at);
    }
    Ok(())
}

/// What was done about a test: entered, checked, reviewed, decided, signed.
///
/// # Errors
/// The store's failure.
pub fn duties_of_task(conn: &mut AnyConnection, id: &TestTaskId) -> Outcome<Vec<DutyFact>> {
    let mut facts = Facts::default();
    of_tasks(conn, std::slice::from_ref(id), &mut facts)?;
    let files: Vec<InstrumentFileId> = observation::table
        .inner_join(reading::table)
        .filter(reading::test_task_id.eq(id))
        .select(observation::instrument_file_id)
        .distinct()
        .load(conn)?;
    if !files.is_empty() {
        let whole = import_check::instrument_file_id.eq_any(files).and(import_check::test_task_id.is_null());
        let checks: Vec<(AccountId, Instant, String)> = import_check::table
            .inner_join(instrument_file::table)
            .filter(import_check::test_task_id.eq(id).or(whole.nullable()))
            .order(import_check::checked_at)
            .select((import_check::checked_by, import_check::checked_at, instrument_file::name))
            .load(conn)?;
        for (by, at, name) in &checks {
            facts.add(Duty::ImportCheck, by, (name, name), at);
        }
    }
    let signed: Vec<(Option<String>, Option<AccountId>, Option<Instant>)> = certificate::table
        .inner_join(sample::table.inner_join(test_task::table))
        .filter(test_task::id.eq(id))
        .filter(certificate::signed_by.is_not_null())
        .select((certificate::number, certificate::signed_by, certificate::signed_at))
        .load(conn)?;
    for (number, by, at) in &signed {
        if let (Some(by), Some(at)) = (by, at) {
            let number = number.as_deref().unwrap_or_default();
            facts.add(Duty::Signatory, by, (number, number), at);
        }
    }
    facts.named(conn)
}

/// What was done about the import of a file, or of one task's part of it.
///
/// # Errors
/// The store's failure.
pub fn duties_of_import(
    conn: &mut AnyConnection,
    id: &InstrumentFileId,
    task: Option<&TestTaskId>,
) -> Outcome<Vec<DutyFact>> {
    let mut facts = Facts::default();
    let accepted: Option<(String, Option<AccountId>, Option<Instant>)> = instrument_file::table
        .find(id)
        .select((instrument_file::name, instrument_file::decided_by, instrument_file::decided_at))
        .first(conn)
        .optional()?;
    if let Some((name, Some(by), Some(at))) = &accepted {
        facts.add(Duty::ImportAcceptance, by, (name, name), at);
    }
    let tasks: Vec<TestTaskId> = match task {
        Some(task) => vec![task.clone()],
        None => reading::table
            .inner_join(observation::table)
            .filter(observation::instrument_file_id.eq(id))
            .select(reading::test_task_id)
            .distinct()
            .order(reading::test_task_id)
            .load(conn)?,
    };
    for part in tasks.chunks(400) {
        of_tasks(conn, part, &mut facts)?;
    }
    facts.named(conn)
}

/// What was done about a certificate: at the bench for every test of its sample, also former ones, and about itself.
///
/// # Errors
/// The store's failure.
pub fn duties_of_certificate(conn: &mut AnyConnection, id: &CertificateId) -> Outcome<Vec<DutyFact>> {
    let mut facts = Facts::default();
    let found: Option<CertificateRow> =
        certificate::table.find(id).select(CertificateRow::as_select()).first(conn).optional()?;
    let Some(row) = found else { return Ok(Vec::new()) };
    about(&row, &mut facts);
    let tasks = tasks_of(conn, &row.sample_id)?;
    for part in tasks.chunks(400) {
        of_tasks(conn, part, &mut facts)?;
    }
    facts.named(conn)
}

fn tasks_of(conn: &mut AnyConnection, id: &SampleId) -> Outcome<Vec<TestTaskId>> {
    Ok(test_task::table.filter(test_task::sample_id.eq(id)).order(test_task::id).select(test_task::id).load(conn)?)
}

fn about(row: &CertificateRow, facts: &mut Facts) {
    let number = row.number.as_deref();
    let what = (number.unwrap_or("未编号的证书"), number.unwrap_or("a certificate without a number"));
    facts.add(Duty::CertificateDraft, &row.drafted_by, what, &row.drafted_at);
    if let (Some(by), Some(at)) = (&row.reviewed_by, &row.reviewed_at) {
        facts.add(Duty::CertificateReview, by, what, at);
    }
    if let (Some(by), Some(at)) = (&row.signed_by, &row.signed_at) {
        facts.add(Duty::Signatory, by, what, at);
    }
}

/// What was done about a specification.
///
/// # Errors
/// The store's failure.
pub fn duties_of_specification(conn: &mut AnyConnection, id: &SpecificationId) -> Outcome<Vec<DutyFact>> {
    let mut facts = Facts::default();
    let found: Option<SpecificationRow> =
        specification::table.find(id).select(SpecificationRow::as_select()).first(conn).optional()?;
    if let Some(SpecificationRow { title, version, drafted_by: Some(by), created_at, .. }) = &found {
        let what = (format!("{title}第{version}版"), format!("{title}, version {version}"));
        facts.add(Duty::SpecificationDraft, by, (&what.0, &what.1), created_at);
    }
    facts.named(conn)
}
