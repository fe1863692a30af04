-- The date of a specification is respected, and every event of the trail has a version.

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

-- What is there already is of version 1, whose sealed form does not have the column.
ALTER TABLE audit_entry ADD COLUMN event_version INTEGER NOT NULL DEFAULT 1 CHECK (event_version >= 1);
