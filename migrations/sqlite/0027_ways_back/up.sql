-- Printed labels, seals that were shown outside, and ways back from what was done by mistake.

-- Each label as it was printed, first and again; again with a reason.
CREATE TABLE label_print (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    sample_id TEXT NOT NULL REFERENCES sample (id),
    -- Without it, the label of the sample itself.
    container_id TEXT REFERENCES container (id),
    code TEXT NOT NULL CHECK (length(code) > 0),
    copy_number INTEGER NOT NULL,
    reason TEXT,
    printed_by TEXT NOT NULL REFERENCES account (id),
    printed_at TEXT NOT NULL CHECK (printed_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    UNIQUE (sample_id, code, copy_number),
    CHECK (copy_number = 1 OR (reason IS NOT NULL AND length(reason) > 0))
) STRICT;
CREATE INDEX label_print_institute_id ON label_print (institute_id);
CREATE INDEX label_print_container_id ON label_print (container_id);
CREATE INDEX label_print_printed_by ON label_print (printed_by);
CREATE TRIGGER label_print_kept BEFORE UPDATE ON label_print
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of label_print is only added, never changed or removed'); END;
CREATE TRIGGER label_print_kept_delete BEFORE DELETE ON label_print
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of label_print is only added, never changed or removed'); END;
CREATE TRIGGER label_print_order BEFORE INSERT ON label_print
WHEN NEW.copy_number <> 1 + (SELECT COUNT(*) FROM label_print WHERE sample_id = NEW.sample_id AND code = NEW.code)
BEGIN SELECT RAISE(ABORT, 'qianfa:number-gap: the copies of a label follow one another'); END;
CREATE TRIGGER label_print_institute BEFORE INSERT ON label_print
WHEN NEW.institute_id <> (SELECT institute_id FROM sample WHERE id = NEW.sample_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:wrong-institute: a label is printed by the institute of its sample'); END;

-- A seal as an authority outside saw it, or as it was sent to a log of another machine.
CREATE TABLE seal_anchor (
    id TEXT NOT NULL PRIMARY KEY,
    seal_seq INTEGER NOT NULL REFERENCES audit_seal (seq),
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    chained TEXT NOT NULL,
    -- The token of a time-stamp (RFC 3161), DER in base64.
    token TEXT,
    anchored_at TEXT NOT NULL CHECK (anchored_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CHECK (kind IN ('time_stamp','syslog')),
    CHECK (kind <> 'time_stamp' OR token IS NOT NULL)
) STRICT;
CREATE INDEX seal_anchor_seal_seq ON seal_anchor (seal_seq, kind);
CREATE TRIGGER seal_anchor_kept BEFORE UPDATE ON seal_anchor
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of seal_anchor is only added, never changed or removed'); END;
CREATE TRIGGER seal_anchor_kept_delete BEFORE DELETE ON seal_anchor
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of seal_anchor is only added, never changed or removed'); END;

-- An action that was taken by mistake, and who takes it back why. Nothing of what was is erased.
CREATE TABLE reversal (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    -- The state that is left, the one that follows, and the revision at which that happens.
    was TEXT NOT NULL,
    becomes TEXT NOT NULL,
    revision INTEGER,
    -- The move that did not happen.
    custody_entry_id TEXT UNIQUE REFERENCES custody_entry (id),
    -- What was taken back, in its own words.
    was_because TEXT,
    reason TEXT NOT NULL,
    by_account TEXT NOT NULL REFERENCES account (id),
    at TEXT NOT NULL CHECK (at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    UNIQUE (subject_kind, subject_id, revision),
    CHECK (subject_kind IN ('application','batch','sample','custody_entry','instrument','reference_standard','dead_letter')),
    CHECK ((revision IS NULL) = (custody_entry_id IS NOT NULL)),
    CHECK (length(reason) > 0)
) STRICT;
CREATE INDEX reversal_institute_id ON reversal (institute_id);
CREATE INDEX reversal_by_account ON reversal (by_account);
CREATE TRIGGER reversal_kept BEFORE UPDATE ON reversal
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of reversal is only added, never changed or removed'); END;
CREATE TRIGGER reversal_kept_delete BEFORE DELETE ON reversal
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of reversal is only added, never changed or removed'); END;
CREATE TRIGGER reversal_by_another BEFORE INSERT ON reversal
WHEN NEW.by_account = (SELECT moved_by FROM custody_entry WHERE id = NEW.custody_entry_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:self-reversal: a move is taken back by somebody else than who recorded it'); END;
DROP TRIGGER application_identity;
CREATE TRIGGER application_identity BEFORE UPDATE ON application
WHEN NEW.number IS NOT OLD.number OR NEW.business IS NOT OLD.business OR NEW.institute_id IS NOT OLD.institute_id OR NEW.applicant_id IS NOT OLD.applicant_id OR NEW.product_id IS NOT OLD.product_id OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at IS NOT OLD.created_at OR (OLD.state IN ('refused','withdrawn','voided') AND NEW.state <> OLD.state AND NOT EXISTS (SELECT 1 FROM reversal v WHERE v.subject_kind = 'application' AND v.subject_id = OLD.id AND v.revision = OLD.revision AND v.was = OLD.state))
BEGIN SELECT RAISE(ABORT, 'qianfa:case-identity: a case keeps its number, its parties, its product and its end'); END;
DROP TRIGGER sample_identity;
CREATE TRIGGER sample_identity BEFORE UPDATE ON sample
WHEN NEW.id IS NOT OLD.id OR NEW.institute_id IS NOT OLD.institute_id OR NEW.number IS NOT OLD.number OR NEW.application_id IS NOT OLD.application_id OR NEW.batch_id IS NOT OLD.batch_id OR NEW.received_at IS NOT OLD.received_at OR NEW.received_by IS NOT OLD.received_by OR NEW.temperature IS NOT OLD.temperature OR NEW.seals_intact IS NOT OLD.seals_intact OR NEW.packages IS NOT OLD.packages OR NEW.packages_intact IS NOT OLD.packages_intact OR NEW.label_matches IS NOT OLD.label_matches OR NEW.condition_note IS NOT OLD.condition_note OR NEW.full_test_containers IS NOT OLD.full_test_containers OR NEW.required_containers IS NOT OLD.required_containers OR (OLD.state <> 'received' AND (NEW.state IS NOT OLD.state OR NEW.state_reason IS NOT OLD.state_reason) AND NOT EXISTS (SELECT 1 FROM reversal v WHERE v.subject_kind = 'sample' AND v.subject_id = OLD.id AND v.revision = OLD.revision AND v.was = OLD.state))
BEGIN SELECT RAISE(ABORT, 'qianfa:sample-identity: a sample keeps its number and what was seen on receipt'); END;
DROP TRIGGER reference_standard_identity;
CREATE TRIGGER reference_standard_identity BEFORE UPDATE ON reference_standard
WHEN NEW.id IS NOT OLD.id OR NEW.institute_id IS NOT OLD.institute_id OR NEW.name IS NOT OLD.name OR NEW.batch IS NOT OLD.batch OR NEW.source IS NOT OLD.source OR NEW.purity IS NOT OLD.purity OR NEW.basis IS NOT OLD.basis OR NEW.water IS NOT OLD.water OR NEW.expires_on IS NOT OLD.expires_on OR NEW.storage IS NOT OLD.storage OR NEW.note IS NOT OLD.note OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at IS NOT OLD.created_at OR (OLD.withdrawn_by IS NOT NULL AND (NEW.withdrawn_by IS NOT OLD.withdrawn_by OR NEW.withdrawn_at IS NOT OLD.withdrawn_at OR NEW.withdrawn_reason IS NOT OLD.withdrawn_reason) AND NOT EXISTS (SELECT 1 FROM reversal v WHERE v.subject_kind = 'reference_standard' AND v.subject_id = OLD.id AND v.revision = OLD.revision AND v.was = 'withdrawn'))
BEGIN SELECT RAISE(ABORT, 'qianfa:reference-standard-identity: a reference standard stays as it was registered'); END;
CREATE TRIGGER instrument_restored BEFORE UPDATE ON instrument
WHEN OLD.state = 'retired' AND NEW.state <> 'retired' AND NOT EXISTS (SELECT 1 FROM reversal v WHERE v.subject_kind = 'instrument' AND v.subject_id = OLD.id AND v.revision = OLD.revision AND v.was = OLD.state)
BEGIN SELECT RAISE(ABORT, 'qianfa:reversal-missing: what was ended or given away comes back only as a recorded reversal says'); END;
CREATE TRIGGER dead_letter_restored BEFORE UPDATE ON dead_letter
WHEN OLD.state = 'dismissed' AND NEW.state <> 'dismissed' AND NOT EXISTS (SELECT 1 FROM reversal v WHERE v.subject_kind = 'dead_letter' AND v.subject_id = OLD.id AND v.revision = OLD.revision AND v.was = OLD.state)
BEGIN SELECT RAISE(ABORT, 'qianfa:reversal-missing: what was ended or given away comes back only as a recorded reversal says'); END;
CREATE TRIGGER batch_restored BEFORE UPDATE ON batch
WHEN OLD.withdrawn_at IS NOT NULL AND NEW.withdrawn_at IS NOT OLD.withdrawn_at AND NOT EXISTS (SELECT 1 FROM reversal v WHERE v.subject_kind = 'batch' AND v.subject_id = OLD.id AND v.revision = OLD.revision AND v.was = 'withdrawn')
BEGIN SELECT RAISE(ABORT, 'qianfa:reversal-missing: what was ended or given away comes back only as a recorded reversal says'); END;
CREATE TRIGGER custody_entry_restored BEFORE INSERT ON custody_entry
WHEN NEW.from_place IN ('consumed','returned','destroyed') AND NOT EXISTS (SELECT 1 FROM reversal v JOIN custody_entry e ON e.id = v.custody_entry_id WHERE e.sample_id = NEW.sample_id AND e.from_place = NEW.to_place AND e.to_place = NEW.from_place AND e.quantity = NEW.quantity AND v.at = NEW.moved_at AND v.by_account = NEW.moved_by)
BEGIN SELECT RAISE(ABORT, 'qianfa:reversal-missing: what was ended or given away comes back only as a recorded reversal says'); END;
