-- Printed labels, seals that were shown outside, and ways back from what was done by mistake.

-- Each label as it was printed, first and again; again with a reason.
CREATE TABLE label_print (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    sample_id TEXT NOT NULL REFERENCES sample (id),
    -- Without it, the label of the sample itself.
    container_id TEXT REFERENCES container (id),
    code TEXT NOT NULL CHECK (length(code) > 0),
    copy_number BIGINT NOT NULL,
    reason TEXT,
    printed_by TEXT NOT NULL REFERENCES account (id),
    printed_at instant NOT NULL,
    UNIQUE (sample_id, code, copy_number),
    CHECK (copy_number = 1 OR (reason IS NOT NULL AND length(reason) > 0))
);
CREATE INDEX label_print_institute_id ON label_print (institute_id);
CREATE INDEX label_print_container_id ON label_print (container_id);
CREATE INDEX label_print_printed_by ON label_print (printed_by);
CREATE TRIGGER label_print_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON label_print
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE FUNCTION label_print_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.copy_number <> 1 + (SELECT COUNT(*) FROM label_print WHERE sample_id = NEW.sample_id AND code = NEW.code) THEN
        RAISE EXCEPTION 'qianfa:number-gap: the copies of a label follow one another' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER label_print_order BEFORE INSERT ON label_print FOR EACH ROW EXECUTE FUNCTION label_print_order();
CREATE FUNCTION label_print_institute() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.institute_id <> (SELECT institute_id FROM sample WHERE id = NEW.sample_id) THEN
        RAISE EXCEPTION 'qianfa:wrong-institute: a label is printed by the institute of its sample' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER label_print_institute BEFORE INSERT ON label_print FOR EACH ROW EXECUTE FUNCTION label_print_institute();

-- A seal as an authority outside saw it, or as it was sent to a log of another machine.
CREATE TABLE seal_anchor (
    id TEXT NOT NULL PRIMARY KEY,
    seal_seq BIGINT NOT NULL REFERENCES audit_seal (seq),
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    chained TEXT NOT NULL,
    -- The token of a time-stamp (RFC 3161), DER in base64.
    token TEXT,
    anchored_at instant NOT NULL,
    CHECK (kind IN ('time_stamp','syslog')),
    CHECK (kind <> 'time_stamp' OR token IS NOT NULL)
);
CREATE INDEX seal_anchor_seal_seq ON seal_anchor (seal_seq, kind);
CREATE TRIGGER seal_anchor_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON seal_anchor
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An action that was taken by mistake, and who takes it back why. Nothing of what was is erased.
CREATE TABLE reversal (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    -- The state that is left, the one that follows, and the revision at which that happens.
    was TEXT NOT NULL,
    becomes TEXT NOT NULL,
    revision BIGINT,
    -- The move that did not happen.
    custody_entry_id TEXT UNIQUE REFERENCES custody_entry (id),
    -- What was taken back, in its own words.
    was_because TEXT,
    reason TEXT NOT NULL,
    by_account TEXT NOT NULL REFERENCES account (id),
    at instant NOT NULL,
    UNIQUE (subject_kind, subject_id, revision),
    CHECK (subject_kind IN ('application','batch','sample','custody_entry','instrument','reference_standard','dead_letter')),
    CHECK ((revision IS NULL) = (custody_entry_id IS NOT NULL)),
    CHECK (length(reason) > 0)
);
CREATE INDEX reversal_institute_id ON reversal (institute_id);
CREATE INDEX reversal_by_account ON reversal (by_account);
CREATE TRIGGER reversal_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON reversal
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE FUNCTION reversal_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.by_account = (SELECT moved_by FROM custody_entry WHERE id = NEW.custody_entry_id) THEN
        RAISE EXCEPTION 'qianfa:self-reversal: a move is taken back by somebody else than who recorded it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reversal_by_another BEFORE INSERT ON reversal FOR EACH ROW EXECUTE FUNCTION reversal_by_another();
CREATE OR REPLACE FUNCTION application_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number IS DISTINCT FROM OLD.number OR NEW.business IS DISTINCT FROM OLD.business OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.applicant_id IS DISTINCT FROM OLD.applicant_id OR NEW.product_id IS DISTINCT FROM OLD.product_id OR NEW.created_by IS DISTINCT FROM OLD.created_by OR NEW.created_at IS DISTINCT FROM OLD.created_at OR (OLD.state IN ('refused','withdrawn','voided') AND NEW.state <> OLD.state AND NOT EXISTS (SELECT 1 FROM reversal v WHERE v.subject_kind = 'application' AND v.subject_id = OLD.id AND v.revision = OLD.revision AND v.was = OLD.state)) THEN
        RAISE EXCEPTION 'qianfa:case-identity: a case keeps its number, its parties, its product and its end' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION sample_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.number IS DISTINCT FROM OLD.number OR NEW.application_id IS DISTINCT FROM OLD.application_id OR NEW.batch_id IS DISTINCT FROM OLD.batch_id OR NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.received_by IS DISTINCT FROM OLD.received_by OR NEW.temperature IS DISTINCT FROM OLD.temperature OR NEW.seals_intact IS DISTINCT FROM OLD.seals_intact OR NEW.packages IS DISTINCT FROM OLD.packages OR NEW.packages_intact IS DISTINCT FROM OLD.packages_intact OR NEW.label_matches IS DISTINCT FROM OLD.label_matches OR NEW.condition_note IS DISTINCT FROM OLD.condition_note OR NEW.full_test_containers IS DISTINCT FROM OLD.full_test_containers OR NEW.required_containers IS DISTINCT FROM OLD.required_containers OR (OLD.state <> 'received' AND (NEW.state IS DISTINCT FROM OLD.state OR NEW.state_reason IS DISTINCT FROM OLD.state_reason) AND NOT EXISTS (SELECT 1 FROM reversal v WHERE v.subject_kind = 'sample' AND v.subject_id = OLD.id AND v.revision = OLD.revision AND v.was = OLD.state)) THEN
        RAISE EXCEPTION 'qianfa:sample-identity: a sample keeps its number and what was seen on receipt' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION reference_standard_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.institute_id IS DISTINCT FROM OLD.institute_id OR NEW.name IS DISTINCT FROM OLD.name OR NEW.batch IS DISTINCT FROM OLD.batch OR NEW.source IS DISTINCT FROM OLD.source OR NEW.purity IS DISTINCT FROM OLD.purity OR NEW.basis IS DISTINCT FROM OLD.basis OR NEW.water IS DISTINCT FROM OLD.water OR NEW.expires_on IS DISTINCT FROM OLD.expires_on OR NEW.storage IS DISTINCT FROM OLD.storage OR NEW.note IS DISTINCT FROM OLD.note OR NEW.created_by IS DISTINCT FROM OLD.created_by OR NEW.created_at IS DISTINCT FROM OLD.created_at OR (OLD.withdrawn_by IS NOT NULL AND (NEW.withdrawn_by IS DISTINCT FROM OLD.withdrawn_by OR NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at OR NEW.withdrawn_reason IS DISTINCT FROM OLD.withdrawn_reason) AND NOT EXISTS (SELECT 1 FROM reversal v WHERE v.subject_kind = 'reference_standard' AND v.subject_id = OLD.id AND v.revision = OLD.revision AND v.was = 'withdrawn')) THEN
        RAISE EXCEPTION 'qianfa:reference-standard-identity: a reference standard stays as it was registered' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION instrument_restored() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'retired' AND NEW.state <> 'retired' AND NOT EXISTS (SELECT 1 FROM reversal v WHERE v.subject_kind = 'instrument' AND v.subject_id = OLD.id AND v.revision = OLD.revision AND v.was = OLD.state) THEN
        RAISE EXCEPTION 'qianfa:reversal-missing: what was ended or given away comes back only as a recorded reversal says' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER instrument_restored BEFORE UPDATE ON instrument FOR EACH ROW EXECUTE FUNCTION instrument_restored();
CREATE FUNCTION dead_letter_restored() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'dismissed' AND NEW.state <> 'dismissed' AND NOT EXISTS (SELECT 1 FROM reversal v WHERE v.subject_kind = 'dead_letter' AND v.subject_id = OLD.id AND v.revision = OLD.revision AND v.was = OLD.state) THEN
        RAISE EXCEPTION 'qianfa:reversal-missing: what was ended or given away comes back only as a recorded reversal says' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER dead_letter_restored BEFORE UPDATE ON dead_letter FOR EACH ROW EXECUTE FUNCTION dead_letter_restored();
CREATE FUNCTION batch_restored() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.withdrawn_at IS NOT NULL AND NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at AND NOT EXISTS (SELECT 1 FROM reversal v WHERE v.subject_kind = 'batch' AND v.subject_id = OLD.id AND v.revision = OLD.revision AND v.was = 'withdrawn') THEN
        RAISE EXCEPTION 'qianfa:reversal-missing: what was ended or given away comes back only as a recorded reversal says' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_restored BEFORE UPDATE ON batch FOR EACH ROW EXECUTE FUNCTION batch_restored();
CREATE FUNCTION custody_entry_restored() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.from_place IN ('consumed','returned','destroyed') AND NOT EXISTS (SELECT 1 FROM reversal v JOIN custody_entry e ON e.id = v.custody_entry_id WHERE e.sample_id = NEW.sample_id AND e.from_place = NEW.to_place AND e.to_place = NEW.from_place AND e.quantity = NEW.quantity AND v.at = NEW.moved_at AND v.by_account = NEW.moved_by) THEN
        RAISE EXCEPTION 'qianfa:reversal-missing: what was ended or given away comes back only as a recorded reversal says' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER custody_entry_restored BEFORE INSERT ON custody_entry FOR EACH ROW EXECUTE FUNCTION custody_entry_restored();
