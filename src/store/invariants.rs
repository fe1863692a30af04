//! What the database holds by itself: one stable code for each rule, with the words in which a person reads it.
//!
//! A trigger names its rule in its message, `qianfa:CODE: sentence`, on both databases. A check or a key has no
//! message of its own: PostgreSQL tells the name of the constraint, SQLite the expression or the columns. [`NAMED`]
//! knows both. The database's own text is for the log and reaches nobody else.

use crate::refusal::{Code, Refusal};

/// Defines the rules once: Rust name, stable code, refusal, Chinese and English message.
macro_rules! invariants {
    ($($name:ident = $text:literal, $code:ident, $zh:literal, $en:literal;)*) => {
        /// A rule that the database holds, whoever writes to it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Invariant { $(#[doc = $en] $name,)* }

        impl Invariant {
            /// Every rule there is.
            pub const ALL: &'static [Invariant] = &[$(Invariant::$name,)*];

            /// The stable code: add, never rename.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Invariant::$name => $text,)* }
            }

            /// The refusal that carries it, and with it the HTTP status.
            #[must_use]
            pub fn code(self) -> Code {
                match self { $(Invariant::$name => Code::$code,)* }
            }

            /// What a person reads, Chinese and English.
            #[must_use]
            pub fn words(self) -> (&'static str, &'static str) {
                match self { $(Invariant::$name => ($zh, $en),)* }
            }
        }
    };
}

invariants! {
    // Rules of triggers.
    AppendOnly = "append-only", Conflict,
        "已保存的记录不得修改或删除，只能追加更正",
        "what was recorded is never changed or removed: add a correction";
    NeverDeleted = "never-deleted", Conflict,
        "记录不得删除，只能作废或停用",
        "records are never removed: void or retire them";
    RevisionOrder = "revision-order", Conflict,
        "该记录已有更改，请刷新后重试",
        "the record has been changed meanwhile: reload it and try again";
    WrongInstitute = "wrong-institute", Conflict,
        "样品、检验任务和证书须与所属受理业务为同一机构",
        "a sample, a task and a certificate belong to the institute of their case";
    BatchWithdrawn = "batch-withdrawn", Conflict,
        "该批已撤回，或已收样",
        "the lot comes no more, or its sample was received";
    OtherOwner = "other-owner", Conflict,
        "所引用的品种或申请人属于其他机构",
        "it names a product or an applicant of another institute";
    OwnerProposal = "owner-proposal", Conflict,
        "归属由共享目录管理机构的一人提议、另一人确认，且不得更改",
        "an owner changes as one person proposes and another confirms, and neither is changed";
    NumberGap = "number-gap", Conflict,
        "编号须逐号连续，不得跳号或改号",
        "numbers follow one another without a gap and are not changed";
    SpecificationLocked = "specification-locked", Conflict,
        "质量标准生效后不得修改，请建立新版本",
        "a specification in effect is not changed: draft a new version";
    SpecificationUndated = "specification-undated", InvalidField,
        "发布的质量标准须有实施日期",
        "a released specification has the date from which it is in force";
    CaseIdentity = "case-identity", Conflict,
        "立案信息不得更改，已终结的业务不得重新开启",
        "a case keeps its number, its parties and its product, and one that has ended is not reopened";
    AcceptanceFrozen = "acceptance-frozen", Conflict,
        "受理后不得更改受理日期、检验目的、检验依据和判定",
        "after acceptance its date, the purpose, the specification and the determination are not changed";
    SampleIdentity = "sample-identity", Conflict,
        "样品编号和收样记录不得更改",
        "the number of a sample and what was recorded on its receipt are not changed";
    ContainerIdentity = "container-identity", Conflict,
        "容器的样品、序号和标签不得更改",
        "a container keeps its sample, its position and its label";
    CustodyBalance = "custody-balance", LedgerRefused,
        "样品数量只能通过流转记录变更",
        "quantities of a sample change only through its custody ledger";
    CustodyContainer = "custody-container", LedgerRefused,
        "指明容器的流转记录只能流转该样品的一个容器",
        "a move that names a container moves that container alone, and it is one of the sample's own";
    CustodyAmount = "custody-amount", LedgerRefused,
        "样品登记了每个容器的含量，流转须同时记录数量；未登记的不记录",
        "amounts move with the containers of a sample whose content is registered, and only of such a one";
    CustodyTask = "custody-task", LedgerRefused,
        "检验任务只能耗用本样品",
        "a test uses up its own sample and no other";
    KeepingOrder = "keeping-order", WrongState,
        "留样的动用和销毁须依次批准、执行、见证",
        "the steps of a use or a destruction follow one another: approval, execution, witness";
    KeepingSelf = "self-keeping", SelfReview,
        "申请人不得自行批准，执行人不得自行见证",
        "a request is approved by somebody else, and a destruction confirmed by somebody who saw another do it";
    KeepingUnsigned = "keeping-unsigned", WrongState,
        "批准和见证须签名",
        "whoever approves or witnesses signs it";
    RetentionUnapproved = "retention-unapproved", LedgerRefused,
        "留样未经批准不得动用，未经批准和见证不得销毁",
        "retained containers leave for a re-test under a signed approval, and are destroyed before a witness";
    HandoverOrder = "handover-order", Conflict,
        "样品由持有人交出",
        "somebody else has the sample: it is handed over by its holder";
    InstrumentFileIdentity = "instrument-file-identity", Conflict,
        "仪器文件按读入时的内容保存，处理后不得更改",
        "an instrument file stays as it was read and, once decided, as it was decided";
    ObservationIdentity = "observation-identity", Conflict,
        "从仪器文件读出的数据不得更改，文件处理后不得改变其所属样品",
        "a value read from an instrument file is not changed, nor is its sample once the file is decided";
    ObservationChoice = "observation-choice", Conflict,
        "只能从该值的两种读法中认定一种",
        "one of the two readings of an ambiguous value is chosen, by a person";
    ReadingAmbiguous = "reading-ambiguous", WrongState,
        "该值有两种读法，须先由人员认定",
        "the value can be read in two ways: a person chooses one before it is a reading";
    ImportNotAccepted = "import-not-accepted", WrongState,
        "只有已采用的仪器文件才进行导入复核",
        "only an accepted instrument file has an import to check";
    ImportCheckSelf = "self-import-check", SelfReview,
        "导入复核人不得是采用该文件的人",
        "an import is checked by somebody else than the one who accepted the file";
    ImportUnchecked = "import-unchecked", ImportUnchecked,
        "结果所依据的仪器文件导入未经他人复核，不得批准",
        "a result is approved only when a second person has checked the imports it rests on";
    TaskIdentity = "task-identity", Conflict,
        "检验任务的样品、项目和开始时间不得更改",
        "a test task keeps its sample, its item and its start";
    ResultUnreviewed = "result-unreviewed", Conflict,
        "录入结果时不得同时复核",
        "a result is entered first and reviewed afterwards";
    ResultFrozen = "result-frozen", Conflict,
        "已录入的结果和已作出的复核不得修改，请录入新版本",
        "a result and its review are not changed: enter a new version";
    ReviewSelf = "self-review", SelfReview,
        "复核人不得是该任务的检验人或数据录入人",
        "the reviewer of a result has entered none of its values";
    DecisionSelf = "self-decision", SelfReview,
        "超标结果不得由检验人本人处理",
        "the analyst of an OOS result does not decide about it";
    ReleaseSelf = "self-release", SelfReview,
        "质量标准由起草人以外的人发布",
        "a specification is released by somebody else than its drafter";
    SignatureSelf = "self-signature", SelfReview,
        "授权签字人不得是该样品的检验人、复核人，也不得是证书的起草人或审核人",
        "the signatory of a certificate neither tested, reviewed nor drafted what is in it";
    EntrySelf = "self-entry", SelfReview,
        "复核、导入复核或处理过该检验的人不得再录入数据",
        "no value of a test is entered by somebody who reviewed, checked or decided about it";
    SignatoryField = "signatory-field", Conflict,
        "签字人在签发日没有该业务和品种类别的授权签字领域",
        "on that day the signatory is not appointed for that business and that category";
    SignatureMeaning = "signature-meaning", InvalidField,
        "签名的含义不在规定之列",
        "a signature has one of the meanings on the list";
    ApprovalUnsigned = "approval-unsigned", Conflict,
        "批准须有批准人本人对该事项作出的相应签名",
        "whoever approves signs it: no signature of that person with a fitting meaning was found";
    ReversalMissing = "reversal-missing", Conflict,
        "已停用、撤回、退回、销毁的，须说明误操作的原因后才能恢复",
        "what was retired, withdrawn, dismissed, returned or destroyed comes back only where somebody says why that was a mistake";
    ReversalSelf = "self-reversal", SelfReview,
        "误记的流转须由记录人以外的人撤销",
        "a move of containers is taken back by somebody else than the one who recorded it";
    CorrectionUnapproved = "correction-unapproved", WrongState,
        "只能更正最新的、已批准的结果",
        "a result is corrected once it is approved, and only the newest one of its task";
    CorrectionSelf = "self-correction", SelfReview,
        "更正不得由录入过该结果数据的人提出，更正后的结果须由提出更正以外的人批准",
        "whoever entered a value of a result does not supersede it, and who did does not approve the new one";
    CorrectionAlone = "correction-alone", SelfReview,
        "更正由提出人以外的人批准",
        "a correction is approved by somebody else than the one who asked for it";
    CorrectionUndecided = "correction-undecided", WrongState,
        "更正批准后才列出所涉证书",
        "which certificates carry an error is recorded once its correction is approved";
    CertificateSuperseded = "certificate-superseded", WrongState,
        "证书所载的结果已被更正，请弃用后重新起草",
        "the certificate carries a result that was superseded: discard it and draft it anew";
    EvaluationVersions = "evaluation-versions", Conflict,
        "评价的版本须依次递增，请刷新后重试",
        "the versions of an evaluation follow one another: reload it and try again";
    EvaluationInvalid = "evaluation-invalid", Conflict,
        "系统适用性不符合要求的评价不产生结果",
        "an evaluation that is not valid gives no result";
    ReadingEvaluation = "reading-evaluation", Conflict,
        "录入值须与该样品最新有效评价的结果一致",
        "a reading rests on the newest valid evaluation of its sample and has its value";
    ReferenceStandardIdentity = "reference-standard-identity", Conflict,
        "对照品的登记信息不得更改，已停用的不得恢复",
        "a reference standard stays as it was registered, and a withdrawn one stays withdrawn";
    CertificateIdentity = "certificate-identity", Conflict,
        "证书的编号和归属不得更改，审核后内容不得更改",
        "a certificate keeps its number and what it belongs to and, once reviewed, its content";
    CertificateImmutable = "certificate-immutable", Conflict,
        "已签发或已终止的证书不得修改，请另行更正",
        "a certificate that was issued or has ended is not changed: amend it by a new one";
    InvestigationOrder = "investigation-order", WrongState,
        "超标调查须按步骤进行，且只针对不符合规定的结果",
        "an investigation begins with a failing result, and takes one step after the other";
    InvestigationSelf = "self-investigation", SelfReview,
        "检验人和提出人不得批准调查结论或复试方案，第二检验人不得是原检验人",
        "a cause, a plan or a conclusion is approved by somebody who neither tested nor proposed it; the plan names another analyst";
    InvestigationOpen = "investigation-open", OosOpen,
        "超标调查未完成，不得作出决定、批准结果或出具证书",
        "an investigation is open: until it ends, no result of it is approved and no certificate made";
    RetestNotAllowed = "retest-not-allowed", WrongState,
        "该项目不得复试；仅在检验被证明无效时重新检验一次",
        "the item allows no re-test: it is done again, once, where the test is proven invalid";
    RepetitionUnplanned = "repetition-unplanned", WrongState,
        "重新检验和复试的次数不得超过批准的次数",
        "there are no more repetitions than a cause or a plan was approved for";
    AssignedAnalyst = "assigned-analyst", WrongState,
        "复试须由方案指定的检验人进行",
        "another analyst is named in the plan for this repetition";
    FailingCase = "failing-case", WrongState,
        "已有不符合规定的结果，申请不得撤回或作废",
        "a result of the case fails: the case ends with its report";
    CodeUsed = "code-used", Conflict,
        "该验证码已使用，请等待下一个",
        "the code was used already: wait for the next one";

    // Rules of checks.
    CustodyNegative = "custody-negative", LedgerRefused,
        "样品数量不足，账目不得为负",
        "the sample has not so many containers there: no balance falls below zero";
    HandoverPeople = "handover-people", InvalidField,
        "交接须有两人，由其中一人登记",
        "a hand-over has two people, and is recorded by one of them";
    CustodyMove = "custody-move", LedgerRefused,
        "流转数量须大于零，且来源与去向不同",
        "a move has a quantity above zero and two different places";
    CertificateReviewSelf = "self-certificate-review", SelfReview,
        "证书审核人不得是起草人",
        "a certificate is reviewed by somebody else than the one who drafted it";
    PeriodOrder = "period-order", InvalidField,
        "截止日期不得早于起始日期",
        "a period does not end before it begins";
    ReasonMissing = "reason-missing", InvalidField,
        "须说明原因",
        "a reason is required";
    ValueNotAllowed = "value-not-allowed", Conflict,
        "数据不符合规定，未保存",
        "a value is not as the records require; nothing was saved";
    ValueMissing = "value-missing", Conflict,
        "缺少必填内容，未保存",
        "something required is missing; nothing was saved";
    ReferenceMissing = "reference-missing", Conflict,
        "所引用的记录不存在",
        "it refers to a record that does not exist";

    // Keys.
    UsernameTaken = "username-taken", Conflict,
        "该用户名已存在",
        "the user name exists already";
    ApplicantTaken = "applicant-taken", Conflict,
        "该申请人已登记",
        "the applicant is registered already";
    InstituteTaken = "institute-taken", Conflict,
        "该机构代码或样品编号前缀已被使用",
        "the institute's code or prefix of sample numbers is in use";
    ProductTaken = "product-taken", Conflict,
        "该品种代码已存在",
        "the product code exists already";
    ItemTaken = "item-taken", Conflict,
        "质量标准中项目代码或序号重复",
        "the specification has an item of that code or position already";
    LotTaken = "lot-taken", Conflict,
        "该业务已有此批号",
        "the case has that lot already";
    LabelTaken = "label-taken", Conflict,
        "该容器标签已被使用",
        "the container label is in use already";
    NumberTaken = "number-taken", Conflict,
        "该编号已被使用",
        "the number is in use already";
    InstrumentTaken = "instrument-taken", Conflict,
        "本机构已有该仪器编号",
        "the institute has an instrument of that code already";
    ListenerPortTaken = "listener-port-taken", Conflict,
        "该端口已被另一台仪器使用",
        "another instrument listens on that port already";
    FileTaken = "file-taken", Conflict,
        "该仪器文件已收入",
        "the instrument file was taken in already";
    FileSuperseded = "file-superseded", Conflict,
        "该仪器文件已有后续版本",
        "the instrument file has a later version already";
    PlaceTaken = "place-taken", Conflict,
        "进样序列中位置重复",
        "the run list has that place already";
    ReferenceStandardTaken = "reference-standard-taken", Conflict,
        "该对照品批号已登记",
        "the lot of the reference standard is registered already";
    DecisionTaken = "decision-taken", Conflict,
        "该超标结果已处理",
        "the OOS result is decided already";
    ImportCheckTaken = "import-check-taken", Conflict,
        "该导入已有相同的复核结论",
        "the import has that check already";
    CertificateTaken = "certificate-taken", Conflict,
        "该样品已有在办或有效的证书",
        "the sample has a certificate of that kind already";
    ChangedMeanwhile = "changed-meanwhile", Conflict,
        "他人刚刚保存了新的内容，请刷新后重试",
        "somebody has just saved something newer: reload and try again";
    AlreadyRecorded = "already-recorded", Conflict,
        "记录已存在",
        "it is recorded already";

    // A rule that this version of the program does not know.
    Unknown = "unknown", Conflict,
        "与已有记录的规则冲突，未保存",
        "it conflicts with a rule of the records; nothing was saved";
}

use Invariant as I;

/// The checks and keys that have a code of their own: the constraint's name on PostgreSQL, the expression or the
/// columns on SQLite.
pub const NAMED: &[(Invariant, &str, &str)] = &[
    (I::CustodyNegative, "custody_balance_check", "balance >= 0 OR place = 'supplied'"),
    (I::HandoverPeople, "handover_people", "from_account <> to_account AND recorded_by IN (from_account, to_account)"),
    (I::CustodyNegative, "custody_balance_amount", "billionths >= 0 OR place = 'supplied'"),
    (I::CustodyMove, "custody_entry_quantity_check", "quantity > 0 OR (quantity = 0 AND coalesce(billionths, 0) > 0)"),
    (I::CustodyMove, "custody_entry_amount", "billionths IS NULL OR billionths >= 0"),
    (I::CustodyMove, "custody_entry_check", "from_place <> to_place"),
    (I::ReviewSelf, "result_check", "reviewer_id IS NULL OR reviewer_id <> analyst_id"),
    (I::CertificateReviewSelf, "certificate_check2", "reviewed_by IS NULL OR reviewed_by <> drafted_by"),
    (I::PeriodOrder, "authorisation_check1", "valid_to IS NULL OR valid_to >= valid_from"),
    (I::PeriodOrder, "calibration_check", "due_on IS NULL OR due_on >= performed_on"),
    (I::PeriodOrder, "application_clock_check", "due >= starts"),
    (
        I::ReasonMissing,
        "application_check1",
        "state NOT IN ('refused','withdrawn','voided') OR state_reason IS NOT NULL",
    ),
    (I::ReasonMissing, "sample_check", "state = 'received' OR state_reason IS NOT NULL"),
    (I::ReasonMissing, "certificate_check3", "(amends_id IS NULL) = (amendment_reason IS NULL)"),
    (I::ReasonMissing, "certificate_check4", "state NOT IN ('withdrawn','discarded') OR state_reason IS NOT NULL"),
    (I::ReasonMissing, "instrument_check", "state = 'active' OR state_reason IS NOT NULL"),
    (
        I::ReasonMissing,
        "dead_letter_check",
        "state <> 'dismissed' OR (state_reason IS NOT NULL AND decided_by IS NOT NULL)",
    ),
    (I::ReasonMissing, "reading_check", "version = 1 OR reason IS NOT NULL"),
    (I::ReasonMissing, "evaluation_check", "version = 1 OR reason IS NOT NULL"),
    (I::ReasonMissing, "import_check_check", "outcome = 'ok' OR (reason IS NOT NULL AND length(reason) > 0)"),
    (I::ReasonMissing, "out_of_limit_decision_reason_check", "length(reason) > 0"),
    (I::ReasonMissing, "reference_standard_check1", "(withdrawn_by IS NULL) = (withdrawn_reason IS NULL)"),
    (I::UsernameTaken, "account_username_key", "account.username"),
    (I::ApplicantTaken, "applicant_name_own", "applicant.institute_id, applicant.name"),
    (I::ApplicantTaken, "applicant_name_shared", "applicant.name"),
    (I::InstituteTaken, "institute_code_key", "institute.code"),
    (I::InstituteTaken, "institute_sample_prefix_key", "institute.sample_prefix"),
    (I::ProductTaken, "product_code_own", "product.institute_id, product.code"),
    (I::ProductTaken, "product_code_shared", "product.code"),
    (I::ItemTaken, "test_item_specification_id_code_key", "test_item.specification_id, test_item.code"),
    (I::ItemTaken, "test_item_specification_id_position_key", "test_item.specification_id, test_item.position"),
    (I::LotTaken, "batch_application_id_lot_number_key", "batch.application_id, batch.lot_number"),
    (I::LabelTaken, "container_institute_id_label_code_key", "container.institute_id, container.label_code"),
    (I::NumberTaken, "application_number_key", "application.number"),
    (I::NumberTaken, "sample_number_key", "sample.number"),
    (I::NumberTaken, "certificate_number_key", "certificate.number"),
    (I::InstrumentTaken, "instrument_institute_id_code_key", "instrument.institute_id, instrument.code"),
    (I::ListenerPortTaken, "instrument_listener_port", "instrument.listener_port"),
    (I::FileTaken, "instrument_file_institute_id_sha256_key", "instrument_file.institute_id, instrument_file.sha256"),
    (I::FileSuperseded, "instrument_file_supersedes", "instrument_file.supersedes"),
    (I::PlaceTaken, "run_list_row_run_list_id_place_key", "run_list_row.run_list_id, run_list_row.place"),
    (
        I::ReferenceStandardTaken,
        "reference_standard_institute_id_name_batch_key",
        "reference_standard.institute_id, reference_standard.name, reference_standard.batch",
    ),
    (I::ReasonMissing, "result_correction_reason_check", "length(reason) > 0"),
    (I::ReasonMissing, "result_correction_check", "kind = 'taken_back' OR length(evidence) > 0"),
    (I::AlreadyRecorded, "result_correction_result_id_key", "result_correction.result_id"),
    (I::AlreadyRecorded, "reversal_custody_entry_id_key", "reversal.custody_entry_id"),
    (
        I::ChangedMeanwhile,
        "reversal_subject_kind_subject_id_revision_key",
        "reversal.subject_kind, reversal.subject_id, reversal.revision",
    ),
    (I::ReasonMissing, "reversal_reason_check", "length(reason) > 0"),
    (
        I::ChangedMeanwhile,
        "label_print_sample_id_code_copy_number_key",
        "label_print.sample_id, label_print.code, label_print.copy_number",
    ),
    (I::ReasonMissing, "label_print_check", "copy_number = 1 OR (reason IS NOT NULL AND length(reason) > 0)"),
    (I::DecisionTaken, "out_of_limit_decision_result_id_key", "out_of_limit_decision.result_id"),
    (I::ImportCheckTaken, "import_check_file", "import_check.instrument_file_id, import_check.outcome"),
    (
        I::ImportCheckTaken,
        "import_check_file_task",
        "import_check.instrument_file_id, import_check.test_task_id, import_check.outcome",
    ),
    (I::CertificateTaken, "certificate_one_live", "certificate.sample_id, certificate.kind"),
    (
        I::ChangedMeanwhile,
        "reading_test_task_id_name_position_version_key",
        "reading.test_task_id, reading.name, reading.position, reading.version",
    ),
    (I::ChangedMeanwhile, "result_test_task_id_version_key", "result.test_task_id, result.version"),
    (I::ChangedMeanwhile, "specification_product_id_version_key", "specification.product_id, specification.version"),
    (I::ChangedMeanwhile, "evaluation_root_id_version_key", "evaluation.root_id, evaluation.version"),
    (
        I::ChangedMeanwhile,
        "test_task_sample_id_test_item_id_attempt_key",
        "test_task.sample_id, test_task.test_item_id, test_task.attempt",
    ),
];

impl Invariant {
    /// The rule that a trigger's message names; one that this version does not know is [`Invariant::Unknown`].
    #[must_use]
    pub fn of_trigger(message: &str) -> Option<Self> {
        let (code, _) = message.strip_prefix("qianfa:")?.split_once(':')?;
        Some(Self::ALL.iter().copied().find(|rule| rule.as_str() == code).unwrap_or(Self::Unknown))
    }

    /// The rule of a check or a key, by the constraint's name where the database tells it, else by its message.
    #[must_use]
    pub fn of_constraint(name: Option<&str>, message: &str) -> Option<Self> {
        let told = message.split_once(" constraint failed: ").map(|(_, what)| what);
        let same = |postgres: &str, sqlite: &str| name.map_or(told == Some(sqlite), |name| name == postgres);
        NAMED.iter().find(|(_, postgres, sqlite)| same(postgres, sqlite)).map(|(rule, ..)| *rule)
    }

    /// As a person is shown it.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        let (zh, en) = self.words();
        Refusal::new(self.code(), zh, en).with(serde_json::json!({"invariant": self.as_str()}))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_trigger_names_its_rule_and_a_constraint_is_known_by_either_database() {
        let told = Invariant::of_trigger("qianfa:self-review: a result is reviewed by somebody else");
        assert_eq!(told, Some(Invariant::ReviewSelf));
        assert_eq!(Invariant::of_trigger("qianfa:of-tomorrow: a later rule"), Some(Invariant::Unknown));
        assert_eq!(Invariant::of_trigger("deadlock detected"), None);
        let sqlite = Invariant::of_constraint(None, "UNIQUE constraint failed: account.username");
        let postgres = Invariant::of_constraint(Some("account_username_key"), "duplicate key value …");
        assert_eq!((sqlite, postgres), (Some(Invariant::UsernameTaken), Some(Invariant::UsernameTaken)));
        assert_eq!(Invariant::of_constraint(Some("account_check"), "violates check constraint"), None);
    }

    #[test]
    fn every_rule_has_a_code_of_its_own_and_is_the_clients_matter() {
        let codes: BTreeSet<&str> = Invariant::ALL.iter().map(|rule| rule.as_str()).collect();
        assert_eq!(codes.len(), Invariant::ALL.len());
        for rule in Invariant::ALL {
            assert!(matches!(rule.code().status(), 409 | 422), "{rule:?}");
        }
    }
}
