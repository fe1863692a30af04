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
    container_content decimal_text NOT NULL,
    content_unit TEXT NOT NULL,
    created_at instant NOT NULL
);

CREATE TABLE product_trait (
    product_id TEXT NOT NULL REFERENCES product (id),
    trait_name TEXT NOT NULL,
    PRIMARY KEY (product_id, trait_name)
);

CREATE TABLE specification (
    id TEXT NOT NULL PRIMARY KEY,
    product_id TEXT NOT NULL REFERENCES product (id),
    version BIGINT NOT NULL,
    title TEXT NOT NULL,
    edition TEXT NOT NULL,
    status TEXT NOT NULL,
    effective_from day,
    created_at instant NOT NULL,
    UNIQUE (product_id, version),
    CHECK (status IN ('draft','effective','superseded')),
    CHECK (version >= 1)
);

CREATE TABLE test_item (
    id TEXT NOT NULL PRIMARY KEY,
    specification_id TEXT NOT NULL REFERENCES specification (id),
    position BIGINT NOT NULL,
    code TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    method TEXT NOT NULL,
    kind TEXT NOT NULL,
    unit TEXT NOT NULL,
    limit_text TEXT NOT NULL,
    compare_by TEXT NOT NULL,
    rounding_step decimal_text,
    formula TEXT,
    inputs TEXT NOT NULL CHECK (inputs::json IS NOT NULL),
    replicates BIGINT NOT NULL,
    consumes decimal_text NOT NULL,
    in_scope BOOLEAN NOT NULL,
    UNIQUE (specification_id, code),
    UNIQUE (specification_id, position),
    CHECK (kind IN ('numeric','text')),
    CHECK (compare_by IN ('rounded','full','text')),
    CHECK (replicates >= 1)
);

CREATE TABLE authorisation (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    product_id TEXT REFERENCES product (id),
    category TEXT,
    item_code TEXT,
    valid_from day NOT NULL,
    valid_to day,
    document TEXT NOT NULL,
    created_at instant NOT NULL,
    CHECK ((product_id IS NULL) <> (category IS NULL)),
    CHECK (valid_to IS NULL OR valid_to >= valid_from)
);
CREATE INDEX authorisation_institute_id ON authorisation (institute_id);

CREATE TRIGGER specification_no_delete BEFORE DELETE OR TRUNCATE ON specification
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION specification_locked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> 'draft' AND (NEW.product_id IS DISTINCT FROM OLD.product_id OR NEW.version IS DISTINCT FROM OLD.version OR NEW.title IS DISTINCT FROM OLD.title OR NEW.edition IS DISTINCT FROM OLD.edition OR NEW.effective_from IS DISTINCT FROM OLD.effective_from OR NEW.status = 'draft') THEN
        RAISE EXCEPTION 'an effective specification is locked' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER specification_locked BEFORE UPDATE ON specification FOR EACH ROW EXECUTE FUNCTION specification_locked();

CREATE FUNCTION test_item_locked_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT status FROM specification WHERE id = NEW.specification_id) <> 'draft' THEN
        RAISE EXCEPTION 'an effective specification is locked' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER test_item_locked_insert BEFORE INSERT ON test_item FOR EACH ROW EXECUTE FUNCTION test_item_locked_insert();

CREATE FUNCTION test_item_locked_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT status FROM specification WHERE id = NEW.specification_id) <> 'draft' THEN
        RAISE EXCEPTION 'an effective specification is locked' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER test_item_locked_update BEFORE UPDATE ON test_item FOR EACH ROW EXECUTE FUNCTION test_item_locked_update();

CREATE FUNCTION test_item_locked_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT status FROM specification WHERE id = OLD.specification_id) <> 'draft' THEN
        RAISE EXCEPTION 'an effective specification is locked' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER test_item_locked_delete BEFORE DELETE ON test_item FOR EACH ROW EXECUTE FUNCTION test_item_locked_delete();
