DROP TRIGGER reading_of_ambiguous ON reading;
DROP FUNCTION reading_of_ambiguous();
DROP TRIGGER observation_choice ON observation;
DROP FUNCTION observation_choice();
CREATE OR REPLACE FUNCTION observation_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.instrument_file_id IS DISTINCT FROM OLD.instrument_file_id OR NEW.position IS DISTINCT FROM OLD.position OR NEW.sample_text IS DISTINCT FROM OLD.sample_text OR NEW.analyte IS DISTINCT FROM OLD.analyte OR NEW.quantity IS DISTINCT FROM OLD.quantity OR NEW.raw IS DISTINCT FROM OLD.raw OR NEW.value IS DISTINCT FROM OLD.value OR NEW.unit IS DISTINCT FROM OLD.unit OR NEW.status IS DISTINCT FROM OLD.status OR NEW.flags IS DISTINCT FROM OLD.flags OR NEW.locator IS DISTINCT FROM OLD.locator OR NEW.injection IS DISTINCT FROM OLD.injection OR NEW.acquired_at IS DISTINCT FROM OLD.acquired_at OR NEW.bound IS DISTINCT FROM OLD.bound OR NEW.context IS DISTINCT FROM OLD.context OR (SELECT state FROM instrument_file WHERE id = NEW.instrument_file_id) <> 'staged' THEN
        RAISE EXCEPTION 'qianfa:observation-identity: an observation stays as it was read' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
ALTER TABLE observation DROP COLUMN chosen_by;
ALTER TABLE observation DROP COLUMN chosen;
ALTER TABLE observation DROP COLUMN readings;
