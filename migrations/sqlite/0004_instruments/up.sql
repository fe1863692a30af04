-- Instrument files (stored by content beside the database) and what was read from them.

CREATE TABLE instrument_file (
    id TEXT NOT NULL PRIMARY KEY,
    sha256 TEXT NOT NULL,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    adapter TEXT,
    adapter_version TEXT,
    complete INTEGER CHECK (complete IS NULL OR complete IN (0, 1)),
    run TEXT NOT NULL CHECK (json_valid(run)),
    problems TEXT NOT NULL CHECK (json_valid(problems)),
    state TEXT NOT NULL,
    state_reason TEXT,
    uploaded_by TEXT NOT NULL REFERENCES account (id),
    uploaded_at TEXT NOT NULL CHECK (uploaded_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    decided_by TEXT REFERENCES account (id),
    decided_at TEXT CHECK (decided_at IS NULL OR decided_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    UNIQUE (institute_id, sha256),
    CHECK (state IN ('staged','unread','accepted','rejected')),
    CHECK (state IN ('staged','unread') OR (decided_by IS NOT NULL AND decided_at IS NOT NULL))
) STRICT;

CREATE TABLE observation (
    id TEXT NOT NULL PRIMARY KEY,
    instrument_file_id TEXT NOT NULL REFERENCES instrument_file (id),
    position INTEGER NOT NULL,
    sample_text TEXT,
    analyte TEXT,
    quantity TEXT NOT NULL,
    raw TEXT NOT NULL,
    value TEXT,
    unit TEXT,
    status TEXT NOT NULL,
    flags TEXT NOT NULL CHECK (json_valid(flags)),
    locator TEXT NOT NULL CHECK (json_valid(locator)),
    injection TEXT,
    acquired_at TEXT,
    bound TEXT,
    context TEXT NOT NULL CHECK (json_valid(context)),
    sample_id TEXT REFERENCES sample (id),
    UNIQUE (instrument_file_id, position)
) STRICT;
CREATE INDEX observation_sample_id ON observation (sample_id);

CREATE TRIGGER instrument_file_no_delete BEFORE DELETE ON instrument_file
BEGIN SELECT RAISE(ABORT, 'instrument_file is never deleted'); END;

CREATE TRIGGER observation_no_delete BEFORE DELETE ON observation
BEGIN SELECT RAISE(ABORT, 'observation is never deleted'); END;

CREATE TRIGGER instrument_file_identity BEFORE UPDATE ON instrument_file
WHEN NEW.sha256 IS NOT OLD.sha256 OR NEW.name IS NOT OLD.name OR NEW.size IS NOT OLD.size OR NEW.institute_id IS NOT OLD.institute_id OR NEW.adapter IS NOT OLD.adapter OR NEW.adapter_version IS NOT OLD.adapter_version OR NEW.complete IS NOT OLD.complete OR NEW.run IS NOT OLD.run OR NEW.problems IS NOT OLD.problems OR NEW.uploaded_by IS NOT OLD.uploaded_by OR NEW.uploaded_at IS NOT OLD.uploaded_at OR OLD.state NOT IN ('staged','unread')
BEGIN SELECT RAISE(ABORT, 'an instrument file stays as it was read and decided'); END;

CREATE TRIGGER observation_identity BEFORE UPDATE ON observation
WHEN NEW.instrument_file_id IS NOT OLD.instrument_file_id OR NEW.position IS NOT OLD.position OR NEW.sample_text IS NOT OLD.sample_text OR NEW.analyte IS NOT OLD.analyte OR NEW.quantity IS NOT OLD.quantity OR NEW.raw IS NOT OLD.raw OR NEW.value IS NOT OLD.value OR NEW.unit IS NOT OLD.unit OR NEW.status IS NOT OLD.status OR NEW.flags IS NOT OLD.flags OR NEW.locator IS NOT OLD.locator OR NEW.injection IS NOT OLD.injection OR NEW.acquired_at IS NOT OLD.acquired_at OR NEW.bound IS NOT OLD.bound OR NEW.context IS NOT OLD.context OR (SELECT state FROM instrument_file WHERE id = NEW.instrument_file_id) <> 'staged'
BEGIN SELECT RAISE(ABORT, 'an observation stays as it was read'); END;
