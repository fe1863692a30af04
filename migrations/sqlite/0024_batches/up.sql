-- A lot of a case ends by its certificate, or by the decision that it comes no more.
ALTER TABLE batch ADD COLUMN withdrawn_at TEXT CHECK (withdrawn_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z');
ALTER TABLE batch ADD COLUMN withdrawn_because TEXT CHECK ((withdrawn_at IS NULL) = (withdrawn_because IS NULL) AND (withdrawn_because IS NULL OR length(withdrawn_because) > 0));

CREATE TRIGGER sample_of_withdrawn_batch BEFORE INSERT ON sample
WHEN NEW.state = 'received' AND EXISTS (SELECT 1 FROM batch WHERE id = NEW.batch_id AND withdrawn_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'qianfa:batch-withdrawn: no sample is received of a lot that comes no more'); END;
CREATE TRIGGER batch_withdrawn_with_sample BEFORE UPDATE OF withdrawn_at ON batch
WHEN NEW.withdrawn_at IS NOT NULL AND EXISTS (SELECT 1 FROM sample WHERE batch_id = NEW.id AND state = 'received')
BEGIN SELECT RAISE(ABORT, 'qianfa:batch-withdrawn: a lot whose sample was received is not one that comes no more'); END;
