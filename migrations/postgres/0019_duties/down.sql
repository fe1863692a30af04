-- The way back: what was signed and appointed since is no more.
DROP TRIGGER specification_released_by_another ON specification;
DROP FUNCTION specification_released_by_another();
DROP TRIGGER certificate_signed_by_another ON certificate;
DROP FUNCTION certificate_signed_by_another();
DROP TRIGGER certificate_signed_in_field ON certificate;
DROP FUNCTION certificate_signed_in_field();
DROP TRIGGER reading_by_another ON reading;
DROP FUNCTION reading_by_another();
DROP TRIGGER signature_meaning ON signature;
DROP FUNCTION signature_meaning();
CREATE OR REPLACE FUNCTION result_reviewed_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reviewer_id IS NOT NULL AND (NEW.reviewer_id = OLD.analyst_id OR NEW.reviewer_id IN (SELECT entered_by FROM reading WHERE test_task_id = OLD.test_task_id)) THEN
        RAISE EXCEPTION 'qianfa:self-review: a result is reviewed by somebody who entered none of its values' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION out_of_limit_decided_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.decided_by = (SELECT analyst_id FROM result WHERE id = NEW.result_id) THEN
        RAISE EXCEPTION 'qianfa:self-decision: a result out of limit is decided by somebody else than its analyst' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION specification_locked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> 'draft' AND (NEW.product_id IS DISTINCT FROM OLD.product_id OR NEW.version IS DISTINCT FROM OLD.version OR NEW.title IS DISTINCT FROM OLD.title OR NEW.edition IS DISTINCT FROM OLD.edition OR NEW.effective_from IS DISTINCT FROM OLD.effective_from OR NEW.status = 'draft') THEN
        RAISE EXCEPTION 'qianfa:specification-locked: an effective specification and its items are not changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION import_check_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM instrument_file WHERE id = NEW.instrument_file_id) <> 'accepted' THEN
        RAISE EXCEPTION 'qianfa:import-not-accepted: only an accepted file has an import to check' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.checked_by = (SELECT decided_by FROM instrument_file WHERE id = NEW.instrument_file_id) THEN
        RAISE EXCEPTION 'qianfa:self-import-check: an import is checked by somebody else than the one who accepted it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
DROP TABLE signatory_field_end;
DROP TABLE signatory_field;
DROP INDEX signature_by_subject;
ALTER TABLE signature DROP COLUMN data_sha256;
ALTER TABLE signature DROP COLUMN password_at;
ALTER TABLE session DROP COLUMN proven_at;
ALTER TABLE specification DROP COLUMN released_by;
ALTER TABLE specification DROP COLUMN drafted_by;
