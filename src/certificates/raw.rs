//! The raw record of a sample's tests (检验原始记录), as a PDF.

use diesel::prelude::*;

use super::compose;
use super::facts::TestedSample;
use crate::action::Services;
use crate::documents::{
    Bilingual, CalculationStep, CertificateData, CertificateKind, CitedFile, Printed, RawTest, RecordedReading,
    TestingFacts,
};
use crate::record::Actor;
use crate::store::Outcome;
use crate::store::columns::{AccountId, EvaluationId, EvaluationResultId, Instant, SampleId};
use crate::store::rows::{InstrumentFileRow, ObservationRow, ReadingRow, ResultRow, TestItemRow, TestTaskRow};
use crate::store::schema::{
    account, evaluation, evaluation_file, evaluation_result, instrument_file, observation, reading, result_correction,
};
use crate::store::stored::At;
use crate::store::views::{ImportView, Reader, SignatureView};
use crate::store::{AnyConnection, views};

/// Typesets the raw record of a sample. It names no applicant.
///
/// # Errors
/// Where there is no such sample or nothing was recorded yet.
pub fn raw_record(services: &Services, actor: &Actor, id: &SampleId) -> Outcome<Vec<u8>> {
    let (now, reader) = (services.clock.now(), services.reader(actor)?);
    let data = services.db.read(|conn| {
        let facts = TestedSample::load(conn, &services.lines, actor, id)?;
        let mut raw = Vec::new();
        for (task, item, results) in &facts.tasks {
            let site = services.site.public_url.trim_end_matches('/');
            raw.extend(tests(conn, &reader, (task, item, results), site)?);
        }
        let dossier = facts.dossier;
        let mut sample = compose::sample(&dossier);
        // The bench does not see for whom it tests.
        sample.supplier = String::new().into();
        Ok(CertificateData {
            kind: CertificateKind::RawRecord,
            number: dossier.sample.number.clone().into(),
            institution: dossier.institution,
            sample,
            testing: TestingFacts { basis: vec![dossier.basis], ..TestingFacts::default() },
            raw,
            statements: CertificateData::standard_statements(CertificateKind::RawRecord),
            issued_on: compose::written(crate::clock::statutory_date(now)).into(),
            ..CertificateData::default()
        })
    })?;
    super::sign::typeset(services, &data, now)
}

/// One entry for each version of the task's result, the newest last: nothing is left out.
fn tests(
    conn: &mut AnyConnection,
    reader: &Reader,
    (task, item, results): (&TestTaskRow, &TestItemRow, &[ResultRow]),
    site: &str,
) -> Outcome<Vec<RawTest>> {
    let readings: Vec<ReadingRow> = reading::table
        .filter(reading::test_task_id.eq(&task.id))
        .order((reading::name, reading::position, reading::version))
        .load(conn)?;
    let observed: Vec<(ObservationRow, InstrumentFileRow)> = observation::table
        .inner_join(instrument_file::table)
        .filter(observation::id.eq_any(readings.iter().filter_map(|row| row.observation_id.clone())))
        .select((ObservationRow::as_select(), InstrumentFileRow::as_select()))
        .load(conn)?;
    let imports = views::imports(conn, &task.id, &readings)?;
    let evaluated = evaluated(conn, &readings)?;
    let ids: Vec<&str> = results.iter().map(|one| one.id.as_str()).collect();
    let signatures = views::signatures(conn, reader, "result", &ids)?;
    let mut tests = Vec::with_capacity(results.len());
    for one in results {
        let steps: Vec<String> = At::new("result", "steps", one.id.as_str()).read(&one.steps)?;
        tests.push(RawTest {
            item: Bilingual::new(&item.name_zh, &item.name_en),
            method: item.method.clone().into(),
            standard: compose::with_unit(&one.limit_text, &one.unit).into(),
            reagents: Some(one.reagents.clone())
                .filter(|text| !text.is_empty())
                .into_iter()
                .map(Printed::from)
                .collect(),
            files: files(conn, observed.iter().map(|(_, file)| file).chain(evaluated.files.iter()), &imports)?,
            readings: readings
                .iter()
                .filter(|row| row.entered_at <= one.entered_at)
                .map(|row| shown(row, &Sources { observed: &observed, imports: &imports, evaluated: &evaluated }, site))
                .collect(),
            steps: steps.into_iter().map(step).collect(),
            unrounded: one.calculated.clone().into(),
            result: one.reported.clone().into(),
            unit: compose::unit_of(&one.reported, &one.unit).into(),
            verdict: compose::verdict(one.verdict),
            attempt: attempt(task, one).into(),
            analyst: name(conn, Some(&one.analyst_id))?.into(),
            analysed_at: time(Some(&one.entered_at)).into(),
            reviewer: name(conn, one.reviewer_id.as_ref())?.into(),
            reviewed_at: time(one.reviewed_at.as_ref()).into(),
            remarks: remarks(one, &readings, superseded(conn, one)?.as_deref())
                .into_iter()
                .chain(signed(one, &signatures).into_iter().map(Printed::from))
                .collect(),
            ..RawTest::default()
        });
    }
    Ok(tests)
}

fn attempt(task: &TestTaskRow, one: &ResultRow) -> String {
    let test = if task.attempt == 1 { "初验".to_owned() } else { format!("复试（第 {} 次）", task.attempt) };
    let outcome = match one.review_outcome.map(crate::vocabulary::ReviewOutcome::as_str) {
        Some("sent_back") => "，复核退回",
        _ => "",
    };
    format!("{test}，结果第 {} 版{outcome}", one.version)
}

/// The evaluations that readings rest on, and their files.
struct EvaluatedFrom {
    /// A reading's result, and the evaluation in words
    titles: Vec<(EvaluationResultId, String)>,
    files: Vec<InstrumentFileRow>,
}

fn evaluated(conn: &mut AnyConnection, readings: &[ReadingRow]) -> Outcome<EvaluatedFrom> {
    let ids: Vec<EvaluationResultId> = readings.iter().filter_map(|row| row.evaluation_result_id.clone()).collect();
    let found: Vec<(EvaluationResultId, EvaluationId, String, i64)> = evaluation_result::table
        .inner_join(evaluation::table)
        .filter(evaluation_result::id.eq_any(ids))
        .select((evaluation_result::id, evaluation::id, evaluation::title, evaluation::version))
        .load(conn)?;
    let files: Vec<InstrumentFileRow> = evaluation_file::table
        .inner_join(instrument_file::table)
        .filter(evaluation_file::evaluation_id.eq_any(found.iter().map(|one| one.1.clone())))
        .order((evaluation_file::evaluation_id, evaluation_file::position))
        .select(InstrumentFileRow::as_select())
        .load(conn)?;
    let titles = found.into_iter().map(|(id, _, title, version)| (id, format!("评价“{title}”第 {version} 版")));
    Ok(EvaluatedFrom { titles: titles.collect(), files })
}

fn files<'a>(
    conn: &mut AnyConnection,
    observed: impl Iterator<Item = &'a InstrumentFileRow>,
    imports: &[ImportView],
) -> Outcome<Vec<CitedFile>> {
    let mut files: Vec<CitedFile> = Vec::new();
    for file in observed {
        if files.iter().any(|known| *known.sha256 == *file.sha256) {
            continue;
        }
        let adapter = [file.adapter.clone(), file.adapter_version.clone()];
        files.push(CitedFile {
            name: file.name.clone().into(),
            sha256: file.sha256.clone().into(),
            adapter: adapter.into_iter().flatten().collect::<Vec<_>>().join(" ").into(),
            instrument: String::new().into(),
            imported: [
                format!("{} {}", time(Some(&file.uploaded_at)), name(conn, Some(&file.uploaded_by))?),
                checked(imports.iter().find(|one| one.sha256 == file.sha256)),
            ]
            .join("\n")
            .into(),
        });
    }
    Ok(files)
}

/// What a second person found of the import.
fn checked(import: Option<&ImportView>) -> String {
    let Some(import) = import else { return String::new() };
    let outcome = match import.outcome.map(crate::vocabulary::CheckOutcome::as_str) {
        Some("ok") => "导入复核一致",
        Some(_) => "导入复核不通过",
        None => return "导入未复核".into(),
    };
    let by = import.checked_by.as_deref().unwrap_or_default();
    format!("{outcome} {by} {}", time(import.checked_at.as_ref()))
}

/// What readings come from.
struct Sources<'a> {
    observed: &'a [(ObservationRow, InstrumentFileRow)],
    imports: &'a [ImportView],
    evaluated: &'a EvaluatedFrom,
}

fn shown(row: &ReadingRow, from: &Sources, site: &str) -> RecordedReading {
    let Sources { observed, imports, evaluated } = from;
    let evaluation = evaluated.titles.iter().find(|(id, _)| Some(id) == row.evaluation_result_id.as_ref());
    let source = observed.iter().find(|(seen, _)| Some(&seen.id) == row.observation_id.as_ref());
    let version = if row.version > 1 { format!("（更正第 {} 版）", row.version) } else { String::new() };
    RecordedReading {
        label: format!("{}[{}]{version}", row.name, row.position).into(),
        raw: source.map_or_else(|| row.raw.clone(), |(seen, _)| seen.raw.clone()).into(),
        value: row.value.as_ref().map_or_else(|| row.raw.clone(), ToString::to_string).into(),
        unit: row.unit.clone().into(),
        file: source.map(|(_, file)| file.name.clone()).unwrap_or_default().into(),
        locator: match evaluation {
            Some((_, title)) => title.clone().into(),
            None => source.map(|(seen, _)| views::locator_text(&seen.locator)).unwrap_or_default().into(),
        },
        href: source
            .map(|(seen, file)| format!("{site}/instrument-files/{}?observation={}#marked", file.id, seen.id))
            .unwrap_or_default()
            .into(),
        note: note(row, imports).into(),
    }
}

/// Why a reading was changed, and that it counts no more where its import was rejected.
fn note(row: &ReadingRow, imports: &[ImportView]) -> String {
    let of_row = |import: &&ImportView| row.observation_id.iter().any(|id| import.observations.contains(id));
    let void = imports.iter().filter(|one| one.rejected()).find(of_row);
    let void = void.map(|one| format!("导入复核不通过：{}", one.reason.as_deref().unwrap_or_default()));
    row.reason.clone().into_iter().chain(void).collect::<Vec<_>>().join("；")
}

/// Why a result that was approved counts no more, and who said so.
fn superseded(conn: &mut AnyConnection, one: &ResultRow) -> Outcome<Option<String>> {
    let found: Option<(String, String, Instant, AccountId)> = result_correction::table
        .filter(result_correction::result_id.eq(&one.id))
        .select((
            result_correction::reason,
            result_correction::evidence,
            result_correction::ordered_at,
            result_correction::ordered_by,
        ))
        .first(conn)
        .optional()?;
    let Some((reason, evidence, at, by)) = found else { return Ok(None) };
    let evidence = if evidence.is_empty() { String::new() } else { format!("；依据：{evidence}") };
    Ok(Some(format!("该结果已被更正，不再有效（{} {}）：{reason}{evidence}", name(conn, Some(&by))?, time(Some(&at)))))
}

fn step(text: String) -> CalculationStep {
    CalculationStep { label: text.into(), ..CalculationStep::default() }
}

fn remarks(one: &ResultRow, readings: &[ReadingRow], superseded: Option<&str>) -> Vec<Printed> {
    let mut remarks: Vec<String> = superseded.map(str::to_owned).into_iter().collect();
    remarks.extend(Some(one.note.clone()).filter(|text| !text.is_empty()));
    remarks.extend(one.review_note.clone().filter(|text| !text.is_empty()).map(|text| format!("复核：{text}")));
    for row in readings.iter().filter(|row| row.version > 1) {
        let reason = row.reason.as_deref().unwrap_or_default();
        remarks.push(format!("{}[{}] 更正为 {}：{reason}", row.name, row.position, row.raw));
    }
    let converted = readings.iter().filter_map(|row| Some((row, row.conversion.as_deref()?)));
    remarks.extend(converted.map(|(row, how)| format!("{}[{}] 单位换算：{how}", row.name, row.position)));
    remarks.extend(one.despite_range.as_ref().map(|why| format!("数值超出合理范围，理由：{why}")));
    remarks.into_iter().map(Printed::from).collect()
}

/// The signatures on a result: who, with what meaning, when, and on which content.
fn signed(one: &ResultRow, signatures: &[SignatureView]) -> Vec<String> {
    let own = signatures.iter().filter(|signature| signature.subject_id == one.id.as_str());
    let line = |signature: &SignatureView| {
        let SignatureView { name, meaning, signed_at, content_sha256, .. } = signature;
        let hash = content_sha256.get(..16).unwrap_or_default();
        format!("电子签名：{name} {} {}（SHA-256 {hash}…）", meaning.zh(), time(Some(signed_at)))
    };
    own.map(line).collect()
}

fn name(conn: &mut AnyConnection, id: Option<&AccountId>) -> Outcome<String> {
    match id {
        Some(id) => Ok(account::table.find(id).select(account::display_name).first(conn)?),
        None => Ok(String::new()),
    }
}

fn time(at: Option<&Instant>) -> String {
    at.map(|at| crate::clock::local_second(at.utc())).unwrap_or_default()
}
