-- Reference standards, evaluations of sequences and plates, and the readings that rest on them.

CREATE TABLE reference_standard (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    name TEXT NOT NULL,
    batch TEXT NOT NULL,
    source TEXT NOT NULL,
    purity decimal_text NOT NULL,
    basis TEXT NOT NULL,
    water decimal_text,
    expires_on day NOT NULL,
    storage TEXT NOT NULL,
    note TEXT NOT NULL,
    created_by TEXT NOT NULL REFERENCES account (id),
    created_at instant NOT NULL,
    withdrawn_by TEXT REFERENCES account (id),
    withdrawn_at instant,
    withdrawn_reason TEXT,
    UNIQUE (institute_id, name, batch),
    CHECK (basis IN ('as_is','dried','anhydrous')),
    CHECK ((withdrawn_by IS NULL) = (withdrawn_at IS NULL)),
    CHECK ((withdrawn_by IS NULL) = (withdrawn_reason IS NULL))
);

CREATE TABLE evaluation (
    id TEXT NOT NULL PRIMARY KEY,
    root_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    method_id TEXT NOT NULL,
    method_version TEXT NOT NULL,
    method TEXT NOT NULL CHECK (method::json IS NOT NULL),
    calculation_version TEXT NOT NULL,
    setup TEXT NOT NULL CHECK (setup::json IS NOT NULL),
    standards TEXT NOT NULL CHECK (standards::json IS NOT NULL),
    outcome TEXT NOT NULL CHECK (outcome::json IS NOT NULL),
    verdict TEXT NOT NULL,
    reason TEXT,
    created_by TEXT NOT NULL REFERENCES account (id),
    created_at instant NOT NULL,
    UNIQUE (root_id, version),
    CHECK (version >= 1),
    CHECK (version = 1 OR reason IS NOT NULL),
    CHECK (kind IN ('sequence','plate','combination')),
    CHECK (verdict IN ('valid','invalid'))
);

CREATE TABLE evaluation_file (
    evaluation_id TEXT NOT NULL REFERENCES evaluation (id),
    instrument_file_id TEXT NOT NULL REFERENCES instrument_file (id),
    position BIGINT NOT NULL,
    PRIMARY KEY (evaluation_id, instrument_file_id)
);

CREATE TABLE evaluation_standard (
    evaluation_id TEXT NOT NULL REFERENCES evaluation (id),
    reference_standard_id TEXT NOT NULL REFERENCES reference_standard (id),
    PRIMARY KEY (evaluation_id, reference_standard_id)
);

CREATE TABLE evaluation_result (
    id TEXT NOT NULL PRIMARY KEY,
    evaluation_id TEXT NOT NULL REFERENCES evaluation (id),
    position BIGINT NOT NULL,
    sample_id TEXT REFERENCES sample (id),
    label TEXT NOT NULL,
    analyte TEXT NOT NULL,
    quantity TEXT NOT NULL,
    part TEXT NOT NULL,
    raw TEXT NOT NULL,
    value decimal_text,
    unit TEXT NOT NULL,
    steps TEXT NOT NULL CHECK (steps::json IS NOT NULL),
    UNIQUE (evaluation_id, position),
    CHECK (part IN ('mean','replicate'))
);
CREATE INDEX evaluation_institute_id_created_at ON evaluation (institute_id, created_at);
CREATE INDEX evaluation_file_instrument_file_id ON evaluation_file (instrument_file_id);
CREATE INDEX evaluation_result_sample_id ON evaluation_result (sample_id);

ALTER TABLE reading ADD COLUMN evaluation_result_id TEXT REFERENCES evaluation_result (id);

CREATE TRIGGER evaluation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON evaluation
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evaluation_file_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON evaluation_file
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evaluation_standard_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON evaluation_standard
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evaluation_result_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON evaluation_result
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER reference_standard_no_delete BEFORE DELETE OR TRUNCATE ON reference_standard
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION reference_standard_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.name IS DISTINCT FROM OLD.name OR NEW.batch IS DISTINCT FROM OLD.batch OR NEW.source IS DISTINCT FROM OLD.source OR NEW.purity IS DISTINCT FROM OLD.purity OR NEW.basis IS DISTINCT FROM OLD.basis OR NEW.water IS DISTINCT FROM OLD.water OR NEW.expires_on IS DISTINCT FROM OLD.expires_on OR NEW.storage IS DISTINCT FROM OLD.storage OR NEW.note IS DISTINCT FROM OLD.note OR NEW.created_by IS DISTINCT FROM OLD.created_by OR NEW.created_at IS DISTINCT FROM OLD.created_at OR OLD.withdrawn_by IS NOT NULL THEN
        RAISE EXCEPTION 'a reference standard stays as it was registered' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reference_standard_identity BEFORE UPDATE ON reference_standard FOR EACH ROW EXECUTE FUNCTION reference_standard_identity();

CREATE FUNCTION evaluation_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version <> 1 + (SELECT COALESCE(MAX(version), 0) FROM evaluation WHERE root_id = NEW.root_id) OR (NEW.version = 1 AND NEW.root_id <> NEW.id) THEN
        RAISE EXCEPTION 'an evaluation keeps its series of versions' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER evaluation_versions BEFORE INSERT ON evaluation FOR EACH ROW EXECUTE FUNCTION evaluation_versions();

CREATE FUNCTION evaluation_result_valid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT verdict FROM evaluation WHERE id = NEW.evaluation_id) <> 'valid' THEN
        RAISE EXCEPTION 'an evaluation keeps its verdict: an invalid one has no result' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER evaluation_result_valid BEFORE INSERT ON evaluation_result FOR EACH ROW EXECUTE FUNCTION evaluation_result_valid();

-- A reading rests on the newest version of a valid evaluation, of its own sample, and has its value.
CREATE FUNCTION reading_of_evaluation() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER reading_of_evaluation BEFORE INSERT ON reading FOR EACH ROW EXECUTE FUNCTION reading_of_evaluation();
