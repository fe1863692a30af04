DROP TRIGGER institute_revision ON institute;
DROP TRIGGER applicant_revision ON applicant;
DROP TRIGGER account_revision ON account;
DROP TRIGGER product_revision ON product;
DROP TRIGGER specification_revision ON specification;
DROP TRIGGER authorisation_revision ON authorisation;
DROP TRIGGER application_revision ON application;
DROP TRIGGER batch_revision ON batch;
DROP TRIGGER sample_revision ON sample;
DROP TRIGGER container_revision ON container;
DROP TRIGGER instrument_revision ON instrument;
DROP TRIGGER instrument_file_revision ON instrument_file;
DROP TRIGGER dead_letter_revision ON dead_letter;
DROP TRIGGER run_list_revision ON run_list;
DROP TRIGGER test_task_revision ON test_task;
DROP TRIGGER result_revision ON result;
DROP TRIGGER reference_standard_revision ON reference_standard;
DROP TRIGGER certificate_revision ON certificate;
DROP FUNCTION raise_revision();
DROP TRIGGER sample_institute ON sample;
DROP FUNCTION sample_institute();
DROP TRIGGER test_task_institute ON test_task;
DROP FUNCTION test_task_institute();
DROP TRIGGER certificate_institute ON certificate;
DROP FUNCTION certificate_institute();
DROP TRIGGER application_no_delete ON application;
CREATE TRIGGER application_no_delete BEFORE DELETE OR TRUNCATE ON application FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER batch_no_delete ON batch;
CREATE TRIGGER batch_no_delete BEFORE DELETE OR TRUNCATE ON batch FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER certificate_no_delete ON certificate;
CREATE TRIGGER certificate_no_delete BEFORE DELETE OR TRUNCATE ON certificate FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER container_no_delete ON container;
CREATE TRIGGER container_no_delete BEFORE DELETE OR TRUNCATE ON container FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER custody_balance_no_delete ON custody_balance;
CREATE TRIGGER custody_balance_no_delete BEFORE DELETE OR TRUNCATE ON custody_balance FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER dead_letter_no_delete ON dead_letter;
CREATE TRIGGER dead_letter_no_delete BEFORE DELETE OR TRUNCATE ON dead_letter FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER instrument_file_no_delete ON instrument_file;
CREATE TRIGGER instrument_file_no_delete BEFORE DELETE OR TRUNCATE ON instrument_file FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER instrument_no_delete ON instrument;
CREATE TRIGGER instrument_no_delete BEFORE DELETE OR TRUNCATE ON instrument FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER number_series_no_delete ON number_series;
CREATE TRIGGER number_series_no_delete BEFORE DELETE OR TRUNCATE ON number_series FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER observation_no_delete ON observation;
CREATE TRIGGER observation_no_delete BEFORE DELETE OR TRUNCATE ON observation FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER reference_standard_no_delete ON reference_standard;
CREATE TRIGGER reference_standard_no_delete BEFORE DELETE OR TRUNCATE ON reference_standard FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER result_no_delete ON result;
CREATE TRIGGER result_no_delete BEFORE DELETE OR TRUNCATE ON result FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER run_list_no_delete ON run_list;
CREATE TRIGGER run_list_no_delete BEFORE DELETE OR TRUNCATE ON run_list FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER sample_no_delete ON sample;
CREATE TRIGGER sample_no_delete BEFORE DELETE OR TRUNCATE ON sample FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER specification_no_delete ON specification;
CREATE TRIGGER specification_no_delete BEFORE DELETE OR TRUNCATE ON specification FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER test_task_no_delete ON test_task;
CREATE TRIGGER test_task_no_delete BEFORE DELETE OR TRUNCATE ON test_task FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP FUNCTION refuse_removal();
DROP INDEX application_by_institute;
DROP INDEX application_by_state;
DROP INDEX application_by_applicant;
DROP INDEX sample_by_institute;
DROP INDEX test_task_by_state;
DROP INDEX certificate_by_institute;
DROP INDEX certificate_by_state;
DROP INDEX certificate_by_application;
DROP INDEX instrument_file_by_institute;
DROP INDEX instrument_file_by_state;
DROP INDEX instrument_file_by_instrument;
DROP INDEX dead_letter_by_institute;
DROP INDEX dead_letter_by_state;
DROP INDEX evaluation_by_institute;
DROP INDEX run_list_by_institute;
ALTER TABLE institute DROP COLUMN revision;
ALTER TABLE applicant DROP COLUMN revision;
ALTER TABLE account DROP COLUMN revision;
ALTER TABLE product DROP COLUMN revision;
ALTER TABLE specification DROP COLUMN revision;
ALTER TABLE authorisation DROP COLUMN revision;
ALTER TABLE application DROP COLUMN revision;
ALTER TABLE batch DROP COLUMN revision;
ALTER TABLE sample DROP COLUMN revision;
ALTER TABLE container DROP COLUMN revision;
ALTER TABLE instrument DROP COLUMN revision;
ALTER TABLE instrument_file DROP COLUMN revision;
ALTER TABLE dead_letter DROP COLUMN revision;
ALTER TABLE run_list DROP COLUMN revision;
ALTER TABLE test_task DROP COLUMN revision;
ALTER TABLE result DROP COLUMN revision;
ALTER TABLE reference_standard DROP COLUMN revision;
ALTER TABLE certificate DROP COLUMN revision;
ALTER TABLE sample DROP COLUMN institute_id;
ALTER TABLE test_task DROP COLUMN institute_id;
ALTER TABLE certificate DROP COLUMN institute_id;
CREATE INDEX application_state_lane_rank ON application (state, lane_rank);
CREATE INDEX test_task_state_lane_rank_due ON test_task (state, lane_rank, due);
CREATE INDEX instrument_file_state ON instrument_file (institute_id, state, uploaded_at);
CREATE INDEX instrument_file_instrument_id ON instrument_file (instrument_id, uploaded_at);
CREATE INDEX dead_letter_institute_id_state ON dead_letter (institute_id, state, last_at);
CREATE INDEX evaluation_institute_id_created_at ON evaluation (institute_id, created_at);
CREATE OR REPLACE FUNCTION application_accepted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.accepted_on IS NOT NULL AND (NEW.accepted_on IS DISTINCT FROM OLD.accepted_on OR NEW.specification_id IS DISTINCT FROM OLD.specification_id OR NEW.purpose IS DISTINCT FROM OLD.purpose OR NEW.determination IS DISTINCT FROM OLD.determination OR NEW.lane IS DISTINCT FROM OLD.lane) THEN
        RAISE EXCEPTION 'what was accepted stays as accepted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION application_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number IS DISTINCT FROM OLD.number OR NEW.business IS DISTINCT FROM OLD.business OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.applicant_id IS DISTINCT FROM OLD.applicant_id OR NEW.product_id IS DISTINCT FROM OLD.product_id OR NEW.created_by IS DISTINCT FROM OLD.created_by OR NEW.created_at IS DISTINCT FROM OLD.created_at OR (OLD.state IN ('refused','withdrawn','voided') AND NEW.state <> OLD.state) THEN
        RAISE EXCEPTION 'an application keeps its identity and its end' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE OR REPLACE FUNCTION certificate_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind IS DISTINCT FROM OLD.kind OR NEW.application_id IS DISTINCT FROM OLD.application_id OR NEW.sample_id IS DISTINCT FROM OLD.sample_id OR NEW.conforms IS DISTINCT FROM OLD.conforms OR NEW.verification_code IS DISTINCT FROM OLD.verification_code OR NEW.amends_id IS DISTINCT FROM OLD.amends_id OR NEW.amendment_reason IS DISTINCT FROM OLD.amendment_reason OR NEW.drafted_by IS DISTINCT FROM OLD.drafted_by OR NEW.drafted_at IS DISTINCT FROM OLD.drafted_at OR (OLD.number IS NOT NULL AND NEW.number IS DISTINCT FROM OLD.number) OR (OLD.state <> 'drafted' AND NEW.data IS DISTINCT FROM OLD.data) THEN
        RAISE EXCEPTION 'a certificate keeps its identity, its number and, once reviewed, its content' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION certificate_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('issued','superseded','withdrawn','discarded') AND (NEW.reviewed_by IS DISTINCT FROM OLD.reviewed_by OR NEW.reviewed_at IS DISTINCT FROM OLD.reviewed_at OR NEW.signed_by IS DISTINCT FROM OLD.signed_by OR NEW.signed_at IS DISTINCT FROM OLD.signed_at OR NEW.signature_id IS DISTINCT FROM OLD.signature_id OR NEW.pdf_sha256 IS DISTINCT FROM OLD.pdf_sha256 OR OLD.state IN ('withdrawn','discarded') OR NEW.state NOT IN ('superseded','withdrawn')) THEN
        RAISE EXCEPTION 'an issued certificate is immutable: amend it by a new one' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION container_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sample_id IS DISTINCT FROM OLD.sample_id OR NEW.position IS DISTINCT FROM OLD.position OR NEW.label_code IS DISTINCT FROM OLD.label_code THEN
        RAISE EXCEPTION 'a container keeps its label' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION custody_balance_follows_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'only the custody ledger moves a balance' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION custody_entry_posts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.container_id IS NOT NULL AND (NEW.quantity <> 1 OR NOT EXISTS (
        SELECT 1 FROM container WHERE id = NEW.container_id AND sample_id = NEW.sample_id)) THEN
        RAISE EXCEPTION 'an entry that names a container moves that one, of its own sample' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    INSERT INTO custody_balance (sample_id, place, balance) VALUES (NEW.sample_id, NEW.from_place, 0), (NEW.sample_id, NEW.to_place, 0)
        ON CONFLICT (sample_id, place) DO NOTHING;
    UPDATE custody_balance SET balance = balance - NEW.quantity WHERE sample_id = NEW.sample_id AND place = NEW.from_place;
    UPDATE custody_balance SET balance = balance + NEW.quantity WHERE sample_id = NEW.sample_id AND place = NEW.to_place;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION evaluation_result_valid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT verdict FROM evaluation WHERE id = NEW.evaluation_id) <> 'valid' THEN
        RAISE EXCEPTION 'an evaluation keeps its verdict: an invalid one has no result' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION evaluation_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version <> 1 + (SELECT COALESCE(MAX(version), 0) FROM evaluation WHERE root_id = NEW.root_id) OR (NEW.version = 1 AND NEW.root_id <> NEW.id) THEN
        RAISE EXCEPTION 'an evaluation keeps its series of versions' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION import_check_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM instrument_file WHERE id = NEW.instrument_file_id) <> 'accepted' THEN
        RAISE EXCEPTION 'only an accepted file has an import to check' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.checked_by = (SELECT decided_by FROM instrument_file WHERE id = NEW.instrument_file_id) THEN
        RAISE EXCEPTION 'an import is checked by somebody else' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION instrument_file_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.name IS DISTINCT FROM OLD.name OR NEW.size IS DISTINCT FROM OLD.size OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.uploaded_by IS DISTINCT FROM OLD.uploaded_by OR NEW.uploaded_at IS DISTINCT FROM OLD.uploaded_at OR NEW.instrument_id IS DISTINCT FROM OLD.instrument_id OR NEW.source IS DISTINCT FROM OLD.source OR NEW.path IS DISTINCT FROM OLD.path OR NEW.version IS DISTINCT FROM OLD.version OR NEW.supersedes IS DISTINCT FROM OLD.supersedes OR OLD.state NOT IN ('staged','unread') OR (NOT (OLD.state = 'unread' AND NEW.state = 'staged') AND (NEW.adapter IS DISTINCT FROM OLD.adapter OR NEW.adapter_version IS DISTINCT FROM OLD.adapter_version OR NEW.complete IS DISTINCT FROM OLD.complete OR NEW.run IS DISTINCT FROM OLD.run OR NEW.problems IS DISTINCT FROM OLD.problems)) THEN
        RAISE EXCEPTION 'an instrument file stays as it was read and decided' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION number_series_moves_by_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.last <> OLD.last + 1 OR NEW.series IS DISTINCT FROM OLD.series OR NEW.year IS DISTINCT FROM OLD.year THEN
        RAISE EXCEPTION 'a number series moves by 1' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION number_series_starts_at_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.last <> 1 THEN
        RAISE EXCEPTION 'a number series starts at 1' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION observation_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.instrument_file_id IS DISTINCT FROM OLD.instrument_file_id OR NEW.position IS DISTINCT FROM OLD.position OR NEW.sample_text IS DISTINCT FROM OLD.sample_text OR NEW.analyte IS DISTINCT FROM OLD.analyte OR NEW.quantity IS DISTINCT FROM OLD.quantity OR NEW.raw IS DISTINCT FROM OLD.raw OR NEW.value IS DISTINCT FROM OLD.value OR NEW.unit IS DISTINCT FROM OLD.unit OR NEW.status IS DISTINCT FROM OLD.status OR NEW.flags IS DISTINCT FROM OLD.flags OR NEW.locator IS DISTINCT FROM OLD.locator OR NEW.injection IS DISTINCT FROM OLD.injection OR NEW.acquired_at IS DISTINCT FROM OLD.acquired_at OR NEW.bound IS DISTINCT FROM OLD.bound OR NEW.context IS DISTINCT FROM OLD.context OR (SELECT state FROM instrument_file WHERE id = NEW.instrument_file_id) <> 'staged' THEN
        RAISE EXCEPTION 'an observation stays as it was read' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION out_of_limit_decided_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.decided_by = (SELECT analyst_id FROM result WHERE id = NEW.result_id) THEN
        RAISE EXCEPTION 'a result out of limit is decided by somebody else' USING ERRCODE = 'integrity_constraint_violation';
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
        RAISE EXCEPTION 'a reading keeps its evaluation: valid, the newest, of its sample, with its value' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION reference_standard_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.name IS DISTINCT FROM OLD.name OR NEW.batch IS DISTINCT FROM OLD.batch OR NEW.source IS DISTINCT FROM OLD.source OR NEW.purity IS DISTINCT FROM OLD.purity OR NEW.basis IS DISTINCT FROM OLD.basis OR NEW.water IS DISTINCT FROM OLD.water OR NEW.expires_on IS DISTINCT FROM OLD.expires_on OR NEW.storage IS DISTINCT FROM OLD.storage OR NEW.note IS DISTINCT FROM OLD.note OR NEW.created_by IS DISTINCT FROM OLD.created_by OR NEW.created_at IS DISTINCT FROM OLD.created_at OR OLD.withdrawn_by IS NOT NULL THEN
        RAISE EXCEPTION 'a reference standard stays as it was registered' USING ERRCODE = 'integrity_constraint_violation';
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
        RAISE EXCEPTION 'the import of a reading was not checked' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION result_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.test_task_id IS DISTINCT FROM OLD.test_task_id OR NEW.version IS DISTINCT FROM OLD.version OR NEW.calculated IS DISTINCT FROM OLD.calculated OR NEW.reported IS DISTINCT FROM OLD.reported OR NEW.unit IS DISTINCT FROM OLD.unit OR NEW.limit_text IS DISTINCT FROM OLD.limit_text OR NEW.compare_by IS DISTINCT FROM OLD.compare_by OR NEW.verdict IS DISTINCT FROM OLD.verdict OR NEW.steps IS DISTINCT FROM OLD.steps OR NEW.reagents IS DISTINCT FROM OLD.reagents OR NEW.note IS DISTINCT FROM OLD.note OR NEW.analyst_id IS DISTINCT FROM OLD.analyst_id OR NEW.entered_at IS DISTINCT FROM OLD.entered_at OR OLD.reviewer_id IS NOT NULL THEN
        RAISE EXCEPTION 'a result is not changed: enter a new version' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION result_reviewed_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reviewer_id IS NOT NULL AND (NEW.reviewer_id = OLD.analyst_id OR NEW.reviewer_id IN (SELECT entered_by FROM reading WHERE test_task_id = OLD.test_task_id)) THEN
        RAISE EXCEPTION 'a result is reviewed by somebody else' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION result_unreviewed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reviewer_id IS NOT NULL THEN
        RAISE EXCEPTION 'a result enters without a review' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION sample_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number IS DISTINCT FROM OLD.number OR NEW.application_id IS DISTINCT FROM OLD.application_id OR NEW.batch_id IS DISTINCT FROM OLD.batch_id OR NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.received_by IS DISTINCT FROM OLD.received_by OR NEW.temperature IS DISTINCT FROM OLD.temperature OR NEW.seals_intact IS DISTINCT FROM OLD.seals_intact OR NEW.packages IS DISTINCT FROM OLD.packages OR NEW.packages_intact IS DISTINCT FROM OLD.packages_intact OR NEW.label_matches IS DISTINCT FROM OLD.label_matches OR NEW.condition_note IS DISTINCT FROM OLD.condition_note OR NEW.full_test_containers IS DISTINCT FROM OLD.full_test_containers OR NEW.required_containers IS DISTINCT FROM OLD.required_containers OR OLD.state <> 'received' THEN
        RAISE EXCEPTION 'a sample keeps its number and what was seen on receipt' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION specification_locked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> 'draft' AND (NEW.product_id IS DISTINCT FROM OLD.product_id OR NEW.version IS DISTINCT FROM OLD.version OR NEW.title IS DISTINCT FROM OLD.title OR NEW.edition IS DISTINCT FROM OLD.edition OR NEW.effective_from IS DISTINCT FROM OLD.effective_from OR NEW.status = 'draft') THEN
        RAISE EXCEPTION 'an effective specification is locked' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION test_item_locked_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT status FROM specification WHERE id = OLD.specification_id) <> 'draft' THEN
        RAISE EXCEPTION 'an effective specification is locked' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE OR REPLACE FUNCTION test_item_locked_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT status FROM specification WHERE id = NEW.specification_id) <> 'draft' THEN
        RAISE EXCEPTION 'an effective specification is locked' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION test_item_locked_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT status FROM specification WHERE id = NEW.specification_id) <> 'draft' THEN
        RAISE EXCEPTION 'an effective specification is locked' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION test_task_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sample_id IS DISTINCT FROM OLD.sample_id OR NEW.test_item_id IS DISTINCT FROM OLD.test_item_id OR NEW.attempt IS DISTINCT FROM OLD.attempt OR NEW.available_at IS DISTINCT FROM OLD.available_at OR (OLD.started_at IS NOT NULL AND NEW.started_at IS DISTINCT FROM OLD.started_at) THEN
        RAISE EXCEPTION 'a task keeps its sample, its item and its start' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
