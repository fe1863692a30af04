-- The wider checks of the ledger's tables stay: they forbid less, and nothing is lost by them.
DROP TRIGGER custody_entry_task;
DROP TRIGGER custody_entry_counted;
DROP TRIGGER custody_entry_posts;
DROP TRIGGER custody_balance_opens_empty;
DROP TRIGGER custody_balance_follows_ledger;
DROP TRIGGER sample_content;
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
ALTER TABLE test_item DROP COLUMN whole_containers;
ALTER TABLE test_item DROP COLUMN consumes_unit;
