//! Evaluating and keeping it: append-only, a re-evaluation is a new version.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::kept::{newest, row_of};
use super::load::{self, InFiles, LoadedFiles};
use super::methods::method;
use super::write::{EvaluationRecord, write};
use crate::action::{Action, Context, Facts, Services};
use crate::calculation::injections::group;
use crate::calculation::method::{Method, MethodKind};
use crate::calculation::outcome::Outcome as Found;
use crate::calculation::setup::{Setup, StandardFacts};
use crate::calculation::{CALCULATION_VERSION, Seen, plate, sequence};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::store::columns::{EvaluationId, InstrumentFileId};
use crate::store::rows::EvaluationRow;
use crate::store::views::EvaluationView;
use crate::store::{Outcome, StoreError};
use crate::text;
use crate::vocabulary::{EvaluationKind, Permission};

/// Substances, signals, injections and wells are called as the file calls them: by the API below `setup`, by the page as
/// they are.
const AS_FILED: &[&str] = &[
    "setup.analyte",
    "setup.internal_standard",
    "setup.signal",
    "setup.injections.injection",
    "setup.plate.plate",
    "setup.plate.quantity",
    "setup.plate.wavelength",
    "setup.plate.reference_wavelength",
    "setup.plate.wells.name",
    "setup.plate.controls.name",
    "setup.plate.samples.name",
    "analyte",
    "internal_standard",
    "signal",
    "injections.injection",
    "plate",
];

/// Evaluates files and keeps what comes out, valid or not.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreateEvaluation {
    pub title: String,
    pub method_id: String,
    pub file_ids: Vec<InstrumentFileId>,
    pub setup: Setup,
    /// Why it is evaluated again; of new versions only
    pub reason: Option<String>,
}

/// Evaluates again: a new version, which the earlier ones stay beside.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviseEvaluation {
    pub id: EvaluationId,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub method_id: String,
    #[serde(default)]
    pub file_ids: Vec<InstrumentFileId>,
    #[serde(default)]
    pub setup: Setup,
    /// Why it is evaluated again
    #[serde(default)]
    pub reason: Option<String>,
}

/// An evaluation that is not kept.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = EvaluationPreview)]
pub struct EvaluationPreview {
    pub calculation_version: String,
    pub outcome: Found,
}

/// What a calculation is asked for with, the same for a first version and a later one.
struct Asked<'a> {
    title: &'a str,
    method_id: &'a str,
    files: &'a [InstrumentFileId],
    setup: &'a Setup,
}

/// The definition, and the injections that the files have: read before the transaction, which waits for no file.
pub struct Ready {
    method: Method,
    in_files: InFiles,
}

/// What an evaluation is calculated from.
pub struct EvaluationEvidence {
    method: Method,
    loaded: LoadedFiles,
    setup: Setup,
    standards: Vec<StandardFacts>,
    /// The series that it belongs to and its version there; none for a first one.
    series: Option<(EvaluationId, i64)>,
}

/// An evaluation that was calculated.
pub struct EvaluationPlan {
    title: String,
    reason: Option<String>,
    found: Found,
}

/// Calculates by the kind of the method.
pub(super) fn calculate(method: &Method, setup: &Setup, standards: &[StandardFacts], seen: &[Seen]) -> Found {
    match method.kind {
        MethodKind::Sequence => sequence::evaluate(method, setup, standards, seen),
        MethodKind::Plate => plate::evaluate(method, setup, seen),
    }
}

/// Calculates without keeping anything.
///
/// # Errors
/// Where a file, a lot or a field is not as expected.
pub fn preview(services: &Services, actor: &Actor, new: &CreateEvaluation) -> Outcome<EvaluationPreview> {
    let Ready { method, in_files } = ready(services, actor, &new.asked())?;
    let (institute, today) = (actor.institute()?, services.clock.today());
    let (loaded, standards) = services.db.read(|conn| {
        let loaded = load::files(conn, &institute, &new.file_ids, &in_files)?;
        let standards = load::standards(conn, &institute, &new.setup, &loaded.seen, today)?;
        Ok((loaded, standards))
    })?;
    let outcome = calculate(&method, &new.setup, &standards, &loaded.seen);
    Ok(EvaluationPreview { calculation_version: CALCULATION_VERSION.to_owned(), outcome })
}

fn ready(services: &Services, actor: &Actor, asked: &Asked<'_>) -> Outcome<Ready> {
    let (institute, method) = (actor.institute()?, method(services, asked.method_id)?);
    load::check_setup(asked.setup)?;
    Ok(Ready { method, in_files: load::in_files(services, &institute, asked.files)? })
}

fn load_evidence(
    cx: &mut Context<'_>,
    asked: &Asked<'_>,
    ready: Option<&Ready>,
    of: Option<&EvaluationId>,
) -> Outcome<EvaluationEvidence> {
    let ready = ready.ok_or_else(|| StoreError::Other("no file of the evaluation was read".into()))?;
    let (institute, today) = (cx.institute()?, cx.today());
    let series = match of {
        Some(of) => {
            let before = row_of(cx.conn, cx.actor, of)?;
            let next = newest(cx.conn, &before.root_id)? + 1;
            Some((before.root_id, next))
        }
        None => None,
    };
    let loaded = load::files(cx.conn, &institute, asked.files, &ready.in_files)?;
    let setup = assigned(&ready.method, asked.setup.clone(), &loaded.seen, &cx.actor.display_name);
    let standards = load::standards(cx.conn, &institute, &setup, &loaded.seen, today)?;
    Ok(EvaluationEvidence { method: ready.method.clone(), loaded, setup, standards, series })
}

fn decide(asked: &Asked<'_>, reason: Option<String>, evidence: &EvaluationEvidence) -> Result<EvaluationPlan, Refusal> {
    let title = text::required("title", asked.title, text::TEXT)?;
    let found = calculate(&evidence.method, &evidence.setup, &evidence.standards, &evidence.loaded.seen);
    Ok(EvaluationPlan { title, reason, found })
}

fn keep(
    cx: &mut Context<'_>,
    event: &'static str,
    evidence: EvaluationEvidence,
    plan: EvaluationPlan,
) -> Outcome<EvaluationView> {
    let EvaluationEvidence { method, loaded, setup, standards, series } = evidence;
    let kind = match method.kind {
        MethodKind::Sequence => EvaluationKind::Sequence,
        MethodKind::Plate => EvaluationKind::Plate,
    };
    let EvaluationPlan { title, reason, found } = plan;
    let kept = EvaluationRecord { kind, title, reason, method, setup, standards, found, series };
    let files: Vec<_> = loaded.files.iter().map(|file| file.id.clone()).collect();
    let row = write(cx, &kept, &files)?;
    cx.record(event_of(event, &row, &kept.found, &loaded));
    EvaluationView::of(row)
}

/// Who gave each injection its role, and what the patterns had proposed.
fn assigned(method: &Method, mut setup: Setup, seen: &[Seen], by: &str) -> Setup {
    let injections = group(seen, &setup.signal, &mut Found::default());
    for role in &mut setup.injections {
        let of = injections.iter().find(|one| one.key == role.injection);
        role.proposed = of.map(|one| method.role_of(one.sample_text, one.sample_type));
        role.assigned_by = by.to_owned();
    }
    setup
}

fn event_of(event: &'static str, row: &EvaluationRow, found: &Found, loaded: &LoadedFiles) -> Change {
    let files: BTreeSet<&str> = loaded.files.iter().map(|file| file.sha256.as_str()).collect();
    let results: Vec<_> =
        found.results.iter().map(|one| json!({"sample": one.sample_text, "raw": one.raw, "unit": one.unit})).collect();
    let content = json!({
        "title": row.title, "version": row.version, "root_id": row.root_id, "method": row.method_id,
        "method_version": row.method_version, "calculation_version": row.calculation_version,
        "verdict": row.verdict, "reasons": found.reasons.iter().map(|note| &note.code).collect::<Vec<_>>(),
        "files": files, "results": results,
    });
    let mut change = Change::created(event, "evaluation", &row.id, content);
    change.reason.clone_from(&row.reason);
    change
}

impl CreateEvaluation {
    fn asked(&self) -> Asked<'_> {
        Asked { title: &self.title, method_id: &self.method_id, files: &self.file_ids, setup: &self.setup }
    }
}

impl Action for CreateEvaluation {
    const NAME: &'static str = "evaluation.create";
    const PERMISSION: Permission = Permission::EvaluationCreate;
    const AS_FILED: &'static [&'static str] = self::AS_FILED;
    type Prepared = Option<Ready>;
    type Loaded = EvaluationEvidence;
    type Plan = EvaluationPlan;
    type Done = EvaluationView;

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Option<Ready>> {
        ready(services, actor, &self.asked()).map(Some)
    }

    fn load(&self, cx: &mut Context<'_>, ready: &Option<Ready>) -> Outcome<EvaluationEvidence> {
        load_evidence(cx, &self.asked(), ready.as_ref(), None)
    }

    fn decide(&self, _: &Facts<'_>, evidence: &EvaluationEvidence) -> Result<EvaluationPlan, Refusal> {
        decide(&self.asked(), None, evidence)
    }

    fn keep(
        &self,
        cx: &mut Context<'_>,
        evidence: EvaluationEvidence,
        plan: EvaluationPlan,
    ) -> Outcome<EvaluationView> {
        keep(cx, Self::NAME, evidence, plan)
    }
}

impl ReviseEvaluation {
    fn asked(&self) -> Asked<'_> {
        Asked { title: &self.title, method_id: &self.method_id, files: &self.file_ids, setup: &self.setup }
    }

    fn why(&self) -> Result<String, Refusal> {
        text::required("reason", self.reason.as_deref().unwrap_or_default(), text::REMARK)
    }
}

impl Action for ReviseEvaluation {
    const NAME: &'static str = "evaluation.revise";
    const PERMISSION: Permission = Permission::EvaluationCreate;
    const AS_FILED: &'static [&'static str] = self::AS_FILED;
    type Prepared = Option<Ready>;
    type Loaded = EvaluationEvidence;
    type Plan = EvaluationPlan;
    type Done = EvaluationView;

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Option<Ready>> {
        // Files are not read for what would be refused anyway.
        self.why()?;
        ready(services, actor, &self.asked()).map(Some)
    }

    fn load(&self, cx: &mut Context<'_>, ready: &Option<Ready>) -> Outcome<EvaluationEvidence> {
        load_evidence(cx, &self.asked(), ready.as_ref(), Some(&self.id))
    }

    fn decide(&self, _: &Facts<'_>, evidence: &EvaluationEvidence) -> Result<EvaluationPlan, Refusal> {
        decide(&self.asked(), Some(self.why()?), evidence)
    }

    fn keep(
        &self,
        cx: &mut Context<'_>,
        evidence: EvaluationEvidence,
        plan: EvaluationPlan,
    ) -> Outcome<EvaluationView> {
        keep(cx, Self::NAME, evidence, plan)
    }
}
