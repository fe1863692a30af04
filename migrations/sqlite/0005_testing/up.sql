-- Tasks at the bench, readings as typed, results as calculated, and their review.

CREATE TABLE test_task (
    id TEXT NOT NULL PRIMARY KEY,
    sample_id TEXT NOT NULL REFERENCES sample (id),
    test_item_id TEXT NOT NULL REFERENCES test_item (id),
    attempt INTEGER NOT NULL,
    state TEXT NOT NULL,
    lane_rank INTEGER NOT NULL,
    due TEXT CHECK (due IS NULL OR date(due) IS due),
    available_at TEXT NOT NULL CHECK (available_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    started_at TEXT CHECK (started_at IS NULL OR started_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    analyst_id TEXT REFERENCES account (id),
    UNIQUE (sample_id, test_item_id, attempt),
    CHECK (attempt >= 1),
    CHECK (state IN ('waiting','in_progress','entered','reviewed','out_of_limit','retest_ordered','confirmed','cancelled'))
) STRICT;
CREATE INDEX test_task_state_lane_rank_due ON test_task (state, lane_rank, due);

CREATE TABLE reading (
    id TEXT NOT NULL PRIMARY KEY,
    test_task_id TEXT NOT NULL REFERENCES test_task (id),
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    version INTEGER NOT NULL,
    raw TEXT NOT NULL,
    value TEXT CHECK (value IS NULL OR (value GLOB '*[0-9]*' AND value NOT GLOB '*[^0-9.-]*')),
    unit TEXT NOT NULL,
    observation_id TEXT REFERENCES observation (id),
    reason TEXT,
    entered_by TEXT NOT NULL REFERENCES account (id),
    entered_at TEXT NOT NULL CHECK (entered_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    UNIQUE (test_task_id, name, position, version),
    CHECK (version = 1 OR reason IS NOT NULL)
) STRICT;
CREATE TRIGGER reading_no_update BEFORE UPDATE ON reading
BEGIN SELECT RAISE(ABORT, 'reading is append-only'); END;
CREATE TRIGGER reading_no_delete BEFORE DELETE ON reading
BEGIN SELECT RAISE(ABORT, 'reading is append-only'); END;

CREATE TABLE result (
    id TEXT NOT NULL PRIMARY KEY,
    test_task_id TEXT NOT NULL REFERENCES test_task (id),
    version INTEGER NOT NULL,
    calculated TEXT NOT NULL,
    reported TEXT NOT NULL,
    unit TEXT NOT NULL,
    limit_text TEXT NOT NULL,
    compare_by TEXT NOT NULL,
    verdict TEXT NOT NULL,
    steps TEXT NOT NULL CHECK (json_valid(steps)),
    reagents TEXT NOT NULL,
    note TEXT NOT NULL,
    analyst_id TEXT NOT NULL REFERENCES account (id),
    entered_at TEXT NOT NULL CHECK (entered_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    reviewer_id TEXT REFERENCES account (id),
    reviewed_at TEXT CHECK (reviewed_at IS NULL OR reviewed_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    review_outcome TEXT,
    review_note TEXT,
    UNIQUE (test_task_id, version),
    CHECK (verdict IN ('pass','fail','indeterminate')),
    CHECK (reviewer_id IS NULL OR reviewer_id <> analyst_id),
    CHECK ((reviewer_id IS NULL) = (reviewed_at IS NULL)),
    CHECK ((reviewer_id IS NULL) = (review_outcome IS NULL)),
    CHECK (review_outcome IS NULL OR review_outcome IN ('approved','sent_back'))
) STRICT;

CREATE TABLE out_of_limit_decision (
    id TEXT NOT NULL PRIMARY KEY,
    result_id TEXT NOT NULL UNIQUE REFERENCES result (id),
    decision TEXT NOT NULL,
    reason TEXT NOT NULL,
    decided_by TEXT NOT NULL REFERENCES account (id),
    decided_at TEXT NOT NULL CHECK (decided_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CHECK (decision IN ('retest','confirm')),
    CHECK (length(reason) > 0)
) STRICT;
CREATE TRIGGER out_of_limit_decision_no_update BEFORE UPDATE ON out_of_limit_decision
BEGIN SELECT RAISE(ABORT, 'out_of_limit_decision is append-only'); END;
CREATE TRIGGER out_of_limit_decision_no_delete BEFORE DELETE ON out_of_limit_decision
BEGIN SELECT RAISE(ABORT, 'out_of_limit_decision is append-only'); END;

CREATE TRIGGER test_task_no_delete BEFORE DELETE ON test_task
BEGIN SELECT RAISE(ABORT, 'test_task is never deleted'); END;

CREATE TRIGGER result_no_delete BEFORE DELETE ON result
BEGIN SELECT RAISE(ABORT, 'result is never deleted'); END;

CREATE TRIGGER test_task_identity BEFORE UPDATE ON test_task
WHEN NEW.sample_id IS NOT OLD.sample_id OR NEW.test_item_id IS NOT OLD.test_item_id OR NEW.attempt IS NOT OLD.attempt OR NEW.available_at IS NOT OLD.available_at OR (OLD.started_at IS NOT NULL AND NEW.started_at IS NOT OLD.started_at)
BEGIN SELECT RAISE(ABORT, 'a task keeps its sample, its item and its start'); END;

CREATE TRIGGER result_unreviewed BEFORE INSERT ON result
WHEN NEW.reviewer_id IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a result enters without a review'); END;

CREATE TRIGGER result_frozen BEFORE UPDATE ON result
WHEN NEW.id IS NOT OLD.id OR NEW.test_task_id IS NOT OLD.test_task_id OR NEW.version IS NOT OLD.version OR NEW.calculated IS NOT OLD.calculated OR NEW.reported IS NOT OLD.reported OR NEW.unit IS NOT OLD.unit OR NEW.limit_text IS NOT OLD.limit_text OR NEW.compare_by IS NOT OLD.compare_by OR NEW.verdict IS NOT OLD.verdict OR NEW.steps IS NOT OLD.steps OR NEW.reagents IS NOT OLD.reagents OR NEW.note IS NOT OLD.note OR NEW.analyst_id IS NOT OLD.analyst_id OR NEW.entered_at IS NOT OLD.entered_at OR OLD.reviewer_id IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a result is not changed: enter a new version'); END;

CREATE TRIGGER result_reviewed_by_another BEFORE UPDATE ON result
WHEN NEW.reviewer_id IS NOT NULL AND (NEW.reviewer_id = OLD.analyst_id OR NEW.reviewer_id IN (SELECT entered_by FROM reading WHERE test_task_id = OLD.test_task_id))
BEGIN SELECT RAISE(ABORT, 'a result is reviewed by somebody else'); END;

CREATE TRIGGER out_of_limit_decided_by_another BEFORE INSERT ON out_of_limit_decision
WHEN NEW.decided_by = (SELECT analyst_id FROM result WHERE id = NEW.result_id)
BEGIN SELECT RAISE(ABORT, 'a result out of limit is decided by somebody else'); END;
