-- The date of a specification is respected, an account's revision is that of what people change, and every event of the
-- trail has a version.

-- The release of a later specification took the one before it out of force at once. Where the later one begins later,
-- the earlier one is in force until then: the later one counts from its own date on, whatever else was released.
UPDATE specification SET status = 'effective'
WHERE status = 'superseded' AND effective_from < (
    SELECT MIN(later.effective_from) FROM specification later
    WHERE later.product_id = specification.product_id AND later.status = 'effective');

CREATE FUNCTION specification_dated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> 'draft' AND NEW.effective_from IS NULL THEN
        RAISE EXCEPTION 'qianfa:specification-undated: a released specification has the date of its effect' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER specification_dated BEFORE INSERT OR UPDATE ON specification FOR EACH ROW EXECUTE FUNCTION specification_dated();

-- A wrong password is no change that anybody made: it must not make the administrator's form stale, least of all while
-- somebody guesses.
DROP TRIGGER account_revision ON account;
CREATE TRIGGER account_revision BEFORE UPDATE ON account FOR EACH ROW
WHEN (NEW.revision IS DISTINCT FROM OLD.revision OR NOT (
    (NEW.failed_logins IS DISTINCT FROM OLD.failed_logins OR NEW.locked_until IS DISTINCT FROM OLD.locked_until)
    AND NEW.id IS NOT DISTINCT FROM OLD.id AND NEW.username IS NOT DISTINCT FROM OLD.username
    AND NEW.display_name IS NOT DISTINCT FROM OLD.display_name
    AND NEW.password_hash IS NOT DISTINCT FROM OLD.password_hash
    AND NEW.institute_id IS NOT DISTINCT FROM OLD.institute_id
    AND NEW.applicant_id IS NOT DISTINCT FROM OLD.applicant_id
    AND NEW.disabled IS NOT DISTINCT FROM OLD.disabled AND NEW.created_at IS NOT DISTINCT FROM OLD.created_at))
EXECUTE FUNCTION raise_revision();

-- What is there already is of version 1, whose sealed form does not have the column.
ALTER TABLE audit_entry ADD COLUMN event_version BIGINT NOT NULL DEFAULT 1 CHECK (event_version >= 1);
