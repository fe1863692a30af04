-- What a value can be, how it was converted, and why it counts although nobody would expect it.

-- The plausible range of an item's result, as a limit is written; without it, the rules of the program.
ALTER TABLE test_item ADD COLUMN plausible TEXT;

-- How the value came from the unit of the file, and why a value outside its range was entered all the same.
ALTER TABLE reading ADD COLUMN conversion TEXT;
ALTER TABLE reading ADD COLUMN despite_range TEXT CHECK (despite_range IS NULL OR length(despite_range) > 0);

-- What lies outside its range, as sentences; whoever entered it said why.
ALTER TABLE result ADD COLUMN outside TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(outside));
ALTER TABLE result ADD COLUMN despite_range TEXT;

CREATE TRIGGER result_outside_reasoned BEFORE INSERT ON result
WHEN NEW.outside <> '[]' AND (NEW.despite_range IS NULL OR length(NEW.despite_range) = 0)
BEGIN SELECT RAISE(ABORT, 'qianfa:reason-missing: a value outside its range counts with a reason'); END;
CREATE TRIGGER result_outside_frozen BEFORE UPDATE OF outside, despite_range ON result
WHEN NEW.outside IS NOT OLD.outside OR NEW.despite_range IS NOT OLD.despite_range
BEGIN SELECT RAISE(ABORT, 'qianfa:result-frozen: a result is not changed: enter a new version'); END;
