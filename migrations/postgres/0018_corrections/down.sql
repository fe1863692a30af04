DROP TRIGGER certificate_of_superseded ON certificate;
DROP FUNCTION certificate_of_superseded();
DROP TRIGGER result_corrected_by_two ON result;
DROP FUNCTION result_corrected_by_two();
DROP TABLE certificate_correction;
DROP TABLE result_correction;
DROP FUNCTION result_correction_in_order();
CREATE OR REPLACE FUNCTION instrument_file_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.name IS DISTINCT FROM OLD.name OR NEW.size IS DISTINCT FROM OLD.size OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.uploaded_by IS DISTINCT FROM OLD.uploaded_by OR NEW.uploaded_at IS DISTINCT FROM OLD.uploaded_at OR NEW.instrument_id IS DISTINCT FROM OLD.instrument_id OR NEW.source IS DISTINCT FROM OLD.source OR NEW.path IS DISTINCT FROM OLD.path OR NEW.version IS DISTINCT FROM OLD.version OR NEW.supersedes IS DISTINCT FROM OLD.supersedes OR (OLD.state NOT IN ('staged','unread') AND (NEW.state IS DISTINCT FROM OLD.state OR NEW.state_reason IS DISTINCT FROM OLD.state_reason OR NEW.decided_by IS DISTINCT FROM OLD.decided_by OR NEW.decided_at IS DISTINCT FROM OLD.decided_at)) OR (NOT (OLD.state = 'unread' AND NEW.state = 'staged') AND (NEW.adapter IS DISTINCT FROM OLD.adapter OR NEW.adapter_version IS DISTINCT FROM OLD.adapter_version OR NEW.complete IS DISTINCT FROM OLD.complete OR NEW.run IS DISTINCT FROM OLD.run OR NEW.problems IS DISTINCT FROM OLD.problems)) THEN
        RAISE EXCEPTION 'qianfa:instrument-file-identity: an instrument file stays as it was read and decided' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
