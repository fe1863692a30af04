-- A value that can be read in two ways has both readings, and a person chooses one; what was written stays.
ALTER TABLE observation ADD COLUMN readings TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(readings));
ALTER TABLE observation ADD COLUMN chosen TEXT;
ALTER TABLE observation ADD COLUMN chosen_by TEXT REFERENCES account (id);

DROP TRIGGER observation_identity;
CREATE TRIGGER observation_identity BEFORE UPDATE ON observation
WHEN NEW.instrument_file_id IS NOT OLD.instrument_file_id OR NEW.position IS NOT OLD.position OR NEW.sample_text IS NOT OLD.sample_text OR NEW.analyte IS NOT OLD.analyte OR NEW.quantity IS NOT OLD.quantity OR NEW.raw IS NOT OLD.raw OR NEW.value IS NOT OLD.value OR NEW.unit IS NOT OLD.unit OR NEW.status IS NOT OLD.status OR NEW.flags IS NOT OLD.flags OR NEW.locator IS NOT OLD.locator OR NEW.injection IS NOT OLD.injection OR NEW.acquired_at IS NOT OLD.acquired_at OR NEW.bound IS NOT OLD.bound OR NEW.context IS NOT OLD.context OR NEW.readings IS NOT OLD.readings OR (SELECT state FROM instrument_file WHERE id = NEW.instrument_file_id) <> 'staged'
BEGIN SELECT RAISE(ABORT, 'qianfa:observation-identity: an observation stays as it was read'); END;

CREATE TRIGGER observation_choice BEFORE UPDATE ON observation
WHEN (NEW.chosen IS NULL) <> (NEW.chosen_by IS NULL)
  OR (NEW.chosen IS NOT NULL AND (NEW.status <> 'ambiguous' OR NOT EXISTS (SELECT 1 FROM json_each(NEW.readings) WHERE value = NEW.chosen)))
BEGIN SELECT RAISE(ABORT, 'qianfa:observation-choice: a person chooses one of the readings of an ambiguous value'); END;

CREATE TRIGGER reading_of_ambiguous BEFORE INSERT ON reading
WHEN EXISTS (SELECT 1 FROM observation o WHERE o.id = NEW.observation_id AND o.status = 'ambiguous' AND o.chosen IS NULL)
BEGIN SELECT RAISE(ABORT, 'qianfa:reading-ambiguous: an ambiguous value is no reading before a person has chosen'); END;
