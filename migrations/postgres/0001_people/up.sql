-- Institutes, applicants, accounts and what they sign.

-- Instants, dates and decimals are text of one form on both databases: what is sealed is the same bytes.
CREATE DOMAIN instant AS text COLLATE "C" CHECK (VALUE ~ '^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d\.\d{6}Z$');
CREATE DOMAIN day AS text COLLATE "C" CHECK (VALUE ~ '^\d{4}-\d\d-\d\d$' AND VALUE::date::text = VALUE);
CREATE DOMAIN decimal_text AS text CHECK (VALUE ~ '^-?\d+(\.\d+)?$');
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$;


CREATE TABLE institute (
    id TEXT NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    abbreviation TEXT NOT NULL,
    jurisdiction TEXT NOT NULL,
    address_zh TEXT NOT NULL,
    address_en TEXT NOT NULL,
    sample_prefix TEXT NOT NULL UNIQUE,
    created_at instant NOT NULL
);

CREATE TABLE applicant (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    address TEXT NOT NULL,
    contact TEXT NOT NULL,
    created_at instant NOT NULL
);

CREATE TABLE account (
    id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    institute_id TEXT REFERENCES institute (id),
    applicant_id TEXT REFERENCES applicant (id),
    disabled BOOLEAN NOT NULL,
    failed_logins BIGINT NOT NULL,
    locked_until instant,
    created_at instant NOT NULL,
    CHECK (failed_logins >= 0),
    CHECK ((institute_id IS NULL) <> (applicant_id IS NULL))
);

CREATE TABLE account_role (
    account_id TEXT NOT NULL REFERENCES account (id),
    role TEXT NOT NULL,
    PRIMARY KEY (account_id, role),
    CHECK (role IN ('receiver','analyst','reviewer','authorised_signatory','port_sampler','quality','administrator','applicant'))
);

CREATE TABLE session (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id),
    family TEXT NOT NULL,
    refresh_sha256 TEXT NOT NULL UNIQUE,
    created_at instant NOT NULL,
    expires_at instant NOT NULL,
    used_at instant,
    revoked_at instant
);
CREATE INDEX session_family ON session (family);

CREATE TABLE signature (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id),
    meaning TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    content_sha256 TEXT NOT NULL,
    signed_at instant NOT NULL
);
CREATE TRIGGER signature_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON signature
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
