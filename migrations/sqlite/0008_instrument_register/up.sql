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
    matching TEXT NOT NULL CHECK (json_valid(matching)),
    folder TEXT,
    folder_pattern TEXT NOT NULL,
    listener_kind TEXT,
    listener_port INTEGER,
    listener_idle_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    state_reason TEXT,
    created_by TEXT NOT NULL REFERENCES account (id),
    created_at TEXT NOT NULL CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    changed_by TEXT REFERENCES account (id),
    changed_at TEXT CHECK (changed_at IS NULL OR changed_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    UNIQUE (institute_id, code),
    CHECK (state IN ('active','retired')),
    CHECK (state = 'active' OR state_reason IS NOT NULL),
    CHECK (date_order IS NULL OR date_order IN ('dmy','mdy')),
    CHECK (listener_kind IS NULL OR listener_kind IN ('lis2','mllp','lines')),
    CHECK ((listener_kind IS NULL) = (listener_port IS NULL)),
    CHECK (listener_port IS NULL OR (listener_port >= 1 AND listener_port <= 65535)),
    CHECK (listener_idle_ms >= 50)
) STRICT;

CREATE TABLE calibration (
    id TEXT NOT NULL PRIMARY KEY,
    instrument_id TEXT NOT NULL REFERENCES instrument (id),
    performed_on TEXT NOT NULL CHECK (date(performed_on) IS performed_on),
    due_on TEXT CHECK (due_on IS NULL OR date(due_on) IS due_on),
    result TEXT NOT NULL,
    certificate_number TEXT NOT NULL,
    performed_by TEXT NOT NULL,
    note TEXT NOT NULL,
    recorded_by TEXT NOT NULL REFERENCES account (id),
    recorded_at TEXT NOT NULL CHECK (recorded_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CHECK (result IN ('pass','fail')),
    CHECK (due_on IS NULL OR due_on >= performed_on)
) STRICT;

CREATE TABLE instrument_way (
    instrument_id TEXT NOT NULL REFERENCES instrument (id),
    kind TEXT NOT NULL,
    reached_at TEXT CHECK (reached_at IS NULL OR reached_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    failing_since TEXT CHECK (failing_since IS NULL OR failing_since GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    error TEXT,
    PRIMARY KEY (instrument_id, kind),
    CHECK (kind IN ('folder','listener')),
    CHECK ((failing_since IS NULL) = (error IS NULL))
) STRICT;

CREATE TABLE instrument_folder_entry (
    instrument_id TEXT NOT NULL REFERENCES instrument (id),
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    sha256 TEXT,
    state TEXT NOT NULL,
    instrument_file_id TEXT REFERENCES instrument_file (id),
    tries INTEGER NOT NULL,
    seen_at TEXT NOT NULL CHECK (seen_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    PRIMARY KEY (instrument_id, path),
    CHECK (state IN ('taken','refused','again')),
    CHECK (tries >= 1)
) STRICT;

CREATE TABLE companion_file (
    instrument_file_id TEXT NOT NULL REFERENCES instrument_file (id),
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (instrument_file_id, name)
) STRICT;

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
    size INTEGER,
    tries INTEGER NOT NULL,
    first_at TEXT NOT NULL CHECK (first_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    last_at TEXT NOT NULL CHECK (last_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    state TEXT NOT NULL,
    state_reason TEXT,
    decided_by TEXT REFERENCES account (id),
    decided_at TEXT CHECK (decided_at IS NULL OR decided_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    instrument_file_id TEXT REFERENCES instrument_file (id),
    CHECK (state IN ('open','resolved','dismissed')),
    CHECK (state <> 'dismissed' OR (state_reason IS NOT NULL AND decided_by IS NOT NULL)),
    CHECK (tries >= 1)
) STRICT;

CREATE TABLE run_list (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    instrument_id TEXT REFERENCES instrument (id),
    instrument_file_id TEXT REFERENCES instrument_file (id),
    file_pattern TEXT,
    created_by TEXT NOT NULL REFERENCES account (id),
    created_at TEXT NOT NULL CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    withdrawn_at TEXT CHECK (withdrawn_at IS NULL OR withdrawn_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CHECK ((instrument_file_id IS NOT NULL) <> (instrument_id IS NOT NULL AND file_pattern IS NOT NULL))
) STRICT;

CREATE TABLE run_list_row (
    run_list_id TEXT NOT NULL REFERENCES run_list (id),
    position INTEGER NOT NULL,
    place TEXT NOT NULL,
    sample_id TEXT NOT NULL REFERENCES sample (id),
    PRIMARY KEY (run_list_id, position),
    UNIQUE (run_list_id, place)
) STRICT;

CREATE INDEX calibration_instrument_id ON calibration (instrument_id, performed_on);
CREATE UNIQUE INDEX instrument_listener_port ON instrument (listener_port) WHERE state = 'active' AND listener_port IS NOT NULL;
CREATE INDEX instrument_folder_entry_state ON instrument_folder_entry (instrument_id, state);
CREATE INDEX dead_letter_institute_id_state ON dead_letter (institute_id, state, last_at);
CREATE INDEX run_list_instrument_id ON run_list (instrument_id);
CREATE INDEX run_list_instrument_file_id ON run_list (instrument_file_id);

ALTER TABLE instrument_file ADD COLUMN instrument_id TEXT REFERENCES instrument (id);
ALTER TABLE instrument_file ADD COLUMN source TEXT NOT NULL DEFAULT 'upload';
ALTER TABLE instrument_file ADD COLUMN path TEXT;
ALTER TABLE instrument_file ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE instrument_file ADD COLUMN supersedes TEXT REFERENCES instrument_file (id);
CREATE UNIQUE INDEX instrument_file_supersedes ON instrument_file (supersedes) WHERE supersedes IS NOT NULL;
CREATE INDEX instrument_file_series ON instrument_file (institute_id, name);
CREATE INDEX instrument_file_instrument_id ON instrument_file (instrument_id, uploaded_at);
CREATE INDEX instrument_file_state ON instrument_file (institute_id, state, uploaded_at);

CREATE TRIGGER calibration_no_update BEFORE UPDATE ON calibration
BEGIN SELECT RAISE(ABORT, 'calibration is append-only'); END;
CREATE TRIGGER calibration_no_delete BEFORE DELETE ON calibration
BEGIN SELECT RAISE(ABORT, 'calibration is append-only'); END;

CREATE TRIGGER companion_file_no_update BEFORE UPDATE ON companion_file
BEGIN SELECT RAISE(ABORT, 'companion_file is append-only'); END;
CREATE TRIGGER companion_file_no_delete BEFORE DELETE ON companion_file
BEGIN SELECT RAISE(ABORT, 'companion_file is append-only'); END;

CREATE TRIGGER run_list_row_no_update BEFORE UPDATE ON run_list_row
BEGIN SELECT RAISE(ABORT, 'run_list_row is append-only'); END;
CREATE TRIGGER run_list_row_no_delete BEFORE DELETE ON run_list_row
BEGIN SELECT RAISE(ABORT, 'run_list_row is append-only'); END;

CREATE TRIGGER instrument_no_delete BEFORE DELETE ON instrument
BEGIN SELECT RAISE(ABORT, 'instrument is never deleted'); END;

CREATE TRIGGER dead_letter_no_delete BEFORE DELETE ON dead_letter
BEGIN SELECT RAISE(ABORT, 'dead_letter is never deleted'); END;

CREATE TRIGGER run_list_no_delete BEFORE DELETE ON run_list
BEGIN SELECT RAISE(ABORT, 'run_list is never deleted'); END;

-- A file that nobody could read may be read later, once; apart from that it stays as it was read and decided.
DROP TRIGGER instrument_file_identity;
CREATE TRIGGER instrument_file_identity BEFORE UPDATE ON instrument_file
WHEN NEW.sha256 IS NOT OLD.sha256 OR NEW.name IS NOT OLD.name OR NEW.size IS NOT OLD.size OR NEW.institute_id IS NOT OLD.institute_id OR NEW.uploaded_by IS NOT OLD.uploaded_by OR NEW.uploaded_at IS NOT OLD.uploaded_at OR NEW.instrument_id IS NOT OLD.instrument_id OR NEW.source IS NOT OLD.source OR NEW.path IS NOT OLD.path OR NEW.version IS NOT OLD.version OR NEW.supersedes IS NOT OLD.supersedes OR OLD.state NOT IN ('staged','unread') OR (NOT (OLD.state = 'unread' AND NEW.state = 'staged') AND (NEW.adapter IS NOT OLD.adapter OR NEW.adapter_version IS NOT OLD.adapter_version OR NEW.complete IS NOT OLD.complete OR NEW.run IS NOT OLD.run OR NEW.problems IS NOT OLD.problems))
BEGIN SELECT RAISE(ABORT, 'an instrument file stays as it was read and decided'); END;

-- Files that no adapter read before this version are dead letters too.
INSERT INTO dead_letter (id, institute_id, source, name, code, reason, sha256, size, tries, first_at, last_at, state, instrument_file_id)
SELECT id, institute_id, 'upload', name, 'not_recognised', '没有适配器能识别该文件 / no adapter recognises the file', sha256, size, 1, uploaded_at, uploaded_at, 'open', id
FROM instrument_file WHERE state = 'unread';
