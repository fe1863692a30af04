ALTER TABLE audit_entry DROP COLUMN event_version;
DROP TRIGGER specification_dated_insert;
DROP TRIGGER specification_dated;
