ALTER TABLE test_item DROP COLUMN annex;
DROP TRIGGER result_approved_imports;
DROP TABLE import_check;
