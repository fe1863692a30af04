DROP TRIGGER custody_entry_restored ON custody_entry;
DROP FUNCTION custody_entry_restored();
DROP TRIGGER batch_restored ON batch;
DROP FUNCTION batch_restored();
DROP TRIGGER dead_letter_restored ON dead_letter;
DROP FUNCTION dead_letter_restored();
DROP TRIGGER instrument_restored ON instrument;
DROP FUNCTION instrument_restored();
CREATE OR REPLACE FUNCTION application_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number IS DISTINCT FROM OLD.number OR NEW.business IS DISTINCT FROM OLD.business OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.applicant_id IS DISTINCT FROM OLD.applicant_id OR NEW.product_id IS DISTINCT FROM OLD.product_id OR NEW.created_by IS DISTINCT FROM OLD.created_by OR NEW.created_at IS DISTINCT FROM OLD.created_at OR (OLD.state IN ('refused','withdrawn','voided') AND NEW.state <> OLD.state) THEN
        RAISE EXCEPTION 'qianfa:case-identity: a case keeps its number, its parties, its product and its end' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION sample_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.number IS DISTINCT FROM OLD.number OR NEW.application_id IS DISTINCT FROM OLD.application_id OR NEW.batch_id IS DISTINCT FROM OLD.batch_id OR NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.received_by IS DISTINCT FROM OLD.received_by OR NEW.temperature IS DISTINCT FROM OLD.temperature OR NEW.seals_intact IS DISTINCT FROM OLD.seals_intact OR NEW.packages IS DISTINCT FROM OLD.packages OR NEW.packages_intact IS DISTINCT FROM OLD.packages_intact OR NEW.label_matches IS DISTINCT FROM OLD.label_matches OR NEW.condition_note IS DISTINCT FROM OLD.condition_note OR NEW.full_test_containers IS DISTINCT FROM OLD.full_test_containers OR NEW.required_containers IS DISTINCT FROM OLD.required_containers OR (OLD.state <> 'received' AND (NEW.state IS DISTINCT FROM OLD.state OR NEW.state_reason IS DISTINCT FROM OLD.state_reason)) THEN
        RAISE EXCEPTION 'qianfa:sample-identity: a sample keeps its number and what was seen on receipt' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION reference_standard_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.name IS DISTINCT FROM OLD.name OR NEW.batch IS DISTINCT FROM OLD.batch OR NEW.source IS DISTINCT FROM OLD.source OR NEW.purity IS DISTINCT FROM OLD.purity OR NEW.basis IS DISTINCT FROM OLD.basis OR NEW.water IS DISTINCT FROM OLD.water OR NEW.expires_on IS DISTINCT FROM OLD.expires_on OR NEW.storage IS DISTINCT FROM OLD.storage OR NEW.note IS DISTINCT FROM OLD.note OR NEW.created_by IS DISTINCT FROM OLD.created_by OR NEW.created_at IS DISTINCT FROM OLD.created_at OR (OLD.withdrawn_by IS NOT NULL AND (NEW.withdrawn_by IS DISTINCT FROM OLD.withdrawn_by OR NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at OR NEW.withdrawn_reason IS DISTINCT FROM OLD.withdrawn_reason)) THEN
        RAISE EXCEPTION 'qianfa:reference-standard-identity: a reference standard stays as it was registered' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
DROP TABLE reversal;
DROP TABLE seal_anchor;
DROP TABLE label_print;
DROP FUNCTION reversal_by_another();
DROP FUNCTION label_print_order();
DROP FUNCTION label_print_institute();
