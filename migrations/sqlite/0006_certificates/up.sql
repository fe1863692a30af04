-- Certificates: drafted, reviewed (numbered), issued; never changed after.

CREATE TABLE certificate (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    number TEXT UNIQUE,
    application_id TEXT NOT NULL REFERENCES application (id),
    sample_id TEXT NOT NULL REFERENCES sample (id),
    state TEXT NOT NULL,
    conforms INTEGER NOT NULL CHECK (conforms IN (0, 1)),
    data TEXT NOT NULL CHECK (json_valid(data)),
    verification_code TEXT NOT NULL UNIQUE,
    amends_id TEXT REFERENCES certificate (id),
    amendment_reason TEXT,
    drafted_by TEXT NOT NULL REFERENCES account (id),
    drafted_at TEXT NOT NULL CHECK (drafted_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    reviewed_by TEXT REFERENCES account (id),
    reviewed_at TEXT CHECK (reviewed_at IS NULL OR reviewed_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    signed_by TEXT REFERENCES account (id),
    signed_at TEXT CHECK (signed_at IS NULL OR signed_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
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
) STRICT;
CREATE INDEX certificate_sample_id ON certificate (sample_id);

CREATE TRIGGER certificate_no_delete BEFORE DELETE ON certificate
BEGIN SELECT RAISE(ABORT, 'certificate is never deleted'); END;

CREATE TRIGGER certificate_identity BEFORE UPDATE ON certificate
WHEN NEW.kind IS NOT OLD.kind OR NEW.application_id IS NOT OLD.application_id OR NEW.sample_id IS NOT OLD.sample_id OR NEW.conforms IS NOT OLD.conforms OR NEW.verification_code IS NOT OLD.verification_code OR NEW.amends_id IS NOT OLD.amends_id OR NEW.amendment_reason IS NOT OLD.amendment_reason OR NEW.drafted_by IS NOT OLD.drafted_by OR NEW.drafted_at IS NOT OLD.drafted_at OR (OLD.number IS NOT NULL AND NEW.number IS NOT OLD.number) OR (OLD.state <> 'drafted' AND NEW.data IS NOT OLD.data)
BEGIN SELECT RAISE(ABORT, 'a certificate keeps its identity, its number and, once reviewed, its content'); END;

CREATE TRIGGER certificate_immutable BEFORE UPDATE ON certificate
WHEN OLD.state IN ('issued','superseded','withdrawn','discarded') AND (NEW.reviewed_by IS NOT OLD.reviewed_by OR NEW.reviewed_at IS NOT OLD.reviewed_at OR NEW.signed_by IS NOT OLD.signed_by OR NEW.signed_at IS NOT OLD.signed_at OR NEW.signature_id IS NOT OLD.signature_id OR NEW.pdf_sha256 IS NOT OLD.pdf_sha256 OR OLD.state IN ('withdrawn','discarded') OR NEW.state NOT IN ('superseded','withdrawn'))
BEGIN SELECT RAISE(ABORT, 'an issued certificate is immutable: amend it by a new one'); END;

CREATE UNIQUE INDEX certificate_one_live ON certificate (sample_id, kind) WHERE state IN ('drafted','reviewed','issued') AND amends_id IS NULL;
