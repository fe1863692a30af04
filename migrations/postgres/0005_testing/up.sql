-- Tasks at the bench, readings as typed, results as calculated, and their review.

CREATE TABLE test_task (
    id TEXT NOT NULL PRIMARY KEY,
    sample_id TEXT NOT NULL REFERENCES sample (id),
    test_item_id TEXT NOT NULL REFERENCES test_item (id),
    attempt BIGINT NOT NULL,
    state TEXT NOT NULL,
    lane_rank BIGINT NOT NULL,
    due day,
    available_at instant NOT NULL,
    started_at instant,
    analyst_id TEXT REFERENCES account (id),
    UNIQUE (sample_id, test_item_id, attempt),
    CHECK (attempt >= 1),
    CHECK (state IN ('waiting','in_progress','entered','reviewed','out_of_limit','retest_ordered','confirmed','cancelled'))
);
CREATE INDEX test_task_state_lane_rank_due ON test_task (state, lane_rank, due);

CREATE TABLE reading (
    id TEXT NOT NULL PRIMARY KEY,
    test_task_id TEXT NOT NULL REFERENCES test_task (id),
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    version BIGINT NOT NULL,
    raw TEXT NOT NULL,
    value decimal_text,
    unit TEXT NOT NULL,
    observation_id TEXT REFERENCES observation (id),
    reason TEXT,
    entered_by TEXT NOT NULL REFERENCES account (id),
    entered_at instant NOT NULL,
    UNIQUE (test_task_id, name, position, version),
    CHECK (version = 1 OR reason IS NOT NULL)
);
CREATE TRIGGER reading_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reading
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE result (
    id TEXT NOT NULL PRIMARY KEY,
    test_task_id TEXT NOT NULL REFERENCES test_task (id),
    version BIGINT NOT NULL,
    calculated TEXT NOT NULL,
    reported TEXT NOT NULL,
    unit TEXT NOT NULL,
    limit_text TEXT NOT NULL,
    compare_by TEXT NOT NULL,
    verdict TEXT NOT NULL,
    steps TEXT NOT NULL CHECK (steps::json IS NOT NULL),
    reagents TEXT NOT NULL,
    note TEXT NOT NULL,
    analyst_id TEXT NOT NULL REFERENCES account (id),
    entered_at instant NOT NULL,
    reviewer_id TEXT REFERENCES account (id),
    reviewed_at instant,
    review_outcome TEXT,
    review_note TEXT,
    UNIQUE (test_task_id, version),
    CHECK (verdict IN ('pass','fail','indeterminate')),
    CHECK (reviewer_id IS NULL OR reviewer_id <> analyst_id),
    CHECK ((reviewer_id IS NULL) = (reviewed_at IS NULL)),
    CHECK ((reviewer_id IS NULL) = (review_outcome IS NULL)),
    CHECK (review_outcome IS NULL OR review_outcome IN ('approved','sent_back'))
);

CREATE TABLE out_of_limit_decision (
    id TEXT NOT NULL PRIMARY KEY,
    result_id TEXT NOT NULL UNIQUE REFERENCES result (id),
    decision TEXT NOT NULL,
    reason TEXT NOT NULL,
    decided_by TEXT NOT NULL REFERENCES account (id),
    decided_at instant NOT NULL,
    CHECK (decision IN ('retest','confirm')),
    CHECK (length(reason) > 0)
);
CREATE TRIGGER out_of_limit_decision_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON out_of_limit_decision
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER test_task_no_delete BEFORE DELETE OR TRUNCATE ON test_task
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER result_no_delete BEFORE DELETE OR TRUNCATE ON result
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION test_task_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sample_id IS DISTINCT FROM OLD.sample_id OR NEW.test_item_id IS DISTINCT FROM OLD.test_item_id OR NEW.attempt IS DISTINCT FROM OLD.attempt OR NEW.available_at IS DISTINCT FROM OLD.available_at OR (OLD.started_at IS NOT NULL AND NEW.started_at IS DISTINCT FROM OLD.started_at) THEN
        RAISE EXCEPTION 'a task keeps its sample, its item and its start' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER test_task_identity BEFORE UPDATE ON test_task FOR EACH ROW EXECUTE FUNCTION test_task_identity();

CREATE FUNCTION result_unreviewed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reviewer_id IS NOT NULL THEN
        RAISE EXCEPTION 'a result enters without a review' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER result_unreviewed BEFORE INSERT ON result FOR EACH ROW EXECUTE FUNCTION result_unreviewed();

CREATE FUNCTION result_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.test_task_id IS DISTINCT FROM OLD.test_task_id OR NEW.version IS DISTINCT FROM OLD.version OR NEW.calculated IS DISTINCT FROM OLD.calculated OR NEW.reported IS DISTINCT FROM OLD.reported OR NEW.unit IS DISTINCT FROM OLD.unit OR NEW.limit_text IS DISTINCT FROM OLD.limit_text OR NEW.compare_by IS DISTINCT FROM OLD.compare_by OR NEW.verdict IS DISTINCT FROM OLD.verdict OR NEW.steps IS DISTINCT FROM OLD.steps OR NEW.reagents IS DISTINCT FROM OLD.reagents OR NEW.note IS DISTINCT FROM OLD.note OR NEW.analyst_id IS DISTINCT FROM OLD.analyst_id OR NEW.entered_at IS DISTINCT FROM OLD.entered_at OR OLD.reviewer_id IS NOT NULL THEN
        RAISE EXCEPTION 'a result is not changed: enter a new version' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER result_frozen BEFORE UPDATE ON result FOR EACH ROW EXECUTE FUNCTION result_frozen();

CREATE FUNCTION result_reviewed_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reviewer_id IS NOT NULL AND (NEW.reviewer_id = OLD.analyst_id OR NEW.reviewer_id IN (SELECT entered_by FROM reading WHERE test_task_id = OLD.test_task_id)) THEN
        RAISE EXCEPTION 'a result is reviewed by somebody else' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER result_reviewed_by_another BEFORE UPDATE ON result FOR EACH ROW EXECUTE FUNCTION result_reviewed_by_another();

CREATE FUNCTION out_of_limit_decided_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.decided_by = (SELECT analyst_id FROM result WHERE id = NEW.result_id) THEN
        RAISE EXCEPTION 'a result out of limit is decided by somebody else' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER out_of_limit_decided_by_another BEFORE INSERT ON out_of_limit_decision FOR EACH ROW EXECUTE FUNCTION out_of_limit_decided_by_another();
