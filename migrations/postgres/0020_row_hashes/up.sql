-- Every event carries the hash of each row that it wrote; entries have numbers without a gap.

-- SHA-256 of the hashes of `audit_rows`, of nothing where an entry has none; null for what was entered before.
ALTER TABLE audit_entry ADD COLUMN rows_sha256 TEXT CHECK (rows_sha256 IS NULL OR length(rows_sha256) = 64);
ALTER TABLE audit_entry ALTER COLUMN seq DROP DEFAULT;
DROP FUNCTION audit_next_seq();
DROP SEQUENCE audit_entry_seq;

-- One line for each row that the event's transaction wrote: its hash (or a dash where it was removed), its table, its key.
CREATE TABLE audit_rows (
    seq BIGINT NOT NULL PRIMARY KEY REFERENCES audit_entry (seq),
    hashes TEXT NOT NULL
);
CREATE TRIGGER audit_rows_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_rows
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The end of the trail: the last number given, taken in the transaction of the entry. Numbers before `gapless_from` may
-- have gaps. `baseline` says whether the rows that are older than their hashes were taken over.
CREATE TABLE audit_end (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    last BIGINT NOT NULL,
    gapless_from BIGINT NOT NULL,
    baseline BIGINT NOT NULL DEFAULT 0
);
INSERT INTO audit_end (id, last, gapless_from)
SELECT 1, COALESCE(MAX(seq), 0), COALESCE(MAX(seq), 0) + 1 FROM audit_entry;
CREATE FUNCTION audit_end_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.last < OLD.last OR NEW.gapless_from <> OLD.gapless_from THEN
        RAISE EXCEPTION 'qianfa:number-gap: the numbers of the trail only grow' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_end_grows BEFORE UPDATE ON audit_end FOR EACH ROW EXECUTE FUNCTION audit_end_grows();
CREATE TRIGGER audit_end_no_delete BEFORE DELETE OR TRUNCATE ON audit_end FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
