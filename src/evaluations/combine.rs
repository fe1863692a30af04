//! Several independent assays of one sample together (ChP 1431): weights 1/S², homogeneity by χ².

use serde::Deserialize;
use utoipa::ToSchema;

use super::evaluate::{newest, row_of, store};
use super::institute_of;
use super::load::Loaded;
use crate::action::Services;
use crate::calculation::CALCULATION_VERSION;
use crate::calculation::method::Method;
use crate::calculation::outcome::{Criterion, Outcome as Found, PotencyLine, Replicate, ResultLine};
use crate::calculation::plate::potency;
use crate::calculation::setup::Setup;
use crate::calculation::suitability::judge;
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::regulation::numeric::{CompareBy, Limit, Measured, Verdict};
use crate::store::columns::{EvaluationId, Json};
use crate::store::rows::EvaluationRow;
use crate::store::{AnyConnection, Outcome};
use crate::text;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use serde_json::json;

/// Assays to be combined.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Combination {
    pub title: String,
    /// The evaluations, each with one valid potency of the same sample
    pub evaluation_ids: Vec<String>,
}

/// Combines valid assays of one sample and keeps the outcome as an evaluation of its own.
///
/// # Errors
/// Where one is no valid potency in its newest version, or they are of different samples.
pub fn combine(services: &Services, actor: &Actor, new: &Combination) -> Outcome<EvaluationRow> {
    let title = text::printed("title", &new.title, text::TEXT)?;
    let (institute, actor, now, ids) =
        (institute_of(actor)?, actor.clone(), services.clock.now(), new.evaluation_ids.clone());
    services.db.write(move |conn| {
        let (method, found) = combined(conn, &actor, &ids)?;
        let id = EvaluationId::new();
        let row = EvaluationRow {
            id: id.clone(),
            root_id: id,
            version: 1,
            institute_id: institute.clone(),
            kind: "combination".into(),
            title: title.clone(),
            method_id: method.id.clone(),
            method_version: method.version.clone(),
            method: Json::of(&method),
            calculation_version: CALCULATION_VERSION.into(),
            setup: Json::of(&Setup { assays: ids.clone(), ..Setup::default() }),
            standards: Json::of(&Vec::<String>::new()),
            outcome: Json::of(&found),
            verdict: if found.valid { "valid" } else { "invalid" }.into(),
            reason: None,
            created_by: actor.account.clone(),
            created_at: now.into(),
        };
        store(conn, &row, &found, &Loaded { files: Vec::new(), seen: Vec::new() }, &[])?;
        let content = json!({"title": row.title, "assays": ids, "verdict": row.verdict});
        let change = Change::created("evaluation.combine", "evaluation", &row.id, content);
        record::record(conn, &actor, now, vec![change])?;
        Ok(row)
    })
}

/// The combined outcome of stored assays, and the definition whose limits hold.
pub(super) fn combined(conn: &mut AnyConnection, actor: &Actor, ids: &[String]) -> Outcome<(Method, Found)> {
    let wrong = |index: usize, zh: &str, en: &str| Refusal::field(format!("evaluation_ids[{index}]"), zh, en);
    if !(2..=50).contains(&ids.len()) {
        return Err(Refusal::field("evaluation_ids", "应为 2 至 50 次试验", "expected 2 to 50 assays").into());
    }
    let mut first: Option<(Method, ResultLine)> = None;
    let mut lines: Vec<PotencyLine> = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        if ids.iter().take(index).any(|known| known == id) {
            return Err(wrong(index, "评价重复", "the evaluation stands twice").into());
        }
        let row = row_of(conn, actor, &EvaluationId::from(id.as_str()))?;
        if row.verdict != "valid" || newest(conn, &row.root_id)? != row.version {
            return Err(wrong(index, "不是有效的最新版本", "it is not valid, or not the newest version").into());
        }
        let found: Found = row.outcome.read().map_err(|_| unreadable(id))?;
        let method: Method = row.method.read().map_err(|_| unreadable(id))?;
        let ([line], [result]) = (found.potencies.as_slice(), found.results.as_slice()) else {
            return Err(wrong(index, "应恰有一个效价", "expected exactly one potency").into());
        };
        match &first {
            Some((_, known)) if known.sample_id != result.sample_id || known.unit != result.unit => {
                return Err(wrong(index, "不是同一样品或单位", "another sample or unit").into());
            }
            Some(_) => {}
            None => first = Some((method, result.clone())),
        }
        lines.push(line.clone());
    }
    let (method, result) = first.ok_or_else(|| unreadable(""))?;
    Ok((method.clone(), of_lines(&method, result, lines)))
}

fn unreadable(id: &str) -> Refusal {
    Refusal::new(Code::Conflict, format!("评价 {id} 无法读取"), format!("evaluation {id} cannot be read"))
}

fn of_lines(method: &Method, result: ResultLine, lines: Vec<PotencyLine>) -> Found {
    let mut found = Found::default();
    let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
    let assays: Vec<(f64, f64, u32)> =
        lines.iter().map(|line| (number(&line.log_potency), number(&line.standard_error), line.freedom)).collect();
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
        return found.judged();
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
        let p = Decimal::from_f64(all.p);
        let judged = Limit::parse(&limits.p_homogeneity)
            .and_then(|limit| limit.judge(&Measured::Number(p.unwrap_or_default()), CompareBy::Full));
        let met = judged.is_ok_and(|judged| judged.verdict == Verdict::Pass);
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
    found.judged()
}
