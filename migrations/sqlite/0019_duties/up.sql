-- Duties are kept apart, approvals are signed, and signatories have fields.

-- Who drafted a specification and who released it. What the trail does not say is not known.
ALTER TABLE specification ADD COLUMN drafted_by TEXT REFERENCES account (id);
ALTER TABLE specification ADD COLUMN released_by TEXT REFERENCES account (id);
DROP TRIGGER specification_revision;
DROP TRIGGER specification_locked;
UPDATE specification SET
    drafted_by = (SELECT account.id FROM audit_entry JOIN account ON account.id = audit_entry.actor_id WHERE subject_kind = 'specification' AND subject_id = specification.id AND action = 'specification.draft' ORDER BY seq LIMIT 1),
    released_by = (SELECT account.id FROM audit_entry JOIN account ON account.id = audit_entry.actor_id WHERE subject_kind = 'specification' AND subject_id = specification.id AND action = 'specification.release' ORDER BY seq LIMIT 1);
CREATE TRIGGER specification_revision AFTER UPDATE ON specification
WHEN NEW.revision = OLD.revision
BEGIN UPDATE specification SET revision = OLD.revision + 1 WHERE id = NEW.id; END;

-- When the password of a session was given last: a series of reviews rests on it for a while.
ALTER TABLE session ADD COLUMN proven_at TEXT CHECK (proven_at IS NULL OR proven_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z');

-- When the password was given that a signature rests on, and, where a document is signed, the hash of its data beside
-- that of the file.
ALTER TABLE signature ADD COLUMN password_at TEXT CHECK (password_at IS NULL OR password_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z');
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
    valid_from TEXT NOT NULL CHECK (valid_from GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    valid_to TEXT CHECK (valid_to IS NULL OR valid_to GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    document TEXT NOT NULL,
    appointed_by TEXT REFERENCES account (id),
    appointed_at TEXT NOT NULL CHECK (appointed_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CHECK (business IN ('drug_registration','device_registration','lot_release','port_entry')),
    CHECK (valid_to IS NULL OR valid_to >= valid_from),
    CHECK (appointed_by IS NULL OR appointed_by <> account_id)
) STRICT;
CREATE INDEX signatory_field_account_id ON signatory_field (account_id, business);
CREATE TABLE signatory_field_end (
    id TEXT NOT NULL PRIMARY KEY,
    field_id TEXT NOT NULL UNIQUE REFERENCES signatory_field (id),
    ends_on TEXT NOT NULL CHECK (ends_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    reason TEXT NOT NULL CHECK (length(reason) > 0),
    ended_by TEXT NOT NULL REFERENCES account (id),
    ended_at TEXT NOT NULL CHECK (ended_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z')
) STRICT;

-- Whoever signs today goes on signing everything, until somebody says otherwise.
INSERT INTO signatory_field (id, account_id, business, valid_from, document, appointed_at)
    SELECT account_role.account_id || '-' || line.business, account_role.account_id, line.business, date('now', '+8 hours'), '系统升级前已授权', strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
    FROM account_role CROSS JOIN (SELECT 'drug_registration' AS business UNION SELECT 'device_registration' UNION SELECT 'lot_release' UNION SELECT 'port_entry') AS line
    WHERE account_role.role = 'authorised_signatory';
CREATE TRIGGER signatory_field_kept BEFORE UPDATE ON signatory_field
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of signatory_field is only added, never changed or removed'); END;
CREATE TRIGGER signatory_field_kept_delete BEFORE DELETE ON signatory_field
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of signatory_field is only added, never changed or removed'); END;
CREATE TRIGGER signatory_field_end_kept BEFORE UPDATE ON signatory_field_end
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of signatory_field_end is only added, never changed or removed'); END;
CREATE TRIGGER signatory_field_end_kept_delete BEFORE DELETE ON signatory_field_end
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of signatory_field_end is only added, never changed or removed'); END;

-- One person does not have two duties about the same thing, over every version of every reading.
DROP TRIGGER result_reviewed_by_another;
DROP TRIGGER out_of_limit_decided_by_another;
DROP TRIGGER import_check_by_another;
CREATE TRIGGER result_reviewed_by_another BEFORE UPDATE OF reviewer_id ON result
WHEN NEW.reviewer_id IS NOT NULL AND (NEW.reviewer_id = OLD.analyst_id OR NEW.reviewer_id IN (SELECT analyst_id FROM result WHERE test_task_id = OLD.test_task_id) OR NEW.reviewer_id IN (SELECT entered_by FROM reading WHERE test_task_id = OLD.test_task_id))
BEGIN SELECT RAISE(ABORT, 'qianfa:self-review: a result is reviewed by somebody who entered none of its values'); END;
CREATE TRIGGER out_of_limit_decided_by_another BEFORE INSERT ON out_of_limit_decision
WHEN NEW.decided_by IN (SELECT z.analyst_id FROM result z WHERE z.test_task_id = (SELECT test_task_id FROM result WHERE id = NEW.result_id)) OR NEW.decided_by IN (SELECT r.entered_by FROM reading r WHERE r.test_task_id = (SELECT test_task_id FROM result WHERE id = NEW.result_id))
BEGIN SELECT RAISE(ABORT, 'qianfa:self-decision: a result out of limit is decided by somebody who entered none of its values'); END;
CREATE TRIGGER specification_locked BEFORE UPDATE ON specification
WHEN OLD.status <> 'draft' AND (NEW.product_id IS NOT OLD.product_id OR NEW.version IS NOT OLD.version OR NEW.title IS NOT OLD.title OR NEW.edition IS NOT OLD.edition OR NEW.effective_from IS NOT OLD.effective_from OR NEW.drafted_by IS NOT OLD.drafted_by OR NEW.released_by IS NOT OLD.released_by OR NEW.status = 'draft')
BEGIN SELECT RAISE(ABORT, 'qianfa:specification-locked: an effective specification and its items are not changed'); END;
CREATE TRIGGER import_check_by_another BEFORE INSERT ON import_check
WHEN NEW.checked_by = (SELECT decided_by FROM instrument_file WHERE id = NEW.instrument_file_id) OR EXISTS (SELECT 1 FROM reading r WHERE r.entered_by = NEW.checked_by AND (r.test_task_id = NEW.test_task_id OR (NEW.test_task_id IS NULL AND r.test_task_id IN (SELECT s.test_task_id FROM reading s JOIN observation o ON o.id = s.observation_id WHERE o.instrument_file_id = NEW.instrument_file_id))))
BEGIN SELECT RAISE(ABORT, 'qianfa:self-import-check: an import is checked by somebody else than the one who accepted it'); END;
CREATE TRIGGER specification_released_by_another BEFORE UPDATE ON specification
WHEN OLD.status = 'draft' AND (NEW.drafted_by IS NOT OLD.drafted_by OR (NEW.status <> 'draft' AND (NEW.released_by IS NULL OR NEW.released_by IS OLD.drafted_by)))
BEGIN SELECT RAISE(ABORT, 'qianfa:self-release: a specification keeps its drafter and is released by somebody else'); END;
CREATE TRIGGER certificate_signed_by_another BEFORE UPDATE OF signed_by ON certificate
WHEN NEW.signed_by IS NOT NULL AND NEW.signed_by IS NOT OLD.signed_by AND (NEW.signed_by = OLD.drafted_by OR NEW.signed_by IS NEW.reviewed_by OR EXISTS (SELECT 1 FROM test_task t JOIN reading r ON r.test_task_id = t.id WHERE t.sample_id = OLD.sample_id AND r.entered_by = NEW.signed_by) OR EXISTS (SELECT 1 FROM test_task t JOIN result z ON z.test_task_id = t.id WHERE t.sample_id = OLD.sample_id AND (z.analyst_id = NEW.signed_by OR z.reviewer_id = NEW.signed_by)))
BEGIN SELECT RAISE(ABORT, 'qianfa:self-signature: a certificate is signed by somebody who neither made it nor tested or reviewed what is in it'); END;
CREATE TRIGGER certificate_signed_in_field BEFORE UPDATE OF signed_by ON certificate
WHEN NEW.signed_by IS NOT NULL AND NEW.signed_by IS NOT OLD.signed_by AND NOT EXISTS (SELECT 1 FROM signatory_field f JOIN application a ON a.id = OLD.application_id JOIN product p ON p.id = a.product_id LEFT JOIN signatory_field_end e ON e.field_id = f.id WHERE f.account_id = NEW.signed_by AND f.business = a.business AND (f.category IS NULL OR f.category = p.category) AND f.valid_from <= date(NEW.signed_at, '+8 hours') AND (f.valid_to IS NULL OR f.valid_to >= date(NEW.signed_at, '+8 hours')) AND (e.ends_on IS NULL OR e.ends_on >= date(NEW.signed_at, '+8 hours')))
BEGIN SELECT RAISE(ABORT, 'qianfa:signatory-field: a certificate is signed within the field and the dates of its signatory'); END;
CREATE TRIGGER reading_by_another BEFORE INSERT ON reading
WHEN NEW.entered_by IN (SELECT reviewer_id FROM result WHERE test_task_id = NEW.test_task_id) OR NEW.entered_by IN (SELECT d.decided_by FROM out_of_limit_decision d JOIN result z ON z.id = d.result_id WHERE z.test_task_id = NEW.test_task_id) OR NEW.entered_by IN (SELECT checked_by FROM import_check WHERE test_task_id = NEW.test_task_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:self-entry: who reviewed, checked or decided about a test enters none of its values'); END;
CREATE TRIGGER signature_meaning BEFORE INSERT ON signature
WHEN NEW.meaning NOT IN ('授权签发', '批准签发', '复核通过', '复核退回', '导入复核一致', '导入复核不通过', '批准复验', '确认不符合规定', '批准质量标准', '审核证书', '批准撤销证书')
BEGIN SELECT RAISE(ABORT, 'qianfa:signature-meaning: a signature stands for one of the known meanings'); END;
