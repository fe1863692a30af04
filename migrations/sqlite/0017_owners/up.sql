-- Everything that is kept has an owner: the institute, or, where it is NULL, the shared national catalogue. What is
-- unique is unique within its owner. A specification is its product's owner's.

-- SQLite drops no constraint of a column: the tables are made anew under their names. Their children wait for
-- the end of the transaction, when the rows are back.
PRAGMA defer_foreign_keys = ON;

CREATE TABLE account_role_before AS SELECT * FROM account_role;
DROP TABLE account_role;
CREATE TABLE account_role (
    account_id TEXT NOT NULL REFERENCES account (id),
    role TEXT NOT NULL,
    PRIMARY KEY (account_id, role),
    CHECK (role IN ('receiver','analyst','reviewer','authorised_signatory','port_sampler','quality','administrator','installation','applicant'))
) STRICT;
INSERT INTO account_role SELECT account_id, role FROM account_role_before;
DROP TABLE account_role_before;

CREATE TABLE applicant_before AS SELECT * FROM applicant;
DROP TABLE applicant;
CREATE TABLE applicant (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    contact TEXT NOT NULL,
    created_at TEXT NOT NULL CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    revision INTEGER NOT NULL DEFAULT 1,
    institute_id TEXT REFERENCES institute (id),
    -- Several institutes had it before owners were kept: somebody has yet to say whose it is.
    owner_open INTEGER NOT NULL DEFAULT FALSE CHECK (owner_open IN (0, 1))
) STRICT;
INSERT INTO applicant (id, name, address, contact, created_at, revision)
    SELECT id, name, address, contact, created_at, revision FROM applicant_before;
DROP TABLE applicant_before;

CREATE TABLE product_before AS SELECT * FROM product;
DROP TABLE product;
CREATE TABLE product (
    id TEXT NOT NULL PRIMARY KEY,
    code TEXT NOT NULL,
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
    revision INTEGER NOT NULL DEFAULT 1,
    institute_id TEXT REFERENCES institute (id),
    owner_open INTEGER NOT NULL DEFAULT FALSE CHECK (owner_open IN (0, 1))
) STRICT;
INSERT INTO product (id, code, name_zh, name_en, category, device_class, strength, dosage_form, package_spec, storage, manufacturer, holder, approval_number, container_name, container_content, content_unit, created_at, revision)
    SELECT id, code, name_zh, name_en, category, device_class, strength, dosage_form, package_spec, storage, manufacturer, holder, approval_number, container_name, container_content, content_unit, created_at, revision FROM product_before;
DROP TABLE product_before;

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

-- The installation's role goes to whoever set it up: its first administrator.
INSERT INTO account_role (account_id, role)
    SELECT account.id, 'installation' FROM account JOIN account_role ON account_role.account_id = account.id
    WHERE account_role.role = 'administrator' ORDER BY account.created_at, account.id LIMIT 1;

-- The trail tells each institute its own entries; what no institute did is the installation's.
ALTER TABLE audit_entry ADD COLUMN institute_id TEXT REFERENCES institute (id);
DROP TRIGGER audit_entry_no_update;
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
CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of audit_entry is only added, never changed or removed'); END;

DROP TRIGGER number_series_starts_at_one;
DROP TRIGGER number_series_no_delete;
-- A series has its kind in its name, so that no prefix shares the series of another. What was numbered goes on: a series
-- that served two kinds goes on in both.
INSERT INTO number_series (series, year, last)
    SELECT 'application:' || sample_prefix, year, last FROM institute JOIN number_series ON series = sample_prefix || 'C';
INSERT INTO number_series (series, year, last)
    SELECT 'sample:' || sample_prefix, year, last FROM institute JOIN number_series ON series = sample_prefix;
DELETE FROM number_series WHERE series IN (SELECT sample_prefix FROM institute UNION SELECT sample_prefix || 'C' FROM institute);
CREATE TRIGGER number_series_starts_at_one BEFORE INSERT ON number_series
WHEN NEW.last <> 1
BEGIN SELECT RAISE(ABORT, 'qianfa:number-gap: a number series starts at 1'); END;
CREATE TRIGGER number_series_no_delete BEFORE DELETE ON number_series
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of number_series is never removed'); END;

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
CREATE TABLE container_before AS SELECT container.*, sample.institute_id AS owner FROM container JOIN sample ON sample.id = container.sample_id;
DROP TRIGGER container_no_delete;
DROP TABLE container;
CREATE TABLE container (
    id TEXT NOT NULL PRIMARY KEY,
    sample_id TEXT NOT NULL REFERENCES sample (id),
    position INTEGER NOT NULL,
    label_code TEXT NOT NULL,
    portion TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    UNIQUE (sample_id, position),
    UNIQUE (institute_id, label_code),
    CHECK (portion IN ('received','test','retention','returned'))
) STRICT;
INSERT INTO container (id, sample_id, position, label_code, portion, revision, institute_id)
    SELECT id, sample_id, position, label_code, portion, revision, owner FROM container_before;
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
WHEN NEW.institute_id IS NOT OLD.institute_id OR NEW.sample_id IS NOT OLD.sample_id OR NEW.position IS NOT OLD.position OR NEW.label_code IS NOT OLD.label_code
BEGIN SELECT RAISE(ABORT, 'qianfa:container-identity: a container keeps its sample and its label'); END;
CREATE TRIGGER container_institute BEFORE INSERT ON container
WHEN EXISTS (SELECT 1 FROM sample WHERE id = NEW.sample_id AND institute_id <> NEW.institute_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:wrong-institute: a container is of the institute of its sample'); END;

-- What an institute's record names is its own or shared.
CREATE TRIGGER application_owner BEFORE INSERT ON application
WHEN EXISTS (SELECT 1 FROM product WHERE id = NEW.product_id AND institute_id <> NEW.institute_id)
    OR EXISTS (SELECT 1 FROM applicant WHERE id = NEW.applicant_id AND institute_id <> NEW.institute_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:other-owner: a case names a product and an applicant of its institute, or shared ones'); END;
CREATE TRIGGER authorisation_owner BEFORE INSERT ON authorisation
WHEN EXISTS (SELECT 1 FROM product WHERE id = NEW.product_id AND institute_id <> NEW.institute_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:other-owner: an authorisation names a product of its institute, or a shared one'); END;

-- What is shared is changed by two people of the institute that keeps the shared catalogue: one proposes whose a product
-- or an applicant shall be, another confirms.
ALTER TABLE institute ADD COLUMN keeps_catalogue INTEGER NOT NULL DEFAULT FALSE CHECK (keeps_catalogue IN (0, 1));
CREATE UNIQUE INDEX institute_keeper ON institute (keeps_catalogue) WHERE keeps_catalogue;
CREATE TABLE owner_proposal (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    product_id TEXT REFERENCES product (id),
    applicant_id TEXT REFERENCES applicant (id),
    to_institute_id TEXT REFERENCES institute (id),
    reason TEXT NOT NULL,
    proposed_by TEXT NOT NULL REFERENCES account (id),
    proposed_at TEXT NOT NULL CHECK (proposed_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    confirmed_by TEXT REFERENCES account (id),
    confirmed_at TEXT CHECK (confirmed_at IS NULL OR confirmed_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CHECK ((product_id IS NULL) <> (applicant_id IS NULL)),
    CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL))
) STRICT;
CREATE INDEX owner_proposal_by_institute ON owner_proposal (institute_id, proposed_at, id);
CREATE TRIGGER owner_proposal_kept BEFORE DELETE ON owner_proposal
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of owner_proposal is never removed'); END;
CREATE TRIGGER owner_proposal_confirmed BEFORE UPDATE ON owner_proposal
WHEN OLD.confirmed_by IS NOT NULL OR NEW.confirmed_by IS NULL OR NEW.confirmed_by = OLD.proposed_by OR NEW.id IS NOT OLD.id OR NEW.institute_id IS NOT OLD.institute_id OR NEW.product_id IS NOT OLD.product_id OR NEW.applicant_id IS NOT OLD.applicant_id OR NEW.to_institute_id IS NOT OLD.to_institute_id OR NEW.reason IS NOT OLD.reason OR NEW.proposed_by IS NOT OLD.proposed_by OR NEW.proposed_at IS NOT OLD.proposed_at
BEGIN SELECT RAISE(ABORT, 'qianfa:owner-proposal: a proposal is confirmed once, by somebody else, and not changed'); END;
CREATE TRIGGER product_owner BEFORE UPDATE OF institute_id ON product
WHEN NEW.institute_id IS NOT OLD.institute_id AND NOT EXISTS (SELECT 1 FROM owner_proposal WHERE product_id = OLD.id AND confirmed_by IS NOT NULL AND to_institute_id IS NEW.institute_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:owner-proposal: an owner changes only as two people agreed'); END;
CREATE TRIGGER applicant_owner BEFORE UPDATE OF institute_id ON applicant
WHEN NEW.institute_id IS NOT OLD.institute_id AND NOT EXISTS (SELECT 1 FROM owner_proposal WHERE applicant_id = OLD.id AND confirmed_by IS NOT NULL AND to_institute_id IS NEW.institute_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:owner-proposal: an owner changes only as two people agreed'); END;
