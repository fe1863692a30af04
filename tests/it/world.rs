//! A laboratory at work: people with their roles, products with specifications, all made over HTTP.

use qianfa::vocabulary::Role;
use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::{PASSWORD, TestApp, text};

/// Clients of everybody who takes part.
pub struct World<'a> {
    pub app: &'a TestApp,
    pub admin: Client,
    pub receiver: Client,
    pub analyst: Client,
    pub reviewer: Client,
    pub quality: Client,
    pub signatory: Client,
    pub applicant_id: String,
}

/// The answer's JSON, where it has the status expected.
pub fn ok(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text);
    answer.json()
}

impl<'a> World<'a> {
    pub fn new(app: &'a TestApp) -> Self {
        let person = |name: &str, role: Role| {
            app.account(name, &[role]);
            app.logged_in(name)
        };
        let admin = app.logged_in("admin");
        let made = admin.post("/api/v1/applicants", &json!({"name": "示范申请人有限公司", "address": "示范路1号"}));
        Self {
            app,
            admin,
            receiver: person("receiver", Role::Receiver),
            analyst: person("analyst", Role::Analyst),
            reviewer: person("reviewer", Role::Reviewer),
            quality: person("quality", Role::Quality),
            signatory: person("signatory", Role::AuthorisedSignatory),
            applicant_id: text(&ok(&made, 201), "id"),
        }
    }

    /// A product of ten units a container, with an effective specification.
    pub fn product(&self, code: &str, category: &str, traits: &[&str], items: &Value) -> String {
        let new = json!({
            "code": code, "name_zh": "示范品", "name_en": "Specimen", "category": category, "traits": traits,
            "strength": "10 mg", "dosage_form": "片剂", "package_spec": "10 片/瓶", "storage": "室温",
            "manufacturer": "示范制药有限公司", "holder": "示范制药有限公司",
            "approval_number": "国药准字H20269901",
            "container_name": "瓶", "container_content": "10", "content_unit": "片",
        });
        let product = text(&ok(&self.quality.post("/api/v1/products", &new), 201), "id");
        let specification = json!({"product_id": product, "title": "《示范标准》", "edition": "2026", "items": items});
        let specification = text(&ok(&self.quality.post("/api/v1/specifications", &specification), 201), "id");
        let effective = format!("/api/v1/specifications/{specification}/effective");
        ok(&self.signatory.post(&effective, &json!({"effective_from": "2026-01-01", "password": PASSWORD})), 200);
        product
    }

    /// An intake of one lot.
    pub fn intake_body(&self, business: &str, product: &str, lot: &str, containers: i64) -> Value {
        // A port entry whose dates are not known yet says so.
        let note = if business == "port_entry" { "到港、抽样日期待补" } else { "" };
        let particulars = if business == "lot_release" { json!({"release_quantity": "86000 支"}) } else { json!({}) };
        json!({
            "application": {
                "business": business, "applicant_id": self.applicant_id, "product_id": product,
                "particulars": particulars,
                "batches": [{"lot_number": lot, "expires_on": "2028-12-31"}],
            },
            "receipt": {"samples": [
                {"lot_number": lot, "containers": containers, "temperature": "5.0", "note": note}
            ]},
        })
    }

    /// Takes one lot in: the answer.
    pub fn take_in(&self, business: &str, product: &str, lot: &str, containers: i64) -> Value {
        ok(&self.receiver.post("/api/v1/intake", &self.intake_body(business, product, lot, containers)), 201)
    }

    /// The laboratory check of a failing result, by the reviewer.
    pub fn check_laboratory(&self, task: &str, cause: Option<&str>) -> Answer {
        let points = ["analyst", "instrument", "standard", "solution", "calculation"];
        let answers: Vec<Value> = points.iter().map(|point| json!({"point": point, "finding": "in_order"})).collect();
        let evidence = if cause.is_some() { "原始记录第 3 页" } else { "" };
        let body = json!({"answers": answers, "cause": cause, "evidence": evidence, "reason": "实验室检查"});
        self.reviewer.post(&format!("/api/v1/tasks/{task}/investigation/check"), &body)
    }

    /// A step of an investigation that quality decides.
    pub fn decide(&self, task: &str, step: &str) -> Answer {
        let body = json!({"reason": "调查完毕"});
        self.quality.post(&format!("/api/v1/tasks/{task}/investigation/{step}"), &body)
    }

    /// The open task of an item of a sample.
    pub fn task(&self, sample_number: &str, item: &str, state: &str) -> String {
        let listed =
            ok(&self.analyst.get(&format!("/api/v1/tasks?sample={sample_number}&item={item}&state={state}")), 200);
        assert_eq!(listed["total"], 1, "{item} {state}: {listed}");
        text(&listed["items"][0], "task_id")
    }

    /// Enters one reading `x`.
    pub fn enter(&self, task: &str, raw: &str) -> Value {
        let body = json!({"readings": [{"name": "x", "raw": raw}], "reagents": "试剂 A 批号 1"});
        ok(&self.analyst.post(&format!("/api/v1/tasks/{task}/entry"), &body), 201)
    }

    /// Approves everything that waits for review.
    pub fn approve_all(&self) {
        let listed = ok(&self.reviewer.get("/api/v1/reviews"), 200);
        for row in listed["items"].as_array().expect("a list") {
            let id = text(&row["result"], "id");
            ok(
                &self.reviewer.post(
                    &format!("/api/v1/results/{id}/review"),
                    &json!({"outcome": "approved", "import_checked": true}),
                ),
                200,
            );
        }
    }

    /// The reviewer finds the summary protocol of the sample's lot in order.
    pub fn review_protocol(&self, sample: &str) -> Value {
        let found = json!({"protocol_number": "SJ-2026-1", "outcome": "conforms"});
        ok(&self.reviewer.post(&format!("/api/v1/samples/{sample}/protocol-review"), &found), 201)
    }

    /// Puts a text on record right: the receiver says what is wrong, quality approves.
    pub fn correct(&self, subject: &str, id: &str, field: &str, new: &str) -> Value {
        let body = json!({"subject": subject, "subject_id": id, "field": field, "new_value": new,
            "reason": "录入有误", "evidence": "原始资料"});
        let made = text(&ok(&self.receiver.post("/api/v1/corrections", &body), 201), "id");
        let decision = format!("/api/v1/corrections/{made}/decision");
        ok(&self.quality.post(&decision, &json!({"outcome": "applied"})), 200)
    }

    /// Puts the strength of the sample's product right, so that there is something to amend.
    pub fn correct_strength(&self, sample: &str) -> Value {
        let case = text(&ok(&self.receiver.get(&format!("/api/v1/samples/{sample}")), 200)["sample"], "application_id");
        let case = ok(&self.receiver.get(&format!("/api/v1/applications/{case}")), 200);
        self.correct("product", &text(&case["application"], "product_id"), "strength", "11 mg")
    }

    /// Drafts, reviews and signs: the issued certificate.
    pub fn issue(&self, sample: &str) -> Value {
        self.issue_draft(&json!({"sample_id": sample}))
    }

    pub fn issue_draft(&self, draft: &Value) -> Value {
        let draft = text(&ok(&self.reviewer.post("/api/v1/certificates", draft), 201), "id");
        ok(&self.quality.post(&format!("/api/v1/certificates/{draft}/review"), &json!({})), 200);
        let sign = json!({"password": PASSWORD, "meaning": "授权签发"});
        ok(&self.signatory.post(&format!("/api/v1/certificates/{draft}/sign"), &sign), 200)
    }
}

/// One numeric item `x` within a limit, that consumes ten units.
pub fn one_item(limit: &str) -> Value {
    json!([{"code": "assay", "name_zh": "含量测定", "name_en": "Assay", "method": "通则0512", "kind": "numeric",
            "unit": "%", "limit": limit, "compare_by": "rounded", "consumes": "10"}])
}
