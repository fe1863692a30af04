//! From reviewed results to the content of a certificate. Pure.

use chrono::NaiveDate;

use super::facts::{Facts, Final};
use crate::documents::{
    Basis, Bilingual, CertificateData, CertificateKind, ClockFact, Conclusion, DecisionFacts, ImportFacts, Institution,
    Party, ProvisionFact, Refusal, ReleaseFacts, ResultRow, SampleFacts, SamplingFacts, TestingFacts, Verdict,
    Verification,
};
use crate::regulation::{Business, ClockName, ClockUnit, Provision, Regulation};
use crate::store::columns::{Day, Instant};
use crate::store::rows::TestItemRow;
use crate::vocabulary::{Comparison, Verdict as Passed};

/// Which document the case ends in.
pub(super) fn kind_of(business: Business, conforms: bool) -> CertificateKind {
    match (business, conforms) {
        (Business::LotRelease, true) => CertificateKind::LotRelease,
        (Business::LotRelease, false) => CertificateKind::LotReleaseRefusal,
        (Business::PortEntry, _) => CertificateKind::ImportReport,
        (Business::DrugRegistration | Business::DeviceRegistration, _) => CertificateKind::TestReport,
    }
}

/// A date as documents write it.
pub(super) fn written(day: NaiveDate) -> String {
    day.format("%Y年%-m月%-d日").to_string()
}

fn day(day: Option<&Day>) -> String {
    day.map(|day| written(day.date())).unwrap_or_default()
}

pub(super) fn day_of(at: &Instant) -> String {
    written(crate::clock::statutory_date(at.utc()))
}

/// An expiry or production date: rewritten where it is `YYYY-MM-DD`, as on the label otherwise.
fn label_date(text: Option<&String>) -> String {
    text.map_or_else(String::new, |text| match crate::text::date("", text) {
        Ok(date) => written(date),
        Err(_) => text.clone(),
    })
}

/// Composes a certificate; number, signatory and date of issue come later.
pub(super) fn compose(
    facts: &Facts,
    finals: &[Final],
    regulation: &Regulation,
    verification: Verification,
) -> CertificateData {
    let conforms = finals.iter().all(|one| one.result.verdict == Passed::Pass);
    let kind = kind_of(facts.application.business, conforms);
    CertificateData {
        kind,
        institution: institution(facts),
        customer: Party { name: Bilingual::new(&facts.applicant.name, ""), address: facts.applicant.address.clone() },
        sample: sample(facts),
        testing: testing(facts, finals),
        sampling: sampling(facts),
        import: (kind == CertificateKind::ImportReport).then(|| import(facts)),
        release: matches!(kind, CertificateKind::LotRelease | CertificateKind::LotReleaseRefusal)
            .then(|| release(facts, conforms)),
        refusal: (kind == CertificateKind::LotReleaseRefusal).then(|| refusal(finals, regulation)),
        results: finals.iter().map(result).collect(),
        conclusion: conclusion(facts, kind, conforms),
        remarks: remarks(facts, finals),
        statements: CertificateData::standard_statements(kind),
        decision: Some(decision(facts, regulation)),
        verification,
        ..CertificateData::default()
    }
}

pub(super) fn institution(facts: &Facts) -> Institution {
    let row = &facts.case.institute;
    Institution {
        name: Bilingual::new(&row.name_zh, &row.name_en),
        abbreviation: row.abbreviation.clone(),
        address: Bilingual::new(&row.address_zh, &row.address_en),
        ..Institution::default()
    }
}

pub(super) fn sample(facts: &Facts) -> SampleFacts {
    let (product, row) = (&facts.case.product, &facts.sample);
    SampleFacts {
        number: row.number.clone(),
        name: Bilingual::new(&product.name_zh, &product.name_en),
        lot: facts.batch.lot_number.clone(),
        strength: product.strength.clone(),
        dosage_form: product.dosage_form.clone(),
        packaging: product.package_spec.clone(),
        quantity: format!("{} {}", facts.containers, product.container_name),
        manufacturer: Bilingual::new(&product.manufacturer, ""),
        marketing_authorisation_holder: Bilingual::new(&product.holder, ""),
        supplier: if facts.particulars.supplier.is_empty() {
            facts.applicant.name.clone()
        } else {
            facts.particulars.supplier.clone()
        },
        approval_number: product.approval_number.clone().unwrap_or_default(),
        acceptance_number: facts.application.acceptance_number.clone().unwrap_or_default(),
        condition: condition(facts),
        storage: product.storage.clone(),
        manufactured_on: label_date(facts.batch.produced_on.as_ref()),
        received_on: day_of(&row.received_at),
        expiry: label_date(facts.batch.expires_on.as_ref()),
        ..SampleFacts::default()
    }
}

fn condition(facts: &Facts) -> String {
    let row = &facts.sample;
    let mut parts = vec![
        if row.seals_intact { "封签完整" } else { "封签不完整" }.to_owned(),
        if row.packages_intact { "包装完好" } else { "包装破损" }.to_owned(),
        if row.label_matches { "标签相符" } else { "标签不符" }.to_owned(),
    ];
    parts.extend(row.temperature.as_ref().map(|celsius| format!("到样温度 {celsius} ℃")));
    parts.extend(Some(row.condition_note.clone()).filter(|note| !note.is_empty()));
    parts.join("，")
}

fn testing(facts: &Facts, finals: &[Final]) -> TestingFacts {
    let started = facts.tasks.iter().filter_map(|(task, _)| task.started_at.as_ref()).min();
    let finished = finals.iter().filter_map(|one| one.result.reviewed_at.as_ref()).max();
    let purpose = match facts.particulars.test_purpose.as_str() {
        "" => facts.application.business.zh().to_owned(),
        given => given.to_owned(),
    };
    TestingFacts {
        purpose,
        scope: "全检".into(),
        basis: basis(facts),
        started_on: started.map(day_of).unwrap_or_default(),
        finished_on: finished.map(day_of).unwrap_or_default(),
        decision_rule: decision_rule(finals.iter().map(|one| &one.item)),
        ..TestingFacts::default()
    }
}

pub(super) fn basis(facts: &Facts) -> Vec<Basis> {
    let specification = &facts.case.specification;
    vec![Basis { title: specification.title.clone(), edition: specification.edition.clone() }]
}

fn decision_rule<'a>(mut items: impl Iterator<Item = &'a TestItemRow>) -> Bilingual {
    if items.any(|item| item.compare_by == Comparison::Full) {
        Bilingual::new(
            "按 GB/T 8170-2008 判定：质量标准规定全数值比较法的项目按全数值比较，其余按修约值比较；未计入测量不确定度。",
            "Judged by GB/T 8170-2008: full-value comparison where the specification says so, rounded-value comparison \
             otherwise; measurement uncertainty is not taken into account.",
        )
    } else {
        Bilingual::new(
            "按 GB/T 8170-2008 修约值比较法判定；未计入测量不确定度。",
            "Judged by rounded-value comparison, GB/T 8170-2008; measurement uncertainty is not taken into account.",
        )
    }
}

fn sampling(facts: &Facts) -> Option<SamplingFacts> {
    let particulars = &facts.particulars;
    facts.application.sampled_on.as_ref().map(|sampled| SamplingFacts {
        date: written(sampled.date()),
        place: particulars.sampling_place.clone(),
        packages: particulars.sampling_packages.clone(),
        ..SamplingFacts::default()
    })
}

fn import(facts: &Facts) -> ImportFacts {
    let particulars = &facts.particulars;
    ImportFacts {
        registration_number: particulars.import_registration.clone(),
        notice_number: particulars.notice_number.clone(),
        customs_number: particulars.customs_number.clone(),
        declarant: facts.applicant.name.clone(),
        contract_number: particulars.contract_number.clone(),
        quantity: particulars.import_quantity.clone(),
        port: particulars.port.clone(),
        arrived_on: day(facts.application.arrived_at_port_on.as_ref()),
        manufacturer_report: particulars.manufacturer_report.clone(),
    }
}

fn release(facts: &Facts, conforms: bool) -> ReleaseFacts {
    let protocol = &facts.particulars.summary_protocol;
    let (zh, en) = if conforms {
        (
            "经审核批生产及检验记录摘要并检验，符合生物制品批签发的有关规定。",
            "The summary protocol was reviewed and the lot tested; it meets the requirements for lot release.",
        )
    } else {
        (
            "经审核批生产及检验记录摘要并检验，不符合生物制品批签发的有关规定。",
            "The summary protocol was reviewed and the lot tested; it does not meet the requirements for lot release.",
        )
    };
    // No report is numbered apart from the certificate, and what is known of the container is only the word that
    // it is counted by: both fields stay empty rather than repeat another.
    ReleaseFacts {
        quantity: match facts.particulars.release_quantity.as_str() {
            "" => facts.batch.lot_size.clone().unwrap_or_default(),
            given => given.to_owned(),
        },
        dossier_review: if protocol.is_empty() {
            Bilingual::default()
        } else {
            Bilingual::new(format!("摘要编号 {protocol}"), format!("Summary protocol {protocol}"))
        },
        basis: Bilingual::new(zh, en),
        ..ReleaseFacts::default()
    }
}

fn refusal(finals: &[Final], regulation: &Regulation) -> Refusal {
    let failed = finals.iter().filter(|one| one.result.verdict != Passed::Pass);
    Refusal {
        reasons: failed
            .map(|one| {
                let (item, row) = (&one.item, &one.result);
                let (limit, result) = (with_unit(&row.limit_text, &row.unit), with_unit(&row.reported, &row.unit));
                Bilingual::new(
                    format!("{}不符合规定：标准规定 {limit}，检验结果 {result}。", item.name_zh),
                    // Without an English name the Chinese sentence stands alone.
                    Some(format!("{} does not conform: limit {limit}, result {result}.", item.name_en))
                        .filter(|_| !item.name_en.is_empty())
                        .unwrap_or_default(),
                )
            })
            .collect(),
        re_examination: re_examination(regulation),
    }
}

fn result(one: &Final) -> ResultRow {
    ResultRow {
        item: Bilingual::new(&one.item.name_zh, &one.item.name_en),
        standard: with_unit(&one.result.limit_text, &one.result.unit),
        result: one.result.reported.clone(),
        unit: unit_of(&one.result.reported, &one.result.unit).to_owned(),
        verdict: verdict(one.result.verdict),
        method: one.item.method.clone(),
        out_of_scope: !one.item.in_scope,
        ..ResultRow::default()
    }
}

/// The unit of a result or limit; a text in words ("未检出", "应无菌生长") has none.
pub(super) fn unit_of<'a>(text: &str, unit: &'a str) -> &'a str {
    if text.contains(|sign: char| sign.is_ascii_digit()) { unit } else { "" }
}

/// A result or limit with its unit, as labels write it: `≤0.50%`, `<10 EU/mL`, `3000 ppm`.
pub(super) fn with_unit(text: &str, unit: &str) -> String {
    let unit = unit_of(text, unit);
    if unit.is_empty() || text.contains(unit) {
        text.to_owned()
    } else if unit.starts_with(['%', '‰', '°', '′', '″']) {
        format!("{text}{unit}")
    } else {
        format!("{text} {unit}")
    }
}

/// A result that is only known to lie beyond a bound straddling the limit does not conform: it was confirmed so.
pub(super) fn verdict(found: Passed) -> Verdict {
    if found == Passed::Pass { Verdict::Pass } else { Verdict::Fail }
}

fn conclusion(facts: &Facts, kind: CertificateKind, conforms: bool) -> Conclusion {
    let title = &facts.case.specification.title;
    let text = match (kind, conforms) {
        (CertificateKind::LotRelease, _) => Bilingual::new(
            "本批产品符合生物制品批签发的有关规定，予以签发。",
            "The lot complies with the requirements and is released.",
        ),
        (CertificateKind::LotReleaseRefusal, _) => Bilingual::new(
            "本批产品不符合生物制品批签发的有关规定，不予批签发。",
            "The lot does not comply with the requirements and is not released.",
        ),
        (CertificateKind::ImportReport, true) => Bilingual::new(
            format!("本品按{title}检验，结果符合标准规定。"),
            "Tested according to the basis of testing stated; the results comply with the standard.",
        ),
        (CertificateKind::ImportReport, false) => Bilingual::new(
            format!("本品按{title}检验，结果不符合标准规定。"),
            "Tested according to the basis of testing stated; the results do not comply with the standard.",
        ),
        (_, true) => Bilingual::new(
            format!("本品按{title}检验，结果符合规定。"),
            "Tested according to the basis of testing stated; the results comply.",
        ),
        (_, false) => Bilingual::new(
            format!("本品按{title}检验，结果不符合规定。"),
            "Tested according to the basis of testing stated; the results do not comply.",
        ),
    };
    Conclusion {
        verdict: if conforms { Verdict::Pass } else { Verdict::Fail },
        text,
        review_opinion: if facts.application.standard_verification {
            Bilingual::new("标准复核意见另附。", "The opinion on the verified standard is attached separately.")
        } else {
            Bilingual::default()
        },
    }
}

fn remarks(facts: &Facts, finals: &[Final]) -> Vec<String> {
    let mut remarks: Vec<String> = Vec::new();
    remarks.extend(Some(facts.particulars.remarks.clone()).filter(|text| !text.is_empty()));
    for one in finals.iter().filter(|one| one.task.attempt > 1) {
        remarks.push(format!("{}为复验结果（第 {} 次）。", one.item.name_zh, one.task.attempt));
    }
    remarks
}

/// The rules under which the case ran, as decided at acceptance.
fn decision(facts: &Facts, regulation: &Regulation) -> DecisionFacts {
    let determination = &facts.determination;
    let quantity = match determination.quantity_multiple.value {
        Some(multiple) => format!(
            "全检量 {} {unit} × {multiple} = {} {unit}",
            facts.sample.full_test_containers,
            facts.sample.required_containers,
            unit = facts.case.product.container_name
        ),
        None => String::new(),
    };
    let mut cited: Vec<(String, String)> = Vec::new();
    let mut cite = |ids: &[String], effect: &str| {
        for id in ids {
            match cited.iter_mut().find(|(known, _)| known == id) {
                Some((_, effects)) if !effects.contains(effect) => effects.push_str(&format!("；{effect}")),
                Some(_) => {}
                None => cited.push((id.clone(), effect.to_owned())),
            }
        }
    };
    cite(&determination.batches.provisions, "批数");
    cite(&determination.quantity_multiple.provisions, "检验用量");
    cite(&determination.lane.provisions, determination.lane.value.zh());
    for clock in &facts.clocks {
        let name = ClockName::parse(&clock.name).map_or_else(|| clock.name.clone(), |name| name.zh().to_owned());
        cite(&clock.provisions.read::<Vec<String>>().unwrap_or_default(), &format!("{name}时限"));
    }
    cite(&determination.remainder.provisions, "剩余样品");
    DecisionFacts {
        quantity,
        lane: determination.lane.value.zh().to_owned(),
        clocks: facts.clocks.iter().map(|clock| clock_fact(facts, clock)).collect(),
        provisions: cited.into_iter().map(|(id, effect)| provision_fact(regulation, id, effect)).collect(),
    }
}

fn clock_fact(facts: &Facts, clock: &crate::store::rows::ApplicationClockRow) -> ClockFact {
    let name = ClockName::parse(&clock.name);
    let unit = ClockUnit::parse(&clock.unit).map_or("", ClockUnit::zh);
    let met_on = match name {
        Some(ClockName::PortSampling) => day(facts.application.sampled_on.as_ref()),
        _ => String::new(),
    };
    ClockFact {
        name: Bilingual::new(name.map_or("", ClockName::zh), name.map_or("", ClockName::en)),
        limit: format!("{} {unit}", clock.limit_days),
        starts: written(clock.starts.date()),
        due: written(clock.due.date()),
        met_on,
    }
}

fn provision_fact(regulation: &Regulation, id: String, effect: String) -> ProvisionFact {
    let found = regulation.register().get(&id);
    ProvisionFact {
        document: found.map(document_name).unwrap_or_default(),
        clause: found.map(|one| one.clause.clone()).unwrap_or_default(),
        id,
        effect,
    }
}

/// `国办发〔2024〕53号`, or the title where the document has no number.
fn document_name(one: &Provision) -> String {
    one.document_number.clone().unwrap_or_else(|| one.document_title.clone())
}

/// The right to a re-examination with its limit, as the provision for lot release has it.
fn re_examination(regulation: &Regulation) -> Bilingual {
    let rule = regulation.register().provisions().iter().find_map(|one| {
        let of_lots = one.active && one.applies.business.contains(&Business::LotRelease);
        let clock = one.sets.clocks.iter().find(|clock| clock.name == ClockName::ReExaminationRequest)?;
        of_lots.then_some((one, clock))
    });
    rule.map_or_else(Bilingual::default, |(one, clock)| {
        let (limit, document) = (clock.limit, document_name(one));
        Bilingual::new(
            format!(
                "对本通知有异议的，可自收到之日起 {limit} {}内向原批签发机构或者国家药品检定机构提出复审申请（{document}{}）。",
                clock.unit.zh(),
                one.clause
            ),
            format!(
                "An objection may be lodged within {limit} {} of receipt with the issuing or the national institute.",
                clock.unit.en()
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_stand_as_on_labels_and_never_after_words() {
        assert_eq!(with_unit("≤0.50", "%"), "≤0.50%");
        assert_eq!(with_unit("≤3000", "ppm"), "≤3000 ppm");
        assert_eq!(with_unit("<10 EU/mL", "EU/mL"), "<10 EU/mL");
        assert_eq!(with_unit("<5", "EU/mL"), "<5 EU/mL");
        assert_eq!(with_unit("未检出", "ppm"), "未检出");
        assert_eq!(with_unit("1451", ""), "1451");
        assert_eq!((unit_of("未检出", "ppm"), unit_of("0.3", "%")), ("", "%"));
    }
}
