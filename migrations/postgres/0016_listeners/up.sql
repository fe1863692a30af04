-- Who may speak to a listener, whether a database is a demonstration, and files whose transaction is not long ago.

-- Addresses and networks, separated by a comma and a blank; empty: this machine alone.
ALTER TABLE instrument ADD COLUMN listener_peers TEXT NOT NULL DEFAULT '';

-- One row, once: the accounts of this database have a password that everybody can read.
CREATE TABLE demonstration (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    made_at instant NOT NULL
);
CREATE TRIGGER demonstration_kept BEFORE UPDATE OR DELETE ON demonstration FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Demonstrations that were made before there was a mark, by the two institutes that only they have.
INSERT INTO demonstration (id, made_at)
SELECT 1, MIN(account.created_at)::text FROM account JOIN institute ON institute.id = account.institute_id
WHERE institute.code IN ('SHDEMO', 'SXDEMO') HAVING COUNT(DISTINCT institute.code) = 2;

-- Files that a transaction made: here until it is durable, then among the files.
CREATE TABLE pending_file (
    sha256 TEXT NOT NULL PRIMARY KEY CHECK (length(sha256) = 64),
    bytes BYTEA NOT NULL
);

-- What the question whether the server is ready writes, so that it is known to be able to: one row, counted up.
CREATE TABLE health_probe (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    probes BIGINT NOT NULL
);
INSERT INTO health_probe (id, probes) VALUES (1, 0);
