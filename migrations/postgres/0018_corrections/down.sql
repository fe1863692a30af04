DROP TRIGGER certificate_of_superseded ON certificate;
DROP FUNCTION certificate_of_superseded();
DROP TRIGGER result_corrected_by_two ON result;
DROP FUNCTION result_corrected_by_two();
DROP TABLE certificate_correction;
DROP TABLE result_correction;
DROP FUNCTION result_correction_in_order();
