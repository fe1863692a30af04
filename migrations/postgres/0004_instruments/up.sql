-- Instrument files (stored by content beside the database) and what was read from them.

CREATE TABLE instrument_file (
    id TEXT NOT NULL PRIMARY KEY,
    sha256 TEXT NOT NULL,
    name TEXT NOT NULL,
    size BIGINT NOT NULL,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    adapter TEXT,
    adapter_version TEXT,
    complete BOOLEAN,
    run TEXT NOT NULL CHECK (run::json IS NOT NULL),
    problems TEXT NOT NULL CHECK (problems::json IS NOT NULL),
    state TEXT NOT NULL,
    state_reason TEXT,
    uploaded_by TEXT NOT NULL REFERENCES account (id),
    uploaded_at instant NOT NULL,
    decided_by TEXT REFERENCES account (id),
    decided_at instant,
    UNIQUE (institute_id, sha256),
    CHECK (state IN ('staged','unread','accepted','rejected')),
    CHECK (state IN ('staged','unread') OR (decided_by IS NOT NULL AND decided_at IS NOT NULL))
);

CREATE TABLE observation (
    id TEXT NOT NULL PRIMARY KEY,
    instrument_file_id TEXT NOT NULL REFERENCES instrument_file (id),
    position BIGINT NOT NULL,
    sample_text TEXT,
    analyte TEXT,
    quantity TEXT NOT NULL,
    raw TEXT NOT NULL,
    value TEXT,
    unit TEXT,
    status TEXT NOT NULL,
    flags TEXT NOT NULL CHECK (flags::json IS NOT NULL),
    locator TEXT NOT NULL CHECK (locator::json IS NOT NULL),
    injection TEXT,
    acquired_at TEXT,
    bound TEXT,
    context TEXT NOT NULL CHECK (context::json IS NOT NULL),
    sample_id TEXT REFERENCES sample (id),
    UNIQUE (instrument_file_id, position)
);
CREATE INDEX observation_sample_id ON observation (sample_id);

CREATE TRIGGER instrument_file_no_delete BEFORE DELETE OR TRUNCATE ON instrument_file
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER observation_no_delete BEFORE DELETE OR TRUNCATE ON observation
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION instrument_file_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.name IS DISTINCT FROM OLD.name OR NEW.size IS DISTINCT FROM OLD.size OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.adapter IS DISTINCT FROM OLD.adapter OR NEW.adapter_version IS DISTINCT FROM OLD.adapter_version OR NEW.complete IS DISTINCT FROM OLD.complete OR NEW.run IS DISTINCT FROM OLD.run OR NEW.problems IS DISTINCT FROM OLD.problems OR NEW.uploaded_by IS DISTINCT FROM OLD.uploaded_by OR NEW.uploaded_at IS DISTINCT FROM OLD.uploaded_at OR OLD.state NOT IN ('staged','unread') THEN
        RAISE EXCEPTION 'an instrument file stays as it was read and decided' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER instrument_file_identity BEFORE UPDATE ON instrument_file FOR EACH ROW EXECUTE FUNCTION instrument_file_identity();

CREATE FUNCTION observation_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.instrument_file_id IS DISTINCT FROM OLD.instrument_file_id OR NEW.position IS DISTINCT FROM OLD.position OR NEW.sample_text IS DISTINCT FROM OLD.sample_text OR NEW.analyte IS DISTINCT FROM OLD.analyte OR NEW.quantity IS DISTINCT FROM OLD.quantity OR NEW.raw IS DISTINCT FROM OLD.raw OR NEW.value IS DISTINCT FROM OLD.value OR NEW.unit IS DISTINCT FROM OLD.unit OR NEW.status IS DISTINCT FROM OLD.status OR NEW.flags IS DISTINCT FROM OLD.flags OR NEW.locator IS DISTINCT FROM OLD.locator OR NEW.injection IS DISTINCT FROM OLD.injection OR NEW.acquired_at IS DISTINCT FROM OLD.acquired_at OR NEW.bound IS DISTINCT FROM OLD.bound OR NEW.context IS DISTINCT FROM OLD.context OR (SELECT state FROM instrument_file WHERE id = NEW.instrument_file_id) <> 'staged' THEN
        RAISE EXCEPTION 'an observation stays as it was read' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER observation_identity BEFORE UPDATE ON observation FOR EACH ROW EXECUTE FUNCTION observation_identity();
