-- A result out of specification is investigated: one row for each step, only added. Nothing is repeated that no step
-- allows, and no certificate comes before the last one.
CREATE TABLE investigation_step (
    id TEXT NOT NULL PRIMARY KEY,
    result_id TEXT NOT NULL REFERENCES result (id),
    position BIGINT NOT NULL,
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    answers TEXT NOT NULL,
    cause TEXT,
    evidence TEXT,
    repetitions BIGINT,
    second_analyst TEXT REFERENCES account (id),
    by_account TEXT NOT NULL REFERENCES account (id),
    at instant NOT NULL,
    UNIQUE (result_id, position),
    CHECK (event IN ('open','find_cause','find_none','approve_cause','send_back','propose_plan','approve_plan','confirm')),
    CHECK (state IN ('open','cause_found','invalidated','no_cause','planned','repeating','confirmed')),
    CHECK (event = 'open' OR length(reason) > 0),
    CHECK (event <> 'find_cause' OR (cause IS NOT NULL AND length(evidence) > 0)),
    CHECK (event <> 'propose_plan' OR (repetitions >= 1 AND second_analyst IS NOT NULL))
);
CREATE INDEX investigation_step_by_state ON investigation_step (state, result_id);

-- Whom a repetition is for, and which result it repeats under a plan. Nothing in them: an ordinary task.
ALTER TABLE test_task ADD COLUMN assigned_to TEXT REFERENCES account (id);
ALTER TABLE test_task ADD COLUMN repeats_result_id TEXT REFERENCES result (id);
-- Where nothing is said, the names of item and method say it: the rows of before stay as their hashes have them.
ALTER TABLE test_item ADD COLUMN retest_allowed BOOLEAN;

CREATE TRIGGER investigation_step_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON investigation_step
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE FUNCTION investigation_step_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT ((NEW.position = 1 AND NEW.event = 'open' AND NEW.state = 'open' AND (SELECT verdict FROM result WHERE id = NEW.result_id) = 'fail') OR (NEW.position > 1 AND COALESCE((SELECT p.state FROM investigation_step p WHERE p.result_id = NEW.result_id AND p.position = NEW.position - 1) || '+' || NEW.event || '=' || NEW.state, '') IN ('open+find_cause=cause_found','open+find_none=no_cause','cause_found+approve_cause=invalidated','cause_found+send_back=open','no_cause+propose_plan=planned','planned+approve_plan=repeating','planned+send_back=no_cause','no_cause+confirm=confirmed','repeating+confirm=confirmed'))) THEN
        RAISE EXCEPTION 'qianfa:investigation-order: the steps of an investigation follow one another, from a failing result on' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER investigation_step_order BEFORE INSERT ON investigation_step FOR EACH ROW EXECUTE FUNCTION investigation_step_order();
CREATE FUNCTION investigation_step_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.event IN ('approve_cause','approve_plan','confirm') AND (NEW.by_account IN (SELECT z.analyst_id FROM result z WHERE z.id = NEW.result_id UNION SELECT r.entered_by FROM reading r JOIN result z ON z.test_task_id = r.test_task_id WHERE z.id = NEW.result_id) OR EXISTS (SELECT 1 FROM investigation_step p WHERE p.result_id = NEW.result_id AND p.position = NEW.position - 1 AND p.event IN ('find_cause','propose_plan') AND p.by_account = NEW.by_account))) OR (NEW.event = 'propose_plan' AND NEW.second_analyst IN (SELECT z.analyst_id FROM result z WHERE z.id = NEW.result_id UNION SELECT r.entered_by FROM reading r JOIN result z ON z.test_task_id = r.test_task_id WHERE z.id = NEW.result_id)) THEN
        RAISE EXCEPTION 'qianfa:self-investigation: who tested or proposed does not approve, and the second analyst is not the first' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER investigation_step_by_another BEFORE INSERT ON investigation_step FOR EACH ROW EXECUTE FUNCTION investigation_step_by_another();
CREATE FUNCTION investigation_step_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.event = 'propose_plan' AND EXISTS (SELECT 1 FROM result z JOIN test_task t ON t.id = z.test_task_id JOIN test_item i ON i.id = t.test_item_id WHERE z.id = NEW.result_id AND COALESCE(i.retest_allowed, NOT (lower(i.name_zh || ' ' || i.name_en || ' ' || i.method || ' ' || i.code) LIKE '%无菌%' OR lower(i.name_zh || ' ' || i.name_en || ' ' || i.method || ' ' || i.code) LIKE '%热原%' OR lower(i.name_zh || ' ' || i.name_en || ' ' || i.method || ' ' || i.code) LIKE '%内毒素%' OR lower(i.name_zh || ' ' || i.name_en || ' ' || i.method || ' ' || i.code) LIKE '%sterility%' OR lower(i.name_zh || ' ' || i.name_en || ' ' || i.method || ' ' || i.code) LIKE '%pyrogen%' OR lower(i.name_zh || ' ' || i.name_en || ' ' || i.method || ' ' || i.code) LIKE '%endotoxin%')) = FALSE)) OR (NEW.event = 'approve_cause' AND EXISTS (SELECT 1 FROM result z JOIN test_task t ON t.id = z.test_task_id JOIN test_item i ON i.id = t.test_item_id WHERE z.id = NEW.result_id AND COALESCE(i.retest_allowed, NOT (lower(i.name_zh || ' ' || i.name_en || ' ' || i.method || ' ' || i.code) LIKE '%无菌%' OR lower(i.name_zh || ' ' || i.name_en || ' ' || i.method || ' ' || i.code) LIKE '%热原%' OR lower(i.name_zh || ' ' || i.name_en || ' ' || i.method || ' ' || i.code) LIKE '%内毒素%' OR lower(i.name_zh || ' ' || i.name_en || ' ' || i.method || ' ' || i.code) LIKE '%sterility%' OR lower(i.name_zh || ' ' || i.name_en || ' ' || i.method || ' ' || i.code) LIKE '%pyrogen%' OR lower(i.name_zh || ' ' || i.name_en || ' ' || i.method || ' ' || i.code) LIKE '%endotoxin%')) = FALSE AND EXISTS (SELECT 1 FROM investigation_step o JOIN result y ON y.id = o.result_id JOIN test_task u ON u.id = y.test_task_id WHERE u.sample_id = t.sample_id AND u.test_item_id = t.test_item_id AND o.event = 'approve_cause'))) THEN
        RAISE EXCEPTION 'qianfa:retest-not-allowed: a test without re-test is done again only where it was invalid, and once' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER investigation_step_once BEFORE INSERT ON investigation_step FOR EACH ROW EXECUTE FUNCTION investigation_step_once();
CREATE FUNCTION out_of_limit_decision_investigated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.decided_by NOT IN (SELECT z.analyst_id FROM result z WHERE z.id = NEW.result_id UNION SELECT r.entered_by FROM reading r JOIN result z ON z.test_task_id = r.test_task_id WHERE z.id = NEW.result_id) AND NOT EXISTS (SELECT 1 FROM investigation_step s WHERE s.result_id = NEW.result_id AND s.state = CASE NEW.decision WHEN 'retest' THEN 'invalidated' ELSE 'confirmed' END) THEN
        RAISE EXCEPTION 'qianfa:investigation-open: nothing is decided, approved or issued past an open investigation' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER out_of_limit_decision_investigated BEFORE INSERT ON out_of_limit_decision FOR EACH ROW EXECUTE FUNCTION out_of_limit_decision_investigated();
CREATE FUNCTION test_task_ordered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.attempt > 1 AND (SELECT COUNT(*) FROM test_task u WHERE u.sample_id = NEW.sample_id AND u.test_item_id = NEW.test_item_id) > COALESCE((SELECT SUM(CASE s.event WHEN 'approve_cause' THEN 1 ELSE (SELECT MAX(p.repetitions) FROM investigation_step p WHERE p.result_id = s.result_id AND p.position = s.position - 1) END) FROM investigation_step s JOIN result z ON z.id = s.result_id JOIN test_task u ON u.id = z.test_task_id WHERE s.event IN ('approve_cause','approve_plan') AND u.sample_id = NEW.sample_id AND u.test_item_id = NEW.test_item_id), 0) + (SELECT COUNT(*) FROM result z JOIN test_task u ON u.id = z.test_task_id WHERE z.verdict = 'indeterminate' AND z.review_outcome = 'approved' AND u.state = 'retest_ordered' AND u.sample_id = NEW.sample_id AND u.test_item_id = NEW.test_item_id) + (SELECT COUNT(*) FROM out_of_limit_decision d JOIN result z ON z.id = d.result_id JOIN test_task u ON u.id = z.test_task_id WHERE d.decision = 'retest' AND z.verdict <> 'indeterminate' AND u.sample_id = NEW.sample_id AND u.test_item_id = NEW.test_item_id AND NOT EXISTS (SELECT 1 FROM investigation_step s WHERE s.result_id = z.id)) THEN
        RAISE EXCEPTION 'qianfa:repetition-unplanned: a test is repeated as often as an approved cause or plan says' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER test_task_ordered BEFORE INSERT ON test_task FOR EACH ROW EXECUTE FUNCTION test_task_ordered();
CREATE FUNCTION test_task_investigated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND ((NEW.state = 'reviewed' AND COALESCE((SELECT z.verdict FROM result z WHERE z.test_task_id = NEW.id AND z.version = (SELECT MAX(y.version) FROM result y WHERE y.test_task_id = NEW.id)), '') <> 'pass') OR (NEW.state = 'retest_ordered' AND (SELECT z.verdict FROM result z WHERE z.test_task_id = NEW.id AND z.version = (SELECT MAX(y.version) FROM result y WHERE y.test_task_id = NEW.id)) = 'fail' AND NOT EXISTS (SELECT 1 FROM investigation_step s JOIN result z ON z.id = s.result_id WHERE z.test_task_id = NEW.id AND s.state = 'invalidated')) OR (NEW.state = 'confirmed' AND NOT EXISTS (SELECT 1 FROM investigation_step s LEFT JOIN result z ON z.id = s.result_id WHERE s.state = 'confirmed' AND (z.test_task_id = NEW.id OR s.result_id = NEW.repeats_result_id))) OR (OLD.state = 'out_of_limit' AND NEW.state = 'waiting')) THEN
        RAISE EXCEPTION 'qianfa:investigation-open: nothing is decided, approved or issued past an open investigation' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER test_task_investigated BEFORE UPDATE ON test_task FOR EACH ROW EXECUTE FUNCTION test_task_investigated();
CREATE FUNCTION certificate_investigated_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM test_task t WHERE t.sample_id = NEW.sample_id AND (t.state = 'out_of_limit' OR (t.state = 'confirmed' AND NEW.conforms))) THEN
        RAISE EXCEPTION 'qianfa:investigation-open: nothing is decided, approved or issued past an open investigation' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER certificate_investigated_insert BEFORE INSERT ON certificate FOR EACH ROW EXECUTE FUNCTION certificate_investigated_insert();
CREATE FUNCTION certificate_investigated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state IN ('drafted','reviewed','issued') AND NEW.state IS DISTINCT FROM OLD.state AND EXISTS (SELECT 1 FROM test_task t WHERE t.sample_id = NEW.sample_id AND (t.state = 'out_of_limit' OR (t.state = 'confirmed' AND NEW.conforms))) THEN
        RAISE EXCEPTION 'qianfa:investigation-open: nothing is decided, approved or issued past an open investigation' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER certificate_investigated BEFORE UPDATE ON certificate FOR EACH ROW EXECUTE FUNCTION certificate_investigated();
CREATE FUNCTION reading_by_assigned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.entered_by <> (SELECT t.assigned_to FROM test_task t WHERE t.id = NEW.test_task_id) THEN
        RAISE EXCEPTION 'qianfa:assigned-analyst: a repetition of a plan is done by the analyst whom the plan names' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reading_by_assigned BEFORE INSERT ON reading FOR EACH ROW EXECUTE FUNCTION reading_by_assigned();
CREATE FUNCTION application_failing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state IN ('withdrawn','voided') AND NEW.state <> OLD.state AND EXISTS (SELECT 1 FROM sample s JOIN test_task t ON t.sample_id = s.id JOIN result z ON z.test_task_id = t.id WHERE s.application_id = NEW.id AND t.state IN ('entered','out_of_limit','confirmed') AND z.verdict = 'fail' AND NOT EXISTS (SELECT 1 FROM result y WHERE y.test_task_id = z.test_task_id AND y.version > z.version)) THEN
        RAISE EXCEPTION 'qianfa:failing-case: a case with a failing result is neither withdrawn nor voided' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER application_failing BEFORE UPDATE ON application FOR EACH ROW EXECUTE FUNCTION application_failing();
CREATE OR REPLACE FUNCTION signature_meaning() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.meaning NOT IN ('授权签发', '批准签发', '复核通过', '复核退回', '导入复核一致', '导入复核不通过', '批准复验', '确认不符合规定', '批准质量标准', '审核证书', '批准撤销证书', '批准检验无效', '批准复试方案', '批准换方法复试') THEN
        RAISE EXCEPTION 'qianfa:signature-meaning: a signature stands for one of the known meanings' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
