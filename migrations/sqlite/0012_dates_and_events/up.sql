-- The date of a specification is respected, an account's revision is that of what people change, and every event of the
-- trail has a version.

-- The release of a later specification took the one before it out of force at once. Where the later one begins later,
-- the earlier one is in force until then: the later one counts from its own date on, whatever else was released.
UPDATE specification SET status = 'effective'
WHERE status = 'superseded' AND effective_from < (
    SELECT MIN(later.effective_from) FROM specification later
    WHERE later.product_id = specification.product_id AND later.status = 'effective');

CREATE TRIGGER specification_dated BEFORE UPDATE ON specification
WHEN NEW.status <> 'draft' AND NEW.effective_from IS NULL
BEGIN SELECT RAISE(ABORT, 'qianfa:specification-undated: a released specification has the date of its effect'); END;
CREATE TRIGGER specification_dated_insert BEFORE INSERT ON specification
WHEN NEW.status <> 'draft' AND NEW.effective_from IS NULL
BEGIN SELECT RAISE(ABORT, 'qianfa:specification-undated: a released specification has the date of its effect'); END;

-- A wrong password is no change that anybody made: it must not make the administrator's form stale, least of all while
-- somebody guesses.
DROP TRIGGER account_revision;
CREATE TRIGGER account_revision AFTER UPDATE ON account
WHEN NEW.revision = OLD.revision AND NOT (
    (NEW.failed_logins IS NOT OLD.failed_logins OR NEW.locked_until IS NOT OLD.locked_until)
    AND NEW.id IS OLD.id AND NEW.username IS OLD.username AND NEW.display_name IS OLD.display_name
    AND NEW.password_hash IS OLD.password_hash AND NEW.institute_id IS OLD.institute_id
    AND NEW.applicant_id IS OLD.applicant_id AND NEW.disabled IS OLD.disabled AND NEW.created_at IS OLD.created_at)
BEGIN UPDATE account SET revision = OLD.revision + 1 WHERE id = NEW.id; END;

-- What is there already is of version 1, whose sealed form does not have the column.
ALTER TABLE audit_entry ADD COLUMN event_version INTEGER NOT NULL DEFAULT 1 CHECK (event_version >= 1);
