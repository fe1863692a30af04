-- Reference standards, evaluations of sequences and plates, and the readings that rest on them.

CREATE TABLE reference_standard (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    name TEXT NOT NULL,
    batch TEXT NOT NULL,
    source TEXT NOT NULL,
    purity TEXT NOT NULL CHECK ((purity GLOB '*[0-9]*' AND purity NOT GLOB '*[^0-9.-]*')),
    basis TEXT NOT NULL,
    water TEXT CHECK (water IS NULL OR (water GLOB '*[0-9]*' AND water NOT GLOB '*[^0-9.-]*')),
    expires_on TEXT NOT NULL CHECK (date(expires_on) IS expires_on),
    storage TEXT NOT NULL,
    note TEXT NOT NULL,
    created_by TEXT NOT NULL REFERENCES account (id),
    created_at TEXT NOT NULL CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    withdrawn_by TEXT REFERENCES account (id),
    withdrawn_at TEXT CHECK (withdrawn_at IS NULL OR withdrawn_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    withdrawn_reason TEXT,
    UNIQUE (institute_id, name, batch),
    CHECK (basis IN ('as_is','dried','anhydrous')),
    CHECK ((withdrawn_by IS NULL) = (withdrawn_at IS NULL)),
    CHECK ((withdrawn_by IS NULL) = (withdrawn_reason IS NULL))
) STRICT;

CREATE TABLE evaluation (
    id TEXT NOT NULL PRIMARY KEY,
    root_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    method_id TEXT NOT NULL,
    method_version TEXT NOT NULL,
    method TEXT NOT NULL CHECK (json_valid(method)),
    calculation_version TEXT NOT NULL,
    setup TEXT NOT NULL CHECK (json_valid(setup)),
    standards TEXT NOT NULL CHECK (json_valid(standards)),
    outcome TEXT NOT NULL CHECK (json_valid(outcome)),
    verdict TEXT NOT NULL,
    reason TEXT,
    created_by TEXT NOT NULL REFERENCES account (id),
    created_at TEXT NOT NULL CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    UNIQUE (root_id, version),
    CHECK (version >= 1),
    CHECK (version = 1 OR reason IS NOT NULL),
    CHECK (kind IN ('sequence','plate','combination')),
    CHECK (verdict IN ('valid','invalid'))
) STRICT;

CREATE TABLE evaluation_file (
    evaluation_id TEXT NOT NULL REFERENCES evaluation (id),
    instrument_file_id TEXT NOT NULL REFERENCES instrument_file (id),
    position INTEGER NOT NULL,
    PRIMARY KEY (evaluation_id, instrument_file_id)
) STRICT;

CREATE TABLE evaluation_standard (
    evaluation_id TEXT NOT NULL REFERENCES evaluation (id),
    reference_standard_id TEXT NOT NULL REFERENCES reference_standard (id),
    PRIMARY KEY (evaluation_id, reference_standard_id)
) STRICT;

CREATE TABLE evaluation_result (
    id TEXT NOT NULL PRIMARY KEY,
    evaluation_id TEXT NOT NULL REFERENCES evaluation (id),
    position INTEGER NOT NULL,
    sample_id TEXT REFERENCES sample (id),
    label TEXT NOT NULL,
    analyte TEXT NOT NULL,
    quantity TEXT NOT NULL,
    part TEXT NOT NULL,
    raw TEXT NOT NULL,
    value TEXT CHECK (value IS NULL OR (value GLOB '*[0-9]*' AND value NOT GLOB '*[^0-9.-]*')),
    unit TEXT NOT NULL,
    steps TEXT NOT NULL CHECK (json_valid(steps)),
    UNIQUE (evaluation_id, position),
    CHECK (part IN ('mean','replicate'))
) STRICT;
CREATE INDEX evaluation_institute_id_created_at ON evaluation (institute_id, created_at);
CREATE INDEX evaluation_file_instrument_file_id ON evaluation_file (instrument_file_id);
CREATE INDEX evaluation_result_sample_id ON evaluation_result (sample_id);

ALTER TABLE reading ADD COLUMN evaluation_result_id TEXT REFERENCES evaluation_result (id);

CREATE TRIGGER evaluation_no_update BEFORE UPDATE ON evaluation
BEGIN SELECT RAISE(ABORT, 'evaluation is append-only'); END;
CREATE TRIGGER evaluation_no_delete BEFORE DELETE ON evaluation
BEGIN SELECT RAISE(ABORT, 'evaluation is append-only'); END;
CREATE TRIGGER evaluation_file_no_update BEFORE UPDATE ON evaluation_file
BEGIN SELECT RAISE(ABORT, 'evaluation_file is append-only'); END;
CREATE TRIGGER evaluation_file_no_delete BEFORE DELETE ON evaluation_file
BEGIN SELECT RAISE(ABORT, 'evaluation_file is append-only'); END;
CREATE TRIGGER evaluation_standard_no_update BEFORE UPDATE ON evaluation_standard
BEGIN SELECT RAISE(ABORT, 'evaluation_standard is append-only'); END;
CREATE TRIGGER evaluation_standard_no_delete BEFORE DELETE ON evaluation_standard
BEGIN SELECT RAISE(ABORT, 'evaluation_standard is append-only'); END;
CREATE TRIGGER evaluation_result_no_update BEFORE UPDATE ON evaluation_result
BEGIN SELECT RAISE(ABORT, 'evaluation_result is append-only'); END;
CREATE TRIGGER evaluation_result_no_delete BEFORE DELETE ON evaluation_result
BEGIN SELECT RAISE(ABORT, 'evaluation_result is append-only'); END;
CREATE TRIGGER reference_standard_no_delete BEFORE DELETE ON reference_standard
BEGIN SELECT RAISE(ABORT, 'reference_standard is never deleted'); END;

CREATE TRIGGER reference_standard_identity BEFORE UPDATE ON reference_standard
WHEN NEW.id IS NOT OLD.id OR NEW.institute_id IS NOT OLD.institute_id OR NEW.name IS NOT OLD.name OR NEW.batch IS NOT OLD.batch OR NEW.source IS NOT OLD.source OR NEW.purity IS NOT OLD.purity OR NEW.basis IS NOT OLD.basis OR NEW.water IS NOT OLD.water OR NEW.expires_on IS NOT OLD.expires_on OR NEW.storage IS NOT OLD.storage OR NEW.note IS NOT OLD.note OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at IS NOT OLD.created_at OR OLD.withdrawn_by IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a reference standard stays as it was registered'); END;

CREATE TRIGGER evaluation_versions BEFORE INSERT ON evaluation
WHEN NEW.version <> 1 + (SELECT COALESCE(MAX(version), 0) FROM evaluation WHERE root_id = NEW.root_id) OR (NEW.version = 1 AND NEW.root_id <> NEW.id)
BEGIN SELECT RAISE(ABORT, 'an evaluation keeps its series of versions'); END;

CREATE TRIGGER evaluation_result_valid BEFORE INSERT ON evaluation_result
WHEN (SELECT verdict FROM evaluation WHERE id = NEW.evaluation_id) <> 'valid'
BEGIN SELECT RAISE(ABORT, 'an evaluation keeps its verdict: an invalid one has no result'); END;

-- A reading rests on the newest version of a valid evaluation, of its own sample, and has its value.
CREATE TRIGGER reading_of_evaluation BEFORE INSERT ON reading
WHEN NEW.evaluation_result_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM evaluation_result r
    JOIN evaluation e ON e.id = r.evaluation_id
    JOIN test_task t ON t.id = NEW.test_task_id
    WHERE r.id = NEW.evaluation_result_id AND e.verdict = 'valid' AND r.sample_id = t.sample_id AND r.raw = NEW.raw
    AND NOT EXISTS (SELECT 1 FROM evaluation later WHERE later.root_id = e.root_id AND later.version > e.version))
BEGIN SELECT RAISE(ABORT, 'a reading keeps its evaluation: valid, the newest, of its sample, with its value'); END;
