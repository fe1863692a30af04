DROP TRIGGER result_outside_frozen ON result;
DROP FUNCTION result_outside_frozen();
DROP TRIGGER result_outside_reasoned ON result;
DROP FUNCTION result_outside_reasoned();
ALTER TABLE result DROP COLUMN despite_range;
ALTER TABLE result DROP COLUMN outside;
ALTER TABLE reading DROP COLUMN despite_range;
ALTER TABLE reading DROP COLUMN conversion;
ALTER TABLE test_item DROP COLUMN plausible;
