-- The role goes from those who have it; numbers go on under the names that they had.
DROP TRIGGER applicant_owner ON applicant;
DROP FUNCTION applicant_owner();
DROP TRIGGER product_owner ON product;
DROP FUNCTION product_owner();
DROP TABLE owner_proposal;
DROP FUNCTION owner_proposal_confirmed();
ALTER TABLE institute DROP COLUMN keeps_catalogue;
DROP TRIGGER authorisation_owner ON authorisation;
DROP FUNCTION authorisation_owner();
DROP TRIGGER application_owner ON application;
DROP FUNCTION application_owner();
DROP TRIGGER container_institute ON container;
DROP FUNCTION container_institute();
CREATE OR REPLACE FUNCTION container_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sample_id IS DISTINCT FROM OLD.sample_id OR NEW.position IS DISTINCT FROM OLD.position OR NEW.label_code IS DISTINCT FROM OLD.label_code THEN
        RAISE EXCEPTION 'qianfa:container-identity: a container keeps its sample and its label' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
ALTER TABLE container DROP COLUMN institute_id;
ALTER TABLE container ADD CONSTRAINT container_label_code_key UNIQUE (label_code);
DROP INDEX authorisation_by_institute;
CREATE INDEX authorisation_institute_id ON authorisation (institute_id);
DROP INDEX account_by_applicant;
DROP INDEX account_by_institute;
ALTER TABLE number_series DISABLE TRIGGER number_series_starts_at_one;
ALTER TABLE number_series DISABLE TRIGGER number_series_no_delete;
INSERT INTO number_series (series, year, last)
    SELECT split_part(series, ':', 2) || CASE WHEN series LIKE 'application:%' THEN 'C' ELSE '' END, year, max(last)
    FROM number_series WHERE series LIKE 'application:%' OR series LIKE 'sample:%' GROUP BY 1, 2;
DELETE FROM number_series WHERE series LIKE 'application:%' OR series LIKE 'sample:%';
ALTER TABLE number_series ENABLE TRIGGER number_series_starts_at_one;
ALTER TABLE number_series ENABLE TRIGGER number_series_no_delete;
ALTER TABLE audit_entry DROP COLUMN institute_id;
DELETE FROM account_role WHERE role = 'installation';
ALTER TABLE account_role DROP CONSTRAINT account_role_role_check;
ALTER TABLE account_role ADD CONSTRAINT account_role_role_check CHECK (role IN ('receiver','analyst','reviewer','authorised_signatory','port_sampler','quality','administrator','applicant'));
DROP INDEX product_by_code;
ALTER TABLE product DROP COLUMN owner_open;
ALTER TABLE product DROP COLUMN institute_id;
ALTER TABLE product ADD CONSTRAINT product_code_key UNIQUE (code);
DROP INDEX applicant_by_name;
ALTER TABLE applicant DROP COLUMN owner_open;
ALTER TABLE applicant DROP COLUMN institute_id;
ALTER TABLE applicant ADD CONSTRAINT applicant_name_key UNIQUE (name);
