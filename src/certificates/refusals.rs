//! What certificates refuse, in one place and in both languages.

use serde_json::json;

use crate::documents::{Bilingual, CertificateKind, RequiredFact, StatedChange};
use crate::refusal::{Code, Refusal};
use crate::store::Failure;
use crate::store::columns::{CertificateId, TestTaskId};
use crate::vocabulary::states::WrongState;
use crate::vocabulary::{Business, Category, TaskState};

/// Why no certificate is drafted, reviewed, signed or shown.
#[derive(Clone, Debug, PartialEq)]
pub enum CertificateRefusal {
    /// The actor may see no such certificate.
    NoCertificate(CertificateId),
    /// The sample has no such certificate that could be amended.
    NoneToAmend(CertificateId),
    /// No certificate has the verification code.
    NoCode(String),
    /// The state of the certificate does not allow it.
    State(WrongState),
    /// The sample was refused or voided.
    SampleGone,
    /// The line of business reviews no summary protocols.
    NoProtocols(Business),
    /// Facts that the document states are not on record.
    FactsMissing { kind: CertificateKind, facts: Vec<RequiredFact> },
    /// The list of what each kind of document states cannot be read.
    FactsUnreadable { error: String },
    /// Nobody says what the review of the protocol found.
    OutcomeUnsaid,
    /// The case is not accepted.
    CaseNotAccepted,
    /// The sample has no results at all.
    NoResults,
    /// A result out of limit awaits its decision.
    OosOpen { item: Bilingual, task: TestTaskId },
    /// A test is not finished.
    TestOpen { item: Bilingual, task: TestTaskId, state: TaskState },
    /// A test is finished and has no result.
    ResultMissing { item: Bilingual, task: TestTaskId },
    /// Results changed while the pictures of the annex were drawn.
    ResultsMoved,
    /// What the document states is on record otherwise by now.
    ChangedSinceDraft { changes: Vec<StatedChange> },
    /// An amendment would state what the old one states.
    NothingAmended,
    /// Only an issued certificate is amended.
    NotIssued,
    /// Another certificate amends it already.
    AmendedAlready,
    /// The line of business or the category, or the day, is outside of what the signatory may sign.
    OutsideField { business: Business, category: Category },
    /// The data are not those that were reviewed.
    ReviewedOther,
    /// The content changed after it was typeset.
    ContentMoved,
    /// There is no key to sign with.
    NoKey,
    /// The signature could not be made.
    NotSigned { kind: CertificateKind, error: String },
    /// The document could not be typeset.
    NotTypeset { error: String },
}

/// What is said where a document could not be typeset.
fn not_typeset(code: Code, error: &str) -> Refusal {
    Refusal::new(code, format!("证书无法排版：{error}"), format!("the certificate cannot be typeset: {error}"))
}

impl From<CertificateRefusal> for Refusal {
    fn from(why: CertificateRefusal) -> Self {
        use CertificateRefusal as Why;
        match why {
            Why::NoCertificate(id) => Self::not_found("证书", "certificate", id.as_str()),
            Why::NoneToAmend(id) => Self::not_found("该样品的证书", "certificate of this sample", id.as_str()),
            Why::NoCode(code) => Self::not_found("证书", "certificate with the code", &code),
            Why::State(refused) => refused.into(),
            Why::SampleGone => Self::new(Code::WrongState, "样品已拒收或作废", "the sample was refused or voided"),
            Why::CaseNotAccepted => Self::new(Code::WrongState, "申请尚未受理", "the application is not accepted"),
            Why::NoProtocols(business) => Self::new(
                Code::WrongState,
                format!("“{}”不审核批记录摘要", business.zh()),
                format!("no summary protocol is reviewed in {}", business.en()),
            ),
            Why::FactsMissing { kind, facts } => {
                let zh: Vec<&str> = facts.iter().map(|fact| fact.zh.as_str()).collect();
                let en: Vec<&str> = facts.iter().map(|fact| fact.en.as_str()).collect();
                Self::new(
                    Code::FactsMissing,
                    format!("{}缺少：{}", kind.zh(), zh.join("、")),
                    format!("the {} lacks: {}", kind.en(), en.join(", ")),
                )
                .with(json!({"facts": facts.iter().map(|fact| &fact.path).collect::<Vec<_>>()}))
            }
            Why::FactsUnreadable { error } => Self::new(
                Code::Internal,
                format!("文件所须事实的清单无法读取：{error}"),
                format!("the list of what documents state cannot be read: {error}"),
            ),
            Why::OutcomeUnsaid => Self::field("outcome", "请选择审核结论", "choose what was found"),
            Why::NoResults => Self::new(Code::ResultsMissing, "没有检验结果", "there are no results"),
            Why::OosOpen { item: Bilingual { zh, en }, task } => Self::new(
                Code::OosOpen,
                format!("{zh}：超标结果尚未决定，不得签发"),
                format!("{en}: an OOS result awaits its decision"),
            )
            .with(json!({"task_id": task})),
            Why::TestOpen { item: Bilingual { zh, en }, task, state } => Self::new(
                Code::ResultsMissing,
                format!("{zh}：检验尚未完成（{}）", state.zh()),
                format!("{en}: not finished ({})", state.en()),
            )
            .with(json!({"task_id": task})),
            Why::ResultMissing { item: Bilingual { zh, en }, task } => {
                Self::new(Code::ResultsMissing, format!("{zh}：没有结果"), format!("{en}: no result"))
                    .with(json!({"task_id": task}))
            }
            Why::ResultsMoved => {
                Self::new(Code::Conflict, "结果刚刚变化，请重试", "results have just changed: try again")
            }
            Why::ChangedSinceDraft { changes } => {
                let said: Vec<String> = changes.iter().map(|change| change.line().to_string()).collect();
                Self::new(
                    Code::Conflict,
                    format!("起草后记录已变化，请弃用后重新起草。{}", said.join("；")),
                    format!("what it states has changed since the draft: discard it and draft it anew. {}", said.join("; ")),
                )
                .with(json!({"changes": said}))
            }
            Why::NothingAmended => Self::new(
                Code::WrongState,
                "新证书所载内容与原证书相同，没有可更正的内容：请先更正有误的结果或记录",
                "the new certificate would state what the old one states: first correct the result or the record that is wrong",
            )
            .at("amends"),
            Why::NotIssued => {
                Self::new(Code::WrongState, "只能更正已签发的证书", "only an issued certificate is amended")
                    .at("amends.certificate_id")
            }
            Why::AmendedAlready => Self::new(
                Code::Conflict,
                "该证书已有更正证书，请先处理",
                "the certificate is being amended already: settle that amendment first",
            )
            .at("amends.certificate_id"),
            Why::OutsideField { business, category } => Self::new(
                Code::OutsideField,
                format!("您今日没有“{}·{}”的授权签字领域", business.zh(), category.zh()),
                format!("today you are not appointed to sign for {}, {}", business.en(), category.en()),
            )
            .with(json!({"business": business, "category": category})),
            Why::ReviewedOther => Self::new(
                Code::Conflict,
                "证书数据与审核时不一致，不得签发",
                "the data are not those that were reviewed: it is not issued",
            ),
            Why::ContentMoved => Self::new(Code::Conflict, "证书内容已变化", "the certificate's content changed"),
            Why::NoKey => Self::new(
                Code::SignatureKey,
                "未配置签名密钥（signing.key_file）",
                "no signing key is configured (signing.key_file)",
            ),
            Why::NotSigned { kind, error } => Self::new(
                Code::SignatureKey,
                format!("{}无法签名：{error}", kind.zh()),
                format!("the {} cannot be signed: {error}", kind.en()),
            ),
            Why::NotTypeset { error } => not_typeset(Code::Conflict, &error),
        }
    }
}

impl From<CertificateRefusal> for Failure {
    fn from(why: CertificateRefusal) -> Self {
        Refusal::from(why).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::walk;
    use crate::vocabulary::CertificateState;
    use crate::vocabulary::states::CertificateEvent;

    #[test]
    fn every_refusal_says_so_in_both_languages() {
        use CertificateRefusal as Why;
        let (item, task) = (Bilingual::new("含量", "assay"), TestTaskId::from("t"));
        let error = String::from("layout report: no font");
        walk::every(
            include_str!("refusals.rs"),
            &[
                Why::NoCertificate("c".into()),
                Why::NoneToAmend("c".into()),
                Why::NoCode("K7".into()),
                Why::State(WrongState::Certificate(CertificateState::Drafted, CertificateEvent::Sign)),
                Why::SampleGone,
                Why::CaseNotAccepted,
                Why::FactsUnreadable { error: error.clone() },
                Why::OutcomeUnsaid,
                Why::NoProtocols(Business::DrugRegistration),
                Why::FactsMissing { kind: CertificateKind::LotRelease, facts: Vec::new() },
                Why::NoResults,
                Why::OosOpen { item: item.clone(), task: task.clone() },
                Why::TestOpen { item: item.clone(), task: task.clone(), state: TaskState::Entered },
                Why::ResultMissing { item, task },
                Why::ResultsMoved,
                Why::ChangedSinceDraft { changes: Vec::new() },
                Why::NothingAmended,
                Why::NotIssued,
                Why::AmendedAlready,
                Why::OutsideField { business: Business::LotRelease, category: Category::Vaccine },
                Why::ReviewedOther,
                Why::ContentMoved,
                Why::NoKey,
                Why::NotSigned { kind: CertificateKind::TestReport, error: error.clone() },
                Why::NotTypeset { error },
            ],
        );
    }
}
