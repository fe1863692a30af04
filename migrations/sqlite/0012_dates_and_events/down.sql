ALTER TABLE audit_entry DROP COLUMN event_version;
DROP TRIGGER account_revision;
CREATE TRIGGER account_revision AFTER UPDATE ON account
WHEN NEW.revision = OLD.revision
BEGIN UPDATE account SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
DROP TRIGGER specification_dated_insert;
DROP TRIGGER specification_dated;
