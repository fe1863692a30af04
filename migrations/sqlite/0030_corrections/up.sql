-- Something on record that was found wrong (an entry of a case, a lot, a product, an applicant, an institute): one person
-- says what it should be and what shows that, another one decides. Both are kept for ever; the record itself has the new
-- text from the decision on.
CREATE TABLE record_correction (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    subject TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    application_id TEXT REFERENCES application (id),
    field TEXT NOT NULL CHECK (length(field) > 0),
    old_value TEXT NOT NULL,
    new_value TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (length(reason) > 0),
    evidence TEXT NOT NULL CHECK (length(evidence) > 0),
    proposed_by TEXT NOT NULL REFERENCES account (id),
    proposed_at TEXT NOT NULL CHECK (proposed_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CHECK (subject IN ('case','batch','product','applicant','institute')),
    CHECK (new_value <> old_value)
) STRICT;
CREATE INDEX record_correction_subject ON record_correction (subject, subject_id);
CREATE INDEX record_correction_institute_id ON record_correction (institute_id, proposed_at);
CREATE INDEX record_correction_application_id ON record_correction (application_id);
CREATE INDEX record_correction_proposed_by ON record_correction (proposed_by);

CREATE TABLE record_correction_decision (
    correction_id TEXT NOT NULL PRIMARY KEY REFERENCES record_correction (id),
    outcome TEXT NOT NULL,
    note TEXT NOT NULL,
    decided_by TEXT NOT NULL REFERENCES account (id),
    decided_at TEXT NOT NULL CHECK (decided_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    signature_id TEXT REFERENCES signature (id),
    CHECK (outcome IN ('applied','rejected')),
    CHECK (outcome = 'rejected' OR signature_id IS NOT NULL),
    CHECK (outcome = 'applied' OR length(note) > 0)
) STRICT;
CREATE INDEX record_correction_decision_decided_by ON record_correction_decision (decided_by);
CREATE INDEX record_correction_decision_signature_id ON record_correction_decision (signature_id);

-- The certificates that stated the old text when a correction was applied.
CREATE TABLE corrected_certificate (
    certificate_id TEXT NOT NULL REFERENCES certificate (id),
    correction_id TEXT NOT NULL REFERENCES record_correction (id),
    PRIMARY KEY (certificate_id, correction_id)
) STRICT;
CREATE INDEX corrected_certificate_correction_id ON corrected_certificate (correction_id);

CREATE TRIGGER record_correction_kept BEFORE UPDATE ON record_correction
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of record_correction is only added, never changed or removed'); END;
CREATE TRIGGER record_correction_kept_delete BEFORE DELETE ON record_correction
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of record_correction is only added, never changed or removed'); END;

CREATE TRIGGER record_correction_decision_kept BEFORE UPDATE ON record_correction_decision
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of record_correction_decision is only added, never changed or removed'); END;
CREATE TRIGGER record_correction_decision_kept_delete BEFORE DELETE ON record_correction_decision
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of record_correction_decision is only added, never changed or removed'); END;

CREATE TRIGGER corrected_certificate_kept BEFORE UPDATE ON corrected_certificate
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of corrected_certificate is only added, never changed or removed'); END;
CREATE TRIGGER corrected_certificate_kept_delete BEFORE DELETE ON corrected_certificate
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of corrected_certificate is only added, never changed or removed'); END;

CREATE TRIGGER record_correction_by_two BEFORE INSERT ON record_correction_decision
WHEN NEW.outcome = 'applied' AND NEW.decided_by = (SELECT proposed_by FROM record_correction WHERE id = NEW.correction_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:correction-alone: who proposed a correction does not approve it'); END;
CREATE TRIGGER corrected_certificate_applied BEFORE INSERT ON corrected_certificate
WHEN NOT EXISTS (SELECT 1 FROM record_correction_decision WHERE correction_id = NEW.correction_id AND outcome = 'applied')
BEGIN SELECT RAISE(ABORT, 'qianfa:correction-undecided: certificates are named by a correction that was approved'); END;

DROP TRIGGER signature_meaning;
CREATE TRIGGER signature_meaning BEFORE INSERT ON signature
WHEN NEW.meaning NOT IN ('授权签发', '批准签发', '复核通过', '复核退回', '导入复核一致', '导入复核不通过', '批准复验', '确认不符合规定', '批准质量标准', '审核证书', '批准撤销证书', '批准检验无效', '批准复试方案', '批准换方法复试', '审核批记录摘要', '批准更正结果', '批准动用或销毁样品', '见证样品销毁', '批准更正')
BEGIN SELECT RAISE(ABORT, 'qianfa:signature-meaning: a signature stands for one of the known meanings'); END;

-- What a test gives back of what it used up comes by its task, not by a reversal.
DROP TRIGGER custody_entry_restored;
CREATE TRIGGER custody_entry_restored BEFORE INSERT ON custody_entry
WHEN NEW.test_task_id IS NULL AND NEW.from_place IN ('consumed','returned','destroyed') AND NOT EXISTS (SELECT 1 FROM reversal v JOIN custody_entry e ON e.id = v.custody_entry_id WHERE e.sample_id = NEW.sample_id AND e.from_place = NEW.to_place AND e.to_place = NEW.from_place AND e.quantity = NEW.quantity AND v.at = NEW.moved_at AND v.by_account = NEW.moved_by)
BEGIN SELECT RAISE(ABORT, 'qianfa:reversal-missing: what was ended or given away comes back only as a recorded reversal says'); END;
