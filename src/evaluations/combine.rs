//! Several independent assays of one sample together (ChP 1431): weights 1/S², homogeneity by χ².

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::kept::{self, newest, row_of};
use super::refusals::{AssayFault, EvaluationRefusal};
use super::write::{EvaluationRecord, write};
use crate::action::{Action, Context, Facts};
use crate::calculation::method::Method;
use crate::calculation::outcome::{Criterion, Outcome as Found, PotencyLine, Replicate, ResultLine};
use crate::calculation::plate::potency;
use crate::calculation::setup::Setup;
use crate::calculation::suitability::judge;
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::regulation::numeric::{CompareBy, Limit, Measured, Verdict};
use crate::store::columns::EvaluationId;
use crate::store::views::EvaluationView;
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::{EvaluationKind, EvaluationVerdict, Permission};

/// Combines valid assays of one sample and keeps the outcome as an evaluation of its own.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CombineEvaluations {
    pub title: String,
    /// The evaluations, each with one valid potency of the same sample
    pub evaluation_ids: Vec<EvaluationId>,
}

/// One assay as it was kept.
pub struct Assay {
    validity: EvaluationVerdict,
    /// It is the newest version of its series.
    newest: bool,
    found: Found,
    method: Method,
}

/// The assays together.
pub struct CombinationPlan {
    title: String,
    method: Method,
    found: Found,
}

impl Action for CombineEvaluations {
    const NAME: &'static str = "evaluation.combine";
    const PERMISSION: Permission = Permission::EvaluationCreate;
    type Prepared = ();
    type Loaded = Vec<Assay>;
    type Plan = CombinationPlan;
    type Done = EvaluationView;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Vec<Assay>> {
        assays(cx.conn, cx.actor, &self.evaluation_ids)
    }

    fn decide(&self, _: &Facts<'_>, assays: &Vec<Assay>) -> Result<CombinationPlan, Refusal> {
        let title = text::required("title", &self.title, text::TEXT)?;
        let (method, found) = together(assays)?;
        Ok(CombinationPlan { title, method, found })
    }

    fn keep(&self, cx: &mut Context<'_>, _: Vec<Assay>, plan: CombinationPlan) -> Outcome<EvaluationView> {
        let CombinationPlan { title, method, found } = plan;
        let assays: Vec<String> = self.evaluation_ids.iter().map(ToString::to_string).collect();
        let kept = EvaluationRecord {
            kind: EvaluationKind::Combination,
            title,
            reason: None,
            method,
            setup: Setup { assays, ..Setup::default() },
            standards: Vec::new(),
            found,
            series: None,
        };
        let row = write(cx, &kept, &[])?;
        let content = json!({"title": row.title, "assays": self.evaluation_ids, "verdict": row.verdict});
        cx.record(Change::created(Self::NAME, "evaluation", &row.id, content));
        EvaluationView::of(row)
    }
}

/// The assays as they were kept.
///
/// # Errors
/// Where there are too few or too many, one is named twice, or there is none of an id.
pub(super) fn assays(conn: &mut AnyConnection, actor: &Actor, ids: &[EvaluationId]) -> Outcome<Vec<Assay>> {
    if !(2..=50).contains(&ids.len()) {
        return Err(EvaluationRefusal::AssayCount.into());
    }
    let mut found = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        if ids.iter().take(index).any(|known| known == id) {
            return Err(EvaluationRefusal::Assay { index, fault: AssayFault::Twice }.into());
        }
        let row = row_of(conn, actor, id)?;
        found.push(Assay {
            validity: row.verdict,
            newest: newest(conn, &row.root_id)? == row.version,
            found: kept::found(&row)?,
            method: kept::method(&row)?,
        });
    }
    Ok(found)
}

/// The combined outcome of assays, and the definition whose limits hold.
///
/// # Errors
/// Where one is not a valid potency in its newest version, or they are of different samples.
pub(super) fn together(assays: &[Assay]) -> Result<(Method, Found), EvaluationRefusal> {
    let mut first: Option<(&Method, &ResultLine)> = None;
    let mut lines: Vec<PotencyLine> = Vec::new();
    let wrong = |index, fault| EvaluationRefusal::Assay { index, fault };
    for (index, assay) in assays.iter().enumerate() {
        if assay.validity != EvaluationVerdict::Valid || !assay.newest {
            return Err(wrong(index, AssayFault::NotInForce));
        }
        let ([line], [result]) = (assay.found.potencies.as_slice(), assay.found.results.as_slice()) else {
            return Err(wrong(index, AssayFault::NotOnePotency));
        };
        match &first {
            Some((_, known)) if known.sample_id != result.sample_id || known.unit != result.unit => {
                return Err(wrong(index, AssayFault::OtherSample));
            }
            Some(_) => {}
            None => first = Some((&assay.method, result)),
        }
        lines.push(line.clone());
    }
    let (method, result) = first.ok_or(EvaluationRefusal::AssayCount)?;
    Ok((method.clone(), of_lines(method, result.clone(), lines)?))
}

/// What is weighed of an assay: M, S and its degrees of freedom.
fn weighed(line: &PotencyLine) -> Result<(f64, f64, u32), EvaluationRefusal> {
    let number = |text: &str| {
        let none = |_| EvaluationRefusal::NoWeight { sample: line.sample.clone(), text: text.to_owned() };
        text.parse::<f64>().map_err(none)
    };
    Ok((number(&line.log_potency)?, number(&line.standard_error)?, line.freedom))
}

fn of_lines(method: &Method, result: ResultLine, lines: Vec<PotencyLine>) -> Result<Found, EvaluationRefusal> {
    let mut found = Found::default();
    let assays: Vec<(f64, f64, u32)> = lines.iter().map(weighed).collect::<Result<_, _>>()?;
    for (index, line) in lines.iter().enumerate() {
        found.step(format!(
            "第 {} 次：效价 {}，M = {}，S = {}，df = {}",
            index + 1,
            line.potency,
            line.log_potency,
            line.standard_error,
            line.freedom
        ));
    }
    let Some(all) = potency::combine(&assays) else {
        found.refuse("no_combination", "各次试验无法合并 / the assays cannot be combined");
        return Ok(found.judged());
    };
    let potency = 10_f64.powf(all.log_potency);
    let fl = (all.upper - all.lower) / (2.0 * potency) * 100.0;
    let weights = if all.semi_weighted { "W′ = 1/(S² + V)" } else { "W = 1/S²" };
    found.step(format!("异质性 χ² = {}，df = {}，P = {}", all.chi_squared, assays.len() - 1, all.p));
    found.step(format!(
        "合并（{weights}）：M = {}，S = {}，效价 = {potency}，95% 可信限 {} ~ {}",
        all.log_potency, all.standard_error, all.lower, all.upper
    ));
    let limits = &method.limits;
    if !limits.p_homogeneity.is_empty() {
        let judge = |p: Decimal| {
            let limit = Limit::parse(&limits.p_homogeneity);
            limit.and_then(|limit| limit.judge(&Measured::Number(p), CompareBy::Full))
        };
        let judged = Decimal::from_f64(all.p).map(judge);
        let met = judged.is_some_and(|judged| judged.is_ok_and(|judged| judged.verdict == Verdict::Pass));
        if !met {
            found.find(
                "heterogeneous",
                "各次效价不均一，采用半加权合并 / the assays are not homogeneous: combined with semi-weights",
                None,
            );
        }
        // Not met is answered by the weights, not by refusing: it is shown and does not decide.
        found.criteria.push(Criterion {
            code: "homogeneity".into(),
            label: "均一性 P / P of homogeneity".into(),
            expected: limits.p_homogeneity.clone(),
            found: all.p.to_string(),
            n: assays.len(),
            met: if met { Some(true) } else { None },
            ..Criterion::default()
        });
    }
    let fl_decimal = Decimal::from_f64(fl);
    judge(
        &mut found,
        "fl_percent",
        "可信限率 FL（%） / Confidence limits FL (%)",
        "",
        &limits.fl_percent,
        (fl_decimal, assays.len()),
    );
    found.potencies = lines;
    let replicates = found.potencies.iter().map(|line| Replicate {
        label: line.sample.clone(),
        value: Some(line.potency.clone()),
        raw: line.potency.clone(),
    });
    let replicates = replicates.collect();
    found.results.push(ResultLine {
        value: Some(potency.to_string()),
        raw: potency.to_string(),
        replicates,
        steps: found.steps.clone(),
        ..result.clone()
    });
    found.potencies.push(PotencyLine {
        sample: result.sample_text,
        model: "combination".into(),
        ratio: String::new(),
        potency: potency.to_string(),
        lower: all.lower.to_string(),
        upper: all.upper.to_string(),
        unit: result.unit,
        fl_percent: fl.to_string(),
        log_potency: all.log_potency.to_string(),
        standard_error: all.standard_error.to_string(),
        freedom: all.freedom,
        tests: Vec::new(),
    });
    Ok(found.judged())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method() -> Method {
        let found = crate::calculation::method::methods(&[]).expect("the shipped definitions");
        found.into_iter().find(|one| one.id == "potency-parallel-line").expect("the definition")
    }

    fn assay(sample: &str, log_potency: &str) -> Assay {
        let line = PotencyLine {
            log_potency: log_potency.into(),
            standard_error: "0.01".into(),
            freedom: 18,
            ..PotencyLine::default()
        };
        let result = ResultLine { sample_id: Some(sample.into()), ..ResultLine::default() };
        let found = Found { potencies: vec![line], results: vec![result], ..Found::default() };
        Assay { validity: EvaluationVerdict::Valid, newest: true, found, method: method() }
    }

    #[test]
    fn valid_assays_of_one_sample_go_together() {
        let (_, found) = together(&[assay("s", "3.01"), assay("s", "3.02")]).expect("a combination");
        assert_eq!(found.potencies.len(), 3, "both assays and what they give together");
        assert_eq!(found.results.len(), 1);
    }

    #[test]
    fn what_does_not_belong_is_named() {
        let old = Assay { newest: false, ..assay("s", "3.0") };
        let invalid = Assay { validity: EvaluationVerdict::Invalid, ..assay("s", "3.0") };
        let other = (assay("another", "3.0"), AssayFault::OtherSample);
        for (wrong, fault) in [(old, AssayFault::NotInForce), (invalid, AssayFault::NotInForce), other] {
            let refused = together(&[assay("s", "3.0"), wrong]).err();
            assert_eq!(refused, Some(EvaluationRefusal::Assay { index: 1, fault }));
        }
        let broken = together(&[assay("s", "3.0"), assay("s", "")]).err();
        assert!(matches!(broken, Some(EvaluationRefusal::NoWeight { text, .. }) if text.is_empty()));
    }
}
