-- Duties are kept apart, approvals are signed, and signatories have fields.

-- Who drafted a specification and who released it. What the trail does not say is not known.
ALTER TABLE specification ADD COLUMN drafted_by TEXT REFERENCES account (id);
ALTER TABLE specification ADD COLUMN released_by TEXT REFERENCES account (id);
ALTER TABLE specification DISABLE TRIGGER USER;
UPDATE specification SET
    drafted_by = (SELECT account.id FROM audit_entry JOIN account ON account.id = audit_entry.actor_id WHERE subject_kind = 'specification' AND subject_id = specification.id AND action = 'specification.draft' ORDER BY seq LIMIT 1),
    released_by = (SELECT account.id FROM audit_entry JOIN account ON account.id = audit_entry.actor_id WHERE subject_kind = 'specification' AND subject_id = specification.id AND action = 'specification.release' ORDER BY seq LIMIT 1);
ALTER TABLE specification ENABLE TRIGGER USER;

-- When the password of a session was given last: a series of reviews rests on it for a while.
ALTER TABLE session ADD COLUMN proven_at instant;

-- When the password was given that a signature rests on, and, where a document is signed, the hash of its data beside
-- that of the file.
ALTER TABLE signature ADD COLUMN password_at instant;
ALTER TABLE signature ADD COLUMN data_sha256 TEXT;
CREATE INDEX signature_by_subject ON signature (subject_kind, subject_id, signed_at);

-- What a signatory may sign, from when on and until when, and who said so. It is only added to; an end is a row of its
-- own.
CREATE TABLE signatory_field (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id),
    business TEXT NOT NULL,
    -- Without it, products of every category.
    category TEXT,
    valid_from day NOT NULL,
    valid_to day,
    document TEXT NOT NULL,
    appointed_by TEXT REFERENCES account (id),
    appointed_at instant NOT NULL,
    CHECK (business IN ('drug_registration','device_registration','lot_release','port_entry')),
    CHECK (valid_to IS NULL OR valid_to >= valid_from),
    CHECK (appointed_by IS NULL OR appointed_by <> account_id)
);
CREATE INDEX signatory_field_account_id ON signatory_field (account_id, business);
CREATE TABLE signatory_field_end (
    id TEXT NOT NULL PRIMARY KEY,
    field_id TEXT NOT NULL UNIQUE REFERENCES signatory_field (id),
    ends_on day NOT NULL,
    reason TEXT NOT NULL CHECK (length(reason) > 0),
    ended_by TEXT NOT NULL REFERENCES account (id),
    ended_at instant NOT NULL
);

-- Whoever signs today goes on signing everything, until somebody says otherwise.
INSERT INTO signatory_field (id, account_id, business, valid_from, document, appointed_at)
    SELECT account_role.account_id || '-' || line.business, account_role.account_id, line.business, to_char(now() AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD'), '系统升级前已授权', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    FROM account_role CROSS JOIN (SELECT 'drug_registration' AS business UNION SELECT 'device_registration' UNION SELECT 'lot_release' UNION SELECT 'port_entry') AS line
    WHERE account_role.role = 'authorised_signatory';
CREATE TRIGGER signatory_field_kept BEFORE UPDATE OR DELETE ON signatory_field FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER signatory_field_end_kept BEFORE UPDATE OR DELETE ON signatory_field_end FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- One person does not have two duties about the same thing, over every version of every reading.
CREATE OR REPLACE FUNCTION result_reviewed_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reviewer_id IS NOT NULL AND (NEW.reviewer_id = OLD.analyst_id OR NEW.reviewer_id IN (SELECT analyst_id FROM result WHERE test_task_id = OLD.test_task_id) OR NEW.reviewer_id IN (SELECT entered_by FROM reading WHERE test_task_id = OLD.test_task_id)) THEN
        RAISE EXCEPTION 'qianfa:self-review: a result is reviewed by somebody who entered none of its values' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION out_of_limit_decided_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.decided_by IN (SELECT z.analyst_id FROM result z WHERE z.test_task_id = (SELECT test_task_id FROM result WHERE id = NEW.result_id)) OR NEW.decided_by IN (SELECT r.entered_by FROM reading r WHERE r.test_task_id = (SELECT test_task_id FROM result WHERE id = NEW.result_id)) THEN
        RAISE EXCEPTION 'qianfa:self-decision: a result out of limit is decided by somebody who entered none of its values' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION specification_locked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> 'draft' AND (NEW.product_id IS DISTINCT FROM OLD.product_id OR NEW.version IS DISTINCT FROM OLD.version OR NEW.title IS DISTINCT FROM OLD.title OR NEW.edition IS DISTINCT FROM OLD.edition OR NEW.effective_from IS DISTINCT FROM OLD.effective_from OR NEW.drafted_by IS DISTINCT FROM OLD.drafted_by OR NEW.released_by IS DISTINCT FROM OLD.released_by OR NEW.status = 'draft') THEN
        RAISE EXCEPTION 'qianfa:specification-locked: an effective specification and its items are not changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION import_check_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM instrument_file WHERE id = NEW.instrument_file_id) <> 'accepted' THEN
        RAISE EXCEPTION 'qianfa:import-not-accepted: only an accepted file has an import to check' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.checked_by = (SELECT decided_by FROM instrument_file WHERE id = NEW.instrument_file_id) OR EXISTS (SELECT 1 FROM reading r WHERE r.entered_by = NEW.checked_by AND (r.test_task_id = NEW.test_task_id OR (NEW.test_task_id IS NULL AND r.test_task_id IN (SELECT s.test_task_id FROM reading s JOIN observation o ON o.id = s.observation_id WHERE o.instrument_file_id = NEW.instrument_file_id)))) THEN
        RAISE EXCEPTION 'qianfa:self-import-check: an import is checked by somebody else than the one who accepted it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION specification_released_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'draft' AND (NEW.drafted_by IS DISTINCT FROM OLD.drafted_by OR (NEW.status <> 'draft' AND (NEW.released_by IS NULL OR NEW.released_by IS NOT DISTINCT FROM OLD.drafted_by))) THEN
        RAISE EXCEPTION 'qianfa:self-release: a specification keeps its drafter and is released by somebody else' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER specification_released_by_another BEFORE UPDATE ON specification FOR EACH ROW EXECUTE FUNCTION specification_released_by_another();
CREATE FUNCTION certificate_signed_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.signed_by IS NOT NULL AND NEW.signed_by IS DISTINCT FROM OLD.signed_by AND (NEW.signed_by = OLD.drafted_by OR NEW.signed_by IS NOT DISTINCT FROM NEW.reviewed_by OR EXISTS (SELECT 1 FROM test_task t JOIN reading r ON r.test_task_id = t.id WHERE t.sample_id = OLD.sample_id AND r.entered_by = NEW.signed_by) OR EXISTS (SELECT 1 FROM test_task t JOIN result z ON z.test_task_id = t.id WHERE t.sample_id = OLD.sample_id AND (z.analyst_id = NEW.signed_by OR z.reviewer_id = NEW.signed_by))) THEN
        RAISE EXCEPTION 'qianfa:self-signature: a certificate is signed by somebody who neither made it nor tested or reviewed what is in it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER certificate_signed_by_another BEFORE UPDATE ON certificate FOR EACH ROW EXECUTE FUNCTION certificate_signed_by_another();
CREATE FUNCTION certificate_signed_in_field() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.signed_by IS NOT NULL AND NEW.signed_by IS DISTINCT FROM OLD.signed_by AND NOT EXISTS (SELECT 1 FROM signatory_field f JOIN application a ON a.id = OLD.application_id JOIN product p ON p.id = a.product_id LEFT JOIN signatory_field_end e ON e.field_id = f.id WHERE f.account_id = NEW.signed_by AND f.business = a.business AND (f.category IS NULL OR f.category = p.category) AND f.valid_from <= to_char(NEW.signed_at::text::timestamptz AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD') COLLATE "C" AND (f.valid_to IS NULL OR f.valid_to >= to_char(NEW.signed_at::text::timestamptz AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD') COLLATE "C") AND (e.ends_on IS NULL OR e.ends_on >= to_char(NEW.signed_at::text::timestamptz AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD') COLLATE "C")) THEN
        RAISE EXCEPTION 'qianfa:signatory-field: a certificate is signed within the field and the dates of its signatory' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER certificate_signed_in_field BEFORE UPDATE ON certificate FOR EACH ROW EXECUTE FUNCTION certificate_signed_in_field();
CREATE FUNCTION reading_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.entered_by IN (SELECT reviewer_id FROM result WHERE test_task_id = NEW.test_task_id) OR NEW.entered_by IN (SELECT d.decided_by FROM out_of_limit_decision d JOIN result z ON z.id = d.result_id WHERE z.test_task_id = NEW.test_task_id) OR NEW.entered_by IN (SELECT checked_by FROM import_check WHERE test_task_id = NEW.test_task_id) THEN
        RAISE EXCEPTION 'qianfa:self-entry: who reviewed, checked or decided about a test enters none of its values' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reading_by_another BEFORE INSERT ON reading FOR EACH ROW EXECUTE FUNCTION reading_by_another();
CREATE FUNCTION signature_meaning() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.meaning NOT IN ('授权签发', '批准签发', '复核通过', '复核退回', '导入复核一致', '导入复核不通过', '批准复验', '确认不符合规定', '批准质量标准', '审核证书', '批准撤销证书') THEN
        RAISE EXCEPTION 'qianfa:signature-meaning: a signature stands for one of the known meanings' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER signature_meaning BEFORE INSERT ON signature FOR EACH ROW EXECUTE FUNCTION signature_meaning();
