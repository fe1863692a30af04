-- The trail and its seals.

CREATE TABLE audit_entry (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL CHECK (at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    actor_id TEXT,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    changes TEXT NOT NULL CHECK (json_valid(changes)),
    reason TEXT,
    request_id TEXT
) STRICT;
CREATE INDEX audit_entry_subject_kind_subject_id ON audit_entry (subject_kind, subject_id);
CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END;
CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END;

CREATE TABLE audit_seal (
    seq INTEGER NOT NULL PRIMARY KEY,
    first_entry INTEGER NOT NULL UNIQUE,
    last_entry INTEGER NOT NULL UNIQUE,
    entry_count INTEGER NOT NULL,
    leaves TEXT NOT NULL,
    root TEXT NOT NULL,
    previous TEXT NOT NULL,
    chained TEXT NOT NULL,
    key_id TEXT NOT NULL,
    signature TEXT NOT NULL,
    sealed_at TEXT NOT NULL CHECK (sealed_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CHECK (last_entry >= first_entry AND entry_count >= 1)
) STRICT;
CREATE TRIGGER audit_seal_no_update BEFORE UPDATE ON audit_seal
BEGIN SELECT RAISE(ABORT, 'audit_seal is append-only'); END;
CREATE TRIGGER audit_seal_no_delete BEFORE DELETE ON audit_seal
BEGIN SELECT RAISE(ABORT, 'audit_seal is append-only'); END;
