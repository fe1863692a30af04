-- Certificates: drafted, reviewed (numbered), issued; never changed after.

CREATE TABLE certificate (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    number TEXT UNIQUE,
    application_id TEXT NOT NULL REFERENCES application (id),
    sample_id TEXT NOT NULL REFERENCES sample (id),
    state TEXT NOT NULL,
    conforms BOOLEAN NOT NULL,
    data TEXT NOT NULL CHECK (data::json IS NOT NULL),
    verification_code TEXT NOT NULL UNIQUE,
    amends_id TEXT REFERENCES certificate (id),
    amendment_reason TEXT,
    drafted_by TEXT NOT NULL REFERENCES account (id),
    drafted_at instant NOT NULL,
    reviewed_by TEXT REFERENCES account (id),
    reviewed_at instant,
    signed_by TEXT REFERENCES account (id),
    signed_at instant,
    signature_id TEXT REFERENCES signature (id),
    pdf_sha256 TEXT,
    state_reason TEXT,
    CHECK (kind IN ('test_report','lot_release','lot_release_refusal','import_report')),
    CHECK (state IN ('drafted','reviewed','issued','superseded','withdrawn','discarded')),
    CHECK (state IN ('drafted','discarded') OR (number IS NOT NULL AND reviewed_by IS NOT NULL)),
    CHECK (state NOT IN ('issued','superseded','withdrawn') OR (signed_by IS NOT NULL AND pdf_sha256 IS NOT NULL AND signature_id IS NOT NULL)),
    CHECK (reviewed_by IS NULL OR reviewed_by <> drafted_by),
    CHECK ((amends_id IS NULL) = (amendment_reason IS NULL)),
    CHECK (state NOT IN ('withdrawn','discarded') OR state_reason IS NOT NULL)
);
CREATE INDEX certificate_sample_id ON certificate (sample_id);

CREATE TRIGGER certificate_no_delete BEFORE DELETE OR TRUNCATE ON certificate
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION certificate_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind IS DISTINCT FROM OLD.kind OR NEW.application_id IS DISTINCT FROM OLD.application_id OR NEW.sample_id IS DISTINCT FROM OLD.sample_id OR NEW.conforms IS DISTINCT FROM OLD.conforms OR NEW.verification_code IS DISTINCT FROM OLD.verification_code OR NEW.amends_id IS DISTINCT FROM OLD.amends_id OR NEW.amendment_reason IS DISTINCT FROM OLD.amendment_reason OR NEW.drafted_by IS DISTINCT FROM OLD.drafted_by OR NEW.drafted_at IS DISTINCT FROM OLD.drafted_at OR (OLD.number IS NOT NULL AND NEW.number IS DISTINCT FROM OLD.number) OR (OLD.state <> 'drafted' AND NEW.data IS DISTINCT FROM OLD.data) THEN
        RAISE EXCEPTION 'a certificate keeps its identity, its number and, once reviewed, its content' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER certificate_identity BEFORE UPDATE ON certificate FOR EACH ROW EXECUTE FUNCTION certificate_identity();

CREATE FUNCTION certificate_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('issued','superseded','withdrawn','discarded') AND (NEW.reviewed_by IS DISTINCT FROM OLD.reviewed_by OR NEW.reviewed_at IS DISTINCT FROM OLD.reviewed_at OR NEW.signed_by IS DISTINCT FROM OLD.signed_by OR NEW.signed_at IS DISTINCT FROM OLD.signed_at OR NEW.signature_id IS DISTINCT FROM OLD.signature_id OR NEW.pdf_sha256 IS DISTINCT FROM OLD.pdf_sha256 OR OLD.state IN ('withdrawn','discarded') OR NEW.state NOT IN ('superseded','withdrawn')) THEN
        RAISE EXCEPTION 'an issued certificate is immutable: amend it by a new one' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER certificate_immutable BEFORE UPDATE ON certificate FOR EACH ROW EXECUTE FUNCTION certificate_immutable();

CREATE UNIQUE INDEX certificate_one_live ON certificate (sample_id, kind) WHERE state IN ('drafted','reviewed','issued') AND amends_id IS NULL;
