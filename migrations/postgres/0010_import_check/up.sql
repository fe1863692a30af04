-- The second person who compares what was imported with the file, and what an item's certificate shows beside it.

CREATE TABLE import_check (
    id TEXT NOT NULL PRIMARY KEY,
    instrument_file_id TEXT NOT NULL REFERENCES instrument_file (id),
    -- The values of this task; without it, all values of the file.
    test_task_id TEXT REFERENCES test_task (id),
    outcome TEXT NOT NULL,
    reason TEXT,
    checked_by TEXT NOT NULL REFERENCES account (id),
    checked_at instant NOT NULL,
    CHECK (outcome IN ('ok','rejected')),
    CHECK (outcome = 'ok' OR (reason IS NOT NULL AND length(reason) > 0))
);
CREATE UNIQUE INDEX import_check_file ON import_check (instrument_file_id, outcome) WHERE test_task_id IS NULL;
CREATE UNIQUE INDEX import_check_file_task ON import_check (instrument_file_id, test_task_id, outcome) WHERE test_task_id IS NOT NULL;
CREATE INDEX import_check_test_task_id ON import_check (test_task_id);

CREATE TRIGGER import_check_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON import_check
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION import_check_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM instrument_file WHERE id = NEW.instrument_file_id) <> 'accepted' THEN
        RAISE EXCEPTION 'only an accepted file has an import to check' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.checked_by = (SELECT decided_by FROM instrument_file WHERE id = NEW.instrument_file_id) THEN
        RAISE EXCEPTION 'an import is checked by somebody else' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER import_check_by_another BEFORE INSERT ON import_check FOR EACH ROW EXECUTE FUNCTION import_check_by_another();

-- A result is approved only where every value that it was read from stands in a checked import.
CREATE FUNCTION result_approved_imports() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.review_outcome = 'approved' AND EXISTS (
        SELECT 1 FROM reading r JOIN observation o ON o.id = r.observation_id
        WHERE r.test_task_id = NEW.test_task_id
          AND NOT EXISTS (SELECT 1 FROM reading later WHERE later.test_task_id = r.test_task_id AND later.name = r.name AND later.position = r.position AND later.version > r.version)
          AND (NOT EXISTS (SELECT 1 FROM import_check c WHERE c.instrument_file_id = o.instrument_file_id AND c.outcome = 'ok' AND (c.test_task_id IS NULL OR c.test_task_id = r.test_task_id))
            OR EXISTS (SELECT 1 FROM import_check c WHERE c.instrument_file_id = o.instrument_file_id AND c.outcome = 'rejected' AND (c.test_task_id IS NULL OR c.test_task_id = r.test_task_id)))) THEN
        RAISE EXCEPTION 'the import of a reading was not checked' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER result_approved_imports BEFORE UPDATE ON result FOR EACH ROW EXECUTE FUNCTION result_approved_imports();

ALTER TABLE test_item ADD COLUMN annex TEXT NOT NULL DEFAULT '[]' CHECK (annex::json IS NOT NULL);
