DROP TRIGGER certificate_of_superseded;
DROP TRIGGER result_corrected_by_two;
DROP TABLE certificate_correction;
DROP TABLE result_correction;
