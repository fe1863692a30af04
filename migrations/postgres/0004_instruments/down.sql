DROP TABLE observation;
DROP TABLE instrument_file;
DROP FUNCTION instrument_file_identity();
DROP FUNCTION observation_identity();
