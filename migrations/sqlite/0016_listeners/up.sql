-- Who may speak to a listener, whether a database is a demonstration, and files whose transaction is not long ago.

-- Addresses and networks, separated by a comma and a blank; empty: this machine alone.
ALTER TABLE instrument ADD COLUMN listener_peers TEXT NOT NULL DEFAULT '';

-- One row, once: the accounts of this database have a password that everybody can read.
CREATE TABLE demonstration (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    made_at TEXT NOT NULL CHECK (made_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z')
) STRICT;
CREATE TRIGGER demonstration_kept BEFORE UPDATE ON demonstration
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of demonstration is only added, never changed or removed'); END;
CREATE TRIGGER demonstration_kept_delete BEFORE DELETE ON demonstration
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of demonstration is only added, never changed or removed'); END;

-- Demonstrations that were made before there was a mark, by the two institutes that only they have.
INSERT INTO demonstration (id, made_at)
SELECT 1, MIN(account.created_at) FROM account JOIN institute ON institute.id = account.institute_id
WHERE institute.code IN ('SHDEMO', 'SXDEMO') HAVING COUNT(DISTINCT institute.code) = 2;

-- Files that a transaction made: here until it is durable, then among the files.
CREATE TABLE pending_file (
    sha256 TEXT NOT NULL PRIMARY KEY CHECK (length(sha256) = 64),
    bytes BLOB NOT NULL
) STRICT;

-- What the question whether the server is ready writes, so that it is known to be able to: one row, counted up.
CREATE TABLE health_probe (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    probes INTEGER NOT NULL
) STRICT;
INSERT INTO health_probe (id, probes) VALUES (1, 0);
