ALTER TABLE audit_entry DROP COLUMN event_version;
DROP TRIGGER account_revision ON account;
CREATE TRIGGER account_revision BEFORE UPDATE ON account FOR EACH ROW EXECUTE FUNCTION raise_revision();
DROP TRIGGER specification_dated ON specification;
DROP FUNCTION specification_dated();
