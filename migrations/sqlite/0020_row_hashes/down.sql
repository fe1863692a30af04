DROP TABLE audit_end;
DROP TABLE audit_rows;
ALTER TABLE audit_entry DROP COLUMN rows_sha256;
