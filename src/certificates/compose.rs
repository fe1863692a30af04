//! From reviewed results to the content of a certificate. Pure.

use chrono::NaiveDate;

use super::dossier::{Dossier, Final, ProtocolFinding, RunningClock};
use crate::documents::{
    Bilingual, CertificateData, CertificateKind, ClockFact, Conclusion, DecisionFacts, ImportFacts, LotRefusal,
    Printed, PrintedResult, PrintedVerdict, ProvisionFact, ReleaseFacts, SampleFacts, SamplingFacts, TestingFacts,
    Verification,
};
use crate::regulation::{ClockName, Provision, Regulation};

/// A date as documents write it.
pub(super) fn written(day: NaiveDate) -> String {
    day.format("%Y年%-m月%-d日").to_string()
}

/// A date that may be missing: then nothing is printed.
fn day(day: Option<NaiveDate>) -> String {
    day.map(written).unwrap_or_default()
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
    facts: &Dossier,
    finals: &[Final<'_>],
    regulation: &Regulation,
    verification: Verification,
) -> CertificateData {
    // A lot with a deficient record is not released, whatever its tests say.
    let conforms = finals.iter().all(Final::conforms) && facts.protocol.as_ref().is_none_or(ProtocolFinding::conforms);
    let kind = if conforms { facts.documents.0 } else { facts.documents.1 };
    CertificateData {
        kind,
        institution: facts.institution.clone(),
        customer: facts.customer.clone(),
        sample: sample(facts),
        testing: testing(facts, finals),
        sampling: sampling(facts),
        import: (kind == CertificateKind::ImportReport).then(|| import(facts)),
        release: matches!(kind, CertificateKind::LotRelease | CertificateKind::LotReleaseRefusal)
            .then(|| release(facts, conforms)),
        refusal: (kind == CertificateKind::LotReleaseRefusal).then(|| refusal(facts, finals, regulation)),
        results: finals.iter().map(result).collect(),
        conclusion: conclusion(facts, kind, conforms),
        remarks: remarks(facts, finals),
        statements: CertificateData::standard_statements(kind),
        decision: Some(decision(facts, regulation)),
        verification,
        ..CertificateData::default()
    }
}

pub(super) fn sample(facts: &Dossier) -> SampleFacts {
    let (product, lot, sample) = (&facts.product, &facts.lot, &facts.sample);
    SampleFacts {
        number: sample.number.clone().into(),
        name: product.name.clone(),
        lot: lot.number.clone().into(),
        strength: product.strength.clone().into(),
        dosage_form: product.dosage_form.clone().into(),
        packaging: product.packaging.clone().into(),
        quantity: format!("{} {}", sample.containers, product.container).into(),
        manufacturer: Bilingual::new(&product.manufacturer, ""),
        marketing_authorisation_holder: Bilingual::new(&product.holder, ""),
        supplier: match facts.particulars.supplier.as_str() {
            "" => facts.customer.name.zh.clone(),
            given => given.into(),
        },
        approval_number: product.approval_number.clone().into(),
        acceptance_number: facts.acceptance_number.clone().into(),
        condition: condition(facts).into(),
        storage: product.storage.clone().into(),
        manufactured_on: label_date(lot.produced_on.as_ref()).into(),
        received_on: written(sample.received_on).into(),
        expiry: label_date(lot.expires_on.as_ref()).into(),
        ..SampleFacts::default()
    }
}

fn condition(facts: &Dossier) -> String {
    let sample = &facts.sample;
    let mut parts = vec![
        if sample.seals_intact { "封签完整" } else { "封签不完整" }.to_owned(),
        if sample.packages_intact { "包装完好" } else { "包装破损" }.to_owned(),
        if sample.label_matches { "标签相符" } else { "标签不符" }.to_owned(),
    ];
    parts.extend(sample.temperature.as_ref().map(|celsius| format!("到样温度 {celsius} ℃")));
    parts.extend(Some(sample.note.clone()).filter(|note| !note.is_empty()));
    parts.join("，")
}

fn testing(facts: &Dossier, finals: &[Final<'_>]) -> TestingFacts {
    let started = facts.attempts.iter().filter_map(|one| one.started_on).min();
    let finished = finals.iter().filter_map(|one| one.result.reviewed_on).max();
    let purpose = match facts.particulars.test_purpose.as_str() {
        "" => facts.business.zh().to_owned(),
        given => given.to_owned(),
    };
    TestingFacts {
        purpose: purpose.into(),
        scope: scope(facts, finals).into(),
        basis: vec![facts.basis.clone()],
        started_on: day(started).into(),
        finished_on: day(finished).into(),
        decision_rule: decision_rule(finals),
        ..TestingFacts::default()
    }
}

/// Whether every item of the specification was tested, or which.
fn scope(facts: &Dossier, finals: &[Final<'_>]) -> String {
    if finals.len() >= facts.specified {
        return "全检".to_owned();
    }
    let items: Vec<&str> = finals.iter().map(|one| one.attempt.item.zh.as_str()).collect();
    format!("部分检验：{}", items.join("、"))
}

fn decision_rule(finals: &[Final<'_>]) -> Bilingual {
    if finals.iter().any(|one| one.attempt.compares_full) {
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

fn sampling(facts: &Dossier) -> Option<SamplingFacts> {
    let particulars = &facts.particulars;
    facts.sampled_on.map(|sampled| SamplingFacts {
        date: written(sampled).into(),
        place: particulars.sampling_place.clone().into(),
        packages: particulars.sampling_packages.clone().into(),
        ..SamplingFacts::default()
    })
}

fn import(facts: &Dossier) -> ImportFacts {
    let particulars = &facts.particulars;
    ImportFacts {
        registration_number: particulars.import_registration.clone().into(),
        notice_number: particulars.notice_number.clone().into(),
        customs_number: particulars.customs_number.clone().into(),
        declarant: facts.customer.name.zh.clone(),
        contract_number: particulars.contract_number.clone().into(),
        quantity: particulars.import_quantity.clone().into(),
        port: particulars.port.clone().into(),
        arrived_on: day(facts.arrived_at_port_on).into(),
        manufacturer_report: particulars.manufacturer_report.clone().into(),
    }
}

fn release(facts: &Dossier, conforms: bool) -> ReleaseFacts {
    let reviewed = facts.protocol.is_some();
    let done = match reviewed {
        true => ("经审核批生产及检验记录摘要并检验", "The summary protocol was reviewed and the lot tested"),
        false => ("经检验", "The lot was tested"),
    };
    let found = match conforms {
        true => ("符合生物制品批签发的有关规定。", "it meets the requirements for lot release."),
        false => ("不符合生物制品批签发的有关规定。", "it does not meet the requirements for lot release."),
    };
    let (zh, en) = (format!("{}，{}", done.0, found.0), format!("{}; {}", done.1, found.1));
    // No report is numbered apart from the certificate, and what is known of the container is only the word that
    // it is counted by: both fields stay empty rather than repeat another.
    ReleaseFacts {
        quantity: facts.particulars.release_quantity.clone().into(),
        dossier_review: facts.protocol.as_ref().map_or_else(Bilingual::default, |found| {
            Bilingual::new(
                format!("摘要编号 {}，{}审核，{}", found.number, written(found.on), found.outcome.zh()),
                format!("Summary protocol {}, reviewed {}, {}", found.number, found.on, found.outcome.en()),
            )
        }),
        basis: Bilingual::new(zh, en),
        ..ReleaseFacts::default()
    }
}

fn refusal(facts: &Dossier, finals: &[Final<'_>], regulation: &Regulation) -> LotRefusal {
    let failed = finals.iter().filter(|one| !one.conforms());
    let protocol = facts.protocol.iter().filter(|found| !found.conforms()).map(|found| {
        Bilingual::new(format!("批生产及检验记录摘要 {} 审核不符合要求：{}。", found.number, found.note), "")
    });
    LotRefusal {
        reasons: failed
            .map(|one| {
                let (item, found) = (&one.attempt.item, one.result);
                let (limit, result) = (with_unit(&found.limit, &found.unit), with_unit(&found.reported, &found.unit));
                Bilingual::new(
                    format!("{}不符合规定：标准规定 {limit}，检验结果 {result}。", item.zh),
                    // Without an English name there is only the Chinese sentence.
                    Some(format!("{} does not conform: limit {limit}, result {result}.", item.en))
                        .filter(|_| !item.en.is_empty())
                        .unwrap_or_default(),
                )
            })
            .chain(protocol)
            .collect(),
        re_examination: re_examination(regulation),
    }
}

fn result(one: &Final<'_>) -> PrintedResult {
    let (attempt, found) = (one.attempt, one.result);
    PrintedResult {
        item: attempt.item.clone(),
        standard: with_unit(&found.limit, &found.unit).into(),
        result: found.reported.clone().into(),
        unit: unit_of(&found.reported, &found.unit).into(),
        verdict: found.verdict,
        method: attempt.method.clone().into(),
        out_of_scope: !attempt.in_scope,
        ..PrintedResult::default()
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
pub(super) fn verdict(found: crate::vocabulary::Verdict) -> PrintedVerdict {
    if found == crate::vocabulary::Verdict::Pass { PrintedVerdict::Pass } else { PrintedVerdict::Fail }
}

fn conclusion(facts: &Dossier, kind: CertificateKind, conforms: bool) -> Conclusion {
    let title = &facts.basis.title;
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
        verdict: if conforms { PrintedVerdict::Pass } else { PrintedVerdict::Fail },
        text,
        review_opinion: if facts.standard_verification {
            Bilingual::new(
                "样品检验与标准复核同时进行。",
                "The standard is verified together with the test of the sample.",
            )
        } else {
            Bilingual::default()
        },
    }
}

fn remarks(facts: &Dossier, finals: &[Final<'_>]) -> Vec<Printed> {
    let mut remarks: Vec<String> = Vec::new();
    remarks.extend(Some(facts.particulars.remarks.clone()).filter(|text| !text.is_empty()));
    for one in finals.iter().map(|one| one.attempt).filter(|one| one.number > 1) {
        remarks.push(format!("{}为复试结果（第 {} 次）。", one.item.zh, one.number));
    }
    remarks.into_iter().map(Printed::from).collect()
}

/// The rules under which the case ran, as decided at acceptance.
fn decision(facts: &Dossier, regulation: &Regulation) -> DecisionFacts {
    let determination = &facts.determination;
    let quantity = match determination.quantity_multiple.value {
        Some(multiple) => format!(
            "一次全检用量 {} {unit}，{multiple} 倍须送 {} {unit}",
            facts.sample.full_test_containers,
            facts.sample.required_containers,
            unit = facts.product.container
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
        cite(&clock.provisions, &format!("{}时限", clock.name.zh()));
    }
    cite(&determination.remainder.provisions, "剩余样品");
    DecisionFacts {
        quantity: quantity.into(),
        lane: determination.lane.value.zh().into(),
        clocks: facts.clocks.iter().map(|clock| clock_fact(facts, clock)).collect(),
        provisions: cited.into_iter().filter_map(|(id, effect)| provision_fact(regulation, id, effect)).collect(),
    }
}

fn clock_fact(facts: &Dossier, clock: &RunningClock) -> ClockFact {
    let unit = clock.unit.zh();
    let met_on = match clock.name {
        ClockName::PortSampling => day(facts.sampled_on),
        _ => String::new(),
    };
    ClockFact {
        name: Bilingual::new(clock.name.zh(), clock.name.en()),
        limit: format!("{} {unit}", clock.limit_days).into(),
        starts: written(clock.starts).into(),
        due: written(clock.due).into(),
        met_on: met_on.into(),
    }
}

/// A provision as a document cites it. What nobody read in a text is not an authority: the determination of the case keeps
/// it, marked, and the document leaves it out.
fn provision_fact(regulation: &Regulation, id: String, effect: String) -> Option<ProvisionFact> {
    let found = regulation.register().get(&id).filter(|one| one.is_authority())?;
    Some(ProvisionFact {
        document: document_name(found).into(),
        clause: found.clause.clone().into(),
        id: id.into(),
        effect: effect.into(),
    })
}

/// `国办发〔2024〕53号`, or the title where the document has no number.
fn document_name(one: &Provision) -> String {
    one.document_number.clone().unwrap_or_else(|| one.document_title.clone())
}

/// The provision that gives the remedy against a refusal of lot release.
const REMEDY: &str = "R33-34";

/// The right to a re-examination with its limit, as that provision has it: no other one changes the legal remedy.
fn re_examination(regulation: &Regulation) -> Bilingual {
    let rule = regulation.register().get(REMEDY).filter(|one| one.active && one.is_authority()).and_then(|one| {
        let clock = one.sets.clocks.iter().find(|clock| clock.name == ClockName::ReExaminationRequest)?;
        Some((one, clock))
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
    use super::super::dossier::tests::{attempt, dossier};
    use super::*;
    use crate::regulation::{Business, Ruled};
    use crate::vocabulary::TaskState;

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

    fn composed(business: Business, verdict: PrintedVerdict) -> CertificateData {
        let facts = dossier(vec![
            attempt("含量", 1, TaskState::RetestOrdered, Some(PrintedVerdict::Fail)),
            attempt("含量", 2, TaskState::Confirmed, Some(verdict)),
        ]);
        let documents = match business {
            Business::LotRelease => (CertificateKind::LotRelease, CertificateKind::LotReleaseRefusal),
            Business::PortEntry => (CertificateKind::ImportReport, CertificateKind::ImportReport),
            _ => facts.documents,
        };
        let facts = Dossier { business, documents, ..facts };
        let finals = facts.finals().expect("final results");
        let regulation = Regulation::embedded().expect("the shipped regulation");
        compose(&facts, &finals, &regulation, Verification::default())
    }

    #[test]
    fn the_document_follows_from_the_business_and_the_results() {
        for (business, verdict, kind) in [
            (Business::DrugRegistration, PrintedVerdict::Fail, CertificateKind::TestReport),
            (Business::PortEntry, PrintedVerdict::Fail, CertificateKind::ImportReport),
            (Business::LotRelease, PrintedVerdict::Pass, CertificateKind::LotRelease),
            (Business::LotRelease, PrintedVerdict::Fail, CertificateKind::LotReleaseRefusal),
        ] {
            let data = composed(business, verdict);
            assert_eq!((data.kind, data.conclusion.verdict), (kind, verdict));
            assert_eq!(data.refusal.is_some(), kind == CertificateKind::LotReleaseRefusal);
            assert_eq!(data.remarks, ["含量为复试结果（第 2 次）。"]);
            assert_eq!(data.results.len(), 1, "the attempt that was repeated is no result of its own");
        }
        let data = composed(Business::DrugRegistration, PrintedVerdict::Pass);
        assert_eq!(data.sample.supplier, "某公司", "without a supplier, who applied");
        assert_eq!(data.sample.expiry, "2028年1月31日");
    }

    #[test]
    fn what_nobody_read_is_no_authority_on_a_document() {
        let mut facts = dossier(vec![attempt("含量", 1, TaskState::Confirmed, Some(PrintedVerdict::Pass))]);
        let cited =
            |ids: &[&str]| Ruled { value: Some(3), provisions: ids.iter().map(|id| (*id).to_owned()).collect() };
        facts.determination.batches = cited(&["BASE-batches", "N21-8", "N-11"]);
        facts.determination.quantity_multiple = cited(&["BASE-quantity", "N-10a-registration"]);
        let regulation = Regulation::embedded().expect("the shipped regulation");
        let printed: Vec<_> = decision(&facts, &regulation).provisions.into_iter().map(|one| one.id).collect();
        assert_eq!(printed, ["N-11", "N-10a-registration"]);
    }

    #[test]
    fn a_laboratorys_own_provision_does_not_change_the_legal_remedy() {
        let own = "[document]\nid = \"OWN\"\ntitle = \"本所规定\"\njurisdiction = \"CN\"\n[[provision]]\n\
            id = \"A-1\"\nclause = \"第一条\"\ntitle_zh = \"x\"\ntitle_en = \"x\"\ntext_note = \"own\"\n\
            effective_from = 2000-01-01\nconfidence = \"V\"\n\
            applies = { business = [\"lot_release\"], purpose = [\"initial\"] }\n\
            sets = { clocks = [{ name = \"re_examination_request\", unit = \"working_day\", limit = 2, starts = \"result_received\" }] }\n";
        let file = |text: &str| crate::regulation::load::SourceFile { name: "own.toml".into(), text: text.into() };
        let shipped = re_examination(&Regulation::embedded().expect("the shipped regulation"));
        assert!(shipped.zh.contains("7 个工作日") && shipped.zh.contains("第三十四条"), "{}", shipped.zh);
        let with_own = Regulation::with_files(&[file(own)]).expect("loads");
        assert_eq!(re_examination(&with_own), shipped);
        let off = Regulation::with_files(&[file("[[provision]]\nid = \"R33-34\"\nactive = false\n")]).expect("loads");
        assert_eq!(re_examination(&off), Bilingual::default());
    }
}
