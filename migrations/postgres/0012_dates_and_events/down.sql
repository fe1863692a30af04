ALTER TABLE audit_entry DROP COLUMN event_version;
DROP TRIGGER specification_dated ON specification;
DROP FUNCTION specification_dated();
