DROP TRIGGER reading_of_evaluation;
ALTER TABLE reading DROP COLUMN evaluation_result_id;
DROP TABLE evaluation_result;
DROP TABLE evaluation_standard;
DROP TABLE evaluation_file;
DROP TABLE evaluation;
DROP TABLE reference_standard;
