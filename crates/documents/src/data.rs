//! What a certificate says: the one structure that is typeset, attached to the PDF as
//! `data.json`, and read back by machines.
//!
//! Everything printed is text that has already been rounded and formatted: nothing between a
//! result and its certificate passes through a binary float. An empty text is "not applicable":
//! what identifies the item is then printed as a dash, any other field is left out. Fields follow
//! ISO/IEC 17025:2017 7.8.2.1 and the customary layout of 检验报告书, 生物制品批签发证明 and
//! 进口药品检验报告书.

use serde::{Deserialize, Serialize};

pub use vocabulary::CertificateKind;

use super::annex::AnnexFigure;
use super::printed::Printed;
use super::raw_record::RawTest;

/// Version of the JSON layout of [`CertificateData`]. Fields are added, never renamed; a reader
/// that knows version 1 can read every later file of version 1.
pub const SCHEMA_VERSION: u32 = 1;

/// One statement in both languages; the Chinese text is the authoritative one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Bilingual {
    /// Chinese text.
    pub zh: Printed,
    /// English text.
    pub en: Printed,
}

impl Bilingual {
    /// Both languages at once.
    pub fn new(zh: impl Into<Printed>, en: impl Into<Printed>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

/// The laboratory that issues (ISO/IEC 17025 7.8.2.1 b, c).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CertificateInstitution)]
#[serde(default)]
pub struct Institution {
    /// Name as on the seal.
    pub name: Bilingual,
    /// Short name, as used in certificate numbers.
    pub abbreviation: Printed,
    /// Postal address.
    pub address: Bilingual,
    /// Where the tests were done, if not at the address.
    pub location: Bilingual,
    /// Telephone for enquiries.
    pub telephone: Printed,
    /// Accreditation marks that apply to this document, as text (for example `CMA 2300…`).
    pub marks: Vec<Printed>,
}

/// A named organisation with its address (ISO/IEC 17025 7.8.2.1 e).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CertificateParty)]
#[serde(default)]
pub struct Party {
    /// Name.
    pub name: Bilingual,
    /// Address.
    pub address: Printed,
}

/// The item that was tested (ISO/IEC 17025 7.8.2.1 g, h).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct SampleFacts {
    /// 检品编号 (收检编号 in lot release).
    pub number: Printed,
    /// 检品名称: generic name.
    pub name: Bilingual,
    /// 商品名: trade name.
    pub trade_name: Printed,
    /// 批号, with sub-lots as written.
    pub lot: Printed,
    /// 规格.
    pub strength: Printed,
    /// 剂型.
    pub dosage_form: Printed,
    /// 包装规格.
    pub packaging: Printed,
    /// 检品数量 with its unit.
    pub quantity: Printed,
    /// 生产单位.
    pub manufacturer: Bilingual,
    /// 产地.
    pub origin: Printed,
    /// 上市许可持有人.
    pub marketing_authorisation_holder: Bilingual,
    /// 供样单位 or 被抽样单位.
    pub supplier: Printed,
    /// 批准文号.
    pub approval_number: Printed,
    /// 受理号.
    pub acceptance_number: Printed,
    /// Condition on receipt: seals, temperature, appearance.
    pub condition: Printed,
    /// 贮藏.
    pub storage: Printed,
    /// 生产日期.
    pub manufactured_on: Printed,
    /// 收检日期.
    pub received_on: Printed,
    /// 有效期至, as written on the label.
    pub expiry: Printed,
}

/// The basis of testing, with its edition.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CertificateBasis)]
#[serde(default)]
pub struct Basis {
    /// Title of the standard or specification.
    pub title: Printed,
    /// Edition, volume or version number.
    pub edition: Printed,
}

/// How the work was done (ISO/IEC 17025 7.8.2.1 c, f, i, n; 7.8.6).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct TestingFacts {
    /// 检验目的.
    pub purpose: Printed,
    /// 检验项目: 全检 or 部分检验.
    pub scope: Printed,
    /// 检验依据.
    pub basis: Vec<Basis>,
    /// First day of testing.
    pub started_on: Printed,
    /// Last day of testing.
    pub finished_on: Printed,
    /// 检验环境条件, where they matter.
    pub environment: Printed,
    /// 偏离: additions to, deviations from or exclusions from the method.
    pub deviations: Printed,
    /// 判定规则: how a result was compared with its limit.
    pub decision_rule: Bilingual,
}

/// How the sample was taken (ISO/IEC 17025 7.8.2.1 h, k; 7.8.5).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct SamplingFacts {
    /// 抽样日期.
    pub date: Printed,
    /// 抽样地点.
    pub place: Printed,
    /// 抽样人.
    pub sampler: Printed,
    /// 抽样方案 or method.
    pub plan: Printed,
    /// 抽样件数.
    pub packages: Printed,
    /// 抽样量.
    pub quantity: Printed,
    /// Conditions during sampling that affect the results.
    pub conditions: Printed,
}

/// Whether a result meets its requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CertificateVerdict)]
#[serde(rename_all = "snake_case")]
pub enum PrintedVerdict {
    /// 符合规定.
    Pass,
    /// 不符合规定.
    Fail,
    /// No verdict is given: the row informs.
    #[default]
    None,
}

/// One line of the result table (ISO/IEC 17025 7.8.2.1 f, m, p).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CertificateResult)]
#[serde(default)]
pub struct PrintedResult {
    /// Heading above a group of rows (for example 性状, 检查, 含量测定); printed where it changes.
    pub section: Bilingual,
    /// 检验项目.
    pub item: Bilingual,
    /// 标准规定: the limit as written.
    pub standard: Printed,
    /// 检验结果: rounded text.
    pub result: Printed,
    /// Unit of result, empty where the result is text.
    pub unit: Printed,
    /// 项目结论.
    pub verdict: PrintedVerdict,
    /// Method or general chapter.
    pub method: Printed,
    /// Expanded measurement uncertainty with its coverage factor, where it is reported.
    pub uncertainty: Printed,
    /// The item lies outside the laboratory's accredited scope.
    pub out_of_scope: bool,
    /// Name of the external provider of this result, empty where it is the laboratory's own.
    pub external_provider: Printed,
}

/// 检验结论.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CertificateConclusion)]
#[serde(default)]
pub struct Conclusion {
    /// Overall verdict.
    pub verdict: PrintedVerdict,
    /// The full sentence.
    pub text: Bilingual,
    /// 标准复核意见, where the standard was verified too.
    pub review_opinion: Bilingual,
}

/// Who authorises (ISO/IEC 17025 7.8.2.1 o).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CertificateSignatory)]
#[serde(default)]
pub struct Signatory {
    /// Name.
    pub name: Printed,
    /// Position, for example 授权签字人.
    pub position: Bilingual,
    /// Meaning of the signature.
    pub meaning: Bilingual,
}

/// A certificate that replaces an earlier one (ISO/IEC 17025 7.8.8).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CertificateAmendment)]
#[serde(default)]
pub struct Amendment {
    /// Number of the certificate that is replaced.
    pub replaces_number: Printed,
    /// Its date of issue.
    pub replaces_date: Printed,
    /// Why.
    pub reason: Bilingual,
    /// What was changed, one entry a change.
    pub changes: Vec<Printed>,
}

/// Facts of an imported lot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct ImportFacts {
    /// 进口药品注册证号 or 批准文号.
    pub registration_number: Printed,
    /// 进口药品口岸检验通知书编号.
    pub notice_number: Printed,
    /// 进口药品通关单编号.
    pub customs_number: Printed,
    /// 报验单位.
    pub declarant: Printed,
    /// 合同号.
    pub contract_number: Printed,
    /// 进口数量.
    pub quantity: Printed,
    /// 进口口岸.
    pub port: Printed,
    /// 到岸日期.
    pub arrived_on: Printed,
    /// 原厂检验报告书号.
    pub manufacturer_report: Printed,
}

/// Facts of a released or refused lot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct ReleaseFacts {
    /// 报告编号 of the test report that the decision rests on.
    pub report_number: Printed,
    /// 签发量 (or the quantity applied for, in a refusal).
    pub quantity: Printed,
    /// Container type.
    pub container: Printed,
    /// Doses in a container.
    pub doses_per_container: Printed,
    /// Number of containers.
    pub containers: Printed,
    /// Lot of the diluent supplied with the product.
    pub diluent_lot: Printed,
    /// 资料审查: outcome of the review of the manufacturing and testing summary.
    pub dossier_review: Bilingual,
    /// 依据: the statement of what the decision rests on.
    pub basis: Bilingual,
}

/// Why a lot is refused, and what the applicant may do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CertificateRefusal)]
#[serde(default)]
pub struct LotRefusal {
    /// Reasons, one entry each.
    pub reasons: Vec<Bilingual>,
    /// 复审 right with its limit, as the provision in force has it.
    pub re_examination: Bilingual,
}

/// One clock of the determination.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct ClockFact {
    /// Name, for example 检验时限.
    pub name: Bilingual,
    /// Limit with its unit, for example `30 个工作日`.
    pub limit: Printed,
    /// First day.
    pub starts: Printed,
    /// Due date.
    pub due: Printed,
    /// Day on which it was met.
    pub met_on: Printed,
}

/// One provision that decided something in this case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct ProvisionFact {
    /// Stable id.
    pub id: Printed,
    /// Title of the document.
    pub document: Printed,
    /// Clause.
    pub clause: Printed,
    /// What it set here.
    pub effect: Printed,
}

/// The rules under which the case ran, as decided when it was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct DecisionFacts {
    /// Quantity rule, for example `全检量的 2 倍`.
    pub quantity: Printed,
    /// Lane, for example 即收即检.
    pub lane: Printed,
    /// Clocks with their due dates.
    pub clocks: Vec<ClockFact>,
    /// Provisions cited.
    pub provisions: Vec<ProvisionFact>,
}

/// How a reader checks the document.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CertificateVerification)]
#[serde(default)]
pub struct Verification {
    /// Address of the verification page of this certificate; also the content of the QR code.
    pub url: Printed,
    /// Short code to type where the QR code cannot be read.
    pub code: Printed,
}

/// The newest seal of the audit trail when a document was issued: whoever holds the document can tell that the trail
/// still has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct TrailSeal {
    /// Its number.
    pub number: Printed,
    /// Its chained SHA-256, in hex.
    pub sha256: Printed,
}

/// Everything that a certificate prints and carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct CertificateData {
    /// Layout version of this JSON, [`SCHEMA_VERSION`].
    pub version: u32,
    /// Which document.
    pub kind: CertificateKind,
    /// A draft is marked as such on every page and must not be signed.
    pub draft: bool,
    /// The copy that the laboratory keeps, marked as such on every page: it has the rules under which the case ran.
    pub internal: bool,
    /// Certificate or report number, on every page.
    pub number: Printed,
    /// Issuing laboratory.
    pub institution: Institution,
    /// Customer or applicant.
    pub customer: Party,
    /// The sample.
    pub sample: SampleFacts,
    /// Testing.
    pub testing: TestingFacts,
    /// Sampling, where the laboratory sampled.
    pub sampling: Option<SamplingFacts>,
    /// Facts of import, in an import report.
    pub import: Option<ImportFacts>,
    /// Facts of lot release.
    pub release: Option<ReleaseFacts>,
    /// Refusal of a lot.
    pub refusal: Option<LotRefusal>,
    /// Results.
    pub results: Vec<PrintedResult>,
    /// Conclusion.
    pub conclusion: Conclusion,
    /// 备注.
    pub remarks: Vec<Printed>,
    /// Statements such as "relates only to the items tested" (7.8.2.1 l); see
    /// [`CertificateData::standard_statements`].
    pub statements: Vec<Bilingual>,
    /// Amendment, where this certificate replaces another.
    pub amendment: Option<Amendment>,
    /// Rules applied.
    pub decision: Option<DecisionFacts>,
    /// Raw records, in a raw record.
    pub raw: Vec<RawTest>,
    /// Plots, where a test item's specification asks for them.
    pub annex: Vec<AnnexFigure>,
    /// Authorised signatory.
    pub signatory: Signatory,
    /// Date of issue.
    pub issued_on: Printed,
    /// The newest seal of the trail at the issue; none in a draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seal: Option<TrailSeal>,
    /// Verification.
    pub verification: Verification,
}

impl Default for CertificateData {
    fn default() -> Self {
        Self {
            version: SCHEMA_VERSION,
            kind: CertificateKind::default(),
            draft: false,
            internal: false,
            number: Printed::default(),
            institution: Institution::default(),
            customer: Party::default(),
            sample: SampleFacts::default(),
            testing: TestingFacts::default(),
            sampling: None,
            import: None,
            release: None,
            refusal: None,
            results: Vec::new(),
            conclusion: Conclusion::default(),
            remarks: Vec::new(),
            statements: Vec::new(),
            amendment: None,
            decision: None,
            raw: Vec::new(),
            annex: Vec::new(),
            signatory: Signatory::default(),
            issued_on: Printed::default(),
            seal: None,
            verification: Verification::default(),
        }
    }
}

impl CertificateData {
    /// The statements that ISO/IEC 17025:2017 7.8.2.1 l and 7.8.2.2 ask for, in the words that
    /// suit the document.
    pub fn standard_statements(kind: CertificateKind) -> Vec<Bilingual> {
        let document = match kind {
            CertificateKind::TestReport | CertificateKind::ImportReport => "报告",
            CertificateKind::LotRelease => "证明",
            CertificateKind::LotReleaseRefusal => "通知书",
            CertificateKind::RawRecord => "记录",
        };
        let scope = match kind {
            CertificateKind::LotRelease | CertificateKind::LotReleaseRefusal => Bilingual::new(
                format!("本{document}仅对所载批次有效；检验结果仅与被检样品有关。"),
                "Valid for the lot stated only; the results relate only to the items tested.",
            ),
            _ => Bilingual::new(
                format!("本{document}的结果仅与被检样品有关。"),
                "The results relate only to the items tested.",
            ),
        };
        let copies = Bilingual::new(
            format!("未经本机构书面批准，不得部分复制本{document}。"),
            "Not to be reproduced except in full without written approval of the issuer.",
        );
        vec![scope, copies]
    }

    /// What leaves the house: without the rules under which the case ran, its lane and its terms, which are the
    /// laboratory's own matter.
    #[must_use]
    pub fn for_customer(self) -> Self {
        Self { decision: None, internal: false, ..self }
    }

    /// JSON paths of fields that this kind must carry and that are empty.
    pub fn missing_fields(&self) -> Vec<&'static str> {
        let mut required: Vec<(&'static str, &str)> = vec![
            ("number", &self.number),
            ("institution.name.zh", &self.institution.name.zh),
            ("sample.name.zh", &self.sample.name.zh),
            ("sample.lot", &self.sample.lot),
        ];
        if self.kind != CertificateKind::RawRecord {
            required.extend([
                ("institution.address.zh", self.institution.address.zh.as_str()),
                ("conclusion.text.zh", &self.conclusion.text.zh),
                ("signatory.name", &self.signatory.name),
                ("issued_on", &self.issued_on),
                ("verification.url", &self.verification.url),
            ]);
        }
        let mut missing: Vec<&'static str> =
            required.into_iter().filter(|(_, value)| value.trim().is_empty()).map(|(name, _)| name).collect();
        missing.extend(self.missing_parts());
        missing
    }

    fn missing_parts(&self) -> Vec<&'static str> {
        let needs = |present: bool, name| (!present).then_some(name);
        let parts = match self.kind {
            CertificateKind::TestReport => {
                vec![needs(!self.results.is_empty(), "results"), needs(!self.testing.basis.is_empty(), "testing.basis")]
            }
            CertificateKind::ImportReport => vec![
                needs(!self.results.is_empty(), "results"),
                needs(!self.testing.basis.is_empty(), "testing.basis"),
                needs(self.import.is_some(), "import"),
            ],
            CertificateKind::LotRelease => vec![needs(self.release.is_some(), "release")],
            CertificateKind::LotReleaseRefusal => vec![
                needs(self.release.is_some(), "release"),
                needs(self.refusal.as_ref().is_some_and(|r| !r.reasons.is_empty()), "refusal.reasons"),
            ],
            CertificateKind::RawRecord => vec![needs(!self.raw.is_empty(), "raw")],
        };
        parts.into_iter().flatten().collect()
    }

    /// What must never leave the house together: a favourable conclusion over a failed item, a
    /// release without one, a refusal with one.
    pub fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.conclusion.verdict == PrintedVerdict::Pass {
            found.extend(
                self.results
                    .iter()
                    .enumerate()
                    .filter(|(_, row)| row.verdict == PrintedVerdict::Fail)
                    .map(|(n, row)| format!("conclusion.verdict is pass, but results[{n}] ({}) fails", row.item.zh)),
            );
        }
        match (self.kind, self.conclusion.verdict) {
            (CertificateKind::LotRelease, PrintedVerdict::Fail | PrintedVerdict::None) => {
                found.push("a lot release needs conclusion.verdict pass".to_owned());
            }
            (CertificateKind::LotReleaseRefusal, PrintedVerdict::Pass | PrintedVerdict::None) => {
                found.push("a refusal needs conclusion.verdict fail".to_owned());
            }
            _ => {}
        }
        if self.version != SCHEMA_VERSION {
            found.push(format!("version is {}, expected {SCHEMA_VERSION}", self.version));
        }
        found
    }
}
