DROP TABLE observation;
DROP TABLE instrument_file;
