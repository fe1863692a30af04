-- An approved result that was found wrong is superseded and kept: by its reviewers as long as no certificate carries it,
-- by quality with evidence afterwards. Every certificate that carried it then is named.
CREATE TABLE result_correction (
    id TEXT NOT NULL PRIMARY KEY,
    result_id TEXT NOT NULL UNIQUE REFERENCES result (id),
    kind TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (length(reason) > 0),
    evidence TEXT NOT NULL,
    ordered_by TEXT NOT NULL REFERENCES account (id),
    ordered_at TEXT NOT NULL CHECK (ordered_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CHECK (kind IN ('taken_back','corrected')),
    CHECK (kind = 'taken_back' OR length(evidence) > 0)
) STRICT;
CREATE TABLE certificate_correction (
    certificate_id TEXT NOT NULL REFERENCES certificate (id),
    result_correction_id TEXT NOT NULL REFERENCES result_correction (id),
    PRIMARY KEY (certificate_id, result_correction_id)
) STRICT;
CREATE INDEX certificate_correction_result_correction_id ON certificate_correction (result_correction_id);

CREATE TRIGGER result_correction_kept BEFORE UPDATE ON result_correction
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of result_correction is only added, never changed or removed'); END;
CREATE TRIGGER result_correction_kept_delete BEFORE DELETE ON result_correction
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of result_correction is only added, never changed or removed'); END;
CREATE TRIGGER certificate_correction_kept BEFORE UPDATE ON certificate_correction
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of certificate_correction is only added, never changed or removed'); END;
CREATE TRIGGER certificate_correction_kept_delete BEFORE DELETE ON certificate_correction
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of certificate_correction is only added, never changed or removed'); END;
CREATE TRIGGER result_correction_of_approved BEFORE INSERT ON result_correction
WHEN NOT EXISTS (SELECT 1 FROM result r WHERE r.id = NEW.result_id AND r.review_outcome = 'approved'
    AND NOT EXISTS (SELECT 1 FROM result later WHERE later.test_task_id = r.test_task_id AND later.version > r.version))
BEGIN SELECT RAISE(ABORT, 'qianfa:correction-unapproved: only the newest result of a task is corrected, and only once it is approved'); END;
CREATE TRIGGER result_correction_by_another BEFORE INSERT ON result_correction
WHEN NEW.ordered_by = (SELECT analyst_id FROM result WHERE id = NEW.result_id)
    OR EXISTS (SELECT 1 FROM reading r JOIN result z ON z.test_task_id = r.test_task_id WHERE z.id = NEW.result_id AND r.entered_by = NEW.ordered_by)
BEGIN SELECT RAISE(ABORT, 'qianfa:self-correction: a result is superseded by somebody who entered none of its values, and approved anew by somebody else than who ordered that'); END;
CREATE TRIGGER result_corrected_by_two BEFORE UPDATE OF review_outcome ON result
WHEN NEW.review_outcome = 'approved' AND EXISTS (SELECT 1 FROM result_correction c JOIN result r ON r.id = c.result_id
    WHERE c.kind = 'corrected' AND c.ordered_by = NEW.reviewer_id AND r.test_task_id = NEW.test_task_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:self-correction: a result is superseded by somebody who entered none of its values, and approved anew by somebody else than who ordered that'); END;
CREATE TRIGGER certificate_of_superseded BEFORE UPDATE OF state ON certificate
WHEN NEW.state IN ('reviewed','issued') AND NEW.state <> OLD.state AND EXISTS (SELECT 1 FROM certificate_correction WHERE certificate_id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'qianfa:certificate-superseded: a certificate that carries a superseded result is neither reviewed nor issued'); END;

-- A file that was rejected by mistake is taken up again: its content is taken in once only.
DROP TRIGGER instrument_file_identity;
CREATE TRIGGER instrument_file_identity BEFORE UPDATE ON instrument_file
WHEN NEW.id IS NOT OLD.id OR NEW.sha256 IS NOT OLD.sha256 OR NEW.name IS NOT OLD.name OR NEW.size IS NOT OLD.size OR NEW.institute_id IS NOT OLD.institute_id OR NEW.uploaded_by IS NOT OLD.uploaded_by OR NEW.uploaded_at IS NOT OLD.uploaded_at OR NEW.instrument_id IS NOT OLD.instrument_id OR NEW.source IS NOT OLD.source OR NEW.path IS NOT OLD.path OR NEW.version IS NOT OLD.version OR NEW.supersedes IS NOT OLD.supersedes OR (OLD.state NOT IN ('staged','unread') AND NOT (OLD.state = 'rejected' AND NEW.state IN ('staged','unread')) AND (NEW.state IS NOT OLD.state OR NEW.state_reason IS NOT OLD.state_reason OR NEW.decided_by IS NOT OLD.decided_by OR NEW.decided_at IS NOT OLD.decided_at)) OR (NOT (OLD.state = 'unread' AND NEW.state = 'staged') AND (NEW.adapter IS NOT OLD.adapter OR NEW.adapter_version IS NOT OLD.adapter_version OR NEW.complete IS NOT OLD.complete OR NEW.run IS NOT OLD.run OR NEW.problems IS NOT OLD.problems))
BEGIN SELECT RAISE(ABORT, 'qianfa:instrument-file-identity: an instrument file stays as it was read and decided'); END;
