-- The way back: what was signed and appointed since is no more.
DROP TRIGGER specification_released_by_another;
DROP TRIGGER certificate_signed_by_another;
DROP TRIGGER certificate_signed_in_field;
DROP TRIGGER reading_by_another;
DROP TRIGGER signature_meaning;
DROP TRIGGER result_reviewed_by_another;
DROP TRIGGER out_of_limit_decided_by_another;
DROP TRIGGER specification_locked;
DROP TRIGGER import_check_by_another;
DROP TABLE signatory_field_end;
DROP TABLE signatory_field;
DROP INDEX signature_by_subject;
ALTER TABLE signature DROP COLUMN data_sha256;
ALTER TABLE signature DROP COLUMN password_at;
ALTER TABLE session DROP COLUMN proven_at;
ALTER TABLE specification DROP COLUMN released_by;
ALTER TABLE specification DROP COLUMN drafted_by;
CREATE TRIGGER result_reviewed_by_another BEFORE UPDATE OF reviewer_id ON result
WHEN NEW.reviewer_id IS NOT NULL AND (NEW.reviewer_id = OLD.analyst_id OR NEW.reviewer_id IN (SELECT entered_by FROM reading WHERE test_task_id = OLD.test_task_id))
BEGIN SELECT RAISE(ABORT, 'qianfa:self-review: a result is reviewed by somebody who entered none of its values'); END;
CREATE TRIGGER out_of_limit_decided_by_another BEFORE INSERT ON out_of_limit_decision
WHEN NEW.decided_by = (SELECT analyst_id FROM result WHERE id = NEW.result_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:self-decision: a result out of limit is decided by somebody else than its analyst'); END;
CREATE TRIGGER specification_locked BEFORE UPDATE ON specification
WHEN OLD.status <> 'draft' AND (NEW.product_id IS NOT OLD.product_id OR NEW.version IS NOT OLD.version OR NEW.title IS NOT OLD.title OR NEW.edition IS NOT OLD.edition OR NEW.effective_from IS NOT OLD.effective_from OR NEW.status = 'draft')
BEGIN SELECT RAISE(ABORT, 'qianfa:specification-locked: an effective specification and its items are not changed'); END;
CREATE TRIGGER import_check_by_another BEFORE INSERT ON import_check
WHEN NEW.checked_by = (SELECT decided_by FROM instrument_file WHERE id = NEW.instrument_file_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:self-import-check: an import is checked by somebody else than the one who accepted it'); END;
