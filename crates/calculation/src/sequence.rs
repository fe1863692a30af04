//! Evaluating a sequence: blanks, suitability, standards, brackets, samples. Decimals throughout.

use super::content::{self, Standards};
use super::injections::{Injection, assigned, group};
use super::method::{Method, MethodCalculation};
use super::outcome::{InjectionLine, Outcome};
use super::setup::{Role, Setup, StandardFacts};
use super::suitability::{check, judge};
use super::{CALCULATION_VERSION, Seen, arith, normalise};

/// Everything that a sequence's evaluation works with.
pub struct Run<'a> {
    pub method: &'a Method,
    pub setup: &'a Setup,
    pub standards: &'a [StandardFacts],
    pub injections: Vec<Injection<'a>>,
}

impl<'a> Run<'a> {
    /// The injections of a role, with their preparation's label.
    pub fn of(&self, role: Role) -> Vec<(&Injection<'a>, &'a str)> {
        let with = self.injections.iter().map(|one| (one, assigned(self.setup, &one.key)));
        with.filter(|(_, (found, _))| *found == role).map(|(one, (_, preparation))| (one, preparation)).collect()
    }

    /// The injections that calibrate: standards, and suitability injections of a solution with a weighing.
    pub fn calibrating(&self) -> Vec<(&Injection<'a>, &'a str)> {
        let with = self.injections.iter().map(|one| (one, assigned(self.setup, &one.key)));
        with.filter(|(_, (role, preparation))| {
            *role == Role::Standard || (*role == Role::SystemSuitability && !preparation.is_empty())
        })
        .map(|(one, (_, preparation))| (one, preparation))
        .collect()
    }

    /// The place of an injection in the run.
    pub fn place(&self, key: &str) -> usize {
        self.injections.iter().position(|one| one.key == key).unwrap_or(usize::MAX)
    }
}

/// Evaluates a sequence from its observations, the roles and weighings given, and the lots of reference standards.
#[must_use]
pub fn evaluate(method: &Method, setup: &Setup, standards: &[StandardFacts], seen: &[Seen]) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.step(format!(
        "方法定义 {} {}（第 {} 版），计算程序 {CALCULATION_VERSION}；来源：{}",
        method.id, method.name_zh, method.version, method.source
    ));
    let injections = group(seen, &setup.signal, &mut outcome);
    let run = Run { method, setup, standards, injections };
    complete(&run, &mut outcome);
    lines(&run, &mut outcome);
    let with_roles: Vec<(&Injection, Role)> =
        run.injections.iter().map(|one| (one, assigned(setup, &one.key).0)).collect();
    check(method, &setup.analyte, &with_roles, &mut outcome);
    if method.calculation == MethodCalculation::AreaNormalisation {
        normalise::normalise(&run, &mut outcome);
    } else {
        match content::standards(&run, &mut outcome) {
            Some(calibrated) => {
                blanks(&run, &calibrated, &mut outcome);
                content::brackets(&run, &calibrated, &mut outcome);
                content::samples(&run, &calibrated, &mut outcome);
            }
            None => outcome.refuse(
                "no_standards",
                "没有可用的对照品进样，无法计算 / no usable injection of a standard: nothing can be calculated",
            ),
        }
    }
    outcome.judged()
}

/// Every injection has a role, every role an injection.
fn complete(run: &Run, outcome: &mut Outcome) {
    if run.setup.analyte.is_empty() && run.method.calculation != MethodCalculation::AreaNormalisation {
        outcome.refuse("analyte", "未指明待测组分 / the analyte is not named");
    }
    for role in &run.setup.injections {
        if !run.injections.iter().any(|one| one.key == role.injection) {
            outcome.refuse(
                "unknown_injection",
                format!("文件中没有进样 {} / the files have no injection {}", role.injection, role.injection),
            );
        }
    }
    for one in &run.injections {
        let found = run.setup.injections.iter().find(|role| role.injection == one.key);
        match found {
            None => outcome.refuse(
                "unassigned",
                format!("进样 {} 未指定用途 / no role is given to injection {}", one.key, one.key),
            ),
            Some(role) if role.role == Role::Other && role.reason.is_empty() => outcome.find(
                "left_out",
                format!("进样 {} 不参与评价 / injection {} takes no part", one.key, one.key),
                None,
            ),
            Some(role) if !role.reason.is_empty() => outcome.find(
                "role_changed",
                format!(
                    "进样 {}：{}（{}）/ {}: {} ({})",
                    one.key,
                    role.role.names().0,
                    role.reason,
                    one.key,
                    role.role.names().1,
                    role.reason
                ),
                None,
            ),
            Some(_) => {}
        }
    }
}

fn lines(run: &Run, outcome: &mut Outcome) {
    let analyte = run.setup.analyte.as_str();
    for one in &run.injections {
        let (role, preparation) = assigned(run.setup, &one.key);
        let text = |names: &[&str]| one.any(analyte, names).map(|seen| seen.raw.clone());
        let response = one.value(analyte, &run.method.response);
        let by_hand = one.by_hand(analyte) || one.by_hand(&run.setup.internal_standard);
        if by_hand && role != Role::Other {
            outcome.find(
                "by_hand",
                format!("{} 的峰经手动积分或更改 / a peak of {} was integrated or altered by hand", one.key, one.key),
                response.map(|seen| seen.id.as_str()),
            );
        }
        outcome.injections.push(InjectionLine {
            key: one.key.clone(),
            file_id: one.file.to_owned(),
            sample_text: one.sample_text.to_owned(),
            acquired_at: one.acquired_at.to_owned(),
            role: role.as_str().to_owned(),
            preparation: preparation.to_owned(),
            retention_time: text(&["retention_time"]),
            response: response.map(|seen| seen.raw.clone()),
            plates: text(&["theoretical_plates", "plates", "plate_count", "efficiency"]),
            tailing: text(&["tailing", "tailing_factor", "asymmetry", "symmetry"]),
            resolution: text(&["resolution"]),
            by_hand,
            observation_id: response.map(|seen| seen.id.clone()),
        });
    }
}

/// The blank has no peak at the analyte's place, or a small one.
fn blanks(run: &Run, calibrated: &Standards, outcome: &mut Outcome) {
    let limit = run.method.limits.blank_percent.as_str();
    if limit.is_empty() {
        return;
    }
    let blanks = run.of(Role::Blank);
    if blanks.is_empty() {
        outcome.refuse("no_blank", "序列中没有空白进样 / the sequence has no injection of a blank");
    }
    for (one, _) in blanks {
        let found = one.value(&run.setup.analyte, &run.method.response);
        let percent = match found {
            None => Some(rust_decimal::Decimal::ZERO),
            Some(seen) if seen.status == "not_detected" => Some(rust_decimal::Decimal::ZERO),
            Some(seen) => seen.number().and_then(|area| arith::percent(area, calibrated.mean_response)),
        };
        if let (Some(seen), None) = (found, percent) {
            outcome.find(
                "unusable",
                format!("{}：{} 不作数值使用 / not used as a number", one.key, seen.why_not()),
                Some(&seen.id),
            );
        }
        let shown = percent.map(arith::short).unwrap_or_default();
        outcome.step(format!("空白 {}：主峰位置响应为对照的 {shown} %", one.sample_text));
        judge(outcome, "blank", "空白干扰（%） / Interference of the blank (%)", one.sample_text, limit, (percent, 1));
    }
}
