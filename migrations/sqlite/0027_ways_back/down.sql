DROP TRIGGER custody_entry_restored;
DROP TRIGGER batch_restored;
DROP TRIGGER dead_letter_restored;
DROP TRIGGER instrument_restored;
DROP TRIGGER application_identity;
CREATE TRIGGER application_identity BEFORE UPDATE ON application
WHEN NEW.number IS NOT OLD.number OR NEW.business IS NOT OLD.business OR NEW.institute_id IS NOT OLD.institute_id OR NEW.applicant_id IS NOT OLD.applicant_id OR NEW.product_id IS NOT OLD.product_id OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at IS NOT OLD.created_at OR (OLD.state IN ('refused','withdrawn','voided') AND NEW.state <> OLD.state)
BEGIN SELECT RAISE(ABORT, 'qianfa:case-identity: a case keeps its number, its parties, its product and its end'); END;
DROP TRIGGER sample_identity;
CREATE TRIGGER sample_identity BEFORE UPDATE ON sample
WHEN NEW.id IS NOT OLD.id OR NEW.institute_id IS NOT OLD.institute_id OR NEW.number IS NOT OLD.number OR NEW.application_id IS NOT OLD.application_id OR NEW.batch_id IS NOT OLD.batch_id OR NEW.received_at IS NOT OLD.received_at OR NEW.received_by IS NOT OLD.received_by OR NEW.temperature IS NOT OLD.temperature OR NEW.seals_intact IS NOT OLD.seals_intact OR NEW.packages IS NOT OLD.packages OR NEW.packages_intact IS NOT OLD.packages_intact OR NEW.label_matches IS NOT OLD.label_matches OR NEW.condition_note IS NOT OLD.condition_note OR NEW.full_test_containers IS NOT OLD.full_test_containers OR NEW.required_containers IS NOT OLD.required_containers OR (OLD.state <> 'received' AND (NEW.state IS NOT OLD.state OR NEW.state_reason IS NOT OLD.state_reason))
BEGIN SELECT RAISE(ABORT, 'qianfa:sample-identity: a sample keeps its number and what was seen on receipt'); END;
DROP TRIGGER reference_standard_identity;
CREATE TRIGGER reference_standard_identity BEFORE UPDATE ON reference_standard
WHEN NEW.id IS NOT OLD.id OR NEW.institute_id IS NOT OLD.institute_id OR NEW.name IS NOT OLD.name OR NEW.batch IS NOT OLD.batch OR NEW.source IS NOT OLD.source OR NEW.purity IS NOT OLD.purity OR NEW.basis IS NOT OLD.basis OR NEW.water IS NOT OLD.water OR NEW.expires_on IS NOT OLD.expires_on OR NEW.storage IS NOT OLD.storage OR NEW.note IS NOT OLD.note OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at IS NOT OLD.created_at OR (OLD.withdrawn_by IS NOT NULL AND (NEW.withdrawn_by IS NOT OLD.withdrawn_by OR NEW.withdrawn_at IS NOT OLD.withdrawn_at OR NEW.withdrawn_reason IS NOT OLD.withdrawn_reason))
BEGIN SELECT RAISE(ABORT, 'qianfa:reference-standard-identity: a reference standard stays as it was registered'); END;
DROP TABLE reversal;
DROP TABLE seal_anchor;
DROP TABLE label_print;
