DROP TRIGGER custody_entry_task ON custody_entry;
DROP FUNCTION custody_entry_task();
DROP TRIGGER custody_entry_counted ON custody_entry;
DROP FUNCTION custody_entry_counted();
CREATE OR REPLACE FUNCTION custody_entry_posts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.container_id IS NOT NULL AND (NEW.quantity <> 1 OR NOT EXISTS (
        SELECT 1 FROM container WHERE id = NEW.container_id AND sample_id = NEW.sample_id)) THEN
        RAISE EXCEPTION 'qianfa:custody-container: an entry that names a container moves that one container, of its own sample' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    INSERT INTO custody_balance (sample_id, place, balance) VALUES (NEW.sample_id, NEW.from_place, 0), (NEW.sample_id, NEW.to_place, 0)
        ON CONFLICT (sample_id, place) DO NOTHING;
    UPDATE custody_balance SET balance = balance - NEW.quantity WHERE sample_id = NEW.sample_id AND place = NEW.from_place;
    UPDATE custody_balance SET balance = balance + NEW.quantity WHERE sample_id = NEW.sample_id AND place = NEW.to_place;
    RETURN NEW;
END $$;
ALTER TABLE custody_entry DROP COLUMN test_task_id;
ALTER TABLE custody_entry DROP CONSTRAINT custody_entry_quantity_check;
ALTER TABLE custody_entry DROP CONSTRAINT custody_entry_amount;
ALTER TABLE custody_entry DROP COLUMN billionths;
ALTER TABLE custody_entry ADD CHECK (quantity > 0);
ALTER TABLE custody_balance DROP CONSTRAINT custody_balance_amount;
ALTER TABLE custody_balance DROP COLUMN billionths;
DROP TRIGGER sample_content ON sample;
DROP FUNCTION sample_content();
ALTER TABLE sample DROP COLUMN content_unit;
ALTER TABLE sample DROP COLUMN content_amount;
ALTER TABLE test_item DROP COLUMN whole_containers;
ALTER TABLE test_item DROP COLUMN consumes_unit;
ALTER TABLE custody_balance DROP CONSTRAINT custody_balance_place_check;
ALTER TABLE custody_balance ADD CHECK (place IN ('supplied','received','test_portion','retention','consumed','returned','destroyed'));
