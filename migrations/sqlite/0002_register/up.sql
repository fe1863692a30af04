-- Products, their specifications, and who may release what.

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
    created_at TEXT NOT NULL CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z')
) STRICT;

CREATE TABLE product_trait (
    product_id TEXT NOT NULL REFERENCES product (id),
    trait_name TEXT NOT NULL,
    PRIMARY KEY (product_id, trait_name)
) STRICT;

CREATE TABLE specification (
    id TEXT NOT NULL PRIMARY KEY,
    product_id TEXT NOT NULL REFERENCES product (id),
    version INTEGER NOT NULL,
    title TEXT NOT NULL,
    edition TEXT NOT NULL,
    status TEXT NOT NULL,
    effective_from TEXT CHECK (effective_from IS NULL OR date(effective_from) IS effective_from),
    created_at TEXT NOT NULL CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    UNIQUE (product_id, version),
    CHECK (status IN ('draft','effective','superseded')),
    CHECK (version >= 1)
) STRICT;

CREATE TABLE test_item (
    id TEXT NOT NULL PRIMARY KEY,
    specification_id TEXT NOT NULL REFERENCES specification (id),
    position INTEGER NOT NULL,
    code TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    method TEXT NOT NULL,
    kind TEXT NOT NULL,
    unit TEXT NOT NULL,
    limit_text TEXT NOT NULL,
    compare_by TEXT NOT NULL,
    rounding_step TEXT CHECK (rounding_step IS NULL OR (rounding_step GLOB '*[0-9]*' AND rounding_step NOT GLOB '*[^0-9.-]*')),
    formula TEXT,
    inputs TEXT NOT NULL CHECK (json_valid(inputs)),
    replicates INTEGER NOT NULL,
    consumes TEXT NOT NULL CHECK ((consumes GLOB '*[0-9]*' AND consumes NOT GLOB '*[^0-9.-]*')),
    in_scope INTEGER NOT NULL CHECK (in_scope IN (0, 1)),
    UNIQUE (specification_id, code),
    UNIQUE (specification_id, position),
    CHECK (kind IN ('numeric','text')),
    CHECK (compare_by IN ('rounded','full','text')),
    CHECK (replicates >= 1)
) STRICT;

CREATE TABLE authorisation (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    product_id TEXT REFERENCES product (id),
    category TEXT,
    item_code TEXT,
    valid_from TEXT NOT NULL CHECK (date(valid_from) IS valid_from),
    valid_to TEXT CHECK (valid_to IS NULL OR date(valid_to) IS valid_to),
    document TEXT NOT NULL,
    created_at TEXT NOT NULL CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CHECK ((product_id IS NULL) <> (category IS NULL)),
    CHECK (valid_to IS NULL OR valid_to >= valid_from)
) STRICT;
CREATE INDEX authorisation_institute_id ON authorisation (institute_id);

CREATE TRIGGER specification_no_delete BEFORE DELETE ON specification
BEGIN SELECT RAISE(ABORT, 'specification is never deleted'); END;

CREATE TRIGGER specification_locked BEFORE UPDATE ON specification
WHEN OLD.status <> 'draft' AND (NEW.product_id IS NOT OLD.product_id OR NEW.version IS NOT OLD.version OR NEW.title IS NOT OLD.title OR NEW.edition IS NOT OLD.edition OR NEW.effective_from IS NOT OLD.effective_from OR NEW.status = 'draft')
BEGIN SELECT RAISE(ABORT, 'an effective specification is locked'); END;

CREATE TRIGGER test_item_locked_insert BEFORE INSERT ON test_item
WHEN (SELECT status FROM specification WHERE id = NEW.specification_id) <> 'draft'
BEGIN SELECT RAISE(ABORT, 'an effective specification is locked'); END;

CREATE TRIGGER test_item_locked_update BEFORE UPDATE ON test_item
WHEN (SELECT status FROM specification WHERE id = NEW.specification_id) <> 'draft'
BEGIN SELECT RAISE(ABORT, 'an effective specification is locked'); END;

CREATE TRIGGER test_item_locked_delete BEFORE DELETE ON test_item
WHEN (SELECT status FROM specification WHERE id = OLD.specification_id) <> 'draft'
BEGIN SELECT RAISE(ABORT, 'an effective specification is locked'); END;
