-- What a value can be, how it was converted, and why it counts although nobody would expect it.

-- The plausible range of an item's result, as a limit is written; without it, the rules of the program.
ALTER TABLE test_item ADD COLUMN plausible TEXT;

-- How the value came from the unit of the file, and why a value outside its range was entered all the same.
ALTER TABLE reading ADD COLUMN conversion TEXT;
ALTER TABLE reading ADD COLUMN despite_range TEXT CHECK (despite_range IS NULL OR length(despite_range) > 0);

-- What lies outside its range, as sentences; whoever entered it said why.
ALTER TABLE result ADD COLUMN outside TEXT NOT NULL DEFAULT '[]' CHECK (outside::jsonb IS NOT NULL);
ALTER TABLE result ADD COLUMN despite_range TEXT;

CREATE FUNCTION result_outside_reasoned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.outside <> '[]' AND (NEW.despite_range IS NULL OR length(NEW.despite_range) = 0) THEN
        RAISE EXCEPTION 'qianfa:reason-missing: a value outside its range counts with a reason' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER result_outside_reasoned BEFORE INSERT ON result FOR EACH ROW EXECUTE FUNCTION result_outside_reasoned();
CREATE FUNCTION result_outside_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.outside IS DISTINCT FROM OLD.outside OR NEW.despite_range IS DISTINCT FROM OLD.despite_range THEN
        RAISE EXCEPTION 'qianfa:result-frozen: a result is not changed: enter a new version' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER result_outside_frozen BEFORE UPDATE ON result FOR EACH ROW EXECUTE FUNCTION result_outside_frozen();
