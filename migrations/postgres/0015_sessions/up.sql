-- Who may look a certificate up may be anybody: by the hash of a file, and by the certificate that another amends, it is
-- found without looking at every other.
CREATE INDEX certificate_by_file ON certificate (pdf_sha256);
CREATE INDEX certificate_by_amended ON certificate (amends_id);

-- Who chose the password that an account has: its owner, somebody else (then it is changed at the first log-in), or the
-- demonstration, which publishes it. What is there already is taken to be its owner's.
ALTER TABLE account ADD COLUMN password_origin TEXT NOT NULL DEFAULT 'own' CHECK (password_origin IN ('own','given','demonstration'));

-- Where a session was opened from, when its owner was last seen, and for how long it may be left alone.
ALTER TABLE session ADD COLUMN source TEXT;
ALTER TABLE session ADD COLUMN agent TEXT;
ALTER TABLE session ADD COLUMN opened_at instant;
ALTER TABLE session ADD COLUMN seen_at instant;
UPDATE session SET seen_at = created_at, opened_at = (SELECT MIN(first.created_at) FROM session first WHERE first.family = session.family);
CREATE INDEX session_by_account ON session (account_id, created_at);

-- The second factor (RFC 6238). What is secret of it is encrypted by the server's key. The step of the last code is kept,
-- so that no code counts twice.
CREATE TABLE second_factor (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES account (id),
    sealed TEXT NOT NULL,
    last_step BIGINT NOT NULL CHECK (last_step >= 0),
    offered_at instant NOT NULL,
    confirmed_at instant
);
CREATE FUNCTION second_factor_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.confirmed_at IS NOT NULL AND NEW.last_step <= OLD.last_step THEN
        RAISE EXCEPTION 'qianfa:code-used: a code of the second factor counts once' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER second_factor_step BEFORE UPDATE ON second_factor FOR EACH ROW EXECUTE FUNCTION second_factor_step();

CREATE TABLE recovery_code (
    account_id TEXT NOT NULL REFERENCES account (id),
    code_sha256 TEXT NOT NULL,
    used_at instant,
    PRIMARY KEY (account_id, code_sha256)
);
CREATE FUNCTION recovery_code_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.used_at IS NOT NULL THEN
        RAISE EXCEPTION 'qianfa:code-used: a recovery code counts once' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER recovery_code_once BEFORE UPDATE ON recovery_code FOR EACH ROW EXECUTE FUNCTION recovery_code_once();
