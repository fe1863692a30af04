DROP TRIGGER certificate_of_superseded;
DROP TRIGGER result_corrected_by_two;
DROP TABLE certificate_correction;
DROP TABLE result_correction;
DROP TRIGGER instrument_file_identity;
CREATE TRIGGER instrument_file_identity BEFORE UPDATE ON instrument_file
WHEN NEW.id IS NOT OLD.id OR NEW.sha256 IS NOT OLD.sha256 OR NEW.name IS NOT OLD.name OR NEW.size IS NOT OLD.size OR NEW.institute_id IS NOT OLD.institute_id OR NEW.uploaded_by IS NOT OLD.uploaded_by OR NEW.uploaded_at IS NOT OLD.uploaded_at OR NEW.instrument_id IS NOT OLD.instrument_id OR NEW.source IS NOT OLD.source OR NEW.path IS NOT OLD.path OR NEW.version IS NOT OLD.version OR NEW.supersedes IS NOT OLD.supersedes OR (OLD.state NOT IN ('staged','unread') AND (NEW.state IS NOT OLD.state OR NEW.state_reason IS NOT OLD.state_reason OR NEW.decided_by IS NOT OLD.decided_by OR NEW.decided_at IS NOT OLD.decided_at)) OR (NOT (OLD.state = 'unread' AND NEW.state = 'staged') AND (NEW.adapter IS NOT OLD.adapter OR NEW.adapter_version IS NOT OLD.adapter_version OR NEW.complete IS NOT OLD.complete OR NEW.run IS NOT OLD.run OR NEW.problems IS NOT OLD.problems))
BEGIN SELECT RAISE(ABORT, 'qianfa:instrument-file-identity: an instrument file stays as it was read and decided'); END;
