-- The role goes from those who have it; numbers go on under the names that they had.
PRAGMA defer_foreign_keys = ON;
DROP TRIGGER applicant_owner;
DROP TRIGGER product_owner;
DROP TABLE owner_proposal;
DROP INDEX institute_keeper;
ALTER TABLE institute DROP COLUMN keeps_catalogue;
DROP TRIGGER authorisation_owner;
DROP TRIGGER application_owner;
DROP TRIGGER container_no_delete;
CREATE TABLE container_before AS SELECT * FROM container;
DROP TABLE container;
CREATE TABLE container (
    id TEXT NOT NULL PRIMARY KEY,
    sample_id TEXT NOT NULL REFERENCES sample (id),
    position INTEGER NOT NULL,
    label_code TEXT NOT NULL UNIQUE,
    portion TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1,
    UNIQUE (sample_id, position),
    CHECK (portion IN ('received','test','retention','returned'))
) STRICT;
INSERT INTO container (id, sample_id, position, label_code, portion, revision)
    SELECT id, sample_id, position, label_code, portion, revision FROM container_before;
DROP TABLE container_before;
CREATE TRIGGER container_revision AFTER UPDATE ON container
WHEN NEW.revision = OLD.revision
BEGIN UPDATE container SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER container_revision_order BEFORE UPDATE OF revision ON container
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER container_no_delete BEFORE DELETE ON container
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of container is never removed'); END;
CREATE TRIGGER container_identity BEFORE UPDATE ON container
WHEN NEW.sample_id IS NOT OLD.sample_id OR NEW.position IS NOT OLD.position OR NEW.label_code IS NOT OLD.label_code
BEGIN SELECT RAISE(ABORT, 'qianfa:container-identity: a container keeps its sample and its label'); END;
DROP INDEX audit_entry_by_institute;
DROP INDEX authorisation_by_institute;
CREATE INDEX authorisation_institute_id ON authorisation (institute_id);
DROP INDEX account_by_applicant;
DROP INDEX account_by_institute;
DROP TRIGGER number_series_starts_at_one;
DROP TRIGGER number_series_no_delete;
INSERT INTO number_series (series, year, last)
    SELECT substr(series, instr(series, ':') + 1) || CASE WHEN series LIKE 'application:%' THEN 'C' ELSE '' END, year, max(last)
    FROM number_series WHERE series LIKE 'application:%' OR series LIKE 'sample:%' GROUP BY 1, 2;
DELETE FROM number_series WHERE series LIKE 'application:%' OR series LIKE 'sample:%';
CREATE TRIGGER number_series_starts_at_one BEFORE INSERT ON number_series
WHEN NEW.last <> 1
BEGIN SELECT RAISE(ABORT, 'qianfa:number-gap: a number series starts at 1'); END;
CREATE TRIGGER number_series_no_delete BEFORE DELETE ON number_series
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of number_series is never removed'); END;
ALTER TABLE audit_entry DROP COLUMN institute_id;
CREATE TABLE account_role_before AS SELECT * FROM account_role WHERE role <> 'installation';
DROP TABLE account_role;
CREATE TABLE account_role (
    account_id TEXT NOT NULL REFERENCES account (id),
    role TEXT NOT NULL,
    PRIMARY KEY (account_id, role),
    CHECK (role IN ('receiver','analyst','reviewer','authorised_signatory','port_sampler','quality','administrator','applicant'))
) STRICT;
INSERT INTO account_role SELECT account_id, role FROM account_role_before;
DROP TABLE account_role_before;
CREATE TABLE applicant_before AS SELECT * FROM applicant;
DROP TABLE applicant;
CREATE TABLE applicant (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    address TEXT NOT NULL,
    contact TEXT NOT NULL,
    created_at TEXT NOT NULL CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    revision INTEGER NOT NULL DEFAULT 1
) STRICT;
INSERT INTO applicant (id, name, address, contact, created_at, revision)
    SELECT id, name, address, contact, created_at, revision FROM applicant_before;
DROP TABLE applicant_before;
CREATE TABLE product_before AS SELECT * FROM product;
DROP TABLE product;
CREATE TABLE product (
    id TEXT NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    category TEXT NOT NULL,
    device_class TEXT,
    strength TEXT NOT NULL,
    dosage_form TEXT NOT NULL,
    package_spec TEXT NOT NULL,
    storage TEXT NOT NULL,
    manufacturer TEXT NOT NULL,
    holder TEXT NOT NULL,
    approval_number TEXT,
    container_name TEXT NOT NULL,
    container_content TEXT NOT NULL CHECK ((container_content GLOB '*[0-9]*' AND container_content NOT GLOB '*[^0-9.-]*')),
    content_unit TEXT NOT NULL,
    created_at TEXT NOT NULL CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    revision INTEGER NOT NULL DEFAULT 1
) STRICT;
INSERT INTO product (id, code, name_zh, name_en, category, device_class, strength, dosage_form, package_spec, storage, manufacturer, holder, approval_number, container_name, container_content, content_unit, created_at, revision)
    SELECT id, code, name_zh, name_en, category, device_class, strength, dosage_form, package_spec, storage, manufacturer, holder, approval_number, container_name, container_content, content_unit, created_at, revision FROM product_before;
DROP TABLE product_before;
CREATE TRIGGER applicant_revision AFTER UPDATE ON applicant
WHEN NEW.revision = OLD.revision
BEGIN UPDATE applicant SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER applicant_revision_order BEFORE UPDATE OF revision ON applicant
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER product_revision AFTER UPDATE ON product
WHEN NEW.revision = OLD.revision
BEGIN UPDATE product SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER product_revision_order BEFORE UPDATE OF revision ON product
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
