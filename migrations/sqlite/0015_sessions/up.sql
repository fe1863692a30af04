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
ALTER TABLE session ADD COLUMN opened_at TEXT CHECK (opened_at IS NULL OR opened_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z');
ALTER TABLE session ADD COLUMN seen_at TEXT CHECK (seen_at IS NULL OR seen_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z');
UPDATE session SET seen_at = created_at, opened_at = (SELECT MIN(first.created_at) FROM session first WHERE first.family = session.family);
CREATE INDEX session_by_account ON session (account_id, created_at);

-- The second factor (RFC 6238). What is secret of it is encrypted by the server's key. The step of the last code is kept,
-- so that no code counts twice.
CREATE TABLE second_factor (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES account (id),
    sealed TEXT NOT NULL,
    last_step INTEGER NOT NULL CHECK (last_step >= 0),
    offered_at TEXT NOT NULL CHECK (offered_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    confirmed_at TEXT CHECK (confirmed_at IS NULL OR confirmed_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z')
) STRICT;
CREATE TRIGGER second_factor_step BEFORE UPDATE ON second_factor
WHEN OLD.confirmed_at IS NOT NULL AND NEW.last_step <= OLD.last_step
BEGIN SELECT RAISE(ABORT, 'qianfa:code-used: a code of the second factor counts once'); END;

CREATE TABLE recovery_code (
    account_id TEXT NOT NULL REFERENCES account (id),
    code_sha256 TEXT NOT NULL,
    used_at TEXT CHECK (used_at IS NULL OR used_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    PRIMARY KEY (account_id, code_sha256)
) STRICT;
CREATE TRIGGER recovery_code_once BEFORE UPDATE ON recovery_code
WHEN OLD.used_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'qianfa:code-used: a recovery code counts once'); END;
