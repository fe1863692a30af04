-- The date of a specification is respected, and every event of the trail has a version.

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

-- What is there already is of version 1, whose sealed form does not have the column.
ALTER TABLE audit_entry ADD COLUMN event_version BIGINT NOT NULL DEFAULT 1 CHECK (event_version >= 1);
