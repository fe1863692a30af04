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
    proposed_at instant NOT NULL,
    CHECK (subject IN ('case','batch','product','applicant','institute')),
    CHECK (new_value <> old_value)
);
CREATE INDEX record_correction_subject ON record_correction (subject, subject_id);
CREATE INDEX record_correction_institute_id ON record_correction (institute_id, proposed_at);
CREATE INDEX record_correction_application_id ON record_correction (application_id);
CREATE INDEX record_correction_proposed_by ON record_correction (proposed_by);

CREATE TABLE record_correction_decision (
    correction_id TEXT NOT NULL PRIMARY KEY REFERENCES record_correction (id),
    outcome TEXT NOT NULL,
    note TEXT NOT NULL,
    decided_by TEXT NOT NULL REFERENCES account (id),
    decided_at instant NOT NULL,
    signature_id TEXT REFERENCES signature (id),
    CHECK (outcome IN ('applied','rejected')),
    CHECK (outcome = 'rejected' OR signature_id IS NOT NULL),
    CHECK (outcome = 'applied' OR length(note) > 0)
);
CREATE INDEX record_correction_decision_decided_by ON record_correction_decision (decided_by);
CREATE INDEX record_correction_decision_signature_id ON record_correction_decision (signature_id);

-- The certificates that stated the old text when a correction was applied.
CREATE TABLE corrected_certificate (
    certificate_id TEXT NOT NULL REFERENCES certificate (id),
    correction_id TEXT NOT NULL REFERENCES record_correction (id),
    PRIMARY KEY (certificate_id, correction_id)
);
CREATE INDEX corrected_certificate_correction_id ON corrected_certificate (correction_id);

CREATE TRIGGER record_correction_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record_correction
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER record_correction_decision_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record_correction_decision
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER corrected_certificate_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON corrected_certificate
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION record_correction_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.outcome = 'applied' AND NEW.decided_by = (SELECT proposed_by FROM record_correction WHERE id = NEW.correction_id) THEN
        RAISE EXCEPTION 'qianfa:correction-alone: who proposed a correction does not approve it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER record_correction_by_two BEFORE INSERT ON record_correction_decision FOR EACH ROW EXECUTE FUNCTION record_correction_by_two();

CREATE FUNCTION corrected_certificate_applied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM record_correction_decision WHERE correction_id = NEW.correction_id AND outcome = 'applied') THEN
        RAISE EXCEPTION 'qianfa:correction-undecided: certificates are named by a correction that was approved' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER corrected_certificate_applied BEFORE INSERT ON corrected_certificate FOR EACH ROW EXECUTE FUNCTION corrected_certificate_applied();

CREATE OR REPLACE FUNCTION signature_meaning() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.meaning NOT IN ('授权签发', '批准签发', '复核通过', '复核退回', '导入复核一致', '导入复核不通过', '批准复验', '确认不符合规定', '批准质量标准', '审核证书', '批准撤销证书', '批准检验无效', '批准复试方案', '批准换方法复试', '审核批记录摘要', '批准更正结果', '批准动用或销毁样品', '见证样品销毁', '批准更正') THEN
        RAISE EXCEPTION 'qianfa:signature-meaning: a signature stands for one of the known meanings' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

-- What a test gives back of what it used up comes by its task, not by a reversal.
CREATE OR REPLACE FUNCTION custody_entry_restored() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.test_task_id IS NULL AND NEW.from_place IN ('consumed','returned','destroyed') AND NOT EXISTS (SELECT 1 FROM reversal v JOIN custody_entry e ON e.id = v.custody_entry_id WHERE e.sample_id = NEW.sample_id AND e.from_place = NEW.to_place AND e.to_place = NEW.from_place AND e.quantity = NEW.quantity AND v.at = NEW.moved_at AND v.by_account = NEW.moved_by) THEN
        RAISE EXCEPTION 'qianfa:reversal-missing: what was ended or given away comes back only as a recorded reversal says' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
