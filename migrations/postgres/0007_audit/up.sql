-- The trail and its seals.

-- A transaction takes its number before it takes a place in the trail. So once every transaction that was there
-- when entry N was seen has ended, no entry below N can appear any more, and the range up to N can be sealed.
CREATE SEQUENCE audit_entry_seq;
CREATE FUNCTION audit_next_seq() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN PERFORM txid_current(); RETURN nextval('audit_entry_seq'); END $$;

CREATE TABLE audit_entry (
    seq BIGINT NOT NULL PRIMARY KEY DEFAULT audit_next_seq(),
    at instant NOT NULL,
    actor_id TEXT,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    changes TEXT NOT NULL CHECK (changes::json IS NOT NULL),
    reason TEXT,
    request_id TEXT
);
CREATE INDEX audit_entry_subject_kind_subject_id ON audit_entry (subject_kind, subject_id);
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE audit_seal (
    seq BIGINT NOT NULL PRIMARY KEY,
    first_entry BIGINT NOT NULL UNIQUE,
    last_entry BIGINT NOT NULL UNIQUE,
    entry_count BIGINT NOT NULL,
    leaves TEXT NOT NULL,
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
