-- Codes of what the database refuses, the revision of every row that people change, and the institute of what is
-- listed by institute.
--
-- A trigger refuses with one form of message on both databases, `qianfa:CODE: sentence`. The codes are those of
-- src/store/invariants.rs, which has the words for people; the sentence is for whoever reads a log.

DROP TRIGGER signature_no_update;
DROP TRIGGER signature_no_delete;
DROP TRIGGER specification_no_delete;
DROP TRIGGER specification_locked;
DROP TRIGGER test_item_locked_insert;
DROP TRIGGER test_item_locked_update;
DROP TRIGGER test_item_locked_delete;
DROP TRIGGER custody_entry_no_update;
DROP TRIGGER custody_entry_no_delete;
DROP TRIGGER application_no_delete;
DROP TRIGGER batch_no_delete;
DROP TRIGGER sample_no_delete;
DROP TRIGGER container_no_delete;
DROP TRIGGER number_series_no_delete;
DROP TRIGGER custody_balance_no_delete;
DROP TRIGGER number_series_starts_at_one;
DROP TRIGGER number_series_moves_by_one;
DROP TRIGGER application_identity;
DROP TRIGGER application_accepted;
DROP TRIGGER sample_identity;
DROP TRIGGER container_identity;
DROP TRIGGER custody_entry_posts;
DROP TRIGGER custody_balance_opens_empty;
DROP TRIGGER custody_balance_follows_ledger;
DROP TRIGGER custody_entry_container;
DROP TRIGGER instrument_file_no_delete;
DROP TRIGGER observation_no_delete;
DROP TRIGGER observation_identity;
DROP TRIGGER reading_no_update;
DROP TRIGGER reading_no_delete;
DROP TRIGGER out_of_limit_decision_no_update;
DROP TRIGGER out_of_limit_decision_no_delete;
DROP TRIGGER test_task_no_delete;
DROP TRIGGER result_no_delete;
DROP TRIGGER test_task_identity;
DROP TRIGGER result_unreviewed;
DROP TRIGGER result_frozen;
DROP TRIGGER result_reviewed_by_another;
DROP TRIGGER out_of_limit_decided_by_another;
DROP TRIGGER certificate_no_delete;
DROP TRIGGER certificate_identity;
DROP TRIGGER certificate_immutable;
DROP TRIGGER audit_entry_no_update;
DROP TRIGGER audit_entry_no_delete;
DROP TRIGGER audit_seal_no_update;
DROP TRIGGER audit_seal_no_delete;
DROP TRIGGER calibration_no_update;
DROP TRIGGER calibration_no_delete;
DROP TRIGGER companion_file_no_update;
DROP TRIGGER companion_file_no_delete;
DROP TRIGGER run_list_row_no_update;
DROP TRIGGER run_list_row_no_delete;
DROP TRIGGER instrument_no_delete;
DROP TRIGGER dead_letter_no_delete;
DROP TRIGGER run_list_no_delete;
DROP TRIGGER instrument_file_identity;
DROP TRIGGER evaluation_no_update;
DROP TRIGGER evaluation_no_delete;
DROP TRIGGER evaluation_file_no_update;
DROP TRIGGER evaluation_file_no_delete;
DROP TRIGGER evaluation_standard_no_update;
DROP TRIGGER evaluation_standard_no_delete;
DROP TRIGGER evaluation_result_no_update;
DROP TRIGGER evaluation_result_no_delete;
DROP TRIGGER reference_standard_no_delete;
DROP TRIGGER reference_standard_identity;
DROP TRIGGER evaluation_versions;
DROP TRIGGER evaluation_result_valid;
DROP TRIGGER reading_of_evaluation;
DROP TRIGGER import_check_no_update;
DROP TRIGGER import_check_no_delete;
DROP TRIGGER import_check_of_accepted;
DROP TRIGGER import_check_by_another;
DROP TRIGGER result_approved_imports;

-- The institute stands on what is listed by institute: a list then reads one index in its order.
-- SQLite adds no column that is both required and a foreign key; the triggers below compare it with the case, whose
-- institute is one. A row that names none has the empty text, which no institute has.
ALTER TABLE sample ADD COLUMN institute_id TEXT NOT NULL DEFAULT '';
ALTER TABLE test_task ADD COLUMN institute_id TEXT NOT NULL DEFAULT '';
ALTER TABLE certificate ADD COLUMN institute_id TEXT NOT NULL DEFAULT '';
UPDATE sample SET institute_id = (SELECT institute_id FROM application WHERE application.id = sample.application_id);
UPDATE test_task SET institute_id = (SELECT institute_id FROM sample WHERE sample.id = test_task.sample_id);
UPDATE certificate SET institute_id = (SELECT institute_id FROM application WHERE application.id = certificate.application_id);

DROP INDEX application_state_lane_rank;
DROP INDEX test_task_state_lane_rank_due;
DROP INDEX instrument_file_state;
DROP INDEX instrument_file_instrument_id;
DROP INDEX dead_letter_institute_id_state;
DROP INDEX evaluation_institute_id_created_at;
CREATE INDEX application_by_institute ON application (institute_id, created_at, id);
CREATE INDEX application_by_state ON application (institute_id, state, created_at, id);
CREATE INDEX application_by_applicant ON application (applicant_id, created_at, id);
CREATE INDEX sample_by_institute ON sample (institute_id, received_at, id);
CREATE INDEX test_task_by_state ON test_task (institute_id, state, lane_rank, due, available_at, id);
CREATE INDEX certificate_by_institute ON certificate (institute_id, drafted_at, id);
CREATE INDEX certificate_by_state ON certificate (institute_id, state, drafted_at, id);
CREATE INDEX certificate_by_application ON certificate (application_id, drafted_at);
CREATE INDEX instrument_file_by_institute ON instrument_file (institute_id, uploaded_at, id);
CREATE INDEX instrument_file_by_state ON instrument_file (institute_id, state, uploaded_at, id);
CREATE INDEX instrument_file_by_instrument ON instrument_file (instrument_id, uploaded_at, id);
CREATE INDEX dead_letter_by_institute ON dead_letter (institute_id, last_at, id);
CREATE INDEX dead_letter_by_state ON dead_letter (institute_id, state, last_at, id);
CREATE INDEX evaluation_by_institute ON evaluation (institute_id, created_at, id);
CREATE INDEX run_list_by_institute ON run_list (institute_id, created_at, id);

-- Which state of a row somebody saw: every update raises it by one, whoever makes it, so that a write can name what it
-- was made on. `version` would be the word, but specifications, results, readings and files have one already, which
-- people see.
ALTER TABLE institute ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE applicant ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE account ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE product ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE specification ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE authorisation ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE application ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE batch ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE sample ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE container ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE instrument ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE instrument_file ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE dead_letter ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE run_list ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE test_task ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE result ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE reference_standard ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE certificate ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;

CREATE TRIGGER institute_revision AFTER UPDATE ON institute
WHEN NEW.revision = OLD.revision
BEGIN UPDATE institute SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER institute_revision_order BEFORE UPDATE OF revision ON institute
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER applicant_revision AFTER UPDATE ON applicant
WHEN NEW.revision = OLD.revision
BEGIN UPDATE applicant SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER applicant_revision_order BEFORE UPDATE OF revision ON applicant
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
-- Logging in and failing to log in change nothing that a form shows.
CREATE TRIGGER account_revision AFTER UPDATE OF id, username, display_name, password_hash, institute_id, applicant_id, disabled, created_at ON account
WHEN NEW.revision = OLD.revision
BEGIN UPDATE account SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER account_revision_order BEFORE UPDATE OF revision ON account
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER product_revision AFTER UPDATE ON product
WHEN NEW.revision = OLD.revision
BEGIN UPDATE product SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER product_revision_order BEFORE UPDATE OF revision ON product
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER specification_revision AFTER UPDATE ON specification
WHEN NEW.revision = OLD.revision
BEGIN UPDATE specification SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER specification_revision_order BEFORE UPDATE OF revision ON specification
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER authorisation_revision AFTER UPDATE ON authorisation
WHEN NEW.revision = OLD.revision
BEGIN UPDATE authorisation SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER authorisation_revision_order BEFORE UPDATE OF revision ON authorisation
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER application_revision AFTER UPDATE ON application
WHEN NEW.revision = OLD.revision
BEGIN UPDATE application SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER application_revision_order BEFORE UPDATE OF revision ON application
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER batch_revision AFTER UPDATE ON batch
WHEN NEW.revision = OLD.revision
BEGIN UPDATE batch SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER batch_revision_order BEFORE UPDATE OF revision ON batch
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER sample_revision AFTER UPDATE ON sample
WHEN NEW.revision = OLD.revision
BEGIN UPDATE sample SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER sample_revision_order BEFORE UPDATE OF revision ON sample
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER container_revision AFTER UPDATE ON container
WHEN NEW.revision = OLD.revision
BEGIN UPDATE container SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER container_revision_order BEFORE UPDATE OF revision ON container
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER instrument_revision AFTER UPDATE ON instrument
WHEN NEW.revision = OLD.revision
BEGIN UPDATE instrument SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER instrument_revision_order BEFORE UPDATE OF revision ON instrument
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER instrument_file_revision AFTER UPDATE ON instrument_file
WHEN NEW.revision = OLD.revision
BEGIN UPDATE instrument_file SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER instrument_file_revision_order BEFORE UPDATE OF revision ON instrument_file
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER dead_letter_revision AFTER UPDATE ON dead_letter
WHEN NEW.revision = OLD.revision
BEGIN UPDATE dead_letter SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER dead_letter_revision_order BEFORE UPDATE OF revision ON dead_letter
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER run_list_revision AFTER UPDATE ON run_list
WHEN NEW.revision = OLD.revision
BEGIN UPDATE run_list SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER run_list_revision_order BEFORE UPDATE OF revision ON run_list
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER test_task_revision AFTER UPDATE ON test_task
WHEN NEW.revision = OLD.revision
BEGIN UPDATE test_task SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER test_task_revision_order BEFORE UPDATE OF revision ON test_task
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER result_revision AFTER UPDATE ON result
WHEN NEW.revision = OLD.revision
BEGIN UPDATE result SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER result_revision_order BEFORE UPDATE OF revision ON result
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER reference_standard_revision AFTER UPDATE ON reference_standard
WHEN NEW.revision = OLD.revision
BEGIN UPDATE reference_standard SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER reference_standard_revision_order BEFORE UPDATE OF revision ON reference_standard
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;
CREATE TRIGGER certificate_revision AFTER UPDATE ON certificate
WHEN NEW.revision = OLD.revision
BEGIN UPDATE certificate SET revision = OLD.revision + 1 WHERE id = NEW.id; END;
CREATE TRIGGER certificate_revision_order BEFORE UPDATE OF revision ON certificate
WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'qianfa:revision-order: a revision rises by one'); END;

CREATE TRIGGER sample_institute BEFORE INSERT ON sample
WHEN EXISTS (SELECT 1 FROM application WHERE id = NEW.application_id AND institute_id <> NEW.institute_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:wrong-institute: a sample is of the institute of its case'); END;
CREATE TRIGGER test_task_institute BEFORE INSERT ON test_task
WHEN EXISTS (SELECT 1 FROM sample WHERE id = NEW.sample_id AND institute_id <> NEW.institute_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:wrong-institute: a task is of the institute of its sample'); END;
CREATE TRIGGER certificate_institute BEFORE INSERT ON certificate
WHEN EXISTS (SELECT 1 FROM application WHERE id = NEW.application_id AND institute_id <> NEW.institute_id)
    OR EXISTS (SELECT 1 FROM sample WHERE id = NEW.sample_id AND institute_id <> NEW.institute_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:wrong-institute: a certificate is of the institute of its case and its sample'); END;

-- What is only added.
CREATE TRIGGER signature_no_update BEFORE UPDATE ON signature
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of signature is only added, never changed or removed'); END;
CREATE TRIGGER signature_no_delete BEFORE DELETE ON signature
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of signature is only added, never changed or removed'); END;
CREATE TRIGGER custody_entry_no_update BEFORE UPDATE ON custody_entry
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of custody_entry is only added, never changed or removed'); END;
CREATE TRIGGER custody_entry_no_delete BEFORE DELETE ON custody_entry
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of custody_entry is only added, never changed or removed'); END;
CREATE TRIGGER reading_no_update BEFORE UPDATE ON reading
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of reading is only added, never changed or removed'); END;
CREATE TRIGGER reading_no_delete BEFORE DELETE ON reading
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of reading is only added, never changed or removed'); END;
CREATE TRIGGER out_of_limit_decision_no_update BEFORE UPDATE ON out_of_limit_decision
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of out_of_limit_decision is only added, never changed or removed'); END;
CREATE TRIGGER out_of_limit_decision_no_delete BEFORE DELETE ON out_of_limit_decision
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of out_of_limit_decision is only added, never changed or removed'); END;
CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of audit_entry is only added, never changed or removed'); END;
CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of audit_entry is only added, never changed or removed'); END;
CREATE TRIGGER audit_seal_no_update BEFORE UPDATE ON audit_seal
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of audit_seal is only added, never changed or removed'); END;
CREATE TRIGGER audit_seal_no_delete BEFORE DELETE ON audit_seal
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of audit_seal is only added, never changed or removed'); END;
CREATE TRIGGER calibration_no_update BEFORE UPDATE ON calibration
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of calibration is only added, never changed or removed'); END;
CREATE TRIGGER calibration_no_delete BEFORE DELETE ON calibration
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of calibration is only added, never changed or removed'); END;
CREATE TRIGGER companion_file_no_update BEFORE UPDATE ON companion_file
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of companion_file is only added, never changed or removed'); END;
CREATE TRIGGER companion_file_no_delete BEFORE DELETE ON companion_file
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of companion_file is only added, never changed or removed'); END;
CREATE TRIGGER run_list_row_no_update BEFORE UPDATE ON run_list_row
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of run_list_row is only added, never changed or removed'); END;
CREATE TRIGGER run_list_row_no_delete BEFORE DELETE ON run_list_row
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of run_list_row is only added, never changed or removed'); END;
CREATE TRIGGER evaluation_no_update BEFORE UPDATE ON evaluation
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of evaluation is only added, never changed or removed'); END;
CREATE TRIGGER evaluation_no_delete BEFORE DELETE ON evaluation
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of evaluation is only added, never changed or removed'); END;
CREATE TRIGGER evaluation_file_no_update BEFORE UPDATE ON evaluation_file
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of evaluation_file is only added, never changed or removed'); END;
CREATE TRIGGER evaluation_file_no_delete BEFORE DELETE ON evaluation_file
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of evaluation_file is only added, never changed or removed'); END;
CREATE TRIGGER evaluation_standard_no_update BEFORE UPDATE ON evaluation_standard
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of evaluation_standard is only added, never changed or removed'); END;
CREATE TRIGGER evaluation_standard_no_delete BEFORE DELETE ON evaluation_standard
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of evaluation_standard is only added, never changed or removed'); END;
CREATE TRIGGER evaluation_result_no_update BEFORE UPDATE ON evaluation_result
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of evaluation_result is only added, never changed or removed'); END;
CREATE TRIGGER evaluation_result_no_delete BEFORE DELETE ON evaluation_result
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of evaluation_result is only added, never changed or removed'); END;
CREATE TRIGGER import_check_no_update BEFORE UPDATE ON import_check
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of import_check is only added, never changed or removed'); END;
CREATE TRIGGER import_check_no_delete BEFORE DELETE ON import_check
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of import_check is only added, never changed or removed'); END;

-- What is never removed.
CREATE TRIGGER specification_no_delete BEFORE DELETE ON specification
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of specification is never removed'); END;
CREATE TRIGGER application_no_delete BEFORE DELETE ON application
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of application is never removed'); END;
CREATE TRIGGER batch_no_delete BEFORE DELETE ON batch
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of batch is never removed'); END;
CREATE TRIGGER sample_no_delete BEFORE DELETE ON sample
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of sample is never removed'); END;
CREATE TRIGGER container_no_delete BEFORE DELETE ON container
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of container is never removed'); END;
CREATE TRIGGER number_series_no_delete BEFORE DELETE ON number_series
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of number_series is never removed'); END;
CREATE TRIGGER custody_balance_no_delete BEFORE DELETE ON custody_balance
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of custody_balance is never removed'); END;
CREATE TRIGGER instrument_file_no_delete BEFORE DELETE ON instrument_file
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of instrument_file is never removed'); END;
CREATE TRIGGER observation_no_delete BEFORE DELETE ON observation
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of observation is never removed'); END;
CREATE TRIGGER test_task_no_delete BEFORE DELETE ON test_task
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of test_task is never removed'); END;
CREATE TRIGGER result_no_delete BEFORE DELETE ON result
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of result is never removed'); END;
CREATE TRIGGER certificate_no_delete BEFORE DELETE ON certificate
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of certificate is never removed'); END;
CREATE TRIGGER instrument_no_delete BEFORE DELETE ON instrument
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of instrument is never removed'); END;
CREATE TRIGGER dead_letter_no_delete BEFORE DELETE ON dead_letter
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of dead_letter is never removed'); END;
CREATE TRIGGER run_list_no_delete BEFORE DELETE ON run_list
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of run_list is never removed'); END;
CREATE TRIGGER reference_standard_no_delete BEFORE DELETE ON reference_standard
BEGIN SELECT RAISE(ABORT, 'qianfa:never-deleted: a row of reference_standard is never removed'); END;

-- What keeps to a rule. Where an end forbids every change, the columns are named one by one: the revision may rise.
CREATE TRIGGER specification_locked BEFORE UPDATE ON specification
WHEN OLD.status <> 'draft' AND (NEW.product_id IS NOT OLD.product_id OR NEW.version IS NOT OLD.version OR NEW.title IS NOT OLD.title OR NEW.edition IS NOT OLD.edition OR NEW.effective_from IS NOT OLD.effective_from OR NEW.status = 'draft')
BEGIN SELECT RAISE(ABORT, 'qianfa:specification-locked: an effective specification and its items are not changed'); END;
CREATE TRIGGER test_item_locked_insert BEFORE INSERT ON test_item
WHEN (SELECT status FROM specification WHERE id = NEW.specification_id) <> 'draft'
BEGIN SELECT RAISE(ABORT, 'qianfa:specification-locked: an effective specification and its items are not changed'); END;
CREATE TRIGGER test_item_locked_update BEFORE UPDATE ON test_item
WHEN (SELECT status FROM specification WHERE id = NEW.specification_id) <> 'draft'
BEGIN SELECT RAISE(ABORT, 'qianfa:specification-locked: an effective specification and its items are not changed'); END;
CREATE TRIGGER test_item_locked_delete BEFORE DELETE ON test_item
WHEN (SELECT status FROM specification WHERE id = OLD.specification_id) <> 'draft'
BEGIN SELECT RAISE(ABORT, 'qianfa:specification-locked: an effective specification and its items are not changed'); END;
CREATE TRIGGER number_series_starts_at_one BEFORE INSERT ON number_series
WHEN NEW.last <> 1
BEGIN SELECT RAISE(ABORT, 'qianfa:number-gap: a number series starts at 1'); END;
CREATE TRIGGER number_series_moves_by_one BEFORE UPDATE ON number_series
WHEN NEW.last <> OLD.last + 1 OR NEW.series IS NOT OLD.series OR NEW.year IS NOT OLD.year
BEGIN SELECT RAISE(ABORT, 'qianfa:number-gap: a number series moves by 1'); END;
CREATE TRIGGER application_identity BEFORE UPDATE ON application
WHEN NEW.number IS NOT OLD.number OR NEW.business IS NOT OLD.business OR NEW.institute_id IS NOT OLD.institute_id OR NEW.applicant_id IS NOT OLD.applicant_id OR NEW.product_id IS NOT OLD.product_id OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at IS NOT OLD.created_at OR (OLD.state IN ('refused','withdrawn','voided') AND NEW.state <> OLD.state)
BEGIN SELECT RAISE(ABORT, 'qianfa:case-identity: a case keeps its number, its parties, its product and its end'); END;
CREATE TRIGGER application_accepted BEFORE UPDATE ON application
WHEN OLD.accepted_on IS NOT NULL AND (NEW.accepted_on IS NOT OLD.accepted_on OR NEW.specification_id IS NOT OLD.specification_id OR NEW.purpose IS NOT OLD.purpose OR NEW.determination IS NOT OLD.determination OR NEW.lane IS NOT OLD.lane)
BEGIN SELECT RAISE(ABORT, 'qianfa:acceptance-frozen: what was accepted is not changed'); END;
CREATE TRIGGER sample_identity BEFORE UPDATE ON sample
WHEN NEW.id IS NOT OLD.id OR NEW.institute_id IS NOT OLD.institute_id OR NEW.number IS NOT OLD.number OR NEW.application_id IS NOT OLD.application_id OR NEW.batch_id IS NOT OLD.batch_id OR NEW.received_at IS NOT OLD.received_at OR NEW.received_by IS NOT OLD.received_by OR NEW.temperature IS NOT OLD.temperature OR NEW.seals_intact IS NOT OLD.seals_intact OR NEW.packages IS NOT OLD.packages OR NEW.packages_intact IS NOT OLD.packages_intact OR NEW.label_matches IS NOT OLD.label_matches OR NEW.condition_note IS NOT OLD.condition_note OR NEW.full_test_containers IS NOT OLD.full_test_containers OR NEW.required_containers IS NOT OLD.required_containers OR (OLD.state <> 'received' AND (NEW.state IS NOT OLD.state OR NEW.state_reason IS NOT OLD.state_reason))
BEGIN SELECT RAISE(ABORT, 'qianfa:sample-identity: a sample keeps its number and what was seen on receipt'); END;
CREATE TRIGGER container_identity BEFORE UPDATE ON container
WHEN NEW.sample_id IS NOT OLD.sample_id OR NEW.position IS NOT OLD.position OR NEW.label_code IS NOT OLD.label_code
BEGIN SELECT RAISE(ABORT, 'qianfa:container-identity: a container keeps its sample and its label'); END;
CREATE TRIGGER custody_entry_posts AFTER INSERT ON custody_entry
BEGIN
    INSERT INTO custody_balance (sample_id, place, balance) VALUES (NEW.sample_id, NEW.from_place, 0), (NEW.sample_id, NEW.to_place, 0)
        ON CONFLICT (sample_id, place) DO NOTHING;
    UPDATE custody_balance SET balance = balance - NEW.quantity WHERE sample_id = NEW.sample_id AND place = NEW.from_place;
    UPDATE custody_balance SET balance = balance + NEW.quantity WHERE sample_id = NEW.sample_id AND place = NEW.to_place;
END;
CREATE TRIGGER custody_balance_opens_empty BEFORE INSERT ON custody_balance
WHEN NEW.balance <> 0
BEGIN SELECT RAISE(ABORT, 'qianfa:custody-balance: a custody balance opens empty'); END;
CREATE TRIGGER custody_balance_follows_ledger BEFORE UPDATE ON custody_balance
WHEN NEW.sample_id IS NOT OLD.sample_id OR NEW.place IS NOT OLD.place OR NEW.balance <> (
    SELECT coalesce(sum(CASE WHEN to_place = NEW.place THEN quantity ELSE -quantity END), 0) FROM custody_entry
    WHERE sample_id = NEW.sample_id AND NEW.place IN (from_place, to_place))
BEGIN SELECT RAISE(ABORT, 'qianfa:custody-balance: only the custody ledger moves a balance'); END;
CREATE TRIGGER custody_entry_container BEFORE INSERT ON custody_entry
WHEN NEW.container_id IS NOT NULL AND (NEW.quantity <> 1 OR (SELECT sample_id FROM container WHERE id = NEW.container_id) IS NOT NEW.sample_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:custody-container: an entry that names a container moves that one container, of its own sample'); END;
CREATE TRIGGER observation_identity BEFORE UPDATE ON observation
WHEN NEW.instrument_file_id IS NOT OLD.instrument_file_id OR NEW.position IS NOT OLD.position OR NEW.sample_text IS NOT OLD.sample_text OR NEW.analyte IS NOT OLD.analyte OR NEW.quantity IS NOT OLD.quantity OR NEW.raw IS NOT OLD.raw OR NEW.value IS NOT OLD.value OR NEW.unit IS NOT OLD.unit OR NEW.status IS NOT OLD.status OR NEW.flags IS NOT OLD.flags OR NEW.locator IS NOT OLD.locator OR NEW.injection IS NOT OLD.injection OR NEW.acquired_at IS NOT OLD.acquired_at OR NEW.bound IS NOT OLD.bound OR NEW.context IS NOT OLD.context OR (SELECT state FROM instrument_file WHERE id = NEW.instrument_file_id) <> 'staged'
BEGIN SELECT RAISE(ABORT, 'qianfa:observation-identity: an observation stays as it was read'); END;
CREATE TRIGGER test_task_identity BEFORE UPDATE ON test_task
WHEN NEW.institute_id IS NOT OLD.institute_id OR NEW.sample_id IS NOT OLD.sample_id OR NEW.test_item_id IS NOT OLD.test_item_id OR NEW.attempt IS NOT OLD.attempt OR NEW.available_at IS NOT OLD.available_at OR (OLD.started_at IS NOT NULL AND NEW.started_at IS NOT OLD.started_at)
BEGIN SELECT RAISE(ABORT, 'qianfa:task-identity: a task keeps its sample, its item and its start'); END;
CREATE TRIGGER result_unreviewed BEFORE INSERT ON result
WHEN NEW.reviewer_id IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'qianfa:result-unreviewed: a result is entered without a review'); END;
CREATE TRIGGER result_frozen BEFORE UPDATE ON result
WHEN NEW.id IS NOT OLD.id OR NEW.test_task_id IS NOT OLD.test_task_id OR NEW.version IS NOT OLD.version OR NEW.calculated IS NOT OLD.calculated OR NEW.reported IS NOT OLD.reported OR NEW.unit IS NOT OLD.unit OR NEW.limit_text IS NOT OLD.limit_text OR NEW.compare_by IS NOT OLD.compare_by OR NEW.verdict IS NOT OLD.verdict OR NEW.steps IS NOT OLD.steps OR NEW.reagents IS NOT OLD.reagents OR NEW.note IS NOT OLD.note OR NEW.analyst_id IS NOT OLD.analyst_id OR NEW.entered_at IS NOT OLD.entered_at OR (OLD.reviewer_id IS NOT NULL AND (NEW.reviewer_id IS NOT OLD.reviewer_id OR NEW.reviewed_at IS NOT OLD.reviewed_at OR NEW.review_outcome IS NOT OLD.review_outcome OR NEW.review_note IS NOT OLD.review_note))
BEGIN SELECT RAISE(ABORT, 'qianfa:result-frozen: a result is not changed: enter a new version'); END;
CREATE TRIGGER result_reviewed_by_another BEFORE UPDATE OF reviewer_id ON result
WHEN NEW.reviewer_id IS NOT NULL AND (NEW.reviewer_id = OLD.analyst_id OR NEW.reviewer_id IN (SELECT entered_by FROM reading WHERE test_task_id = OLD.test_task_id))
BEGIN SELECT RAISE(ABORT, 'qianfa:self-review: a result is reviewed by somebody who entered none of its values'); END;
CREATE TRIGGER out_of_limit_decided_by_another BEFORE INSERT ON out_of_limit_decision
WHEN NEW.decided_by = (SELECT analyst_id FROM result WHERE id = NEW.result_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:self-decision: a result out of limit is decided by somebody else than its analyst'); END;
CREATE TRIGGER certificate_identity BEFORE UPDATE ON certificate
WHEN NEW.id IS NOT OLD.id OR NEW.institute_id IS NOT OLD.institute_id OR NEW.kind IS NOT OLD.kind OR NEW.application_id IS NOT OLD.application_id OR NEW.sample_id IS NOT OLD.sample_id OR NEW.conforms IS NOT OLD.conforms OR NEW.verification_code IS NOT OLD.verification_code OR NEW.amends_id IS NOT OLD.amends_id OR NEW.amendment_reason IS NOT OLD.amendment_reason OR NEW.drafted_by IS NOT OLD.drafted_by OR NEW.drafted_at IS NOT OLD.drafted_at OR (OLD.number IS NOT NULL AND NEW.number IS NOT OLD.number) OR (OLD.state <> 'drafted' AND NEW.data IS NOT OLD.data)
BEGIN SELECT RAISE(ABORT, 'qianfa:certificate-identity: a certificate keeps its identity, its number and, once reviewed, its content'); END;
CREATE TRIGGER certificate_immutable BEFORE UPDATE ON certificate
WHEN OLD.state IN ('issued','superseded','withdrawn','discarded') AND (NEW.number IS NOT OLD.number OR NEW.reviewed_by IS NOT OLD.reviewed_by OR NEW.reviewed_at IS NOT OLD.reviewed_at OR NEW.signed_by IS NOT OLD.signed_by OR NEW.signed_at IS NOT OLD.signed_at OR NEW.signature_id IS NOT OLD.signature_id OR NEW.pdf_sha256 IS NOT OLD.pdf_sha256 OR ((NEW.state IS NOT OLD.state OR NEW.state_reason IS NOT OLD.state_reason) AND (OLD.state IN ('withdrawn','discarded') OR NEW.state NOT IN ('superseded','withdrawn'))))
BEGIN SELECT RAISE(ABORT, 'qianfa:certificate-immutable: a certificate that was issued or ended is not changed: amend it by a new one'); END;
CREATE TRIGGER instrument_file_identity BEFORE UPDATE ON instrument_file
WHEN NEW.id IS NOT OLD.id OR NEW.sha256 IS NOT OLD.sha256 OR NEW.name IS NOT OLD.name OR NEW.size IS NOT OLD.size OR NEW.institute_id IS NOT OLD.institute_id OR NEW.uploaded_by IS NOT OLD.uploaded_by OR NEW.uploaded_at IS NOT OLD.uploaded_at OR NEW.instrument_id IS NOT OLD.instrument_id OR NEW.source IS NOT OLD.source OR NEW.path IS NOT OLD.path OR NEW.version IS NOT OLD.version OR NEW.supersedes IS NOT OLD.supersedes OR (OLD.state NOT IN ('staged','unread') AND (NEW.state IS NOT OLD.state OR NEW.state_reason IS NOT OLD.state_reason OR NEW.decided_by IS NOT OLD.decided_by OR NEW.decided_at IS NOT OLD.decided_at)) OR (NOT (OLD.state = 'unread' AND NEW.state = 'staged') AND (NEW.adapter IS NOT OLD.adapter OR NEW.adapter_version IS NOT OLD.adapter_version OR NEW.complete IS NOT OLD.complete OR NEW.run IS NOT OLD.run OR NEW.problems IS NOT OLD.problems))
BEGIN SELECT RAISE(ABORT, 'qianfa:instrument-file-identity: an instrument file stays as it was read and decided'); END;
CREATE TRIGGER reference_standard_identity BEFORE UPDATE ON reference_standard
WHEN NEW.id IS NOT OLD.id OR NEW.institute_id IS NOT OLD.institute_id OR NEW.name IS NOT OLD.name OR NEW.batch IS NOT OLD.batch OR NEW.source IS NOT OLD.source OR NEW.purity IS NOT OLD.purity OR NEW.basis IS NOT OLD.basis OR NEW.water IS NOT OLD.water OR NEW.expires_on IS NOT OLD.expires_on OR NEW.storage IS NOT OLD.storage OR NEW.note IS NOT OLD.note OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at IS NOT OLD.created_at OR (OLD.withdrawn_by IS NOT NULL AND (NEW.withdrawn_by IS NOT OLD.withdrawn_by OR NEW.withdrawn_at IS NOT OLD.withdrawn_at OR NEW.withdrawn_reason IS NOT OLD.withdrawn_reason))
BEGIN SELECT RAISE(ABORT, 'qianfa:reference-standard-identity: a reference standard stays as it was registered'); END;
CREATE TRIGGER evaluation_versions BEFORE INSERT ON evaluation
WHEN NEW.version <> 1 + (SELECT COALESCE(MAX(version), 0) FROM evaluation WHERE root_id = NEW.root_id) OR (NEW.version = 1 AND NEW.root_id <> NEW.id)
BEGIN SELECT RAISE(ABORT, 'qianfa:evaluation-versions: the versions of an evaluation follow one another'); END;
CREATE TRIGGER evaluation_result_valid BEFORE INSERT ON evaluation_result
WHEN (SELECT verdict FROM evaluation WHERE id = NEW.evaluation_id) <> 'valid'
BEGIN SELECT RAISE(ABORT, 'qianfa:evaluation-invalid: an invalid evaluation has no result'); END;
CREATE TRIGGER reading_of_evaluation BEFORE INSERT ON reading
WHEN NEW.evaluation_result_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM evaluation_result r
    JOIN evaluation e ON e.id = r.evaluation_id
    JOIN test_task t ON t.id = NEW.test_task_id
    WHERE r.id = NEW.evaluation_result_id AND e.verdict = 'valid' AND r.sample_id = t.sample_id AND r.raw = NEW.raw
    AND NOT EXISTS (SELECT 1 FROM evaluation later WHERE later.root_id = e.root_id AND later.version > e.version))
BEGIN SELECT RAISE(ABORT, 'qianfa:reading-evaluation: a reading rests on the newest version of a valid evaluation, of its sample, with its value'); END;
CREATE TRIGGER import_check_of_accepted BEFORE INSERT ON import_check
WHEN (SELECT state FROM instrument_file WHERE id = NEW.instrument_file_id) <> 'accepted'
BEGIN SELECT RAISE(ABORT, 'qianfa:import-not-accepted: only an accepted file has an import to check'); END;
CREATE TRIGGER import_check_by_another BEFORE INSERT ON import_check
WHEN NEW.checked_by = (SELECT decided_by FROM instrument_file WHERE id = NEW.instrument_file_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:self-import-check: an import is checked by somebody else than the one who accepted it'); END;
CREATE TRIGGER result_approved_imports BEFORE UPDATE OF review_outcome ON result
WHEN NEW.review_outcome = 'approved' AND EXISTS (
    SELECT 1 FROM reading r JOIN observation o ON o.id = r.observation_id
    WHERE r.test_task_id = NEW.test_task_id
      AND NOT EXISTS (SELECT 1 FROM reading later WHERE later.test_task_id = r.test_task_id AND later.name = r.name AND later.position = r.position AND later.version > r.version)
      AND (NOT EXISTS (SELECT 1 FROM import_check c WHERE c.instrument_file_id = o.instrument_file_id AND c.outcome = 'ok' AND (c.test_task_id IS NULL OR c.test_task_id = r.test_task_id))
        OR EXISTS (SELECT 1 FROM import_check c WHERE c.instrument_file_id = o.instrument_file_id AND c.outcome = 'rejected' AND (c.test_task_id IS NULL OR c.test_task_id = r.test_task_id))))
BEGIN SELECT RAISE(ABORT, 'qianfa:import-unchecked: a result is approved only on imports that a second person has checked'); END;
