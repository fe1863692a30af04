//! What differs between two documents, as an amendment says it: field by field, with the old text and the new one
//! (ISO/IEC 17025 7.8.8.2: the change is clearly identified). Pure.
//!
//! Compared is what the documents state of their subject. What every document has of its own (number, dates and persons of
//! its issue, the seal, how it is verified, the amendment itself) makes no difference, and neither are the rules under which
//! the case ran: those are the laboratory's own matter.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::data::CertificateData;
use super::printed::Printed;

/// Parts that are of the document itself, not of its subject.
const OWN: &[&str] = &[
    "version",
    "draft",
    "internal",
    "number",
    "signatory",
    "issued_on",
    "seal",
    "verification",
    "amendment",
    "decision",
    "raw",
    "annex",
];

/// What each field is called on a document. An array of texts is one field.
const NAMES: &[(&str, &str)] = &[
    ("conclusion.review_opinion", "标准复核意见"),
    ("conclusion.text", "检验结论"),
    ("conclusion.verdict", "结论判定"),
    ("customer.address", "委托单位地址"),
    ("customer.name", "委托单位"),
    ("import.arrived_on", "到岸日期"),
    ("import.contract_number", "合同号"),
    ("import.customs_number", "通关单编号"),
    ("import.declarant", "报验单位"),
    ("import.manufacturer_report", "原厂检验报告书号"),
    ("import.notice_number", "口岸检验通知书编号"),
    ("import.port", "进口口岸"),
    ("import.quantity", "进口数量"),
    ("import.registration_number", "进口药品注册证号"),
    ("institution.abbreviation", "检验机构简称"),
    ("institution.address", "检验机构地址"),
    ("institution.location", "检验地点"),
    ("institution.marks", "资质标志"),
    ("institution.name", "检验机构"),
    ("institution.telephone", "检验机构电话"),
    ("kind", "文书种类"),
    ("refusal.re_examination", "复审权利"),
    ("refusal.reasons", "不予签发的理由"),
    ("release.basis", "签发依据"),
    ("release.container", "容器类型"),
    ("release.containers", "容器数"),
    ("release.diluent_lot", "稀释剂批号"),
    ("release.doses_per_container", "每容器剂量"),
    ("release.dossier_review", "资料审查"),
    ("release.quantity", "签发量"),
    ("release.report_number", "报告编号"),
    ("remarks", "备注"),
    ("sample.acceptance_number", "受理号"),
    ("sample.approval_number", "批准文号"),
    ("sample.condition", "样品状态"),
    ("sample.dosage_form", "剂型"),
    ("sample.expiry", "有效期至"),
    ("sample.lot", "批号"),
    ("sample.manufactured_on", "生产日期"),
    ("sample.manufacturer", "生产单位"),
    ("sample.marketing_authorisation_holder", "上市许可持有人"),
    ("sample.name", "检品名称"),
    ("sample.number", "检品编号"),
    ("sample.origin", "产地"),
    ("sample.packaging", "包装规格"),
    ("sample.quantity", "检品数量"),
    ("sample.received_on", "收检日期"),
    ("sample.storage", "贮藏"),
    ("sample.strength", "规格"),
    ("sample.supplier", "供样单位"),
    ("sample.trade_name", "商品名"),
    ("sampling.conditions", "抽样条件"),
    ("sampling.date", "抽样日期"),
    ("sampling.packages", "抽样件数"),
    ("sampling.place", "抽样地点"),
    ("sampling.plan", "抽样方案"),
    ("sampling.quantity", "抽样量"),
    ("sampling.sampler", "抽样人"),
    ("statements", "声明"),
    ("testing.basis", "检验依据"),
    ("testing.decision_rule", "判定规则"),
    ("testing.deviations", "偏离"),
    ("testing.environment", "检验环境条件"),
    ("testing.finished_on", "检验结束日期"),
    ("testing.purpose", "检验目的"),
    ("testing.scope", "检验项目"),
    ("testing.started_on", "检验开始日期"),
];

/// What each field of a result is called.
const OF_RESULTS: &[(&str, &str)] = &[
    ("external_provider", "外部提供者"),
    ("method", "检验方法"),
    ("out_of_scope", "超出认可范围"),
    ("result", "检验结果"),
    ("section", "类别"),
    ("standard", "标准规定"),
    ("uncertainty", "测量不确定度"),
    ("unit", "单位"),
    ("verdict", "项目结论"),
];

/// Something that two documents state otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedChange {
    /// What the field is called in Chinese, as on the document.
    pub field: String,
    /// The old text; empty where there was none.
    pub old: String,
    /// The new text; empty where there is none.
    pub new: String,
}

impl StatedChange {
    /// As an amendment prints it.
    #[must_use]
    pub fn line(&self) -> Printed {
        let said = |text: &str| if text.is_empty() { "（空）".to_owned() } else { format!("“{text}”") };
        format!("{}：原为{}，现为{}", self.field, said(&self.old), said(&self.new)).into()
    }
}

/// What `new` states otherwise than `old`, in the order of the names of the fields; results by their items.
#[must_use]
pub fn stated_changes(old: &CertificateData, new: &CertificateData) -> Vec<StatedChange> {
    let (old, new) = (stated(old), stated(new));
    let fields: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let empty = String::new();
    let changed = fields.into_iter().filter_map(|field| {
        let (before, after) = (old.get(field).unwrap_or(&empty), new.get(field).unwrap_or(&empty));
        (before != after).then(|| StatedChange { field: name(field), old: before.clone(), new: after.clone() })
    });
    changed.collect()
}

/// Every text that a document states of its subject, by its path; the results by their items.
fn stated(data: &CertificateData) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let Ok(Value::Object(parts)) = serde_json::to_value(data) else { return found };
    for (part, value) in parts.into_iter().filter(|(part, _)| !OWN.contains(&part.as_str())) {
        match value {
            Value::Array(rows) if part == "results" => results(&rows, &mut found),
            value => walk(part, &value, &mut found),
        }
    }
    found
}

/// Fields of objects one by one; a text in two languages and a list are one field each.
fn walk(path: String, value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) if !fields.contains_key("zh") => {
            for (field, value) in fields {
                walk(format!("{path}.{field}"), value, found);
            }
        }
        other => {
            let text = flat(other);
            if !text.is_empty() {
                found.insert(path, text);
            }
        }
    }
}

/// The rows of the table of results, each by its item; the second of the same name has its number.
fn results(rows: &[Value], found: &mut BTreeMap<String, String>) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows {
        let item = flat(&row["item"]);
        let times = seen.entry(item.clone()).and_modify(|times| *times += 1).or_insert(1);
        let item = if *times > 1 { format!("{item}（{times}）") } else { item };
        for (field, value) in row.as_object().into_iter().flatten().filter(|(field, _)| *field != "item") {
            let text = flat(value);
            if !text.is_empty() && *value != Value::Bool(false) {
                found.insert(format!("results/{item}/{field}"), text);
            }
        }
    }
}

/// The parts of a text of two languages, and of a basis of testing, in the order in which they are read.
const PARTS: &[&str] = &["zh", "en", "title", "edition"];

/// A value in one line. Of two languages both, where there are both.
fn flat(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => match text.as_str() {
            "pass" => "符合规定".to_owned(),
            "fail" => "不符合规定".to_owned(),
            "none" => String::new(),
            text => text.to_owned(),
        },
        Value::Bool(true) => "是".to_owned(),
        Value::Bool(false) => "否".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(all) => joined(all.iter(), "；"),
        Value::Object(fields) => joined(PARTS.iter().filter_map(|part| fields.get(*part)), " "),
    }
}

fn joined<'a>(all: impl Iterator<Item = &'a Value>, between: &str) -> String {
    all.map(flat).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(between)
}

fn name(path: &str) -> String {
    let named = |names: &[(&str, &str)], path: &str| {
        names.iter().find(|(known, _)| *known == path).map_or_else(|| path.to_owned(), |(_, zh)| (*zh).to_owned())
    };
    match path.strip_prefix("results/").and_then(|rest| rest.rsplit_once('/')) {
        Some((item, field)) => format!("{item} {}", named(OF_RESULTS, field)),
        None => named(NAMES, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{
        Amendment, Basis, Bilingual, ImportFacts, LotRefusal, PrintedResult, PrintedVerdict, ReleaseFacts,
        SamplingFacts,
    };

    fn result(item: &str, text: &str, verdict: PrintedVerdict) -> PrintedResult {
        PrintedResult { item: Bilingual::new(item, ""), result: text.into(), verdict, ..PrintedResult::default() }
    }

    fn document() -> CertificateData {
        let mut data = CertificateData::default();
        data.sample.lot = "2026001".into();
        data.sample.name = Bilingual::new("注射用头孢曲松钠", "Ceftriaxone");
        data.remarks = vec!["甲".into()];
        data.results = vec![result("含量", "98.2", PrintedVerdict::Pass), result("水分", "8.1", PrintedVerdict::Pass)];
        data
    }

    fn lines(old: &CertificateData, new: &CertificateData) -> Vec<String> {
        stated_changes(old, new).iter().map(|change| change.line().to_string()).collect()
    }

    #[test]
    fn a_change_names_its_field_with_the_old_text_and_the_new_one() {
        let (old, mut new) = (document(), document());
        new.sample.lot = "2026002".into();
        new.sample.expiry = "2028年1月31日".into();
        new.remarks = Vec::new();
        new.results[0] = result("含量", "89.1", PrintedVerdict::Fail);
        let expected = [
            "备注：原为“甲”，现为（空）",
            "含量 检验结果：原为“98.2”，现为“89.1”",
            "含量 项目结论：原为“符合规定”，现为“不符合规定”",
            "有效期至：原为（空），现为“2028年1月31日”",
            "批号：原为“2026001”，现为“2026002”",
        ];
        assert_eq!(lines(&old, &new), expected);
    }

    #[test]
    fn a_row_that_comes_or_goes_is_a_change_and_its_place_is_none() {
        let (old, mut new) = (document(), document());
        new.results.swap(0, 1);
        assert_eq!(lines(&old, &new), [""; 0]);
        new.results.pop();
        assert_eq!(
            lines(&old, &new),
            ["含量 检验结果：原为“98.2”，现为（空）", "含量 项目结论：原为“符合规定”，现为（空）"]
        );
        let mut twice = document();
        twice.results.push(result("水分", "8.3", PrintedVerdict::Pass));
        let added = ["水分（2） 检验结果：原为（空），现为“8.3”", "水分（2） 项目结论：原为（空），现为“符合规定”"];
        assert_eq!(lines(&old, &twice), added);
    }

    #[test]
    fn what_a_document_has_of_its_own_is_no_change() {
        let (old, mut new) = (document(), document());
        new.number = "B20260002".into();
        new.issued_on = "2026年3月9日".into();
        new.signatory.name = "郭正".into();
        new.verification.code = "ABCD".into();
        new.amendment = Some(Amendment::default());
        assert_eq!(stated_changes(&old, &new), []);
    }

    #[test]
    fn every_field_of_a_document_has_a_name() {
        let mut data = document();
        data.import = Some(ImportFacts::default());
        data.release = Some(ReleaseFacts::default());
        data.refusal = Some(LotRefusal { reasons: vec![Bilingual::default()], ..LotRefusal::default() });
        data.sampling = Some(SamplingFacts::default());
        data.testing.basis = vec![Basis::default()];
        let Ok(Value::Object(parts)) = serde_json::to_value(&data) else { panic!("an object") };
        let mut paths = Vec::new();
        for (part, value) in parts.iter().filter(|(part, _)| !OWN.contains(&part.as_str()) && *part != "results") {
            leaves(part.clone(), value, &mut paths);
        }
        paths.sort();
        let known: Vec<&str> = NAMES.iter().map(|(path, _)| *path).collect();
        assert_eq!(paths, known, "and no name is of a field that there is not");
        let row = serde_json::to_value(&data.results[0]).expect("a row");
        let mut fields: Vec<&String> =
            row.as_object().expect("an object").keys().filter(|key| *key != "item").collect();
        fields.sort();
        assert_eq!(fields, OF_RESULTS.iter().map(|(field, _)| *field).collect::<Vec<_>>());
        let own: Vec<&&str> = OWN.iter().filter(|part| !parts.contains_key(**part) && **part != "seal").collect();
        assert!(own.is_empty(), "{own:?}");
    }

    fn leaves(path: String, value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) if !fields.contains_key("zh") => {
                for (field, value) in fields {
                    leaves(format!("{path}.{field}"), value, found);
                }
            }
            _ => found.push(path),
        }
    }
}
