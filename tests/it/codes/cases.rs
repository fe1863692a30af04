//! One statement for each trigger that it alone refuses, on rows of `landed.sql`.

use qianfa::store::Invariant;
use qianfa::store::Invariant as I;

/// A statement and the rule that it meets.
pub struct Case {
    /// The trigger on SQLite
    pub sqlite: String,
    /// The trigger on PostgreSQL
    pub postgres: String,
    /// What makes the statement possible but for this rule
    pub before: Vec<String>,
    pub statement: String,
    pub rule: Invariant,
}

type Written = (&'static str, &'static str, &'static [&'static str], &'static str, Invariant);

impl From<&Written> for Case {
    fn from((sqlite, postgres, before, statement, rule): &Written) -> Self {
        Self {
            sqlite: (*sqlite).to_owned(),
            postgres: (*postgres).to_owned(),
            before: before.iter().map(|text| (*text).to_owned()).collect(),
            statement: (*statement).to_owned(),
            rule: *rule,
        }
    }
}

/// The tables whose rows are only added; of the others some change, and none goes.
pub const ONLY_ADDED: [&str; 15] = [
    "audit_rows",
    "signature",
    "custody_entry",
    "reading",
    "out_of_limit_decision",
    "audit_entry",
    "audit_seal",
    "calibration",
    "companion_file",
    "run_list_row",
    "evaluation",
    "evaluation_file",
    "evaluation_standard",
    "evaluation_result",
    "import_check",
];

const FIELD: &str = "INSERT INTO signatory_field (id, account_id, business, valid_from, document, appointed_by, appointed_at) \
    VALUES ('y1', 'a1', 'drug_registration', '2026-01-01', 'x', 'a2', '2026-01-01T01:00:00.000000Z')";
const FIELD_END: &str = "INSERT INTO signatory_field_end (id, field_id, ends_on, reason, ended_by, ended_at) \
    VALUES ('y1', 'y1', '2026-12-31', 'x', 'a2', '2026-01-01T01:00:00.000000Z')";

const FAIL: &str = "INSERT INTO result (id, test_task_id, version, calculated, reported, unit, limit_text, compare_by, verdict, steps, reagents, note, analyst_id, entered_at) \
    SELECT 'z9', test_task_id, 2, '90.0', '90.0', unit, limit_text, compare_by, 'fail', steps, reagents, note, analyst_id, entered_at FROM result WHERE id = 'z2'";
const OPEN: &str = "INSERT INTO investigation_step (id, result_id, position, event, state, reason, answers, by_account, at) \
    VALUES ('s1', 'z9', 1, 'open', 'open', '', '[]', 'a2', '2026-03-05T01:00:00.000000Z')";
const CAUSE: &str = "INSERT INTO investigation_step (id, result_id, position, event, state, reason, answers, cause, evidence, by_account, at) \
    VALUES ('s2', 'z9', 2, 'find_cause', 'cause_found', 'x', '[]', 'instrument_fault', 'x', 'a2', '2026-03-05T02:00:00.000000Z')";
const NONE: &str = "INSERT INTO investigation_step (id, result_id, position, event, state, reason, answers, by_account, at) \
    VALUES ('s2', 'z9', 2, 'find_none', 'no_cause', 'x', '[]', 'a2', '2026-03-05T02:00:00.000000Z')";

const PROTOCOL: &str = "INSERT INTO protocol_review (id, institute_id, sample_id, protocol_number, outcome, note, reviewed_by, reviewed_at, signature_id) \
    VALUES ('pr1', 'i1', 'm1', '1', 'conforms', '', 'a2', '2026-03-05T01:00:00.000000Z', 'g5')";
const PROTOCOL_SIGNED: &str = "INSERT INTO signature (id, account_id, meaning, subject_kind, subject_id, content_sha256, signed_at) \
    VALUES ('g5', 'a2', '审核批记录摘要', 'sample', 'm1', 'c', '2026-03-05T01:00:00.000000Z')";
const CORRECTION_SIGNED: &str = "INSERT INTO signature (id, account_id, meaning, subject_kind, subject_id, content_sha256, signed_at) \
    VALUES ('g6', 'a2', '批准更正结果', 'result', 'z1', 'c', '2026-03-05T01:00:00.000000Z')";
const CAUSE_SIGNED: &str = "INSERT INTO signature (id, account_id, meaning, subject_kind, subject_id, content_sha256, signed_at) \
    VALUES ('g7', 'a3', '批准检验无效', 'result', 'z9', 'c', '2026-03-05T03:00:00.000000Z')";
const CAUSE_APPROVED: &str = "INSERT INTO investigation_step (id, result_id, position, event, state, reason, answers, by_account, at) \
    VALUES ('s3', 'z9', 3, 'approve_cause', 'invalidated', 'x', '[]', 'a3', '2026-03-05T03:00:00.000000Z')";

const LABEL: &str = "INSERT INTO label_print (id, institute_id, sample_id, code, copy_number, printed_by, printed_at) \
    VALUES ('lp1', 'i1', 'm1', 'SX20260001', 1, 'a1', '2026-03-05T01:00:00.000000Z')";
const ANCHOR: &str = "INSERT INTO seal_anchor (id, seal_seq, kind, target, chained, anchored_at) \
    SELECT 'sa1', seq, 'syslog', 'udp://log:514', chained, '2026-03-05T01:00:00.000000Z' FROM audit_seal LIMIT 1";
const REVERSAL: &str = "INSERT INTO reversal (id, institute_id, subject_kind, subject_id, was, becomes, revision, reason, by_account, at) \
    VALUES ('rv1', 'i1', 'instrument', 'n1', 'retired', 'active', 7, 'x', 'a2', '2026-03-05T01:00:00.000000Z')";

const PUT_RIGHT: &str = "INSERT INTO record_correction (id, institute_id, subject, subject_id, field, old_value, new_value, reason, evidence, proposed_by, proposed_at) \
    VALUES ('co1', 'i1', 'batch', 'b1', 'lot_number', 'A', 'B', 'r', 'e', 'a1', '2026-03-05T01:00:00.000000Z')";
const REJECTED: &str = "INSERT INTO record_correction_decision (correction_id, outcome, note, decided_by, decided_at) \
    VALUES ('co1', 'rejected', 'n', 'a2', '2026-03-05T02:00:00.000000Z')";
const APPLIED: &str = "INSERT INTO record_correction_decision (correction_id, outcome, note, decided_by, decided_at, signature_id) \
    VALUES ('co1', 'applied', '', 'a2', '2026-03-05T02:00:00.000000Z', 'g1')";
const NAMED: &str = "INSERT INTO corrected_certificate (certificate_id, correction_id) VALUES ('x1', 'co1')";

const KEEPING: &str = "INSERT INTO keeping_request (id, institute_id, sample_id, kind, from_place, quantity, reason, asked_by, asked_at) \
    VALUES ('kr1', 'i1', 'm1', 'destroy', 'retention', 1, 'x', 'a1', '2026-03-05T01:00:00.000000Z')";
const KEEPING_SIGNED: &str = "INSERT INTO signature (id, account_id, meaning, subject_kind, subject_id, content_sha256, signed_at) \
    VALUES ('g7', 'a2', '批准动用或销毁样品', 'sample', 'm1', 'c', '2026-03-05T02:00:00.000000Z')";
const KEEPING_OWN: &str = "INSERT INTO signature (id, account_id, meaning, subject_kind, subject_id, content_sha256, signed_at) \
    VALUES ('g7', 'a1', '批准动用或销毁样品', 'sample', 'm1', 'c', '2026-03-05T02:00:00.000000Z')";
const KEEPING_STEP: &str = "INSERT INTO keeping_step (id, request_id, position, event, state, note, by_account, at, signature_id) \
    VALUES ('ks1', 'kr1', 1, 'approve', 'approved', '', 'a2', '2026-03-05T02:00:00.000000Z', 'g7')";
const HANDOVER: &str = "INSERT INTO handover (id, institute_id, sample_id, position, from_account, to_account, scanned, note, recorded_by, at) \
    VALUES ('ho1', 'i1', 'm1', 1, 'a1', 'a2', 'SX20260001', '', 'a1', '2026-03-05T01:00:00.000000Z')";

/// Both databases, the statements before, the statement, the rule.
#[rustfmt::skip]
pub const CASES: &[Written] = &[
    // The mark of a demonstration.
    ("demonstration_kept", "demonstration_kept",
     &["INSERT INTO demonstration (id, made_at) VALUES (1, '2026-01-05T01:00:00.000000Z')"],
     "UPDATE demonstration SET made_at = '2026-01-06T01:00:00.000000Z'", I::AppendOnly),
    ("demonstration_kept_delete", "demonstration_kept",
     &["INSERT INTO demonstration (id, made_at) VALUES (1, '2026-01-05T01:00:00.000000Z')"],
     "DELETE FROM demonstration", I::AppendOnly),
    // Specifications.
    ("specification_locked", "specification_locked", &[],
     "UPDATE specification SET title = 'other' WHERE id = 'n1'", I::SpecificationLocked),
    ("specification_locked", "specification_locked", &[],
     "UPDATE specification SET status = 'draft' WHERE id = 'n1'", I::SpecificationLocked),
    ("specification_dated", "specification_dated", &[],
     "UPDATE specification SET status = 'effective', released_by = 'a2' WHERE id = 'n2'", I::SpecificationUndated),
    ("specification_released_by_another", "specification_released_by_another",
     &["UPDATE specification SET effective_from = '2026-01-01' WHERE id = 'n2'"],
     "UPDATE specification SET status = 'effective' WHERE id = 'n2'", I::ReleaseSelf),
    ("specification_dated_insert", "specification_dated", &[],
     "INSERT INTO specification (id, product_id, version, title, edition, status, effective_from, created_at) \
      SELECT 'n9', product_id, 9, title, edition, 'effective', NULL, created_at FROM specification WHERE id = 'n2'",
     I::SpecificationUndated),
    ("test_item_locked_insert", "test_item_locked_insert", &[],
     "INSERT INTO test_item (id, specification_id, position, code, name_zh, name_en, method, kind, unit, limit_text, compare_by, inputs, replicates, consumes, in_scope) \
      SELECT 't9', specification_id, 9, 'other', name_zh, name_en, method, kind, unit, limit_text, compare_by, inputs, replicates, consumes, in_scope FROM test_item WHERE id = 't1'",
     I::SpecificationLocked),
    ("test_item_locked_update", "test_item_locked_update", &[],
     "UPDATE test_item SET limit_text = '≥1' WHERE id = 't1'", I::SpecificationLocked),
    ("test_item_locked_delete", "test_item_locked_delete", &[],
     "DELETE FROM test_item WHERE id = 't1'", I::SpecificationLocked),

    // People.
    ("second_factor_step", "second_factor_step",
     &["INSERT INTO second_factor (account_id, sealed, last_step, offered_at, confirmed_at) VALUES ('a1', '!', 7, '2026-03-02T01:00:00.000000Z', '2026-03-02T01:00:00.000000Z')"],
     "UPDATE second_factor SET last_step = 7 WHERE account_id = 'a1'", I::CodeUsed),
    ("recovery_code_once", "recovery_code_once",
     &["INSERT INTO recovery_code (account_id, code_sha256, used_at) VALUES ('a1', 'c', '2026-03-02T01:00:00.000000Z')"],
     "UPDATE recovery_code SET used_at = '2026-03-03T01:00:00.000000Z' WHERE account_id = 'a1'", I::CodeUsed),

    // Numbers.
    ("audit_end_grows", "audit_end_grows", &[], "UPDATE audit_end SET last = last - 1", I::NumberGap),
    ("audit_end_grows", "audit_end_grows", &[], "UPDATE audit_end SET gapless_from = 1 + gapless_from", I::NumberGap),
    ("number_series_starts_at_one", "number_series_starts_at_one", &[],
     "INSERT INTO number_series (series, year, last) VALUES ('zz', 2026, 7)", I::NumberGap),
    ("number_series_moves_by_one", "number_series_moves_by_one", &[],
     "UPDATE number_series SET last = last + 2", I::NumberGap),

    // Owners.
    ("application_owner", "application_owner",
     &["INSERT INTO product (id, code, name_zh, name_en, category, strength, dosage_form, package_spec, storage, manufacturer, holder, container_name, container_content, content_unit, created_at, institute_id) \
        SELECT 'd9', code, name_zh, name_en, category, strength, dosage_form, package_spec, storage, manufacturer, holder, container_name, container_content, content_unit, created_at, 'i2' FROM product WHERE id = 'd1'"],
     "INSERT INTO application (id, number, business, purpose, pre_submission, standard_verification, institute_id, applicant_id, product_id, specification_id, state, particulars, lane_rank, created_by, created_at) \
      SELECT 'c9', 'SXC20260009', business, purpose, pre_submission, standard_verification, institute_id, applicant_id, 'd9', specification_id, 'draft', particulars, lane_rank, created_by, created_at FROM application WHERE id = 'c1'",
     I::OtherOwner),
    ("application_owner", "application_owner",
     &["INSERT INTO applicant (id, name, address, contact, created_at, institute_id) SELECT 'p9', name, address, contact, created_at, 'i2' FROM applicant WHERE id = 'p1'"],
     "INSERT INTO application (id, number, business, purpose, pre_submission, standard_verification, institute_id, applicant_id, product_id, specification_id, state, particulars, lane_rank, created_by, created_at) \
      SELECT 'c9', 'SXC20260009', business, purpose, pre_submission, standard_verification, institute_id, 'p9', product_id, specification_id, 'draft', particulars, lane_rank, created_by, created_at FROM application WHERE id = 'c1'",
     I::OtherOwner),
    ("authorisation_owner", "authorisation_owner",
     &["INSERT INTO product (id, code, name_zh, name_en, category, strength, dosage_form, package_spec, storage, manufacturer, holder, container_name, container_content, content_unit, created_at, institute_id) \
        SELECT 'd9', code, name_zh, name_en, category, strength, dosage_form, package_spec, storage, manufacturer, holder, container_name, container_content, content_unit, created_at, 'i2' FROM product WHERE id = 'd1'"],
     "INSERT INTO authorisation (id, institute_id, product_id, valid_from, document, created_at) VALUES ('u9', 'i1', 'd9', '2026-01-01', '批件', '2026-03-02T01:00:00.000000Z')",
     I::OtherOwner),
    ("product_owner", "product_owner", &[], "UPDATE product SET institute_id = 'i2' WHERE id = 'd1'", I::OwnerProposal),
    ("applicant_owner", "applicant_owner", &[], "UPDATE applicant SET institute_id = 'i2' WHERE id = 'p1'", I::OwnerProposal),
    ("owner_proposal_kept", "owner_proposal_kept",
     &["INSERT INTO owner_proposal (id, institute_id, product_id, reason, proposed_by, proposed_at) VALUES ('o1', 'i1', 'd1', '全国共用', 'a1', '2026-03-02T01:00:00.000000Z')"],
     "DELETE FROM owner_proposal", I::NeverDeleted),
    ("owner_proposal_confirmed", "owner_proposal_confirmed",
     &["INSERT INTO owner_proposal (id, institute_id, product_id, reason, proposed_by, proposed_at) VALUES ('o1', 'i1', 'd1', '全国共用', 'a1', '2026-03-02T01:00:00.000000Z')"],
     "UPDATE owner_proposal SET confirmed_by = 'a1', confirmed_at = '2026-03-02T01:00:00.000000Z'", I::OwnerProposal),

    // The case.
    ("application_identity", "application_identity", &[],
     "UPDATE application SET number = 'other' WHERE id = 'c1'", I::CaseIdentity),
    ("application_identity", "application_identity", &[],
     "UPDATE application SET state = 'testing' WHERE id = 'c3'", I::CaseIdentity),
    ("application_accepted", "application_accepted", &[],
     "UPDATE application SET determination = '{\"a\": 1}' WHERE id = 'c1'", I::AcceptanceFrozen),
    ("sample_identity", "sample_identity", &[],
     "UPDATE sample SET number = 'other' WHERE id = 'm1'", I::SampleIdentity),
    ("sample_identity", "sample_identity", &[],
     "UPDATE sample SET state = 'received' WHERE id = 'm3'", I::SampleIdentity),
    ("sample_identity", "sample_identity", &[],
     "UPDATE sample SET institute_id = 'i2' WHERE id = 'm1'", I::SampleIdentity),
    ("sample_institute", "sample_institute", &[],
     "INSERT INTO sample (id, number, application_id, batch_id, state, received_at, received_by, seals_intact, packages, packages_intact, label_matches, condition_note, full_test_containers, required_containers, institute_id) \
      SELECT 'm9', 'other', application_id, batch_id, state, received_at, received_by, seals_intact, packages, packages_intact, label_matches, condition_note, full_test_containers, required_containers, 'i2' FROM sample WHERE id = 'm1'",
     I::WrongInstitute),
    ("container_identity", "container_identity", &[],
     "UPDATE container SET label_code = 'other' WHERE id = 'k1'", I::ContainerIdentity),

    // Custody.
    ("custody_balance_opens_empty", "custody_balance_follows_ledger", &[],
     "INSERT INTO custody_balance (sample_id, place, balance) VALUES ('m1', 'destroyed', 3)", I::CustodyBalance),
    ("custody_balance_follows_ledger", "custody_balance_follows_ledger", &[],
     "UPDATE custody_balance SET balance = 9 WHERE sample_id = 'm1' AND place = 'retention'", I::CustodyBalance),
    ("custody_entry_container", "custody_entry_posts", &[],
     "INSERT INTO custody_entry (id, sample_id, container_id, from_place, to_place, quantity, reason, moved_by, moved_at) \
      SELECT 'e9', 'm1', 'k1', 'supplied', 'received', 2, reason, moved_by, moved_at FROM custody_entry WHERE id = 'e1'",
     I::CustodyContainer),
    ("custody_entry_container", "custody_entry_posts", &[],
     "INSERT INTO custody_entry (id, sample_id, container_id, from_place, to_place, quantity, reason, moved_by, moved_at) \
      SELECT 'e9', 'm3', 'k1', 'supplied', 'received', 1, reason, moved_by, moved_at FROM custody_entry WHERE id = 'e1'",
     I::CustodyContainer),
    ("custody_entry_posts", "custody_entry_posts", &[],
     "INSERT INTO custody_entry (id, sample_id, from_place, to_place, quantity, reason, moved_by, moved_at) \
      SELECT 'e9', 'm1', 'test_portion', 'consumed', 2, reason, moved_by, moved_at FROM custody_entry WHERE id = 'e1'",
     I::CustodyNegative),
    ("custody_entry_counted", "custody_entry_counted", &[],
     "INSERT INTO custody_entry (id, sample_id, from_place, to_place, quantity, reason, moved_by, moved_at, billionths) \
      SELECT 'e9', 'm1', 'supplied', 'received', 1, reason, moved_by, moved_at, 5 FROM custody_entry WHERE id = 'e1'",
     I::CustodyAmount),
    ("custody_entry_task", "custody_entry_task", &[],
     "INSERT INTO custody_entry (id, sample_id, from_place, to_place, quantity, reason, moved_by, moved_at, test_task_id) \
      SELECT 'e9', 'm3', 'supplied', 'consumed', 1, reason, moved_by, moved_at, 'k1' FROM custody_entry WHERE id = 'e1'",
     I::CustodyTask),
    ("custody_entry_approved", "custody_entry_approved", &[],
     "INSERT INTO custody_entry (id, sample_id, from_place, to_place, quantity, reason, moved_by, moved_at) \
      SELECT 'e9', 'm1', 'retention', 'destroyed', 1, reason, moved_by, moved_at FROM custody_entry WHERE id = 'e1'",
     I::RetentionUnapproved),
    ("keeping_request_kept", "keeping_request_kept", &[KEEPING],
     "UPDATE keeping_request SET reason = 'other'", I::AppendOnly),
    ("keeping_request_kept_delete", "keeping_request_kept", &[KEEPING],
     "DELETE FROM keeping_request", I::AppendOnly),
    ("keeping_request_institute", "keeping_request_institute", &[],
     "INSERT INTO keeping_request (id, institute_id, sample_id, kind, from_place, quantity, reason, asked_by, asked_at) \
      VALUES ('kr1', 'i2', 'm1', 'destroy', 'retention', 1, 'x', 'a1', '2026-03-05T01:00:00.000000Z')", I::WrongInstitute),
    ("keeping_step_kept", "keeping_step_kept", &[KEEPING, KEEPING_SIGNED, KEEPING_STEP],
     "UPDATE keeping_step SET note = 'other'", I::AppendOnly),
    ("keeping_step_kept_delete", "keeping_step_kept", &[KEEPING, KEEPING_SIGNED, KEEPING_STEP],
     "DELETE FROM keeping_step", I::AppendOnly),
    ("keeping_step_order", "keeping_step_order", &[KEEPING],
     "INSERT INTO keeping_step (id, request_id, position, event, state, note, by_account, at) \
      VALUES ('ks1', 'kr1', 1, 'carry_out', 'carried_out', 'x', 'a2', '2026-03-05T02:00:00.000000Z')", I::KeepingOrder),
    ("keeping_step_by_another", "keeping_step_by_another", &[KEEPING, KEEPING_OWN],
     "INSERT INTO keeping_step (id, request_id, position, event, state, note, by_account, at, signature_id) \
      VALUES ('ks1', 'kr1', 1, 'approve', 'approved', '', 'a1', '2026-03-05T02:00:00.000000Z', 'g7')", I::KeepingSelf),
    ("keeping_step_signed", "keeping_step_signed", &[KEEPING],
     "INSERT INTO keeping_step (id, request_id, position, event, state, note, by_account, at) \
      VALUES ('ks1', 'kr1', 1, 'approve', 'approved', '', 'a2', '2026-03-05T02:00:00.000000Z')", I::KeepingUnsigned),
    ("handover_kept", "handover_kept", &[HANDOVER],
     "UPDATE handover SET note = 'other'", I::AppendOnly),
    ("handover_kept_delete", "handover_kept", &[HANDOVER],
     "DELETE FROM handover", I::AppendOnly),
    ("handover_order", "handover_order", &[],
     "INSERT INTO handover (id, institute_id, sample_id, position, from_account, to_account, scanned, note, recorded_by, at) \
      VALUES ('ho1', 'i1', 'm1', 1, 'a2', 'a3', 'SX20260001', '', 'a2', '2026-03-05T01:00:00.000000Z')", I::HandoverOrder),
    ("handover_institute", "handover_institute", &[],
     "INSERT INTO handover (id, institute_id, sample_id, position, from_account, to_account, scanned, note, recorded_by, at) \
      VALUES ('ho1', 'i1', 'm1', 1, 'a1', 'a4', 'SX20260001', '', 'a1', '2026-03-05T01:00:00.000000Z')", I::WrongInstitute),
    ("sample_content", "sample_content", &[],
     "UPDATE sample SET content_amount = '10', content_unit = '片' WHERE id = 'm1'", I::SampleIdentity),

    // Instrument files.
    ("instrument_file_identity", "instrument_file_identity", &[],
     "UPDATE instrument_file SET name = 'other' WHERE id = 'f2'", I::InstrumentFileIdentity),
    ("instrument_file_identity", "instrument_file_identity", &[],
     "UPDATE instrument_file SET state = 'rejected' WHERE id = 'f1'", I::InstrumentFileIdentity),
    ("observation_identity", "observation_identity", &[],
     "UPDATE observation SET raw = '1' WHERE id = 'o2'", I::ObservationIdentity),
    ("observation_identity", "observation_identity", &[],
     "UPDATE observation SET sample_id = NULL WHERE id = 'o1'", I::ObservationIdentity),
    ("observation_choice", "observation_choice", &[],
     "UPDATE observation SET chosen = '98', chosen_by = 'a1' WHERE id = 'o2'", I::ObservationChoice),
    ("reading_of_ambiguous", "reading_of_ambiguous", &["INSERT INTO observation (id, instrument_file_id, position, quantity, raw, status, flags, locator, context, readings) \
       SELECT 'o9', 'f2', 9, 'content', '1,021', 'ambiguous', '[]', '{}', '{}', '[\"1.021\",\"1021\"]' FROM observation WHERE id = 'o2'"],
     "INSERT INTO reading (id, test_task_id, name, position, version, raw, value, unit, observation_id, entered_by, entered_at) \
      SELECT 'rr9', test_task_id, 'y', 9, 1, raw, value, unit, 'o9', entered_by, entered_at FROM reading LIMIT 1", I::ReadingAmbiguous),
    ("import_check_of_accepted", "import_check_by_another", &[],
     "INSERT INTO import_check (id, instrument_file_id, outcome, checked_by, checked_at) \
      SELECT 'j9', 'f2', outcome, checked_by, checked_at FROM import_check WHERE id = 'j1'", I::ImportNotAccepted),
    ("import_check_by_another", "import_check_by_another", &[],
     "INSERT INTO import_check (id, instrument_file_id, outcome, checked_by, checked_at) \
      SELECT 'j9', 'f1', outcome, 'a1', checked_at FROM import_check WHERE id = 'j1'", I::ImportCheckSelf),

    // Tasks and results.
    ("test_task_identity", "test_task_identity", &[],
     "UPDATE test_task SET attempt = 7 WHERE id = 'k1'", I::TaskIdentity),
    ("test_task_identity", "test_task_identity", &[],
     "UPDATE test_task SET institute_id = 'i2' WHERE id = 'k1'", I::TaskIdentity),
    ("container_institute", "container_institute", &[],
     "INSERT INTO container (id, sample_id, position, label_code, portion, institute_id) VALUES ('k9', 'm1', 9, 'other', 'test', 'i2')", I::WrongInstitute),
    ("container_identity", "container_identity", &[],
     "UPDATE container SET institute_id = 'i2' WHERE id = 'k1'", I::ContainerIdentity),
    ("test_task_institute", "test_task_institute", &[],
     "INSERT INTO test_task (id, sample_id, test_item_id, attempt, state, lane_rank, available_at, institute_id) \
      SELECT 'k9', sample_id, 't2', 1, 'waiting', lane_rank, available_at, 'i2' FROM test_task WHERE id = 'k1'",
     I::WrongInstitute),
    ("result_unreviewed", "result_unreviewed", &[],
     "INSERT INTO result (id, test_task_id, version, calculated, reported, unit, limit_text, compare_by, verdict, steps, reagents, note, analyst_id, entered_at, reviewer_id, reviewed_at, review_outcome) \
      SELECT 'z9', test_task_id, 9, calculated, reported, unit, limit_text, compare_by, verdict, steps, reagents, note, analyst_id, entered_at, 'a2', entered_at, 'approved' FROM result WHERE id = 'z2'",
     I::ResultUnreviewed),
    ("result_outside_reasoned", "result_outside_reasoned", &[],
     "INSERT INTO result (id, test_task_id, version, calculated, reported, unit, limit_text, compare_by, verdict, steps, reagents, note, analyst_id, entered_at, outside) \
      SELECT 'z9', test_task_id, 9, calculated, reported, unit, limit_text, compare_by, verdict, steps, reagents, note, analyst_id, entered_at, '[\"x\"]' FROM result WHERE id = 'z2'",
     I::ReasonMissing),
    ("result_outside_frozen", "result_outside_frozen", &[],
     "UPDATE result SET outside = '[\"x\"]' WHERE id = 'z2'", I::ResultFrozen),
    ("result_frozen", "result_frozen", &[],
     "UPDATE result SET reported = '1' WHERE id = 'z2'", I::ResultFrozen),
    ("result_frozen", "result_frozen", &[],
     "UPDATE result SET review_note = 'other' WHERE id = 'z1'", I::ResultFrozen),
    // Who entered a reading that another has replaced is no second person either.
    ("result_reviewed_by_another", "result_reviewed_by_another",
     &["INSERT INTO reading (id, test_task_id, name, position, version, raw, value, unit, reason, entered_by, entered_at) \
        SELECT 'q8', test_task_id, name, position, 2, raw, value, unit, '笔误', 'a3', entered_at FROM reading WHERE id = 'q2'",
       "INSERT INTO reading (id, test_task_id, name, position, version, raw, value, unit, reason, entered_by, entered_at) \
        SELECT 'q9', test_task_id, name, position, 3, raw, value, unit, '笔误', 'a1', entered_at FROM reading WHERE id = 'q2'"],
     "UPDATE result SET reviewer_id = 'a3', reviewed_at = entered_at, review_outcome = 'sent_back' WHERE id = 'z2'",
     I::ReviewSelf),
    ("result_approved_imports", "result_approved_imports", &[],
     "UPDATE result SET reviewer_id = 'a2', reviewed_at = entered_at, review_outcome = 'approved' WHERE id = 'z2'",
     I::ImportUnchecked),
    ("reading_by_another", "reading_by_another", &[],
     "INSERT INTO reading (id, test_task_id, name, position, version, raw, value, unit, reason, entered_by, entered_at) \
      SELECT 'q9', test_task_id, name, position, 2, raw, value, unit, '笔误', 'a2', entered_at FROM reading WHERE id = 'q1'",
     I::EntrySelf),
    ("out_of_limit_decided_by_another", "out_of_limit_decided_by_another",
     &["INSERT INTO reading (id, test_task_id, name, position, version, raw, value, unit, reason, entered_by, entered_at) \
        SELECT 'q8', test_task_id, name, position, 2, raw, value, unit, '笔误', 'a3', entered_at FROM reading WHERE id = 'q2'"],
     "INSERT INTO out_of_limit_decision (id, result_id, decision, reason, decided_by, decided_at) \
      SELECT 'o9', 'z2', decision, reason, 'a3', decided_at FROM out_of_limit_decision WHERE id = 'o1'",
     I::DecisionSelf),
    ("out_of_limit_decided_by_another", "out_of_limit_decided_by_another", &[],
     "INSERT INTO out_of_limit_decision (id, result_id, decision, reason, decided_by, decided_at) \
      SELECT 'o9', 'z2', decision, reason, 'a1', decided_at FROM out_of_limit_decision WHERE id = 'o1'",
     I::DecisionSelf),

    // Investigations.
    ("investigation_step_kept", "investigation_step_kept", &[FAIL, OPEN],
     "UPDATE investigation_step SET reason = 'other'", I::AppendOnly),
    ("investigation_step_kept_delete", "investigation_step_kept", &[FAIL, OPEN],
     "DELETE FROM investigation_step", I::AppendOnly),
    ("investigation_step_order", "investigation_step_order", &[FAIL, OPEN],
     "INSERT INTO investigation_step (id, result_id, position, event, state, reason, answers, by_account, at) \
      VALUES ('s9', 'z9', 2, 'confirm', 'confirmed', 'x', '[]', 'a3', '2026-03-05T03:00:00.000000Z')", I::InvestigationOrder),
    ("investigation_step_by_another", "investigation_step_by_another", &[FAIL, OPEN, CAUSE],
     "INSERT INTO investigation_step (id, result_id, position, event, state, reason, answers, by_account, at) \
      VALUES ('s9', 'z9', 3, 'approve_cause', 'invalidated', 'x', '[]', 'a2', '2026-03-05T03:00:00.000000Z')", I::InvestigationSelf),
    ("investigation_step_once", "investigation_step_once",
     &["INSERT INTO test_item (id, specification_id, position, code, name_zh, name_en, method, kind, unit, limit_text, compare_by, inputs, replicates, consumes, in_scope, annex) \
        SELECT 't9', 'n2', 9, 'other', '无菌检查', name_en, method, kind, unit, limit_text, compare_by, inputs, replicates, consumes, in_scope, annex FROM test_item WHERE id = 't1'",
       "INSERT INTO test_task (id, sample_id, test_item_id, attempt, state, lane_rank, available_at, started_at, analyst_id, institute_id) \
        SELECT 'k9', sample_id, 't9', 1, 'entered', lane_rank, available_at, started_at, analyst_id, institute_id FROM test_task WHERE id = 'k1'",
       "INSERT INTO result (id, test_task_id, version, calculated, reported, unit, limit_text, compare_by, verdict, steps, reagents, note, analyst_id, entered_at) \
        SELECT 'z9', 'k9', 1, '90.0', '90.0', unit, limit_text, compare_by, 'fail', steps, reagents, note, analyst_id, entered_at FROM result WHERE id = 'z2'",
       OPEN, NONE],
     "INSERT INTO investigation_step (id, result_id, position, event, state, reason, answers, repetitions, second_analyst, by_account, at) \
      VALUES ('s9', 'z9', 3, 'propose_plan', 'planned', 'x', '[]', 1, 'a3', 'a2', '2026-03-05T03:00:00.000000Z')", I::RetestNotAllowed),
    ("out_of_limit_decision_investigated", "out_of_limit_decision_investigated", &[],
     "INSERT INTO out_of_limit_decision (id, result_id, decision, reason, decided_by, decided_at) \
      SELECT 'o9', 'z2', decision, reason, 'a2', decided_at FROM out_of_limit_decision WHERE id = 'o1'", I::InvestigationOpen),
    ("test_task_ordered", "test_task_ordered", &[],
     "INSERT INTO test_task (id, sample_id, test_item_id, attempt, state, lane_rank, available_at, institute_id) \
      SELECT 'k9', sample_id, test_item_id, 3, 'waiting', lane_rank, available_at, institute_id FROM test_task WHERE id = 'k2'",
     I::RepetitionUnplanned),
    ("test_task_investigated", "test_task_investigated", &[FAIL],
     "UPDATE test_task SET state = 'reviewed' WHERE id = 'k2'", I::InvestigationOpen),
    ("reading_by_assigned", "reading_by_assigned", &["UPDATE test_task SET assigned_to = 'a3' WHERE id = 'k2'"],
     "INSERT INTO reading (id, test_task_id, name, position, version, raw, value, unit, reason, entered_by, entered_at) \
      SELECT 'q9', test_task_id, name, position, 2, raw, value, unit, '笔误', 'a1', entered_at FROM reading WHERE id = 'q2'",
     I::AssignedAnalyst),
    ("application_failing", "application_failing", &[FAIL],
     "UPDATE application SET state = 'voided' WHERE id = 'c1'", I::FailingCase),
    ("certificate_investigated_insert", "certificate_investigated_insert",
     &["UPDATE test_task SET state = 'out_of_limit' WHERE id = 'k2'"],
     "INSERT INTO certificate (id, kind, application_id, sample_id, institute_id, state, conforms, data, verification_code, drafted_by, drafted_at) \
      SELECT 'x9', 'import_report', application_id, sample_id, institute_id, 'drafted', conforms, data, 'other', drafted_by, drafted_at FROM certificate WHERE id = 'x1'",
     I::InvestigationOpen),
    ("certificate_investigated", "certificate_investigated",
     &["UPDATE test_task SET state = 'out_of_limit' WHERE id = 'k2'"],
     "UPDATE certificate SET state = 'issued' WHERE id = 'x2'", I::InvestigationOpen),

    // Corrections of approved results.
    ("sample_of_withdrawn_batch", "sample_of_withdrawn_batch",
     &["INSERT INTO batch (id, application_id, position, lot_number, withdrawn_at, withdrawn_because) VALUES ('b9', 'c1', 9, 'Z', '2026-03-05T01:00:00.000000Z', 'x')"],
     "INSERT INTO sample (id, number, application_id, batch_id, state, received_at, received_by, seals_intact, packages, packages_intact, label_matches, condition_note, full_test_containers, required_containers, institute_id) \
      SELECT 's9', 'S9', application_id, 'b9', 'received', received_at, received_by, seals_intact, packages, packages_intact, label_matches, condition_note, full_test_containers, required_containers, institute_id FROM sample WHERE id = 'm1'",
     I::BatchWithdrawn),
    ("batch_withdrawn_with_sample", "batch_withdrawn_with_sample", &[],
     "UPDATE batch SET withdrawn_at = '2026-03-05T01:00:00.000000Z', withdrawn_because = 'x' WHERE id = 'b1'", I::BatchWithdrawn),
    ("protocol_review_kept", "protocol_review_kept", &[PROTOCOL_SIGNED, PROTOCOL],
     "UPDATE protocol_review SET note = 'other'", I::AppendOnly),
    ("protocol_review_kept_delete", "protocol_review_kept", &[PROTOCOL_SIGNED, PROTOCOL],
     "DELETE FROM protocol_review", I::AppendOnly),
    ("protocol_review_institute", "protocol_review_institute", &[],
     "INSERT INTO protocol_review (id, institute_id, sample_id, protocol_number, outcome, note, reviewed_by, reviewed_at, signature_id) \
      VALUES ('pr1', 'i2', 'm1', '1', 'conforms', '', 'a1', '2026-03-05T01:00:00.000000Z', 'g1')",
     I::WrongInstitute),
    ("record_correction_kept", "record_correction_kept", &[PUT_RIGHT],
     "UPDATE record_correction SET reason = 'other'", I::AppendOnly),
    ("record_correction_kept_delete", "record_correction_kept", &[PUT_RIGHT],
     "DELETE FROM record_correction", I::AppendOnly),
    ("record_correction_decision_kept", "record_correction_decision_kept", &[PUT_RIGHT, REJECTED],
     "UPDATE record_correction_decision SET note = 'other'", I::AppendOnly),
    ("record_correction_decision_kept_delete", "record_correction_decision_kept", &[PUT_RIGHT, REJECTED],
     "DELETE FROM record_correction_decision", I::AppendOnly),
    ("corrected_certificate_kept", "corrected_certificate_kept", &[PUT_RIGHT, APPLIED, NAMED],
     "UPDATE corrected_certificate SET certificate_id = certificate_id", I::AppendOnly),
    ("corrected_certificate_kept_delete", "corrected_certificate_kept", &[PUT_RIGHT, APPLIED, NAMED],
     "DELETE FROM corrected_certificate", I::AppendOnly),
    ("record_correction_by_two", "record_correction_by_two", &[PUT_RIGHT],
     "INSERT INTO record_correction_decision (correction_id, outcome, note, decided_by, decided_at, signature_id) \
      VALUES ('co1', 'applied', '', 'a1', '2026-03-05T02:00:00.000000Z', 'g1')", I::CorrectionAlone),
    ("corrected_certificate_applied", "corrected_certificate_applied", &[PUT_RIGHT, REJECTED],
     "INSERT INTO corrected_certificate (certificate_id, correction_id) VALUES ('x1', 'co1')", I::CorrectionUndecided),
    ("result_correction_kept", "result_correction_kept",
     &[CORRECTION_SIGNED, "INSERT INTO result_correction (id, result_id, kind, reason, evidence, ordered_by, ordered_at) VALUES ('rc1', 'z1', 'corrected', 'r', 'e', 'a2', '2026-03-05T01:00:00.000000Z')"],
     "UPDATE result_correction SET reason = 'other'", I::AppendOnly),
    ("result_correction_kept_delete", "result_correction_kept",
     &[CORRECTION_SIGNED, "INSERT INTO result_correction (id, result_id, kind, reason, evidence, ordered_by, ordered_at) VALUES ('rc1', 'z1', 'corrected', 'r', 'e', 'a2', '2026-03-05T01:00:00.000000Z')"],
     "DELETE FROM result_correction", I::AppendOnly),
    ("certificate_correction_kept", "certificate_correction_kept",
     &[CORRECTION_SIGNED, "INSERT INTO result_correction (id, result_id, kind, reason, evidence, ordered_by, ordered_at) VALUES ('rc1', 'z1', 'corrected', 'r', 'e', 'a2', '2026-03-05T01:00:00.000000Z')",
       "INSERT INTO certificate_correction (certificate_id, result_correction_id) VALUES ('x1', 'rc1')"],
     "UPDATE certificate_correction SET certificate_id = certificate_id", I::AppendOnly),
    ("certificate_correction_kept_delete", "certificate_correction_kept",
     &[CORRECTION_SIGNED, "INSERT INTO result_correction (id, result_id, kind, reason, evidence, ordered_by, ordered_at) VALUES ('rc1', 'z1', 'corrected', 'r', 'e', 'a2', '2026-03-05T01:00:00.000000Z')",
       "INSERT INTO certificate_correction (certificate_id, result_correction_id) VALUES ('x1', 'rc1')"],
     "DELETE FROM certificate_correction", I::AppendOnly),
    ("result_correction_of_approved", "result_correction_in_order", &[],
     "INSERT INTO result_correction (id, result_id, kind, reason, evidence, ordered_by, ordered_at) VALUES ('rc1', 'z2', 'corrected', 'r', 'e', 'a2', '2026-03-05T01:00:00.000000Z')",
     I::CorrectionUnapproved),
    ("result_correction_by_another", "result_correction_in_order", &[],
     "INSERT INTO result_correction (id, result_id, kind, reason, evidence, ordered_by, ordered_at) VALUES ('rc1', 'z1', 'corrected', 'r', 'e', 'a1', '2026-03-05T01:00:00.000000Z')",
     I::CorrectionSelf),
    ("result_corrected_by_two", "result_corrected_by_two",
     &[CORRECTION_SIGNED, "INSERT INTO result_correction (id, result_id, kind, reason, evidence, ordered_by, ordered_at) VALUES ('rc1', 'z1', 'corrected', 'r', 'e', 'a2', '2026-03-05T01:00:00.000000Z')",
       "INSERT INTO result (id, test_task_id, version, calculated, reported, unit, limit_text, compare_by, verdict, steps, reagents, note, analyst_id, entered_at) \
        SELECT 'z9', test_task_id, 2, calculated, reported, unit, limit_text, compare_by, verdict, steps, reagents, note, analyst_id, entered_at FROM result WHERE id = 'z1'"],
     "UPDATE result SET reviewer_id = 'a2', reviewed_at = entered_at, review_outcome = 'approved' WHERE id = 'z9'",
     I::CorrectionSelf),
    ("certificate_of_superseded", "certificate_of_superseded",
     &[CORRECTION_SIGNED, "INSERT INTO result_correction (id, result_id, kind, reason, evidence, ordered_by, ordered_at) VALUES ('rc1', 'z1', 'corrected', 'r', 'e', 'a2', '2026-03-05T01:00:00.000000Z')",
       "INSERT INTO certificate_correction (certificate_id, result_correction_id) VALUES ('x2', 'rc1')"],
     "UPDATE certificate SET state = 'issued' WHERE id = 'x2'", I::CertificateSuperseded),

    // An approval without the signature of who gives it.
    ("result_signed", "result_signed", &[],
     "UPDATE result SET reviewer_id = 'a3', reviewed_at = entered_at, review_outcome = 'sent_back' WHERE id = 'z2'",
     I::ApprovalUnsigned),
    ("import_check_signed", "import_check_signed", &[],
     "INSERT INTO import_check (id, instrument_file_id, outcome, reason, checked_by, checked_at) \
      SELECT 'j9', 'f1', 'rejected', 'x', 'a3', checked_at FROM import_check WHERE id = 'j1'", I::ApprovalUnsigned),
    ("investigation_step_signed", "investigation_step_signed", &[FAIL, OPEN, CAUSE], CAUSE_APPROVED, I::ApprovalUnsigned),
    // The signature of the step does not serve a decision that comes later.
    ("out_of_limit_decision_signed", "out_of_limit_decision_signed", &[FAIL, OPEN, CAUSE, CAUSE_SIGNED, CAUSE_APPROVED],
     "INSERT INTO out_of_limit_decision (id, result_id, decision, reason, decided_by, decided_at) \
      VALUES ('o9', 'z9', 'retest', 'x', 'a3', '2026-03-05T04:00:00.000000Z')", I::ApprovalUnsigned),
    ("result_correction_signed", "result_correction_signed", &[],
     "INSERT INTO result_correction (id, result_id, kind, reason, evidence, ordered_by, ordered_at) \
      VALUES ('rc1', 'z1', 'corrected', 'r', 'e', 'a2', '2026-03-05T01:00:00.000000Z')", I::ApprovalUnsigned),
    ("specification_signed", "specification_signed",
     &["UPDATE specification SET effective_from = '2026-01-01' WHERE id = 'n2'"],
     "UPDATE specification SET status = 'effective', released_by = 'a2' WHERE id = 'n2'", I::ApprovalUnsigned),
    ("specification_signed_insert", "specification_signed_insert", &[],
     "INSERT INTO specification (id, product_id, version, title, edition, status, effective_from, created_at) \
      SELECT 'n9', product_id, 9, title, edition, 'effective', '2026-01-01', created_at FROM specification WHERE id = 'n2'",
     I::ApprovalUnsigned),
    ("certificate_review_signed", "certificate_review_signed", &[],
     "UPDATE certificate SET state = 'reviewed', number = 'N9', reviewed_by = 'a2', reviewed_at = drafted_at WHERE id = 'x2'",
     I::ApprovalUnsigned),
    ("certificate_issue_signed", "certificate_issue_signed",
     &["INSERT INTO signature (id, account_id, meaning, subject_kind, subject_id, content_sha256, signed_at) \
        VALUES ('g8', 'a2', '审核证书', 'certificate', 'x2', 'c', '2026-03-11T01:00:00.000000Z')",
       "UPDATE certificate SET state = 'reviewed', number = 'N9', reviewed_by = 'a2', reviewed_at = '2026-03-11T01:00:00.000000Z' WHERE id = 'x2'",
       "INSERT INTO signatory_field (id, account_id, business, valid_from, document, appointed_by, appointed_at) \
        VALUES ('y3', 'a3', 'drug_registration', '2026-01-01', 'x', 'a2', '2026-01-01T01:00:00.000000Z')"],
     "UPDATE certificate SET state = 'issued', signed_by = 'a3', signed_at = '2026-03-20T01:00:00.000000Z', signature_id = 'g1', pdf_sha256 = 'c' WHERE id = 'x2'",
     I::ApprovalUnsigned),
    ("certificate_withdrawal_signed", "certificate_withdrawal_signed", &[],
     "UPDATE certificate SET state = 'withdrawn', state_reason = 'x' WHERE id = 'x1'", I::ApprovalUnsigned),
    ("certificate_amendment_signed", "certificate_amendment_signed", &[],
     "UPDATE certificate SET state = 'superseded' WHERE id = 'x1'", I::ApprovalUnsigned),
    ("certificate_signed_insert", "certificate_signed_insert", &[],
     "INSERT INTO certificate (id, kind, number, application_id, sample_id, institute_id, state, conforms, data, verification_code, drafted_by, drafted_at, reviewed_by, reviewed_at) \
      SELECT 'x9', 'import_report', 'N9', application_id, sample_id, institute_id, 'reviewed', conforms, data, 'other', drafted_by, drafted_at, reviewed_by, reviewed_at FROM certificate WHERE id = 'x1'",
     I::ApprovalUnsigned),
    ("protocol_review_signed", "protocol_review_signed", &[],
     "INSERT INTO protocol_review (id, institute_id, sample_id, protocol_number, outcome, note, reviewed_by, reviewed_at, signature_id) \
      VALUES ('pr1', 'i1', 'm1', '1', 'conforms', '', 'a2', '2026-03-05T01:00:00.000000Z', 'g1')", I::ApprovalUnsigned),

    // Labels, seals that were shown outside, and ways back.
    ("label_print_kept", "label_print_kept", &[LABEL], "UPDATE label_print SET code = 'other'", I::AppendOnly),
    ("label_print_kept_delete", "label_print_kept", &[LABEL], "DELETE FROM label_print", I::AppendOnly),
    ("label_print_order", "label_print_order", &[LABEL],
     "INSERT INTO label_print (id, institute_id, sample_id, code, copy_number, reason, printed_by, printed_at) \
      VALUES ('lp2', 'i1', 'm1', 'SX20260001', 3, 'x', 'a1', '2026-03-05T02:00:00.000000Z')", I::NumberGap),
    ("label_print_institute", "label_print_institute", &[],
     "INSERT INTO label_print (id, institute_id, sample_id, code, copy_number, printed_by, printed_at) \
      VALUES ('lp1', 'i2', 'm1', 'SX20260001', 1, 'a1', '2026-03-05T01:00:00.000000Z')", I::WrongInstitute),
    ("seal_anchor_kept", "seal_anchor_kept", &[ANCHOR], "UPDATE seal_anchor SET target = 'other'", I::AppendOnly),
    ("seal_anchor_kept_delete", "seal_anchor_kept", &[ANCHOR], "DELETE FROM seal_anchor", I::AppendOnly),
    ("reversal_kept", "reversal_kept", &[REVERSAL], "UPDATE reversal SET reason = 'other'", I::AppendOnly),
    ("reversal_kept_delete", "reversal_kept", &[REVERSAL], "DELETE FROM reversal", I::AppendOnly),
    ("reversal_by_another", "reversal_by_another", &[],
     "INSERT INTO reversal (id, institute_id, subject_kind, subject_id, was, becomes, custody_entry_id, reason, by_account, at) \
      SELECT 'rv2', 'i1', 'custody_entry', id, to_place, from_place, id, 'x', moved_by, moved_at FROM custody_entry WHERE id = 'e1'",
     I::ReversalSelf),
    ("instrument_restored", "instrument_restored",
     &["UPDATE instrument SET state = 'retired', state_reason = 'x' WHERE id = 'n1'"],
     "UPDATE instrument SET state = 'active', state_reason = NULL WHERE id = 'n1'", I::ReversalMissing),
    ("dead_letter_restored", "dead_letter_restored",
     &["UPDATE dead_letter SET state = 'dismissed', state_reason = 'x', decided_by = 'a1' WHERE id = 'l1'"],
     "UPDATE dead_letter SET state = 'open', state_reason = NULL, decided_by = NULL WHERE id = 'l1'", I::ReversalMissing),
    ("batch_restored", "batch_restored",
     &["INSERT INTO batch (id, application_id, position, lot_number, withdrawn_at, withdrawn_because) VALUES ('b9', 'c1', 9, 'Z', '2026-03-05T01:00:00.000000Z', 'x')"],
     "UPDATE batch SET withdrawn_at = NULL, withdrawn_because = NULL WHERE id = 'b9'", I::ReversalMissing),
    ("custody_entry_restored", "custody_entry_restored",
     &["INSERT INTO custody_entry (id, sample_id, from_place, to_place, quantity, reason, moved_by, moved_at) \
        SELECT 'e8', 'm1', 'test_portion', 'destroyed', 1, reason, moved_by, moved_at FROM custody_entry WHERE id = 'e1'"],
     "INSERT INTO custody_entry (id, sample_id, from_place, to_place, quantity, reason, moved_by, moved_at) \
      SELECT 'e9', 'm1', 'destroyed', 'test_portion', 1, reason, moved_by, moved_at FROM custody_entry WHERE id = 'e1'",
     I::ReversalMissing),

    // Evaluations.
    ("reference_standard_identity", "reference_standard_identity", &[],
     "UPDATE reference_standard SET purity = '1' WHERE id = 'h1'", I::ReferenceStandardIdentity),
    ("reference_standard_identity", "reference_standard_identity", &[],
     "UPDATE reference_standard SET withdrawn_reason = 'other' WHERE id = 'h2'", I::ReferenceStandardIdentity),
    ("evaluation_versions", "evaluation_versions", &[],
     "INSERT INTO evaluation (id, root_id, version, institute_id, kind, title, method_id, method_version, method, calculation_version, setup, standards, outcome, verdict, reason, created_by, created_at) \
      SELECT 'v8', root_id, 3, institute_id, kind, title, method_id, method_version, method, calculation_version, setup, standards, outcome, verdict, '更正', created_by, created_at FROM evaluation WHERE id = 'v1'",
     I::EvaluationVersions),
    ("evaluation_result_valid", "evaluation_result_valid", &[],
     "INSERT INTO evaluation_result (id, evaluation_id, position, sample_id, label, analyte, quantity, part, raw, value, unit, steps) \
      SELECT 'w9', 'v9', position, sample_id, label, analyte, quantity, part, raw, value, unit, steps FROM evaluation_result WHERE id = 'w1'",
     I::EvaluationInvalid),
    ("reading_of_evaluation", "reading_of_evaluation", &[],
     "INSERT INTO reading (id, test_task_id, name, position, version, raw, value, unit, reason, entered_by, entered_at, evaluation_result_id) \
      SELECT 'q9', test_task_id, name, position, 2, '1', '1', unit, '笔误', entered_by, entered_at, 'w1' FROM reading WHERE id = 'q2'",
     I::ReadingEvaluation),

    // Signatures, signatories and certificates.
    ("signature_meaning", "signature_meaning", &[],
     "INSERT INTO signature (id, account_id, meaning, subject_kind, subject_id, content_sha256, signed_at) \
      SELECT 'g9', account_id, '同意', subject_kind, subject_id, content_sha256, signed_at FROM signature WHERE id = 'g1'",
     I::SignatureMeaning),
    ("signatory_field_kept", "signatory_field_kept", &[FIELD],
     "UPDATE signatory_field SET valid_to = '2099-01-01'", I::AppendOnly),
    ("signatory_field_kept_delete", "signatory_field_kept", &[FIELD],
     "DELETE FROM signatory_field", I::AppendOnly),
    ("signatory_field_end_kept", "signatory_field_end_kept", &[FIELD, FIELD_END],
     "UPDATE signatory_field_end SET ends_on = '2099-01-01'", I::AppendOnly),
    ("signatory_field_end_kept_delete", "signatory_field_end_kept", &[FIELD, FIELD_END],
     "DELETE FROM signatory_field_end", I::AppendOnly),
    ("certificate_signed_by_another", "certificate_signed_by_another", &[FIELD],
     "UPDATE certificate SET signed_by = 'a1', signed_at = '2026-03-20T01:00:00.000000Z' WHERE id = 'x2'", I::SignatureSelf),
    ("certificate_signed_in_field", "certificate_signed_in_field", &[],
     "UPDATE certificate SET signed_by = 'a3', signed_at = '2026-03-20T01:00:00.000000Z' WHERE id = 'x2'", I::SignatoryField),
    ("certificate_identity", "certificate_identity", &[],
     "UPDATE certificate SET verification_code = 'other' WHERE id = 'x1'", I::CertificateIdentity),
    ("certificate_immutable", "certificate_immutable", &[],
     "UPDATE certificate SET pdf_sha256 = 'other' WHERE id = 'x1'", I::CertificateImmutable),
    ("certificate_immutable", "certificate_immutable", &[],
     "UPDATE certificate SET state = 'drafted' WHERE id = 'x1'", I::CertificateImmutable),
    ("certificate_institute", "certificate_institute", &[],
     "INSERT INTO certificate (id, kind, application_id, sample_id, institute_id, state, conforms, data, verification_code, drafted_by, drafted_at) \
      SELECT 'x9', 'import_report', application_id, sample_id, 'i2', 'drafted', conforms, data, 'other', drafted_by, drafted_at FROM certificate WHERE id = 'x1'",
     I::WrongInstitute),
];
