-- The trail and its seals.

CREATE TABLE audit_entry (
    seq BIGSERIAL PRIMARY KEY,
    at instant NOT NULL,
    actor_id TEXT,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    changes TEXT NOT NULL CHECK (changes::json IS NOT NULL),
    reason TEXT,
    request_id TEXT,
    commit_mark BIGINT NOT NULL DEFAULT txid_current()
);
CREATE INDEX audit_entry_subject_kind_subject_id ON audit_entry (subject_kind, subject_id);
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE audit_seal (
    seq BIGINT NOT NULL PRIMARY KEY,
    first_entry BIGINT NOT NULL UNIQUE,
    last_entry BIGINT NOT NULL UNIQUE,
    entry_count BIGINT NOT NULL,
    root TEXT NOT NULL,
    previous TEXT NOT NULL,
    chained TEXT NOT NULL,
    key_id TEXT NOT NULL,
    signature TEXT NOT NULL,
    sealed_at instant NOT NULL,
    CHECK (last_entry >= first_entry AND entry_count >= 1)
);
CREATE TRIGGER audit_seal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
