ALTER TABLE test_item DROP COLUMN annex;
DROP TRIGGER result_approved_imports ON result;
DROP FUNCTION result_approved_imports();
DROP TABLE import_check;
DROP FUNCTION import_check_by_another();
