-- An approved result that was found wrong is superseded and kept: by its reviewers as long as no certificate carries it,
-- by quality with evidence afterwards. Every certificate that carried it then is named.
CREATE TABLE result_correction (
    id TEXT NOT NULL PRIMARY KEY,
    result_id TEXT NOT NULL UNIQUE REFERENCES result (id),
    kind TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (length(reason) > 0),
    evidence TEXT NOT NULL,
    ordered_by TEXT NOT NULL REFERENCES account (id),
    ordered_at instant NOT NULL,
    CHECK (kind IN ('taken_back','corrected')),
    CHECK (kind = 'taken_back' OR length(evidence) > 0)
);
CREATE TABLE certificate_correction (
    certificate_id TEXT NOT NULL REFERENCES certificate (id),
    result_correction_id TEXT NOT NULL REFERENCES result_correction (id),
    PRIMARY KEY (certificate_id, result_correction_id)
);
CREATE INDEX certificate_correction_result_correction_id ON certificate_correction (result_correction_id);

CREATE TRIGGER result_correction_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON result_correction
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER certificate_correction_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON certificate_correction
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE FUNCTION result_correction_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM result r WHERE r.id = NEW.result_id AND r.review_outcome = 'approved'
    AND NOT EXISTS (SELECT 1 FROM result later WHERE later.test_task_id = r.test_task_id AND later.version > r.version)) THEN
        RAISE EXCEPTION 'qianfa:correction-unapproved: only the newest result of a task is corrected, and only once it is approved' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.ordered_by = (SELECT analyst_id FROM result WHERE id = NEW.result_id)
    OR EXISTS (SELECT 1 FROM reading r JOIN result z ON z.test_task_id = r.test_task_id WHERE z.id = NEW.result_id AND r.entered_by = NEW.ordered_by) THEN
        RAISE EXCEPTION 'qianfa:self-correction: a result is superseded by somebody who entered none of its values, and approved anew by somebody else than who ordered that' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER result_correction_in_order BEFORE INSERT ON result_correction FOR EACH ROW EXECUTE FUNCTION result_correction_in_order();
CREATE FUNCTION result_corrected_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.review_outcome = 'approved' AND EXISTS (SELECT 1 FROM result_correction c JOIN result r ON r.id = c.result_id
    WHERE c.kind = 'corrected' AND c.ordered_by = NEW.reviewer_id AND r.test_task_id = NEW.test_task_id) THEN
        RAISE EXCEPTION 'qianfa:self-correction: a result is superseded by somebody who entered none of its values, and approved anew by somebody else than who ordered that' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER result_corrected_by_two BEFORE UPDATE ON result FOR EACH ROW EXECUTE FUNCTION result_corrected_by_two();
CREATE FUNCTION certificate_of_superseded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state IN ('reviewed','issued') AND NEW.state <> OLD.state AND EXISTS (SELECT 1 FROM certificate_correction WHERE certificate_id = NEW.id) THEN
        RAISE EXCEPTION 'qianfa:certificate-superseded: a certificate that carries a superseded result is neither reviewed nor issued' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER certificate_of_superseded BEFORE UPDATE ON certificate FOR EACH ROW EXECUTE FUNCTION certificate_of_superseded();

-- A file that was rejected by mistake is taken up again: its content is taken in once only.
CREATE OR REPLACE FUNCTION instrument_file_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.name IS DISTINCT FROM OLD.name OR NEW.size IS DISTINCT FROM OLD.size OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.uploaded_by IS DISTINCT FROM OLD.uploaded_by OR NEW.uploaded_at IS DISTINCT FROM OLD.uploaded_at OR NEW.instrument_id IS DISTINCT FROM OLD.instrument_id OR NEW.source IS DISTINCT FROM OLD.source OR NEW.path IS DISTINCT FROM OLD.path OR NEW.version IS DISTINCT FROM OLD.version OR NEW.supersedes IS DISTINCT FROM OLD.supersedes OR (OLD.state NOT IN ('staged','unread') AND NOT (OLD.state = 'rejected' AND NEW.state IN ('staged','unread')) AND (NEW.state IS DISTINCT FROM OLD.state OR NEW.state_reason IS DISTINCT FROM OLD.state_reason OR NEW.decided_by IS DISTINCT FROM OLD.decided_by OR NEW.decided_at IS DISTINCT FROM OLD.decided_at)) OR (NOT (OLD.state = 'unread' AND NEW.state = 'staged') AND (NEW.adapter IS DISTINCT FROM OLD.adapter OR NEW.adapter_version IS DISTINCT FROM OLD.adapter_version OR NEW.complete IS DISTINCT FROM OLD.complete OR NEW.run IS DISTINCT FROM OLD.run OR NEW.problems IS DISTINCT FROM OLD.problems)) THEN
        RAISE EXCEPTION 'qianfa:instrument-file-identity: an instrument file stays as it was read and decided' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
