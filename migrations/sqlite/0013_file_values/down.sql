DROP TRIGGER reading_of_ambiguous;
DROP TRIGGER observation_choice;
DROP TRIGGER observation_identity;
ALTER TABLE observation DROP COLUMN chosen_by;
ALTER TABLE observation DROP COLUMN chosen;
ALTER TABLE observation DROP COLUMN readings;
CREATE TRIGGER observation_identity BEFORE UPDATE ON observation
WHEN NEW.instrument_file_id IS NOT OLD.instrument_file_id OR NEW.position IS NOT OLD.position OR NEW.sample_text IS NOT OLD.sample_text OR NEW.analyte IS NOT OLD.analyte OR NEW.quantity IS NOT OLD.quantity OR NEW.raw IS NOT OLD.raw OR NEW.value IS NOT OLD.value OR NEW.unit IS NOT OLD.unit OR NEW.status IS NOT OLD.status OR NEW.flags IS NOT OLD.flags OR NEW.locator IS NOT OLD.locator OR NEW.injection IS NOT OLD.injection OR NEW.acquired_at IS NOT OLD.acquired_at OR NEW.bound IS NOT OLD.bound OR NEW.context IS NOT OLD.context OR (SELECT state FROM instrument_file WHERE id = NEW.instrument_file_id) <> 'staged'
BEGIN SELECT RAISE(ABORT, 'qianfa:observation-identity: an observation stays as it was read'); END;
