//! What cases refuse, in one place and in both languages.

use chrono::NaiveDate;
use serde_json::json;

use super::asked::{AmountQuestion, KnownLot};
use super::label_questions::DateQuestion;
use crate::refusal::{Code, Refusal};
use crate::regulation::calendar::CalendarError;
use crate::regulation::{CaseError, CaseRefusal};
use crate::store::Failure;
use crate::store::columns::{ApplicantId, ApplicationId, BatchId, InstituteId, ProductId};
use crate::vocabulary::CaseState;
use crate::vocabulary::states::WrongState;

/// Why nothing becomes of a case, or of what arrived for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CasesRefusal {
    /// The actor may see no such case.
    NoCase(ApplicationId),
    /// There is no such institute.
    NoInstitute(InstituteId),
    /// There is no such product.
    NoProduct(ProductId),
    /// There is no such applicant.
    NoApplicant(ApplicantId),
    /// The product has no such specification that was released.
    NoSpecification,
    /// The product has no specification in force on that day.
    NoneInForce(NaiveDate),
    /// The specification that was named is superseded, or not in force yet (`from` when on it is).
    NotInForce { on: NaiveDate, from: Option<NaiveDate> },
    /// The state of the case or of a container does not allow it.
    State(WrongState),
    /// A field that the case needs was left empty.
    Missing { field: &'static str },
    /// An institute takes in for itself only.
    OtherInstitute,
    /// An applicant applies for itself only.
    OtherApplicant,
    /// A case has so many batches.
    BatchCount,
    /// Two batches of the case have the same lot number.
    LotTwice { batch: usize },
    /// Where the institute lies is not a code of a jurisdiction.
    JurisdictionUnknown,
    /// The case says two things that exclude each other.
    Contradicts(CaseError),
    /// A clock of the case runs out of the calendar.
    NotDetermined(CalendarError),
    /// Provisions refuse the case: the first of them says so, and the details have all.
    ByProvisions { first: CaseRefusal, all: Vec<CaseRefusal> },
    /// Fewer batches than the regulation asks for.
    BatchesMissing { needed: u32, given: usize, provisions: Vec<String> },
    /// A stored clock cannot be read.
    ClockUnreadable { case: ApplicationId, column: &'static str },
    /// Another date is recorded already.
    DateRecorded { field: &'static str },
    /// The case takes no more dates.
    NoMoreDates(CaseState),
    /// The applicant can no longer withdraw by itself.
    AskInstitute(CaseState),
    /// A certificate of the case is in force.
    CertificateInForce,
    /// A valid result of the case fails: it is neither withdrawn nor voided.
    FailingResult,
    /// Work on the tasks of the case has ended.
    NotWorkedOn(CaseState),
    /// Samples come for an accepted case only.
    NotAccepted,
    /// The demand of the items cannot be counted.
    /// There are cases of the same lot, and nothing is said about them.
    LotKnown { batch: usize, known: Vec<KnownLot> },
    /// Another institute refused the lot.
    RefusedElsewhere { batch: usize, known: KnownLot },
    /// What an amount is computed from is not known.
    AmountUnknown { sample: usize, question: AmountQuestion },
    /// A receipt without a sample.
    NoSamples,
    /// So many packages are not believed.
    PackageCount { sample: usize },
    /// So many containers are not believed.
    ContainerCount { field: String, most: i64 },
    /// Two containers have the same label.
    LabelTwice { field: String },
    /// Something is wrong on arrival, and nothing is said about it.
    Unremarked { sample: usize, fault: ArrivalFault },
    /// The lot has expired.
    Expired { sample: usize },
    /// The dates on the label leave questions, and nothing is said about them.
    DatesUnclear { sample: usize, questions: Vec<DateQuestion> },
    /// The case has no such lot.
    NoLot { sample: usize, lot: String },
    /// The lot was withdrawn.
    LotWithdrawn { sample: usize, lot: String },
    /// The case has no lot of that number to end.
    NoLotToEnd(String),
    /// The lot has its sample, or was ended before.
    LotEnded(String),
    /// The actor may see no such lot.
    NoBatch(BatchId),
    /// What is put right has no such field.
    NoSuchField(String),
    /// Another lot of the case has that number.
    LotOfAnother(String),
    /// Without its last lot nothing is left of a case.
    LastLot,
    /// Nothing comes back once a certificate of the case was issued.
    CertificateIssued,
    /// The sample was not refused.
    NotRefused,
    /// The lot of the sample was withdrawn.
    LotGone,
    /// The lot was not withdrawn.
    LotComes(String),
    /// Fewer containers were counted than the sample needs.
    TooFewContainers { lot: String, required: i64, given: i64 },
    /// Nothing is received in this state.
    NotReceiving(CaseState),
    /// The sample of the lot was received already.
    LotReceived { sample: usize, lot: String },
    /// Fewer containers than the regulation asks for.
    Short {
        field: String,
        lot: String,
        full: i64,
        multiple: Option<u32>,
        required: i64,
        given: i64,
        by: Vec<String>,
        computation: (String, String),
    },
}

/// What may be wrong with a sample on arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrivalFault {
    SealBroken,
    PackageDamaged,
    LabelDiffers,
}

impl ArrivalFault {
    /// The field of the sample, and what is wrong in Chinese and English.
    fn said(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::SealBroken => ("seals_intact", "封签不完整", "a seal is broken"),
            Self::PackageDamaged => ("packages_intact", "包装破损", "a package is damaged"),
            Self::LabelDiffers => ("label_matches", "标签与资料不符", "the label does not agree with the papers"),
        }
    }
}

/// A field of the sample at that place of the receipt.
fn of_sample(sample: usize, field: &str) -> String {
    format!("samples[{sample}].{field}")
}

impl From<CasesRefusal> for Refusal {
    fn from(why: CasesRefusal) -> Self {
        use CasesRefusal as Why;
        match why {
            Why::NoCase(id) => Self::not_found("申请", "application", id.as_str()),
            Why::NoInstitute(id) => Self::not_found("机构", "institute", id.as_str()),
            Why::NoProduct(id) => Self::not_found("品种", "product", id.as_str()).at("product_id"),
            Why::NoApplicant(id) => Self::not_found("申请人", "applicant", id.as_str()).at("applicant_id"),
            Why::NoSpecification => Self::field(
                "specification_id",
                "该品种没有这一已生效的质量标准",
                "the product has no effective specification of that id",
            ),
            Why::NoneInForce(on) => Self::field(
                "specification_id",
                format!("该品种在{on}没有生效的质量标准"),
                format!("the product has no specification in force on {on}"),
            ),
            Why::NotInForce { on, from: Some(from) } => Self::field(
                "specification_id",
                format!("该版质量标准自{from}起实施，{on}尚未生效"),
                format!("this version of the specification is in force from {from} on, and not on {on}"),
            ),
            Why::NotInForce { on, from: None } => Self::field(
                "specification_id",
                format!("该版质量标准在{on}已被替代，不能用于新业务"),
                format!("this version of the specification is superseded on {on} and serves no new case"),
            ),
            Why::State(refused) => refused.into(),
            Why::Missing { field } => Self::field(field, "不能为空", "must not be empty"),
            Why::OtherInstitute => {
                Self::new(Code::Forbidden, "只能在本机构收样", "take in at your own institute only").at("institute_id")
            }
            Why::OtherApplicant => {
                Self::new(Code::Forbidden, "只能以本单位名义申请", "apply in your own name only").at("applicant_id")
            }
            Why::BatchCount => Self::field("batches", "应有 1 至 50 批", "expected 1 to 50 batches"),
            Why::LotTwice { batch } => {
                Self::field(format!("batches[{batch}].lot_number"), "批号重复", "the lot number stands twice")
            }
            Why::JurisdictionUnknown => {
                Self::field("institute.jurisdiction", "机构的辖区代码无效", "the institute's jurisdiction is no code")
            }
            Why::Contradicts(error) => {
                let field = if error.field() == Some("dates.sampled") { "sampled_on" } else { "product_id" };
                let (zh, en) = error.sides();
                Self::field(field, zh, en)
            }
            Why::NotDetermined(error) => {
                Self::new(Code::NotDetermined, format!("无法判定：{error}"), error.to_string())
            }
            Why::ByProvisions { first, all } => Self::new(Code::RefusedByRegulation, &*first.message, &*first.message)
                .by(first.provisions)
                .with(json!({"refusals": all})),
            Why::BatchesMissing { needed, given, provisions } => Self::new(
                Code::BatchesMissing,
                format!("须送检 {needed} 批，实有 {given} 批"),
                format!("{needed} batches are needed, {given} given"),
            )
            .at("batches")
            .by(provisions)
            .with(json!({"required": needed, "given": given})),
            Why::ClockUnreadable { case, column } => Self::new(
                Code::Internal,
                format!("application_clock.{column}（{case}）无法读取"),
                format!("application_clock.{column} of {case} cannot be read"),
            ),
            Why::DateRecorded { field } => {
                Self::new(Code::Conflict, "该日期已登记", "this date is recorded already").at(field)
            }
            Why::NoMoreDates(state) => Self::new(
                Code::WrongState,
                format!("申请处于“{}”状态，不再登记日期", state.zh()),
                format!("the case is {}: no more dates are recorded", state.en()),
            ),
            Why::AskInstitute(state) => Self::new(
                Code::WrongState,
                format!("申请处于“{}”状态，请与检验机构联系撤回", state.zh()),
                format!("the case is {}: ask the institute to withdraw it", state.en()),
            ),
            Why::CertificateInForce => Self::new(
                Code::WrongState,
                "该申请已有生效的证书，请先撤销证书",
                "a certificate of the case is in force: withdraw it first",
            ),
            Why::FailingResult => Self::new(
                Code::WrongState,
                "已有不符合规定的结果，申请不得撤回或作废；调查证明检验无效后可以，确认不符合规定的须出具报告",
                "a result of the case fails: it is neither withdrawn nor voided unless the investigation finds the test \
                 invalid, and a confirmed failure ends with its report",
            ),
            Why::NotWorkedOn(state) => Self::new(
                Code::WrongState,
                format!("申请处于“{}”状态，其检验任务不再处理", state.zh()),
                format!("the case is {}: nothing more is decided on its tasks", state.en()),
            ),
            Why::NotAccepted => Self::new(Code::WrongState, "该申请尚未受理", "the application is not accepted yet"),
            Why::LotKnown { batch, known } => {
                let said: Vec<(String, String)> = known.iter().map(KnownLot::said).collect();
                let zh: Vec<&str> = said.iter().map(|(zh, _)| zh.as_str()).collect();
                let en: Vec<&str> = said.iter().map(|(_, en)| en.as_str()).collect();
                Self::field(
                    format!("batches[{batch}].despite_duplicate"),
                    format!("该批已送检：{}。请说明再次受理的理由", zh.join("；")),
                    format!("the lot is known: {}; say why it is taken again", en.join("; ")),
                )
                .with(json!({"known": known}))
            }
            Why::RefusedElsewhere { batch, known } => {
                let (zh, en) = known.said();
                Self::new(
                    Code::Conflict,
                    format!("该批已被其他机构判定不符合规定，不得转投：{zh}"),
                    format!("another institute refused the lot, and it does not go from one to the next: {en}"),
                )
                .at(format!("batches[{batch}].lot_number"))
                .with(json!({"known": [known]}))
            }
            Why::AmountUnknown { sample, question } => Self::field(
                of_sample(sample, &question.field),
                format!("无法计算用量：{}", question.zh),
                format!("the amount cannot be computed: {}", question.en),
            ),
            Why::NoSamples => Self::field("samples", "至少一份样品", "expected at least one sample"),
            Why::PackageCount { sample } => {
                Self::field(of_sample(sample, "packages"), "应为 0 至 100000", "expected 0 to 100000")
            }
            Why::ContainerCount { field, most } => {
                Self::field(field, format!("应有 1 至 {most} 个容器"), format!("expected 1 to {most} containers"))
            }
            Why::LabelTwice { field } => Self::field(field, "标签重复", "the label stands twice"),
            Why::Unremarked { sample, fault } => {
                let (field, zh, en) = fault.said();
                Self::field(
                    of_sample(sample, field),
                    format!("{zh}：请拒收并说明原因，或在备注中说明接收理由"),
                    format!("{en}: refuse the sample with a reason, or say in the note why it is received"),
                )
            }
            Why::Expired { sample } => Self::field(
                of_sample(sample, "lot_number"),
                "已过有效期，应予拒收",
                "the lot has expired: refuse the sample with the reason",
            ),
            Why::DatesUnclear { sample, questions } => Self::field(
                of_sample(sample, "note"),
                format!(
                    "{}：请核对标签并在备注中写明结果，或更正日期",
                    questions.iter().map(DateQuestion::zh).collect::<Vec<_>>().join("；")
                ),
                format!(
                    "{}: look at the label and say in the note what was found, or correct the date",
                    questions.iter().map(DateQuestion::en).collect::<Vec<_>>().join("; ")
                ),
            ),
            Why::NoLot { sample, lot } => Self::field(
                of_sample(sample, "lot_number"),
                format!("该申请没有批号 {lot}"),
                format!("the application has no lot {lot}"),
            ),
            Why::LotWithdrawn { sample, lot } => Self::new(
                Code::Conflict,
                format!("批号 {lot} 已撤回，不再收样"),
                format!("lot {lot} was withdrawn: nothing is received of it"),
            )
            .at(of_sample(sample, "lot_number")),
            Why::NoLotToEnd(lot) => {
                Self::field("lot_number", format!("该申请没有批号 {lot}"), format!("the application has no lot {lot}"))
            }
            Why::NoBatch(id) => Self::not_found("批次", "lot", id.as_str()).at("subject_id"),
            Why::NoSuchField(field) => Self::field(
                "field",
                format!("没有可更正的字段 {field}"),
                format!("there is no field {field} that could be corrected"),
            ),
            Why::LotOfAnother(lot) => Self::field(
                "new_value",
                format!("该申请的另一批次已有批号 {lot}"),
                format!("another lot of the case has the number {lot}"),
            ),
            Why::LotEnded(lot) => Self::new(
                Code::Conflict,
                format!("批号 {lot} 已收样或已撤回"),
                format!("the sample of lot {lot} was received, or the lot was withdrawn before"),
            )
            .at("lot_number"),
            Why::LastLot => Self::new(
                Code::Conflict,
                "该业务没有其他批次：请撤回整个业务",
                "the case has no other lot: withdraw the case",
            )
            .at("lot_number"),
            Why::CertificateIssued => Self::new(
                Code::WrongState,
                "该申请已签发过证书，不能再撤销误操作；证书有误请更正或撤销",
                "a certificate of the case was issued: nothing comes back any more; amend or withdraw the certificate",
            ),
            Why::NotRefused => Self::new(Code::WrongState, "该样品未被拒收", "the sample was not refused"),
            Why::LotGone => Self::new(
                Code::WrongState,
                "样品所属批次已撤回，请先恢复该批",
                "the lot of the sample was withdrawn: reinstate the lot first",
            ),
            Why::LotComes(lot) => {
                Self::new(Code::Conflict, format!("批号 {lot} 未撤回"), format!("lot {lot} was not withdrawn"))
                    .at("lot_number")
            }
            Why::TooFewContainers { lot, required, given } => Self::new(
                Code::WrongState,
                format!("批号 {lot} 需要 {required} 个容器，收样时只点到 {given} 个，不能按已收样恢复"),
                format!("lot {lot} needs {required} containers and {given} were counted: it stays refused"),
            ),
            Why::NotReceiving(state) => Self::new(
                Code::Conflict,
                format!("业务状态为“{}”，不再收样", state.zh()),
                format!("nothing is received of a case that is {}", state.en()),
            ),
            Why::LotReceived { sample, lot } => Self::new(
                Code::Conflict,
                format!("批号 {lot} 已收样"),
                format!("the sample of lot {lot} is received already"),
            )
            .at(of_sample(sample, "lot_number")),
            Why::Short { field, lot, full, multiple, required, given, by, computation: (zh, en) } => {
                let short = required - given;
                Self::new(
                    Code::QuantityShort,
                    format!("批号 {lot}：须送 {required} 个容器，实收 {given} 个，尚缺 {short} 个（{zh}）"),
                    format!("lot {lot}: {required} containers required, {given} received, {short} short ({en})"),
                )
                .at(field)
                .by(by)
                .with(json!({
                    "lot_number": lot,
                    "full_test_containers": full,
                    "multiple": multiple,
                    "required_containers": required,
                    "received_containers": given,
                    "short_by": short,
                }))
            }
        }
    }
}

impl From<WrongState> for CasesRefusal {
    fn from(refused: WrongState) -> Self {
        Self::State(refused)
    }
}

impl From<CasesRefusal> for Failure {
    fn from(why: CasesRefusal) -> Self {
        Refusal::from(why).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::walk;
    use crate::vocabulary::states::CaseEvent;

    #[test]
    fn every_refusal_says_so_in_both_languages() {
        use CasesRefusal as Why;
        let (lot, field) = ("L-1".to_owned(), "samples[0].containers".to_owned());
        let law = CaseRefusal { code: "c".into(), message: "不予受理".into(), provisions: vec!["N-1".into()] };
        let state = CaseState::Voided;
        let known = KnownLot {
            lot_number: "L-1".into(),
            institute_zh: "别处".into(),
            institute_en: "Elsewhere".into(),
            application_number: "HBC20260001".into(),
            state: CaseState::Reported,
            conforms: Some(false),
            own: false,
        };
        walk::every_but(
            include_str!("refusals.rs"),
            &[
                Why::NoCase("a".into()),
                Why::NoInstitute("i".into()),
                Why::NoProduct("p".into()),
                Why::NoApplicant("a".into()),
                Why::NoSpecification,
                Why::NoneInForce(NaiveDate::MIN),
                Why::NotInForce { on: NaiveDate::MIN, from: None },
                Why::NotInForce { on: NaiveDate::MIN, from: Some(NaiveDate::MAX) },
                Why::State(WrongState::Case(state, CaseEvent::Accept)),
                Why::Missing { field: "institute_id" },
                Why::OtherInstitute,
                Why::OtherApplicant,
                Why::BatchCount,
                Why::LotTwice { batch: 1 },
                Why::JurisdictionUnknown,
                Why::Contradicts(CaseError::Contradiction {
                    field: "product.traits".into(),
                    zh: "不符".into(),
                    en: "misfit".into(),
                }),
                Why::NotDetermined(CalendarError::TooLong),
                Why::ByProvisions { first: law.clone(), all: vec![law] },
                Why::BatchesMissing { needed: 3, given: 1, provisions: Vec::new() },
                Why::ClockUnreadable { case: "a".into(), column: "due" },
                Why::DateRecorded { field: "sampled_on" },
                Why::NoMoreDates(state),
                Why::AskInstitute(state),
                Why::CertificateInForce,
                Why::FailingResult,
                Why::NotWorkedOn(state),
                Why::NotAccepted,
                Why::LotKnown { batch: 0, known: vec![known.clone()] },
                Why::RefusedElsewhere { batch: 0, known },
                Why::AmountUnknown {
                    sample: 0,
                    question: AmountQuestion { field: "consumes_unit".into(), zh: "单位".into(), en: "unit".into() },
                },
                Why::NoSamples,
                Why::PackageCount { sample: 0 },
                Why::ContainerCount { field: field.clone(), most: 5000 },
                Why::LabelTwice { field: field.clone() },
                Why::Unremarked { sample: 0, fault: ArrivalFault::SealBroken },
                Why::Unremarked { sample: 0, fault: ArrivalFault::PackageDamaged },
                Why::Unremarked { sample: 0, fault: ArrivalFault::LabelDiffers },
                Why::Expired { sample: 0 },
                Why::DatesUnclear { sample: 0, questions: vec![DateQuestion::Undated] },
                Why::NoLot { sample: 0, lot: lot.clone() },
                Why::LotReceived { sample: 0, lot: lot.clone() },
                Why::LotWithdrawn { sample: 0, lot: lot.clone() },
                Why::NoLotToEnd(lot.clone()),
                Why::LotEnded(lot.clone()),
                Why::NoBatch("b".into()),
                Why::NoSuchField("number".into()),
                Why::LotOfAnother(lot.clone()),
                Why::LastLot,
                Why::CertificateIssued,
                Why::NotRefused,
                Why::LotGone,
                Why::LotComes(lot.clone()),
                Why::TooFewContainers { lot: lot.clone(), required: 2, given: 1 },
                Why::NotReceiving(state),
                Why::Short {
                    field,
                    lot,
                    full: 1,
                    multiple: None,
                    required: 2,
                    given: 1,
                    by: Vec::new(),
                    computation: ("须 2 瓶".into(), "2 are needed".into()),
                },
            ],
            &["ByProvisions"],
        );
    }
}
