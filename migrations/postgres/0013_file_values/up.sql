-- A value that can be read in two ways has both readings, and a person chooses one; what was written stays.
ALTER TABLE observation ADD COLUMN readings TEXT NOT NULL DEFAULT '[]' CHECK (readings::json IS NOT NULL);
ALTER TABLE observation ADD COLUMN chosen TEXT;
ALTER TABLE observation ADD COLUMN chosen_by TEXT REFERENCES account (id);

CREATE OR REPLACE FUNCTION observation_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.instrument_file_id IS DISTINCT FROM OLD.instrument_file_id OR NEW.position IS DISTINCT FROM OLD.position OR NEW.sample_text IS DISTINCT FROM OLD.sample_text OR NEW.analyte IS DISTINCT FROM OLD.analyte OR NEW.quantity IS DISTINCT FROM OLD.quantity OR NEW.raw IS DISTINCT FROM OLD.raw OR NEW.value IS DISTINCT FROM OLD.value OR NEW.unit IS DISTINCT FROM OLD.unit OR NEW.status IS DISTINCT FROM OLD.status OR NEW.flags IS DISTINCT FROM OLD.flags OR NEW.locator IS DISTINCT FROM OLD.locator OR NEW.injection IS DISTINCT FROM OLD.injection OR NEW.acquired_at IS DISTINCT FROM OLD.acquired_at OR NEW.bound IS DISTINCT FROM OLD.bound OR NEW.context IS DISTINCT FROM OLD.context OR NEW.readings IS DISTINCT FROM OLD.readings OR (SELECT state FROM instrument_file WHERE id = NEW.instrument_file_id) <> 'staged' THEN
        RAISE EXCEPTION 'qianfa:observation-identity: an observation stays as it was read' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION observation_choice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.chosen IS NULL) <> (NEW.chosen_by IS NULL)
        OR (NEW.chosen IS NOT NULL AND (NEW.status <> 'ambiguous' OR NOT EXISTS (SELECT 1 FROM json_array_elements_text(NEW.readings::json) AS one(value) WHERE one.value = NEW.chosen))) THEN
        RAISE EXCEPTION 'qianfa:observation-choice: a person chooses one of the readings of an ambiguous value' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER observation_choice BEFORE UPDATE ON observation FOR EACH ROW EXECUTE FUNCTION observation_choice();

CREATE FUNCTION reading_of_ambiguous() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM observation o WHERE o.id = NEW.observation_id AND o.status = 'ambiguous' AND o.chosen IS NULL) THEN
        RAISE EXCEPTION 'qianfa:reading-ambiguous: an ambiguous value is no reading before a person has chosen' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reading_of_ambiguous BEFORE INSERT ON reading FOR EACH ROW EXECUTE FUNCTION reading_of_ambiguous();
