-- Everything that is kept has an owner: the institute, or, where it is NULL, the shared national catalogue. What is
-- unique is unique within its owner. A specification is its product's owner's.

ALTER TABLE account_role DROP CONSTRAINT account_role_role_check;
ALTER TABLE account_role ADD CONSTRAINT account_role_role_check CHECK (role IN ('receiver','analyst','reviewer','authorised_signatory','port_sampler','quality','administrator','installation','applicant'));

ALTER TABLE applicant DROP CONSTRAINT applicant_name_key;
ALTER TABLE applicant ADD COLUMN institute_id TEXT REFERENCES institute (id);
-- Several institutes had it before owners were kept: somebody has yet to say whose it is.
ALTER TABLE applicant ADD COLUMN owner_open BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE product DROP CONSTRAINT product_code_key;
ALTER TABLE product ADD COLUMN institute_id TEXT REFERENCES institute (id);
ALTER TABLE product ADD COLUMN owner_open BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE applicant DISABLE TRIGGER applicant_revision;
ALTER TABLE product DISABLE TRIGGER product_revision;
-- Who used it. A product counts as used by whoever has cases of it or is authorised for it.
UPDATE product SET institute_id = (
    SELECT CASE count(DISTINCT used.institute_id) WHEN 0 THEN (SELECT CASE count(*) WHEN 1 THEN min(id) END FROM institute)
        WHEN 1 THEN min(used.institute_id) END
    FROM (SELECT product_id, institute_id FROM application UNION SELECT product_id, institute_id FROM authorisation) AS used
    WHERE used.product_id = product.id);
UPDATE product SET owner_open = TRUE WHERE institute_id IS NULL AND EXISTS (
    SELECT 1 FROM application WHERE application.product_id = product.id
    UNION SELECT 1 FROM authorisation WHERE authorisation.product_id = product.id);
UPDATE applicant SET institute_id = (
    SELECT CASE count(DISTINCT used.institute_id) WHEN 0 THEN (SELECT CASE count(*) WHEN 1 THEN min(id) END FROM institute)
        WHEN 1 THEN min(used.institute_id) END
    FROM application AS used WHERE used.applicant_id = applicant.id);
UPDATE applicant SET owner_open = TRUE WHERE institute_id IS NULL AND EXISTS (
    SELECT 1 FROM application WHERE application.applicant_id = applicant.id);
ALTER TABLE applicant ENABLE TRIGGER applicant_revision;
ALTER TABLE product ENABLE TRIGGER product_revision;

-- The installation's role goes to whoever set it up: its first administrator.
INSERT INTO account_role (account_id, role)
    SELECT account.id, 'installation' FROM account JOIN account_role ON account_role.account_id = account.id
    WHERE account_role.role = 'administrator' ORDER BY account.created_at, account.id LIMIT 1;

-- The trail tells each institute its own entries; what no institute did is the installation's.
ALTER TABLE audit_entry ADD COLUMN institute_id TEXT REFERENCES institute (id);
ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_append_only;
UPDATE audit_entry SET institute_id = coalesce(
    CASE subject_kind
        WHEN 'institute' THEN (SELECT id FROM institute WHERE institute.id = audit_entry.subject_id)
        WHEN 'account' THEN (SELECT coalesce(account.institute_id, applicant.institute_id) FROM account
            LEFT JOIN applicant ON applicant.id = account.applicant_id WHERE account.id = audit_entry.subject_id)
        WHEN 'authorisation' THEN (SELECT institute_id FROM authorisation WHERE authorisation.id = audit_entry.subject_id)
        WHEN 'application' THEN (SELECT institute_id FROM application WHERE application.id = audit_entry.subject_id)
    END,
    (SELECT coalesce(account.institute_id, applicant.institute_id) FROM account
        LEFT JOIN applicant ON applicant.id = account.applicant_id WHERE account.id = audit_entry.actor_id));
ALTER TABLE audit_entry ENABLE TRIGGER audit_entry_append_only;

ALTER TABLE number_series DISABLE TRIGGER number_series_starts_at_one;
ALTER TABLE number_series DISABLE TRIGGER number_series_no_delete;
-- A series has its kind in its name, so that no prefix shares the series of another. What was numbered goes on: a series
-- that served two kinds goes on in both.
INSERT INTO number_series (series, year, last)
    SELECT 'application:' || sample_prefix, year, last FROM institute JOIN number_series ON series = sample_prefix || 'C';
INSERT INTO number_series (series, year, last)
    SELECT 'sample:' || sample_prefix, year, last FROM institute JOIN number_series ON series = sample_prefix;
DELETE FROM number_series WHERE series IN (SELECT sample_prefix FROM institute UNION SELECT sample_prefix || 'C' FROM institute);
ALTER TABLE number_series ENABLE TRIGGER number_series_starts_at_one;
ALTER TABLE number_series ENABLE TRIGGER number_series_no_delete;

CREATE UNIQUE INDEX product_code_own ON product (institute_id, code);
CREATE UNIQUE INDEX product_code_shared ON product (code) WHERE institute_id IS NULL;
CREATE INDEX product_by_code ON product (code, id);
CREATE UNIQUE INDEX applicant_name_own ON applicant (institute_id, name);
CREATE UNIQUE INDEX applicant_name_shared ON applicant (name) WHERE institute_id IS NULL;
CREATE INDEX applicant_by_name ON applicant (name, id);
CREATE INDEX account_by_institute ON account (institute_id, username);
CREATE INDEX account_by_applicant ON account (applicant_id, username);
DROP INDEX authorisation_institute_id;
CREATE INDEX authorisation_by_institute ON authorisation (institute_id, valid_from, id);
CREATE INDEX audit_entry_by_institute ON audit_entry (institute_id, seq);

-- A label is typed at a desk: it is taken within its institute only.
ALTER TABLE container ADD COLUMN institute_id TEXT REFERENCES institute (id);
ALTER TABLE container DISABLE TRIGGER container_revision;
UPDATE container SET institute_id = sample.institute_id FROM sample WHERE sample.id = container.sample_id;
ALTER TABLE container ENABLE TRIGGER container_revision;
ALTER TABLE container ALTER COLUMN institute_id SET NOT NULL;
ALTER TABLE container DROP CONSTRAINT container_label_code_key;
ALTER TABLE container ADD CONSTRAINT container_institute_id_label_code_key UNIQUE (institute_id, label_code);
CREATE OR REPLACE FUNCTION container_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.sample_id IS DISTINCT FROM OLD.sample_id OR NEW.position IS DISTINCT FROM OLD.position OR NEW.label_code IS DISTINCT FROM OLD.label_code THEN
        RAISE EXCEPTION 'qianfa:container-identity: a container keeps its sample and its label' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION container_institute() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM sample WHERE id = NEW.sample_id AND institute_id <> NEW.institute_id) THEN
        RAISE EXCEPTION 'qianfa:wrong-institute: a container is of the institute of its sample' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER container_institute BEFORE INSERT ON container FOR EACH ROW EXECUTE FUNCTION container_institute();

-- What an institute's record names is its own or shared.
CREATE FUNCTION application_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM product WHERE id = NEW.product_id AND institute_id <> NEW.institute_id)
        OR EXISTS (SELECT 1 FROM applicant WHERE id = NEW.applicant_id AND institute_id <> NEW.institute_id) THEN
        RAISE EXCEPTION 'qianfa:other-owner: a case names a product and an applicant of its institute, or shared ones' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER application_owner BEFORE INSERT ON application FOR EACH ROW EXECUTE FUNCTION application_owner();
CREATE FUNCTION authorisation_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM product WHERE id = NEW.product_id AND institute_id <> NEW.institute_id) THEN
        RAISE EXCEPTION 'qianfa:other-owner: an authorisation names a product of its institute, or a shared one' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER authorisation_owner BEFORE INSERT ON authorisation FOR EACH ROW EXECUTE FUNCTION authorisation_owner();

-- What is shared is changed by two people of the institute that keeps the shared catalogue: one proposes whose a product
-- or an applicant shall be, another confirms.
ALTER TABLE institute ADD COLUMN keeps_catalogue BOOLEAN NOT NULL DEFAULT FALSE;
CREATE UNIQUE INDEX institute_keeper ON institute (keeps_catalogue) WHERE keeps_catalogue;
CREATE TABLE owner_proposal (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    product_id TEXT REFERENCES product (id),
    applicant_id TEXT REFERENCES applicant (id),
    to_institute_id TEXT REFERENCES institute (id),
    reason TEXT NOT NULL,
    proposed_by TEXT NOT NULL REFERENCES account (id),
    proposed_at instant NOT NULL,
    confirmed_by TEXT REFERENCES account (id),
    confirmed_at instant,
    CHECK ((product_id IS NULL) <> (applicant_id IS NULL)),
    CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL))
);
CREATE INDEX owner_proposal_by_institute ON owner_proposal (institute_id, proposed_at, id);
CREATE TRIGGER owner_proposal_kept BEFORE DELETE OR TRUNCATE ON owner_proposal FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE FUNCTION owner_proposal_confirmed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.confirmed_by IS NOT NULL OR NEW.confirmed_by IS NULL OR NEW.confirmed_by = OLD.proposed_by
        OR (NEW.id, NEW.institute_id, NEW.product_id, NEW.applicant_id, NEW.to_institute_id, NEW.reason, NEW.proposed_by, NEW.proposed_at::text)
        IS DISTINCT FROM (OLD.id, OLD.institute_id, OLD.product_id, OLD.applicant_id, OLD.to_institute_id, OLD.reason, OLD.proposed_by, OLD.proposed_at::text) THEN
        RAISE EXCEPTION 'qianfa:owner-proposal: a proposal is confirmed once, by somebody else, and not changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER owner_proposal_confirmed BEFORE UPDATE ON owner_proposal FOR EACH ROW EXECUTE FUNCTION owner_proposal_confirmed();
CREATE FUNCTION product_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.institute_id IS DISTINCT FROM OLD.institute_id AND NOT EXISTS (SELECT 1 FROM owner_proposal WHERE product_id = OLD.id AND confirmed_by IS NOT NULL AND to_institute_id IS NOT DISTINCT FROM NEW.institute_id) THEN
        RAISE EXCEPTION 'qianfa:owner-proposal: an owner changes only as two people agreed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER product_owner BEFORE UPDATE OF institute_id ON product FOR EACH ROW EXECUTE FUNCTION product_owner();
CREATE FUNCTION applicant_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.institute_id IS DISTINCT FROM OLD.institute_id AND NOT EXISTS (SELECT 1 FROM owner_proposal WHERE applicant_id = OLD.id AND confirmed_by IS NOT NULL AND to_institute_id IS NOT DISTINCT FROM NEW.institute_id) THEN
        RAISE EXCEPTION 'qianfa:owner-proposal: an owner changes only as two people agreed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER applicant_owner BEFORE UPDATE OF institute_id ON applicant FOR EACH ROW EXECUTE FUNCTION applicant_owner();
