DROP TABLE certificate;
DROP FUNCTION certificate_identity();
DROP FUNCTION certificate_immutable();
