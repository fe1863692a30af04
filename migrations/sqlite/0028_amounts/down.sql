DROP TRIGGER custody_entry_task;
DROP TRIGGER custody_entry_counted;
DROP TRIGGER custody_entry_posts;
DROP TRIGGER custody_balance_opens_empty;
DROP TRIGGER custody_balance_follows_ledger;
DROP TRIGGER sample_content;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''retest'',''retention'',''surplus'',''for_sale'',''sent_out'',''consumed''', '''retention'',''consumed''')
    WHERE type = 'table' AND name = 'custody_balance';
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (quantity > 0 OR (quantity = 0 AND coalesce(billionths, 0) > 0))', 'CHECK (quantity > 0)')
    WHERE type = 'table' AND name = 'custody_entry';
PRAGMA writable_schema = RESET;
DROP INDEX custody_entry_test_task_id;
ALTER TABLE custody_entry DROP COLUMN test_task_id;
ALTER TABLE custody_entry DROP COLUMN billionths;
ALTER TABLE custody_balance DROP COLUMN billionths;
CREATE TRIGGER custody_entry_posts AFTER INSERT ON custody_entry
BEGIN
    INSERT INTO custody_balance (sample_id, place, balance) VALUES (NEW.sample_id, NEW.from_place, 0), (NEW.sample_id, NEW.to_place, 0)
        ON CONFLICT (sample_id, place) DO NOTHING;
    UPDATE custody_balance SET balance = balance - NEW.quantity WHERE sample_id = NEW.sample_id AND place = NEW.from_place;
    UPDATE custody_balance SET balance = balance + NEW.quantity WHERE sample_id = NEW.sample_id AND place = NEW.to_place;
END;
CREATE TRIGGER custody_balance_opens_empty BEFORE INSERT ON custody_balance
WHEN NEW.balance <> 0
BEGIN SELECT RAISE(ABORT, 'qianfa:custody-balance: a custody balance opens empty'); END;
CREATE TRIGGER custody_balance_follows_ledger BEFORE UPDATE ON custody_balance
WHEN NEW.sample_id IS NOT OLD.sample_id OR NEW.place IS NOT OLD.place OR NEW.balance <> (
    SELECT coalesce(sum(CASE WHEN to_place = NEW.place THEN quantity ELSE -quantity END), 0) FROM custody_entry
    WHERE sample_id = NEW.sample_id AND NEW.place IN (from_place, to_place))
BEGIN SELECT RAISE(ABORT, 'qianfa:custody-balance: only the custody ledger moves a balance'); END;
ALTER TABLE sample DROP COLUMN content_unit;
ALTER TABLE sample DROP COLUMN content_amount;
ALTER TABLE test_item DROP COLUMN whole_containers;
ALTER TABLE test_item DROP COLUMN consumes_unit;
