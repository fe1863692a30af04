-- Amounts: what a test uses has a unit, and whole containers where it needs them; a sample says what one of its
-- containers holds, and its ledger then counts amounts beside containers. Amounts are whole billionths of the unit of the
-- content, so that both databases add them exactly. The rows of before have none of it, and their hashes stay.
ALTER TABLE test_item ADD COLUMN consumes_unit TEXT CHECK (consumes_unit IS NULL OR length(consumes_unit) > 0);
ALTER TABLE test_item ADD COLUMN whole_containers BIGINT CHECK (whole_containers IS NULL OR whole_containers > 0);
ALTER TABLE sample ADD COLUMN content_amount TEXT CHECK (content_amount IS NULL OR content_amount ~ '^[0-9]+(\.[0-9]+)?$');
ALTER TABLE sample ADD COLUMN content_unit TEXT CHECK ((content_amount IS NULL) = (content_unit IS NULL));
CREATE FUNCTION sample_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.content_amount IS DISTINCT FROM OLD.content_amount OR NEW.content_unit IS DISTINCT FROM OLD.content_unit THEN
        RAISE EXCEPTION 'qianfa:sample-identity: a sample keeps what its containers hold' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sample_content BEFORE UPDATE ON sample FOR EACH ROW EXECUTE FUNCTION sample_content();

ALTER TABLE custody_balance ADD COLUMN billionths BIGINT;
ALTER TABLE custody_balance DROP CONSTRAINT custody_balance_place_check;
ALTER TABLE custody_balance ADD CHECK (place IN ('supplied','received','test_portion','retest','retention','surplus','for_sale','sent_out','consumed','returned','destroyed'));
ALTER TABLE custody_balance ADD CONSTRAINT custody_balance_amount CHECK (billionths >= 0 OR place = 'supplied');

ALTER TABLE custody_entry ADD COLUMN billionths BIGINT;
ALTER TABLE custody_entry ADD COLUMN test_task_id TEXT REFERENCES test_task (id);
ALTER TABLE custody_entry DROP CONSTRAINT custody_entry_quantity_check;
ALTER TABLE custody_entry ADD CONSTRAINT custody_entry_quantity_check CHECK (quantity > 0 OR (quantity = 0 AND coalesce(billionths, 0) > 0));
ALTER TABLE custody_entry ADD CONSTRAINT custody_entry_amount CHECK (billionths IS NULL OR billionths >= 0);
CREATE INDEX custody_entry_test_task_id ON custody_entry (test_task_id);

CREATE OR REPLACE FUNCTION custody_entry_posts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.container_id IS NOT NULL AND (NEW.quantity <> 1 OR NOT EXISTS (
        SELECT 1 FROM container WHERE id = NEW.container_id AND sample_id = NEW.sample_id)) THEN
        RAISE EXCEPTION 'qianfa:custody-container: an entry that names a container moves that one container, of its own sample' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    INSERT INTO custody_balance (sample_id, place, balance) VALUES (NEW.sample_id, NEW.from_place, 0), (NEW.sample_id, NEW.to_place, 0)
        ON CONFLICT (sample_id, place) DO NOTHING;
    UPDATE custody_balance SET balance = balance - NEW.quantity, billionths = CASE WHEN NEW.billionths IS NULL THEN billionths ELSE coalesce(billionths, 0) - NEW.billionths END
        WHERE sample_id = NEW.sample_id AND place = NEW.from_place;
    UPDATE custody_balance SET balance = balance + NEW.quantity, billionths = CASE WHEN NEW.billionths IS NULL THEN billionths ELSE coalesce(billionths, 0) + NEW.billionths END
        WHERE sample_id = NEW.sample_id AND place = NEW.to_place;
    RETURN NEW;
END $$;
CREATE FUNCTION custody_entry_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.billionths IS NULL) <> (SELECT content_amount IS NULL FROM sample WHERE id = NEW.sample_id) THEN
        RAISE EXCEPTION 'qianfa:custody-amount: a move says its amount where the sample says what a container holds, and nowhere else' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER custody_entry_counted BEFORE INSERT ON custody_entry FOR EACH ROW EXECUTE FUNCTION custody_entry_counted();
CREATE FUNCTION custody_entry_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.test_task_id IS NOT NULL AND ((SELECT sample_id FROM test_task WHERE id = NEW.test_task_id) IS DISTINCT FROM NEW.sample_id OR 'consumed' NOT IN (NEW.from_place, NEW.to_place)) THEN
        RAISE EXCEPTION 'qianfa:custody-task: what a test uses up is of its own sample' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER custody_entry_task BEFORE INSERT ON custody_entry FOR EACH ROW EXECUTE FUNCTION custody_entry_task();
