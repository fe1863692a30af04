-- The register of instruments, their calibrations, the ways by which files come in, and what could not be taken in.

CREATE TABLE instrument (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    account_id TEXT NOT NULL REFERENCES account (id),
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    vendor TEXT NOT NULL,
    model TEXT NOT NULL,
    serial TEXT NOT NULL,
    adapter TEXT,
    date_order TEXT,
    zone TEXT,
    matching TEXT NOT NULL CHECK (matching::json IS NOT NULL),
    folder TEXT,
    folder_pattern TEXT NOT NULL,
    listener_kind TEXT,
    listener_port BIGINT,
    listener_idle_ms BIGINT NOT NULL,
    state TEXT NOT NULL,
    state_reason TEXT,
    created_by TEXT NOT NULL REFERENCES account (id),
    created_at instant NOT NULL,
    changed_by TEXT REFERENCES account (id),
    changed_at instant,
    UNIQUE (institute_id, code),
    CHECK (state IN ('active','retired')),
    CHECK (state = 'active' OR state_reason IS NOT NULL),
    CHECK (date_order IS NULL OR date_order IN ('dmy','mdy')),
    CHECK (listener_kind IS NULL OR listener_kind IN ('lis2','mllp','lines')),
    CHECK ((listener_kind IS NULL) = (listener_port IS NULL)),
    CHECK (listener_port IS NULL OR (listener_port >= 1 AND listener_port <= 65535)),
    CHECK (listener_idle_ms >= 50)
);

CREATE TABLE calibration (
    id TEXT NOT NULL PRIMARY KEY,
    instrument_id TEXT NOT NULL REFERENCES instrument (id),
    performed_on day NOT NULL,
    due_on day,
    result TEXT NOT NULL,
    certificate_number TEXT NOT NULL,
    performed_by TEXT NOT NULL,
    note TEXT NOT NULL,
    recorded_by TEXT NOT NULL REFERENCES account (id),
    recorded_at instant NOT NULL,
    CHECK (result IN ('pass','fail')),
    CHECK (due_on IS NULL OR due_on >= performed_on)
);

CREATE TABLE instrument_way (
    instrument_id TEXT NOT NULL REFERENCES instrument (id),
    kind TEXT NOT NULL,
    reached_at instant,
    failing_since instant,
    error TEXT,
    PRIMARY KEY (instrument_id, kind),
    CHECK (kind IN ('folder','listener')),
    CHECK ((failing_since IS NULL) = (error IS NULL))
);

CREATE TABLE instrument_folder_entry (
    instrument_id TEXT NOT NULL REFERENCES instrument (id),
    path TEXT NOT NULL,
    size BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    sha256 TEXT,
    state TEXT NOT NULL,
    instrument_file_id TEXT REFERENCES instrument_file (id),
    tries BIGINT NOT NULL,
    seen_at instant NOT NULL,
    PRIMARY KEY (instrument_id, path),
    CHECK (state IN ('taken','refused','again')),
    CHECK (tries >= 1)
);

CREATE TABLE companion_file (
    instrument_file_id TEXT NOT NULL REFERENCES instrument_file (id),
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size BIGINT NOT NULL,
    PRIMARY KEY (instrument_file_id, name)
);

CREATE TABLE dead_letter (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    instrument_id TEXT REFERENCES instrument (id),
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    path TEXT,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    sha256 TEXT,
    size BIGINT,
    tries BIGINT NOT NULL,
    first_at instant NOT NULL,
    last_at instant NOT NULL,
    state TEXT NOT NULL,
    state_reason TEXT,
    decided_by TEXT REFERENCES account (id),
    decided_at instant,
    instrument_file_id TEXT REFERENCES instrument_file (id),
    CHECK (state IN ('open','resolved','dismissed')),
    CHECK (state <> 'dismissed' OR (state_reason IS NOT NULL AND decided_by IS NOT NULL)),
    CHECK (tries >= 1)
);

CREATE TABLE run_list (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    instrument_id TEXT REFERENCES instrument (id),
    instrument_file_id TEXT REFERENCES instrument_file (id),
    file_pattern TEXT,
    created_by TEXT NOT NULL REFERENCES account (id),
    created_at instant NOT NULL,
    withdrawn_at instant,
    CHECK ((instrument_file_id IS NOT NULL) <> (instrument_id IS NOT NULL AND file_pattern IS NOT NULL))
);

CREATE TABLE run_list_row (
    run_list_id TEXT NOT NULL REFERENCES run_list (id),
    position BIGINT NOT NULL,
    place TEXT NOT NULL,
    sample_id TEXT NOT NULL REFERENCES sample (id),
    PRIMARY KEY (run_list_id, position),
    UNIQUE (run_list_id, place)
);

CREATE INDEX calibration_instrument_id ON calibration (instrument_id, performed_on);
CREATE UNIQUE INDEX instrument_listener_port ON instrument (listener_port) WHERE state = 'active' AND listener_port IS NOT NULL;
CREATE INDEX instrument_folder_entry_state ON instrument_folder_entry (instrument_id, state);
CREATE INDEX dead_letter_institute_id_state ON dead_letter (institute_id, state, last_at);
CREATE INDEX run_list_instrument_id ON run_list (instrument_id);
CREATE INDEX run_list_instrument_file_id ON run_list (instrument_file_id);

ALTER TABLE instrument_file ADD COLUMN instrument_id TEXT REFERENCES instrument (id);
ALTER TABLE instrument_file ADD COLUMN source TEXT NOT NULL DEFAULT 'upload';
ALTER TABLE instrument_file ADD COLUMN path TEXT;
ALTER TABLE instrument_file ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE instrument_file ADD COLUMN supersedes TEXT REFERENCES instrument_file (id);
CREATE UNIQUE INDEX instrument_file_supersedes ON instrument_file (supersedes) WHERE supersedes IS NOT NULL;
CREATE INDEX instrument_file_series ON instrument_file (institute_id, name);
CREATE INDEX instrument_file_instrument_id ON instrument_file (instrument_id, uploaded_at);
CREATE INDEX instrument_file_state ON instrument_file (institute_id, state, uploaded_at);

CREATE TRIGGER calibration_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON calibration
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER companion_file_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON companion_file
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER run_list_row_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON run_list_row
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER instrument_no_delete BEFORE DELETE OR TRUNCATE ON instrument
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER dead_letter_no_delete BEFORE DELETE OR TRUNCATE ON dead_letter
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER run_list_no_delete BEFORE DELETE OR TRUNCATE ON run_list
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A file that nobody could read may be read later, once; apart from that it stays as it was read and decided.
CREATE OR REPLACE FUNCTION instrument_file_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.name IS DISTINCT FROM OLD.name OR NEW.size IS DISTINCT FROM OLD.size OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.uploaded_by IS DISTINCT FROM OLD.uploaded_by OR NEW.uploaded_at IS DISTINCT FROM OLD.uploaded_at OR NEW.instrument_id IS DISTINCT FROM OLD.instrument_id OR NEW.source IS DISTINCT FROM OLD.source OR NEW.path IS DISTINCT FROM OLD.path OR NEW.version IS DISTINCT FROM OLD.version OR NEW.supersedes IS DISTINCT FROM OLD.supersedes OR OLD.state NOT IN ('staged','unread') OR (NOT (OLD.state = 'unread' AND NEW.state = 'staged') AND (NEW.adapter IS DISTINCT FROM OLD.adapter OR NEW.adapter_version IS DISTINCT FROM OLD.adapter_version OR NEW.complete IS DISTINCT FROM OLD.complete OR NEW.run IS DISTINCT FROM OLD.run OR NEW.problems IS DISTINCT FROM OLD.problems)) THEN
        RAISE EXCEPTION 'an instrument file stays as it was read and decided' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

-- Files that no adapter read before this version are dead letters too.
INSERT INTO dead_letter (id, institute_id, source, name, code, reason, sha256, size, tries, first_at, last_at, state, instrument_file_id)
SELECT id, institute_id, 'upload', name, 'not_recognised', '没有适配器能识别该文件 / no adapter recognises the file', sha256, size, 1, uploaded_at, uploaded_at, 'open', id
FROM instrument_file WHERE state = 'unread';
