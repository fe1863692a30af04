-- A lot of a case ends by its certificate, or by the decision that it comes no more.
ALTER TABLE batch ADD COLUMN withdrawn_at instant;
ALTER TABLE batch ADD COLUMN withdrawn_because TEXT CHECK (length(withdrawn_because) > 0);
ALTER TABLE batch ADD CONSTRAINT batch_withdrawn CHECK ((withdrawn_at IS NULL) = (withdrawn_because IS NULL));

CREATE FUNCTION sample_of_withdrawn_batch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'received' AND EXISTS (SELECT 1 FROM batch WHERE id = NEW.batch_id AND withdrawn_at IS NOT NULL) THEN
        RAISE EXCEPTION 'qianfa:batch-withdrawn: no sample is received of a lot that comes no more' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sample_of_withdrawn_batch BEFORE INSERT ON sample FOR EACH ROW EXECUTE FUNCTION sample_of_withdrawn_batch();
CREATE FUNCTION batch_withdrawn_with_sample() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.withdrawn_at IS NOT NULL AND EXISTS (SELECT 1 FROM sample WHERE batch_id = NEW.id AND state = 'received') THEN
        RAISE EXCEPTION 'qianfa:batch-withdrawn: a lot whose sample was received is not one that comes no more' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_withdrawn_with_sample BEFORE UPDATE OF withdrawn_at ON batch FOR EACH ROW EXECUTE FUNCTION batch_withdrawn_with_sample();
