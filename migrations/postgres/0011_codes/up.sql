-- Codes of what the database refuses, the revision of every row that people change, and the institute of what is
-- listed by institute.
--
-- A trigger refuses with one form of message on both databases, `qianfa:CODE: sentence`. The codes are those of
-- src/store/invariants.rs, which has the words for people; the sentence is for whoever reads a log.

-- The institute stands on what is listed by institute: a list then reads one index in its order.
ALTER TABLE sample ADD COLUMN institute_id TEXT REFERENCES institute (id);
ALTER TABLE test_task ADD COLUMN institute_id TEXT REFERENCES institute (id);
ALTER TABLE certificate ADD COLUMN institute_id TEXT REFERENCES institute (id);
ALTER TABLE sample DISABLE TRIGGER sample_identity;
ALTER TABLE certificate DISABLE TRIGGER certificate_immutable;
UPDATE sample SET institute_id = application.institute_id FROM application WHERE application.id = sample.application_id;
UPDATE test_task SET institute_id = sample.institute_id FROM sample WHERE sample.id = test_task.sample_id;
UPDATE certificate SET institute_id = application.institute_id FROM application WHERE application.id = certificate.application_id;
ALTER TABLE sample ENABLE TRIGGER sample_identity;
ALTER TABLE certificate ENABLE TRIGGER certificate_immutable;
ALTER TABLE sample ALTER COLUMN institute_id SET NOT NULL;
ALTER TABLE test_task ALTER COLUMN institute_id SET NOT NULL;
ALTER TABLE certificate ALTER COLUMN institute_id SET NOT NULL;

DROP INDEX application_state_lane_rank;
DROP INDEX test_task_state_lane_rank_due;
DROP INDEX instrument_file_state;
DROP INDEX instrument_file_instrument_id;
DROP INDEX dead_letter_institute_id_state;
DROP INDEX evaluation_institute_id_created_at;
CREATE INDEX application_by_institute ON application (institute_id, created_at, id);
CREATE INDEX application_by_state ON application (institute_id, state, created_at, id);
CREATE INDEX application_by_applicant ON application (applicant_id, created_at, id);
CREATE INDEX sample_by_institute ON sample (institute_id, received_at, id);
CREATE INDEX test_task_by_state ON test_task (institute_id, state, lane_rank, due, available_at, id);
CREATE INDEX certificate_by_institute ON certificate (institute_id, drafted_at, id);
CREATE INDEX certificate_by_state ON certificate (institute_id, state, drafted_at, id);
CREATE INDEX certificate_by_application ON certificate (application_id, drafted_at);
CREATE INDEX instrument_file_by_institute ON instrument_file (institute_id, uploaded_at, id);
CREATE INDEX instrument_file_by_state ON instrument_file (institute_id, state, uploaded_at, id);
CREATE INDEX instrument_file_by_instrument ON instrument_file (instrument_id, uploaded_at, id);
CREATE INDEX dead_letter_by_institute ON dead_letter (institute_id, last_at, id);
CREATE INDEX dead_letter_by_state ON dead_letter (institute_id, state, last_at, id);
CREATE INDEX evaluation_by_institute ON evaluation (institute_id, created_at, id);
CREATE INDEX run_list_by_institute ON run_list (institute_id, created_at, id);

-- Which state of a row somebody saw: every update raises it by one, whoever makes it, so that a write can name what it
-- was made on. `version` would be the word, but specifications, results, readings and files have one already, which
-- people see.
ALTER TABLE institute ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE applicant ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE account ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE product ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE specification ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE authorisation ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE application ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE batch ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE sample ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE container ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE instrument ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE instrument_file ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE dead_letter ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE run_list ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE test_task ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE result ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE reference_standard ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE certificate ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;

CREATE FUNCTION raise_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revision = OLD.revision THEN
        NEW.revision := OLD.revision + 1;
    ELSIF NEW.revision <> OLD.revision + 1 THEN
        RAISE EXCEPTION 'qianfa:revision-order: a revision rises by one' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER institute_revision BEFORE UPDATE ON institute FOR EACH ROW EXECUTE FUNCTION raise_revision();
CREATE TRIGGER applicant_revision BEFORE UPDATE ON applicant FOR EACH ROW EXECUTE FUNCTION raise_revision();
-- Logging in and failing to log in change nothing that a form shows.
CREATE TRIGGER account_revision BEFORE UPDATE OF id, username, display_name, password_hash, institute_id, applicant_id, disabled, created_at, revision ON account FOR EACH ROW EXECUTE FUNCTION raise_revision();
CREATE TRIGGER product_revision BEFORE UPDATE ON product FOR EACH ROW EXECUTE FUNCTION raise_revision();
CREATE TRIGGER specification_revision BEFORE UPDATE ON specification FOR EACH ROW EXECUTE FUNCTION raise_revision();
CREATE TRIGGER authorisation_revision BEFORE UPDATE ON authorisation FOR EACH ROW EXECUTE FUNCTION raise_revision();
CREATE TRIGGER application_revision BEFORE UPDATE ON application FOR EACH ROW EXECUTE FUNCTION raise_revision();
CREATE TRIGGER batch_revision BEFORE UPDATE ON batch FOR EACH ROW EXECUTE FUNCTION raise_revision();
CREATE TRIGGER sample_revision BEFORE UPDATE ON sample FOR EACH ROW EXECUTE FUNCTION raise_revision();
CREATE TRIGGER container_revision BEFORE UPDATE ON container FOR EACH ROW EXECUTE FUNCTION raise_revision();
CREATE TRIGGER instrument_revision BEFORE UPDATE ON instrument FOR EACH ROW EXECUTE FUNCTION raise_revision();
CREATE TRIGGER instrument_file_revision BEFORE UPDATE ON instrument_file FOR EACH ROW EXECUTE FUNCTION raise_revision();
CREATE TRIGGER dead_letter_revision BEFORE UPDATE ON dead_letter FOR EACH ROW EXECUTE FUNCTION raise_revision();
CREATE TRIGGER run_list_revision BEFORE UPDATE ON run_list FOR EACH ROW EXECUTE FUNCTION raise_revision();
CREATE TRIGGER test_task_revision BEFORE UPDATE ON test_task FOR EACH ROW EXECUTE FUNCTION raise_revision();
CREATE TRIGGER result_revision BEFORE UPDATE ON result FOR EACH ROW EXECUTE FUNCTION raise_revision();
CREATE TRIGGER reference_standard_revision BEFORE UPDATE ON reference_standard FOR EACH ROW EXECUTE FUNCTION raise_revision();
CREATE TRIGGER certificate_revision BEFORE UPDATE ON certificate FOR EACH ROW EXECUTE FUNCTION raise_revision();

CREATE FUNCTION sample_institute() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM application WHERE id = NEW.application_id AND institute_id <> NEW.institute_id) THEN
        RAISE EXCEPTION 'qianfa:wrong-institute: a sample is of the institute of its case' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sample_institute BEFORE INSERT ON sample FOR EACH ROW EXECUTE FUNCTION sample_institute();
CREATE FUNCTION test_task_institute() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM sample WHERE id = NEW.sample_id AND institute_id <> NEW.institute_id) THEN
        RAISE EXCEPTION 'qianfa:wrong-institute: a task is of the institute of its sample' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER test_task_institute BEFORE INSERT ON test_task FOR EACH ROW EXECUTE FUNCTION test_task_institute();
CREATE FUNCTION certificate_institute() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM application WHERE id = NEW.application_id AND institute_id <> NEW.institute_id)
        OR EXISTS (SELECT 1 FROM sample WHERE id = NEW.sample_id AND institute_id <> NEW.institute_id) THEN
        RAISE EXCEPTION 'qianfa:wrong-institute: a certificate is of the institute of its case and its sample' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER certificate_institute BEFORE INSERT ON certificate FOR EACH ROW EXECUTE FUNCTION certificate_institute();

-- What is only added.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'qianfa:append-only: a row of % is only added, never changed or removed', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$;

-- What is never removed.
CREATE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'qianfa:never-deleted: a row of % is never removed', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$;
DROP TRIGGER application_no_delete ON application;
CREATE TRIGGER application_no_delete BEFORE DELETE OR TRUNCATE ON application FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
DROP TRIGGER batch_no_delete ON batch;
CREATE TRIGGER batch_no_delete BEFORE DELETE OR TRUNCATE ON batch FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
DROP TRIGGER certificate_no_delete ON certificate;
CREATE TRIGGER certificate_no_delete BEFORE DELETE OR TRUNCATE ON certificate FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
DROP TRIGGER container_no_delete ON container;
CREATE TRIGGER container_no_delete BEFORE DELETE OR TRUNCATE ON container FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
DROP TRIGGER custody_balance_no_delete ON custody_balance;
CREATE TRIGGER custody_balance_no_delete BEFORE DELETE OR TRUNCATE ON custody_balance FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
DROP TRIGGER dead_letter_no_delete ON dead_letter;
CREATE TRIGGER dead_letter_no_delete BEFORE DELETE OR TRUNCATE ON dead_letter FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
DROP TRIGGER instrument_file_no_delete ON instrument_file;
CREATE TRIGGER instrument_file_no_delete BEFORE DELETE OR TRUNCATE ON instrument_file FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
DROP TRIGGER instrument_no_delete ON instrument;
CREATE TRIGGER instrument_no_delete BEFORE DELETE OR TRUNCATE ON instrument FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
DROP TRIGGER number_series_no_delete ON number_series;
CREATE TRIGGER number_series_no_delete BEFORE DELETE OR TRUNCATE ON number_series FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
DROP TRIGGER observation_no_delete ON observation;
CREATE TRIGGER observation_no_delete BEFORE DELETE OR TRUNCATE ON observation FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
DROP TRIGGER reference_standard_no_delete ON reference_standard;
CREATE TRIGGER reference_standard_no_delete BEFORE DELETE OR TRUNCATE ON reference_standard FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
DROP TRIGGER result_no_delete ON result;
CREATE TRIGGER result_no_delete BEFORE DELETE OR TRUNCATE ON result FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
DROP TRIGGER run_list_no_delete ON run_list;
CREATE TRIGGER run_list_no_delete BEFORE DELETE OR TRUNCATE ON run_list FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
DROP TRIGGER sample_no_delete ON sample;
CREATE TRIGGER sample_no_delete BEFORE DELETE OR TRUNCATE ON sample FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
DROP TRIGGER specification_no_delete ON specification;
CREATE TRIGGER specification_no_delete BEFORE DELETE OR TRUNCATE ON specification FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
DROP TRIGGER test_task_no_delete ON test_task;
CREATE TRIGGER test_task_no_delete BEFORE DELETE OR TRUNCATE ON test_task FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();

-- What keeps to a rule. Where an end forbids every change, the columns are named one by one: the revision may rise.
CREATE OR REPLACE FUNCTION specification_locked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> 'draft' AND (NEW.product_id IS DISTINCT FROM OLD.product_id OR NEW.version IS DISTINCT FROM OLD.version OR NEW.title IS DISTINCT FROM OLD.title OR NEW.edition IS DISTINCT FROM OLD.edition OR NEW.effective_from IS DISTINCT FROM OLD.effective_from OR NEW.status = 'draft') THEN
        RAISE EXCEPTION 'qianfa:specification-locked: an effective specification and its items are not changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION test_item_locked_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT status FROM specification WHERE id = NEW.specification_id) <> 'draft' THEN
        RAISE EXCEPTION 'qianfa:specification-locked: an effective specification and its items are not changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION test_item_locked_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT status FROM specification WHERE id = NEW.specification_id) <> 'draft' THEN
        RAISE EXCEPTION 'qianfa:specification-locked: an effective specification and its items are not changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION test_item_locked_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT status FROM specification WHERE id = OLD.specification_id) <> 'draft' THEN
        RAISE EXCEPTION 'qianfa:specification-locked: an effective specification and its items are not changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE OR REPLACE FUNCTION number_series_starts_at_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.last <> 1 THEN
        RAISE EXCEPTION 'qianfa:number-gap: a number series starts at 1' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION number_series_moves_by_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.last <> OLD.last + 1 OR NEW.series IS DISTINCT FROM OLD.series OR NEW.year IS DISTINCT FROM OLD.year THEN
        RAISE EXCEPTION 'qianfa:number-gap: a number series moves by 1' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION application_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number IS DISTINCT FROM OLD.number OR NEW.business IS DISTINCT FROM OLD.business OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.applicant_id IS DISTINCT FROM OLD.applicant_id OR NEW.product_id IS DISTINCT FROM OLD.product_id OR NEW.created_by IS DISTINCT FROM OLD.created_by OR NEW.created_at IS DISTINCT FROM OLD.created_at OR (OLD.state IN ('refused','withdrawn','voided') AND NEW.state <> OLD.state) THEN
        RAISE EXCEPTION 'qianfa:case-identity: a case keeps its number, its parties, its product and its end' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION application_accepted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.accepted_on IS NOT NULL AND (NEW.accepted_on IS DISTINCT FROM OLD.accepted_on OR NEW.specification_id IS DISTINCT FROM OLD.specification_id OR NEW.purpose IS DISTINCT FROM OLD.purpose OR NEW.determination IS DISTINCT FROM OLD.determination OR NEW.lane IS DISTINCT FROM OLD.lane) THEN
        RAISE EXCEPTION 'qianfa:acceptance-frozen: what was accepted is not changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION sample_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.number IS DISTINCT FROM OLD.number OR NEW.application_id IS DISTINCT FROM OLD.application_id OR NEW.batch_id IS DISTINCT FROM OLD.batch_id OR NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.received_by IS DISTINCT FROM OLD.received_by OR NEW.temperature IS DISTINCT FROM OLD.temperature OR NEW.seals_intact IS DISTINCT FROM OLD.seals_intact OR NEW.packages IS DISTINCT FROM OLD.packages OR NEW.packages_intact IS DISTINCT FROM OLD.packages_intact OR NEW.label_matches IS DISTINCT FROM OLD.label_matches OR NEW.condition_note IS DISTINCT FROM OLD.condition_note OR NEW.full_test_containers IS DISTINCT FROM OLD.full_test_containers OR NEW.required_containers IS DISTINCT FROM OLD.required_containers OR (OLD.state <> 'received' AND (NEW.state IS DISTINCT FROM OLD.state OR NEW.state_reason IS DISTINCT FROM OLD.state_reason)) THEN
        RAISE EXCEPTION 'qianfa:sample-identity: a sample keeps its number and what was seen on receipt' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION container_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sample_id IS DISTINCT FROM OLD.sample_id OR NEW.position IS DISTINCT FROM OLD.position OR NEW.label_code IS DISTINCT FROM OLD.label_code THEN
        RAISE EXCEPTION 'qianfa:container-identity: a container keeps its sample and its label' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION custody_entry_posts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.container_id IS NOT NULL AND (NEW.quantity <> 1 OR NOT EXISTS (
        SELECT 1 FROM container WHERE id = NEW.container_id AND sample_id = NEW.sample_id)) THEN
        RAISE EXCEPTION 'qianfa:custody-container: an entry that names a container moves that one container, of its own sample' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    INSERT INTO custody_balance (sample_id, place, balance) VALUES (NEW.sample_id, NEW.from_place, 0), (NEW.sample_id, NEW.to_place, 0)
        ON CONFLICT (sample_id, place) DO NOTHING;
    UPDATE custody_balance SET balance = balance - NEW.quantity WHERE sample_id = NEW.sample_id AND place = NEW.from_place;
    UPDATE custody_balance SET balance = balance + NEW.quantity WHERE sample_id = NEW.sample_id AND place = NEW.to_place;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION custody_balance_follows_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'qianfa:custody-balance: only the custody ledger moves a balance' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION observation_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.instrument_file_id IS DISTINCT FROM OLD.instrument_file_id OR NEW.position IS DISTINCT FROM OLD.position OR NEW.sample_text IS DISTINCT FROM OLD.sample_text OR NEW.analyte IS DISTINCT FROM OLD.analyte OR NEW.quantity IS DISTINCT FROM OLD.quantity OR NEW.raw IS DISTINCT FROM OLD.raw OR NEW.value IS DISTINCT FROM OLD.value OR NEW.unit IS DISTINCT FROM OLD.unit OR NEW.status IS DISTINCT FROM OLD.status OR NEW.flags IS DISTINCT FROM OLD.flags OR NEW.locator IS DISTINCT FROM OLD.locator OR NEW.injection IS DISTINCT FROM OLD.injection OR NEW.acquired_at IS DISTINCT FROM OLD.acquired_at OR NEW.bound IS DISTINCT FROM OLD.bound OR NEW.context IS DISTINCT FROM OLD.context OR (SELECT state FROM instrument_file WHERE id = NEW.instrument_file_id) <> 'staged' THEN
        RAISE EXCEPTION 'qianfa:observation-identity: an observation stays as it was read' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION test_task_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.sample_id IS DISTINCT FROM OLD.sample_id OR NEW.test_item_id IS DISTINCT FROM OLD.test_item_id OR NEW.attempt IS DISTINCT FROM OLD.attempt OR NEW.available_at IS DISTINCT FROM OLD.available_at OR (OLD.started_at IS NOT NULL AND NEW.started_at IS DISTINCT FROM OLD.started_at) THEN
        RAISE EXCEPTION 'qianfa:task-identity: a task keeps its sample, its item and its start' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION result_unreviewed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reviewer_id IS NOT NULL THEN
        RAISE EXCEPTION 'qianfa:result-unreviewed: a result is entered without a review' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION result_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.test_task_id IS DISTINCT FROM OLD.test_task_id OR NEW.version IS DISTINCT FROM OLD.version OR NEW.calculated IS DISTINCT FROM OLD.calculated OR NEW.reported IS DISTINCT FROM OLD.reported OR NEW.unit IS DISTINCT FROM OLD.unit OR NEW.limit_text IS DISTINCT FROM OLD.limit_text OR NEW.compare_by IS DISTINCT FROM OLD.compare_by OR NEW.verdict IS DISTINCT FROM OLD.verdict OR NEW.steps IS DISTINCT FROM OLD.steps OR NEW.reagents IS DISTINCT FROM OLD.reagents OR NEW.note IS DISTINCT FROM OLD.note OR NEW.analyst_id IS DISTINCT FROM OLD.analyst_id OR NEW.entered_at IS DISTINCT FROM OLD.entered_at OR (OLD.reviewer_id IS NOT NULL AND (NEW.reviewer_id IS DISTINCT FROM OLD.reviewer_id OR NEW.reviewed_at IS DISTINCT FROM OLD.reviewed_at OR NEW.review_outcome IS DISTINCT FROM OLD.review_outcome OR NEW.review_note IS DISTINCT FROM OLD.review_note)) THEN
        RAISE EXCEPTION 'qianfa:result-frozen: a result is not changed: enter a new version' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
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
CREATE OR REPLACE FUNCTION certificate_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.kind IS DISTINCT FROM OLD.kind OR NEW.application_id IS DISTINCT FROM OLD.application_id OR NEW.sample_id IS DISTINCT FROM OLD.sample_id OR NEW.conforms IS DISTINCT FROM OLD.conforms OR NEW.verification_code IS DISTINCT FROM OLD.verification_code OR NEW.amends_id IS DISTINCT FROM OLD.amends_id OR NEW.amendment_reason IS DISTINCT FROM OLD.amendment_reason OR NEW.drafted_by IS DISTINCT FROM OLD.drafted_by OR NEW.drafted_at IS DISTINCT FROM OLD.drafted_at OR (OLD.number IS NOT NULL AND NEW.number IS DISTINCT FROM OLD.number) OR (OLD.state <> 'drafted' AND NEW.data IS DISTINCT FROM OLD.data) THEN
        RAISE EXCEPTION 'qianfa:certificate-identity: a certificate keeps its identity, its number and, once reviewed, its content' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION certificate_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('issued','superseded','withdrawn','discarded') AND (NEW.number IS DISTINCT FROM OLD.number OR NEW.reviewed_by IS DISTINCT FROM OLD.reviewed_by OR NEW.reviewed_at IS DISTINCT FROM OLD.reviewed_at OR NEW.signed_by IS DISTINCT FROM OLD.signed_by OR NEW.signed_at IS DISTINCT FROM OLD.signed_at OR NEW.signature_id IS DISTINCT FROM OLD.signature_id OR NEW.pdf_sha256 IS DISTINCT FROM OLD.pdf_sha256 OR ((NEW.state IS DISTINCT FROM OLD.state OR NEW.state_reason IS DISTINCT FROM OLD.state_reason) AND (OLD.state IN ('withdrawn','discarded') OR NEW.state NOT IN ('superseded','withdrawn')))) THEN
        RAISE EXCEPTION 'qianfa:certificate-immutable: a certificate that was issued or ended is not changed: amend it by a new one' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION instrument_file_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.name IS DISTINCT FROM OLD.name OR NEW.size IS DISTINCT FROM OLD.size OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.uploaded_by IS DISTINCT FROM OLD.uploaded_by OR NEW.uploaded_at IS DISTINCT FROM OLD.uploaded_at OR NEW.instrument_id IS DISTINCT FROM OLD.instrument_id OR NEW.source IS DISTINCT FROM OLD.source OR NEW.path IS DISTINCT FROM OLD.path OR NEW.version IS DISTINCT FROM OLD.version OR NEW.supersedes IS DISTINCT FROM OLD.supersedes OR (OLD.state NOT IN ('staged','unread') AND (NEW.state IS DISTINCT FROM OLD.state OR NEW.state_reason IS DISTINCT FROM OLD.state_reason OR NEW.decided_by IS DISTINCT FROM OLD.decided_by OR NEW.decided_at IS DISTINCT FROM OLD.decided_at)) OR (NOT (OLD.state = 'unread' AND NEW.state = 'staged') AND (NEW.adapter IS DISTINCT FROM OLD.adapter OR NEW.adapter_version IS DISTINCT FROM OLD.adapter_version OR NEW.complete IS DISTINCT FROM OLD.complete OR NEW.run IS DISTINCT FROM OLD.run OR NEW.problems IS DISTINCT FROM OLD.problems)) THEN
        RAISE EXCEPTION 'qianfa:instrument-file-identity: an instrument file stays as it was read and decided' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION reference_standard_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.name IS DISTINCT FROM OLD.name OR NEW.batch IS DISTINCT FROM OLD.batch OR NEW.source IS DISTINCT FROM OLD.source OR NEW.purity IS DISTINCT FROM OLD.purity OR NEW.basis IS DISTINCT FROM OLD.basis OR NEW.water IS DISTINCT FROM OLD.water OR NEW.expires_on IS DISTINCT FROM OLD.expires_on OR NEW.storage IS DISTINCT FROM OLD.storage OR NEW.note IS DISTINCT FROM OLD.note OR NEW.created_by IS DISTINCT FROM OLD.created_by OR NEW.created_at IS DISTINCT FROM OLD.created_at OR (OLD.withdrawn_by IS NOT NULL AND (NEW.withdrawn_by IS DISTINCT FROM OLD.withdrawn_by OR NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at OR NEW.withdrawn_reason IS DISTINCT FROM OLD.withdrawn_reason)) THEN
        RAISE EXCEPTION 'qianfa:reference-standard-identity: a reference standard stays as it was registered' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION evaluation_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version <> 1 + (SELECT COALESCE(MAX(version), 0) FROM evaluation WHERE root_id = NEW.root_id) OR (NEW.version = 1 AND NEW.root_id <> NEW.id) THEN
        RAISE EXCEPTION 'qianfa:evaluation-versions: the versions of an evaluation follow one another' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION evaluation_result_valid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT verdict FROM evaluation WHERE id = NEW.evaluation_id) <> 'valid' THEN
        RAISE EXCEPTION 'qianfa:evaluation-invalid: an invalid evaluation has no result' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION reading_of_evaluation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.evaluation_result_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM evaluation_result r
    JOIN evaluation e ON e.id = r.evaluation_id
    JOIN test_task t ON t.id = NEW.test_task_id
    WHERE r.id = NEW.evaluation_result_id AND e.verdict = 'valid' AND r.sample_id = t.sample_id AND r.raw = NEW.raw
    AND NOT EXISTS (SELECT 1 FROM evaluation later WHERE later.root_id = e.root_id AND later.version > e.version)) THEN
        RAISE EXCEPTION 'qianfa:reading-evaluation: a reading rests on the newest version of a valid evaluation, of its sample, with its value' USING ERRCODE = 'integrity_constraint_violation';
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
CREATE OR REPLACE FUNCTION result_approved_imports() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.review_outcome = 'approved' AND EXISTS (
        SELECT 1 FROM reading r JOIN observation o ON o.id = r.observation_id
        WHERE r.test_task_id = NEW.test_task_id
          AND NOT EXISTS (SELECT 1 FROM reading later WHERE later.test_task_id = r.test_task_id AND later.name = r.name AND later.position = r.position AND later.version > r.version)
          AND (NOT EXISTS (SELECT 1 FROM import_check c WHERE c.instrument_file_id = o.instrument_file_id AND c.outcome = 'ok' AND (c.test_task_id IS NULL OR c.test_task_id = r.test_task_id))
            OR EXISTS (SELECT 1 FROM import_check c WHERE c.instrument_file_id = o.instrument_file_id AND c.outcome = 'rejected' AND (c.test_task_id IS NULL OR c.test_task_id = r.test_task_id)))) THEN
        RAISE EXCEPTION 'qianfa:import-unchecked: a result is approved only on imports that a second person has checked' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
