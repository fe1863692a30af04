-- Every event carries the hash of each row that it wrote; entries have numbers without a gap.

-- SHA-256 of the hashes of `audit_rows`, of nothing where an entry has none; null for what was entered before.
ALTER TABLE audit_entry ADD COLUMN rows_sha256 TEXT CHECK (rows_sha256 IS NULL OR length(rows_sha256) = 64);

-- One line for each row that the event's transaction wrote: its hash (or a dash where it was removed), its table, its key.
CREATE TABLE audit_rows (
    seq INTEGER NOT NULL PRIMARY KEY REFERENCES audit_entry (seq),
    hashes TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_rows_no_update BEFORE UPDATE ON audit_rows
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of audit_rows is only added, never changed or removed'); END;
CREATE TRIGGER audit_rows_no_delete BEFORE DELETE ON audit_rows
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of audit_rows is only added, never changed or removed'); END;

-- The end of the trail: the last number given, taken in the transaction of the entry. Numbers before `gapless_from` may
-- have gaps. `baseline` says whether the rows that are older than their hashes were taken over.
CREATE TABLE audit_end (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    last INTEGER NOT NULL,
    gapless_from INTEGER NOT NULL,
    baseline INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO audit_end (id, last, gapless_from)
SELECT 1, COALESCE(MAX(seq), 0), COALESCE(MAX(seq), 0) + 1 FROM audit_entry;
CREATE TRIGGER audit_end_grows BEFORE UPDATE OF last, gapless_from ON audit_end
WHEN NEW.last < OLD.last OR NEW.gapless_from <> OLD.gapless_from
BEGIN SELECT RAISE(ABORT, 'qianfa:number-gap: the numbers of the trail only grow'); END;
CREATE TRIGGER audit_end_no_delete BEFORE DELETE ON audit_end
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: the end of the trail is never removed'); END;
