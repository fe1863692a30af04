-- Amounts: what a test uses has a unit, and whole containers where it needs them; a sample says what one of its
-- containers holds, and its ledger then counts amounts beside containers. Amounts are whole billionths of the unit of the
-- content, so that both databases add them exactly. The rows of before have none of it, and their hashes stay.
ALTER TABLE test_item ADD COLUMN consumes_unit TEXT CHECK (consumes_unit IS NULL OR length(consumes_unit) > 0);
ALTER TABLE test_item ADD COLUMN whole_containers INTEGER CHECK (whole_containers IS NULL OR whole_containers > 0);
ALTER TABLE sample ADD COLUMN content_amount TEXT CHECK (content_amount IS NULL OR (content_amount GLOB '*[0-9]*' AND content_amount NOT GLOB '*[^0-9.]*'));
ALTER TABLE sample ADD COLUMN content_unit TEXT CHECK ((content_amount IS NULL) = (content_unit IS NULL));
CREATE TRIGGER sample_content BEFORE UPDATE ON sample
WHEN NEW.content_amount IS NOT OLD.content_amount OR NEW.content_unit IS NOT OLD.content_unit
BEGIN SELECT RAISE(ABORT, 'qianfa:sample-identity: a sample keeps what its containers hold'); END;

ALTER TABLE custody_balance ADD COLUMN billionths INTEGER CHECK (billionths >= 0 OR place = 'supplied');
ALTER TABLE custody_entry ADD COLUMN billionths INTEGER CHECK (billionths IS NULL OR billionths >= 0);
ALTER TABLE custody_entry ADD COLUMN test_task_id TEXT REFERENCES test_task (id);
CREATE INDEX custody_entry_test_task_id ON custody_entry (test_task_id);

-- Two checks become wider: there are more places, and what is taken of a container that is opened moves no container. No
-- row is touched by that, so it is done in the schema itself, as SQLite describes it for constraints that are loosened.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''retention'',''consumed''', '''retest'',''retention'',''surplus'',''for_sale'',''sent_out'',''consumed''')
    WHERE type = 'table' AND name = 'custody_balance';
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (quantity > 0)', 'CHECK (quantity > 0 OR (quantity = 0 AND coalesce(billionths, 0) > 0))')
    WHERE type = 'table' AND name = 'custody_entry';
PRAGMA writable_schema = RESET;

DROP TRIGGER custody_entry_posts;
DROP TRIGGER custody_balance_opens_empty;
DROP TRIGGER custody_balance_follows_ledger;
CREATE TRIGGER custody_entry_posts AFTER INSERT ON custody_entry
BEGIN
    INSERT INTO custody_balance (sample_id, place, balance) VALUES (NEW.sample_id, NEW.from_place, 0), (NEW.sample_id, NEW.to_place, 0)
        ON CONFLICT (sample_id, place) DO NOTHING;
    UPDATE custody_balance SET balance = balance - NEW.quantity, billionths = CASE WHEN NEW.billionths IS NULL THEN billionths ELSE coalesce(billionths, 0) - NEW.billionths END
        WHERE sample_id = NEW.sample_id AND place = NEW.from_place;
    UPDATE custody_balance SET balance = balance + NEW.quantity, billionths = CASE WHEN NEW.billionths IS NULL THEN billionths ELSE coalesce(billionths, 0) + NEW.billionths END
        WHERE sample_id = NEW.sample_id AND place = NEW.to_place;
END;
CREATE TRIGGER custody_balance_opens_empty BEFORE INSERT ON custody_balance
WHEN NEW.balance <> 0 OR NEW.billionths IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'qianfa:custody-balance: a custody balance opens empty'); END;
CREATE TRIGGER custody_balance_follows_ledger BEFORE UPDATE ON custody_balance
WHEN NEW.sample_id IS NOT OLD.sample_id OR NEW.place IS NOT OLD.place OR NEW.balance <> (
    SELECT coalesce(sum(CASE WHEN to_place = NEW.place THEN quantity ELSE -quantity END), 0) FROM custody_entry
    WHERE sample_id = NEW.sample_id AND NEW.place IN (from_place, to_place)) OR NEW.billionths IS NOT (
    SELECT sum(CASE WHEN to_place = NEW.place THEN billionths ELSE -billionths END) FROM custody_entry
    WHERE sample_id = NEW.sample_id AND NEW.place IN (from_place, to_place))
BEGIN SELECT RAISE(ABORT, 'qianfa:custody-balance: only the custody ledger moves a balance'); END;
CREATE TRIGGER custody_entry_counted BEFORE INSERT ON custody_entry
WHEN (NEW.billionths IS NULL) <> (SELECT content_amount IS NULL FROM sample WHERE id = NEW.sample_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:custody-amount: a move says its amount where the sample says what a container holds, and nowhere else'); END;
CREATE TRIGGER custody_entry_task BEFORE INSERT ON custody_entry
WHEN NEW.test_task_id IS NOT NULL AND ((SELECT sample_id FROM test_task WHERE id = NEW.test_task_id) IS NOT NEW.sample_id OR 'consumed' NOT IN (NEW.from_place, NEW.to_place))
BEGIN SELECT RAISE(ABORT, 'qianfa:custody-task: what a test uses up is of its own sample'); END;
