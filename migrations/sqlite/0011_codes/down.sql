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
DROP TRIGGER institute_revision;
DROP TRIGGER institute_revision_order;
DROP TRIGGER applicant_revision;
DROP TRIGGER applicant_revision_order;
DROP TRIGGER account_revision;
DROP TRIGGER account_revision_order;
DROP TRIGGER product_revision;
DROP TRIGGER product_revision_order;
DROP TRIGGER specification_revision;
DROP TRIGGER specification_revision_order;
DROP TRIGGER authorisation_revision;
DROP TRIGGER authorisation_revision_order;
DROP TRIGGER application_revision;
DROP TRIGGER application_revision_order;
DROP TRIGGER batch_revision;
DROP TRIGGER batch_revision_order;
DROP TRIGGER sample_revision;
DROP TRIGGER sample_revision_order;
DROP TRIGGER container_revision;
DROP TRIGGER container_revision_order;
DROP TRIGGER instrument_revision;
DROP TRIGGER instrument_revision_order;
DROP TRIGGER instrument_file_revision;
DROP TRIGGER instrument_file_revision_order;
DROP TRIGGER dead_letter_revision;
DROP TRIGGER dead_letter_revision_order;
DROP TRIGGER run_list_revision;
DROP TRIGGER run_list_revision_order;
DROP TRIGGER test_task_revision;
DROP TRIGGER test_task_revision_order;
DROP TRIGGER result_revision;
DROP TRIGGER result_revision_order;
DROP TRIGGER reference_standard_revision;
DROP TRIGGER reference_standard_revision_order;
DROP TRIGGER certificate_revision;
DROP TRIGGER certificate_revision_order;
DROP TRIGGER sample_institute;
DROP TRIGGER test_task_institute;
DROP TRIGGER certificate_institute;
DROP INDEX application_by_institute;
DROP INDEX application_by_state;
DROP INDEX application_by_applicant;
DROP INDEX sample_by_institute;
DROP INDEX test_task_by_state;
DROP INDEX certificate_by_institute;
DROP INDEX certificate_by_state;
DROP INDEX certificate_by_application;
DROP INDEX instrument_file_by_institute;
DROP INDEX instrument_file_by_state;
DROP INDEX instrument_file_by_instrument;
DROP INDEX dead_letter_by_institute;
DROP INDEX dead_letter_by_state;
DROP INDEX evaluation_by_institute;
DROP INDEX run_list_by_institute;
ALTER TABLE institute DROP COLUMN revision;
ALTER TABLE applicant DROP COLUMN revision;
ALTER TABLE account DROP COLUMN revision;
ALTER TABLE product DROP COLUMN revision;
ALTER TABLE specification DROP COLUMN revision;
ALTER TABLE authorisation DROP COLUMN revision;
ALTER TABLE application DROP COLUMN revision;
ALTER TABLE batch DROP COLUMN revision;
ALTER TABLE sample DROP COLUMN revision;
ALTER TABLE container DROP COLUMN revision;
ALTER TABLE instrument DROP COLUMN revision;
ALTER TABLE instrument_file DROP COLUMN revision;
ALTER TABLE dead_letter DROP COLUMN revision;
ALTER TABLE run_list DROP COLUMN revision;
ALTER TABLE test_task DROP COLUMN revision;
ALTER TABLE result DROP COLUMN revision;
ALTER TABLE reference_standard DROP COLUMN revision;
ALTER TABLE certificate DROP COLUMN revision;
ALTER TABLE sample DROP COLUMN institute_id;
ALTER TABLE test_task DROP COLUMN institute_id;
ALTER TABLE certificate DROP COLUMN institute_id;
CREATE INDEX application_state_lane_rank ON application (state, lane_rank);
CREATE INDEX test_task_state_lane_rank_due ON test_task (state, lane_rank, due);
CREATE INDEX instrument_file_state ON instrument_file (institute_id, state, uploaded_at);
CREATE INDEX instrument_file_instrument_id ON instrument_file (instrument_id, uploaded_at);
CREATE INDEX dead_letter_institute_id_state ON dead_letter (institute_id, state, last_at);
CREATE INDEX evaluation_institute_id_created_at ON evaluation (institute_id, created_at);
CREATE TRIGGER signature_no_update BEFORE UPDATE ON signature
BEGIN SELECT RAISE(ABORT, 'signature is append-only'); END;
CREATE TRIGGER signature_no_delete BEFORE DELETE ON signature
BEGIN SELECT RAISE(ABORT, 'signature is append-only'); END;
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
CREATE TRIGGER custody_entry_no_update BEFORE UPDATE ON custody_entry
BEGIN SELECT RAISE(ABORT, 'custody_entry is append-only'); END;
CREATE TRIGGER custody_entry_no_delete BEFORE DELETE ON custody_entry
BEGIN SELECT RAISE(ABORT, 'custody_entry is append-only'); END;
CREATE TRIGGER application_no_delete BEFORE DELETE ON application
BEGIN SELECT RAISE(ABORT, 'application is never deleted'); END;
CREATE TRIGGER batch_no_delete BEFORE DELETE ON batch
BEGIN SELECT RAISE(ABORT, 'batch is never deleted'); END;
CREATE TRIGGER sample_no_delete BEFORE DELETE ON sample
BEGIN SELECT RAISE(ABORT, 'sample is never deleted'); END;
CREATE TRIGGER container_no_delete BEFORE DELETE ON container
BEGIN SELECT RAISE(ABORT, 'container is never deleted'); END;
CREATE TRIGGER number_series_no_delete BEFORE DELETE ON number_series
BEGIN SELECT RAISE(ABORT, 'number_series is never deleted'); END;
CREATE TRIGGER custody_balance_no_delete BEFORE DELETE ON custody_balance
BEGIN SELECT RAISE(ABORT, 'custody_balance is never deleted'); END;
CREATE TRIGGER number_series_starts_at_one BEFORE INSERT ON number_series
WHEN NEW.last <> 1
BEGIN SELECT RAISE(ABORT, 'a number series starts at 1'); END;
CREATE TRIGGER number_series_moves_by_one BEFORE UPDATE ON number_series
WHEN NEW.last <> OLD.last + 1 OR NEW.series IS NOT OLD.series OR NEW.year IS NOT OLD.year
BEGIN SELECT RAISE(ABORT, 'a number series moves by 1'); END;
CREATE TRIGGER application_identity BEFORE UPDATE ON application
WHEN NEW.number IS NOT OLD.number OR NEW.business IS NOT OLD.business OR NEW.institute_id IS NOT OLD.institute_id OR NEW.applicant_id IS NOT OLD.applicant_id OR NEW.product_id IS NOT OLD.product_id OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at IS NOT OLD.created_at OR (OLD.state IN ('refused','withdrawn','voided') AND NEW.state <> OLD.state)
BEGIN SELECT RAISE(ABORT, 'an application keeps its identity and its end'); END;
CREATE TRIGGER application_accepted BEFORE UPDATE ON application
WHEN OLD.accepted_on IS NOT NULL AND (NEW.accepted_on IS NOT OLD.accepted_on OR NEW.specification_id IS NOT OLD.specification_id OR NEW.purpose IS NOT OLD.purpose OR NEW.determination IS NOT OLD.determination OR NEW.lane IS NOT OLD.lane)
BEGIN SELECT RAISE(ABORT, 'what was accepted stays as accepted'); END;
CREATE TRIGGER sample_identity BEFORE UPDATE ON sample
WHEN NEW.number IS NOT OLD.number OR NEW.application_id IS NOT OLD.application_id OR NEW.batch_id IS NOT OLD.batch_id OR NEW.received_at IS NOT OLD.received_at OR NEW.received_by IS NOT OLD.received_by OR NEW.temperature IS NOT OLD.temperature OR NEW.seals_intact IS NOT OLD.seals_intact OR NEW.packages IS NOT OLD.packages OR NEW.packages_intact IS NOT OLD.packages_intact OR NEW.label_matches IS NOT OLD.label_matches OR NEW.condition_note IS NOT OLD.condition_note OR NEW.full_test_containers IS NOT OLD.full_test_containers OR NEW.required_containers IS NOT OLD.required_containers OR OLD.state <> 'received'
BEGIN SELECT RAISE(ABORT, 'a sample keeps its number and what was seen on receipt'); END;
CREATE TRIGGER container_identity BEFORE UPDATE ON container
WHEN NEW.sample_id IS NOT OLD.sample_id OR NEW.position IS NOT OLD.position OR NEW.label_code IS NOT OLD.label_code
BEGIN SELECT RAISE(ABORT, 'a container keeps its label'); END;
CREATE TRIGGER custody_entry_posts AFTER INSERT ON custody_entry
BEGIN
    INSERT INTO custody_balance (sample_id, place, balance) VALUES (NEW.sample_id, NEW.from_place, 0), (NEW.sample_id, NEW.to_place, 0)
        ON CONFLICT (sample_id, place) DO NOTHING;
    UPDATE custody_balance SET balance = balance - NEW.quantity WHERE sample_id = NEW.sample_id AND place = NEW.from_place;
    UPDATE custody_balance SET balance = balance + NEW.quantity WHERE sample_id = NEW.sample_id AND place = NEW.to_place;
END;
CREATE TRIGGER custody_balance_opens_empty BEFORE INSERT ON custody_balance
WHEN NEW.balance <> 0
BEGIN SELECT RAISE(ABORT, 'a custody balance opens empty'); END;
CREATE TRIGGER custody_balance_follows_ledger BEFORE UPDATE ON custody_balance
WHEN NEW.sample_id IS NOT OLD.sample_id OR NEW.place IS NOT OLD.place OR NEW.balance <> (
    SELECT coalesce(sum(CASE WHEN to_place = NEW.place THEN quantity ELSE -quantity END), 0) FROM custody_entry
    WHERE sample_id = NEW.sample_id AND NEW.place IN (from_place, to_place))
BEGIN SELECT RAISE(ABORT, 'only the custody ledger moves a balance'); END;
CREATE TRIGGER custody_entry_container BEFORE INSERT ON custody_entry
WHEN NEW.container_id IS NOT NULL AND (NEW.quantity <> 1 OR (SELECT sample_id FROM container WHERE id = NEW.container_id) IS NOT NEW.sample_id)
BEGIN SELECT RAISE(ABORT, 'an entry that names a container moves that one, of its own sample'); END;
CREATE TRIGGER instrument_file_no_delete BEFORE DELETE ON instrument_file
BEGIN SELECT RAISE(ABORT, 'instrument_file is never deleted'); END;
CREATE TRIGGER observation_no_delete BEFORE DELETE ON observation
BEGIN SELECT RAISE(ABORT, 'observation is never deleted'); END;
CREATE TRIGGER observation_identity BEFORE UPDATE ON observation
WHEN NEW.instrument_file_id IS NOT OLD.instrument_file_id OR NEW.position IS NOT OLD.position OR NEW.sample_text IS NOT OLD.sample_text OR NEW.analyte IS NOT OLD.analyte OR NEW.quantity IS NOT OLD.quantity OR NEW.raw IS NOT OLD.raw OR NEW.value IS NOT OLD.value OR NEW.unit IS NOT OLD.unit OR NEW.status IS NOT OLD.status OR NEW.flags IS NOT OLD.flags OR NEW.locator IS NOT OLD.locator OR NEW.injection IS NOT OLD.injection OR NEW.acquired_at IS NOT OLD.acquired_at OR NEW.bound IS NOT OLD.bound OR NEW.context IS NOT OLD.context OR (SELECT state FROM instrument_file WHERE id = NEW.instrument_file_id) <> 'staged'
BEGIN SELECT RAISE(ABORT, 'an observation stays as it was read'); END;
CREATE TRIGGER reading_no_update BEFORE UPDATE ON reading
BEGIN SELECT RAISE(ABORT, 'reading is append-only'); END;
CREATE TRIGGER reading_no_delete BEFORE DELETE ON reading
BEGIN SELECT RAISE(ABORT, 'reading is append-only'); END;
CREATE TRIGGER out_of_limit_decision_no_update BEFORE UPDATE ON out_of_limit_decision
BEGIN SELECT RAISE(ABORT, 'out_of_limit_decision is append-only'); END;
CREATE TRIGGER out_of_limit_decision_no_delete BEFORE DELETE ON out_of_limit_decision
BEGIN SELECT RAISE(ABORT, 'out_of_limit_decision is append-only'); END;
CREATE TRIGGER test_task_no_delete BEFORE DELETE ON test_task
BEGIN SELECT RAISE(ABORT, 'test_task is never deleted'); END;
CREATE TRIGGER result_no_delete BEFORE DELETE ON result
BEGIN SELECT RAISE(ABORT, 'result is never deleted'); END;
CREATE TRIGGER test_task_identity BEFORE UPDATE ON test_task
WHEN NEW.sample_id IS NOT OLD.sample_id OR NEW.test_item_id IS NOT OLD.test_item_id OR NEW.attempt IS NOT OLD.attempt OR NEW.available_at IS NOT OLD.available_at OR (OLD.started_at IS NOT NULL AND NEW.started_at IS NOT OLD.started_at)
BEGIN SELECT RAISE(ABORT, 'a task keeps its sample, its item and its start'); END;
CREATE TRIGGER result_unreviewed BEFORE INSERT ON result
WHEN NEW.reviewer_id IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a result enters without a review'); END;
CREATE TRIGGER result_frozen BEFORE UPDATE ON result
WHEN NEW.id IS NOT OLD.id OR NEW.test_task_id IS NOT OLD.test_task_id OR NEW.version IS NOT OLD.version OR NEW.calculated IS NOT OLD.calculated OR NEW.reported IS NOT OLD.reported OR NEW.unit IS NOT OLD.unit OR NEW.limit_text IS NOT OLD.limit_text OR NEW.compare_by IS NOT OLD.compare_by OR NEW.verdict IS NOT OLD.verdict OR NEW.steps IS NOT OLD.steps OR NEW.reagents IS NOT OLD.reagents OR NEW.note IS NOT OLD.note OR NEW.analyst_id IS NOT OLD.analyst_id OR NEW.entered_at IS NOT OLD.entered_at OR OLD.reviewer_id IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a result is not changed: enter a new version'); END;
CREATE TRIGGER result_reviewed_by_another BEFORE UPDATE ON result
WHEN NEW.reviewer_id IS NOT NULL AND (NEW.reviewer_id = OLD.analyst_id OR NEW.reviewer_id IN (SELECT entered_by FROM reading WHERE test_task_id = OLD.test_task_id))
BEGIN SELECT RAISE(ABORT, 'a result is reviewed by somebody else'); END;
CREATE TRIGGER out_of_limit_decided_by_another BEFORE INSERT ON out_of_limit_decision
WHEN NEW.decided_by = (SELECT analyst_id FROM result WHERE id = NEW.result_id)
BEGIN SELECT RAISE(ABORT, 'a result out of limit is decided by somebody else'); END;
CREATE TRIGGER certificate_no_delete BEFORE DELETE ON certificate
BEGIN SELECT RAISE(ABORT, 'certificate is never deleted'); END;
CREATE TRIGGER certificate_identity BEFORE UPDATE ON certificate
WHEN NEW.kind IS NOT OLD.kind OR NEW.application_id IS NOT OLD.application_id OR NEW.sample_id IS NOT OLD.sample_id OR NEW.conforms IS NOT OLD.conforms OR NEW.verification_code IS NOT OLD.verification_code OR NEW.amends_id IS NOT OLD.amends_id OR NEW.amendment_reason IS NOT OLD.amendment_reason OR NEW.drafted_by IS NOT OLD.drafted_by OR NEW.drafted_at IS NOT OLD.drafted_at OR (OLD.number IS NOT NULL AND NEW.number IS NOT OLD.number) OR (OLD.state <> 'drafted' AND NEW.data IS NOT OLD.data)
BEGIN SELECT RAISE(ABORT, 'a certificate keeps its identity, its number and, once reviewed, its content'); END;
CREATE TRIGGER certificate_immutable BEFORE UPDATE ON certificate
WHEN OLD.state IN ('issued','superseded','withdrawn','discarded') AND (NEW.reviewed_by IS NOT OLD.reviewed_by OR NEW.reviewed_at IS NOT OLD.reviewed_at OR NEW.signed_by IS NOT OLD.signed_by OR NEW.signed_at IS NOT OLD.signed_at OR NEW.signature_id IS NOT OLD.signature_id OR NEW.pdf_sha256 IS NOT OLD.pdf_sha256 OR OLD.state IN ('withdrawn','discarded') OR NEW.state NOT IN ('superseded','withdrawn'))
BEGIN SELECT RAISE(ABORT, 'an issued certificate is immutable: amend it by a new one'); END;
CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END;
CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END;
CREATE TRIGGER audit_seal_no_update BEFORE UPDATE ON audit_seal
BEGIN SELECT RAISE(ABORT, 'audit_seal is append-only'); END;
CREATE TRIGGER audit_seal_no_delete BEFORE DELETE ON audit_seal
BEGIN SELECT RAISE(ABORT, 'audit_seal is append-only'); END;
CREATE TRIGGER calibration_no_update BEFORE UPDATE ON calibration
BEGIN SELECT RAISE(ABORT, 'calibration is append-only'); END;
CREATE TRIGGER calibration_no_delete BEFORE DELETE ON calibration
BEGIN SELECT RAISE(ABORT, 'calibration is append-only'); END;
CREATE TRIGGER companion_file_no_update BEFORE UPDATE ON companion_file
BEGIN SELECT RAISE(ABORT, 'companion_file is append-only'); END;
CREATE TRIGGER companion_file_no_delete BEFORE DELETE ON companion_file
BEGIN SELECT RAISE(ABORT, 'companion_file is append-only'); END;
CREATE TRIGGER run_list_row_no_update BEFORE UPDATE ON run_list_row
BEGIN SELECT RAISE(ABORT, 'run_list_row is append-only'); END;
CREATE TRIGGER run_list_row_no_delete BEFORE DELETE ON run_list_row
BEGIN SELECT RAISE(ABORT, 'run_list_row is append-only'); END;
CREATE TRIGGER instrument_no_delete BEFORE DELETE ON instrument
BEGIN SELECT RAISE(ABORT, 'instrument is never deleted'); END;
CREATE TRIGGER dead_letter_no_delete BEFORE DELETE ON dead_letter
BEGIN SELECT RAISE(ABORT, 'dead_letter is never deleted'); END;
CREATE TRIGGER run_list_no_delete BEFORE DELETE ON run_list
BEGIN SELECT RAISE(ABORT, 'run_list is never deleted'); END;
CREATE TRIGGER instrument_file_identity BEFORE UPDATE ON instrument_file
WHEN NEW.sha256 IS NOT OLD.sha256 OR NEW.name IS NOT OLD.name OR NEW.size IS NOT OLD.size OR NEW.institute_id IS NOT OLD.institute_id OR NEW.uploaded_by IS NOT OLD.uploaded_by OR NEW.uploaded_at IS NOT OLD.uploaded_at OR NEW.instrument_id IS NOT OLD.instrument_id OR NEW.source IS NOT OLD.source OR NEW.path IS NOT OLD.path OR NEW.version IS NOT OLD.version OR NEW.supersedes IS NOT OLD.supersedes OR OLD.state NOT IN ('staged','unread') OR (NOT (OLD.state = 'unread' AND NEW.state = 'staged') AND (NEW.adapter IS NOT OLD.adapter OR NEW.adapter_version IS NOT OLD.adapter_version OR NEW.complete IS NOT OLD.complete OR NEW.run IS NOT OLD.run OR NEW.problems IS NOT OLD.problems))
BEGIN SELECT RAISE(ABORT, 'an instrument file stays as it was read and decided'); END;
CREATE TRIGGER evaluation_no_update BEFORE UPDATE ON evaluation
BEGIN SELECT RAISE(ABORT, 'evaluation is append-only'); END;
CREATE TRIGGER evaluation_no_delete BEFORE DELETE ON evaluation
BEGIN SELECT RAISE(ABORT, 'evaluation is append-only'); END;
CREATE TRIGGER evaluation_file_no_update BEFORE UPDATE ON evaluation_file
BEGIN SELECT RAISE(ABORT, 'evaluation_file is append-only'); END;
CREATE TRIGGER evaluation_file_no_delete BEFORE DELETE ON evaluation_file
BEGIN SELECT RAISE(ABORT, 'evaluation_file is append-only'); END;
CREATE TRIGGER evaluation_standard_no_update BEFORE UPDATE ON evaluation_standard
BEGIN SELECT RAISE(ABORT, 'evaluation_standard is append-only'); END;
CREATE TRIGGER evaluation_standard_no_delete BEFORE DELETE ON evaluation_standard
BEGIN SELECT RAISE(ABORT, 'evaluation_standard is append-only'); END;
CREATE TRIGGER evaluation_result_no_update BEFORE UPDATE ON evaluation_result
BEGIN SELECT RAISE(ABORT, 'evaluation_result is append-only'); END;
CREATE TRIGGER evaluation_result_no_delete BEFORE DELETE ON evaluation_result
BEGIN SELECT RAISE(ABORT, 'evaluation_result is append-only'); END;
CREATE TRIGGER reference_standard_no_delete BEFORE DELETE ON reference_standard
BEGIN SELECT RAISE(ABORT, 'reference_standard is never deleted'); END;
CREATE TRIGGER reference_standard_identity BEFORE UPDATE ON reference_standard
WHEN NEW.id IS NOT OLD.id OR NEW.institute_id IS NOT OLD.institute_id OR NEW.name IS NOT OLD.name OR NEW.batch IS NOT OLD.batch OR NEW.source IS NOT OLD.source OR NEW.purity IS NOT OLD.purity OR NEW.basis IS NOT OLD.basis OR NEW.water IS NOT OLD.water OR NEW.expires_on IS NOT OLD.expires_on OR NEW.storage IS NOT OLD.storage OR NEW.note IS NOT OLD.note OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at IS NOT OLD.created_at OR OLD.withdrawn_by IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a reference standard stays as it was registered'); END;
CREATE TRIGGER evaluation_versions BEFORE INSERT ON evaluation
WHEN NEW.version <> 1 + (SELECT COALESCE(MAX(version), 0) FROM evaluation WHERE root_id = NEW.root_id) OR (NEW.version = 1 AND NEW.root_id <> NEW.id)
BEGIN SELECT RAISE(ABORT, 'an evaluation keeps its series of versions'); END;
CREATE TRIGGER evaluation_result_valid BEFORE INSERT ON evaluation_result
WHEN (SELECT verdict FROM evaluation WHERE id = NEW.evaluation_id) <> 'valid'
BEGIN SELECT RAISE(ABORT, 'an evaluation keeps its verdict: an invalid one has no result'); END;
CREATE TRIGGER reading_of_evaluation BEFORE INSERT ON reading
WHEN NEW.evaluation_result_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM evaluation_result r
    JOIN evaluation e ON e.id = r.evaluation_id
    JOIN test_task t ON t.id = NEW.test_task_id
    WHERE r.id = NEW.evaluation_result_id AND e.verdict = 'valid' AND r.sample_id = t.sample_id AND r.raw = NEW.raw
    AND NOT EXISTS (SELECT 1 FROM evaluation later WHERE later.root_id = e.root_id AND later.version > e.version))
BEGIN SELECT RAISE(ABORT, 'a reading keeps its evaluation: valid, the newest, of its sample, with its value'); END;
CREATE TRIGGER import_check_no_update BEFORE UPDATE ON import_check
BEGIN SELECT RAISE(ABORT, 'import_check is append-only'); END;
CREATE TRIGGER import_check_no_delete BEFORE DELETE ON import_check
BEGIN SELECT RAISE(ABORT, 'import_check is append-only'); END;
CREATE TRIGGER import_check_of_accepted BEFORE INSERT ON import_check
WHEN (SELECT state FROM instrument_file WHERE id = NEW.instrument_file_id) <> 'accepted'
BEGIN SELECT RAISE(ABORT, 'only an accepted file has an import to check'); END;
CREATE TRIGGER import_check_by_another BEFORE INSERT ON import_check
WHEN NEW.checked_by = (SELECT decided_by FROM instrument_file WHERE id = NEW.instrument_file_id)
BEGIN SELECT RAISE(ABORT, 'an import is checked by somebody else'); END;
CREATE TRIGGER result_approved_imports BEFORE UPDATE ON result
WHEN NEW.review_outcome = 'approved' AND EXISTS (
    SELECT 1 FROM reading r JOIN observation o ON o.id = r.observation_id
    WHERE r.test_task_id = NEW.test_task_id
      AND NOT EXISTS (SELECT 1 FROM reading later WHERE later.test_task_id = r.test_task_id AND later.name = r.name AND later.position = r.position AND later.version > r.version)
      AND (NOT EXISTS (SELECT 1 FROM import_check c WHERE c.instrument_file_id = o.instrument_file_id AND c.outcome = 'ok' AND (c.test_task_id IS NULL OR c.test_task_id = r.test_task_id))
        OR EXISTS (SELECT 1 FROM import_check c WHERE c.instrument_file_id = o.instrument_file_id AND c.outcome = 'rejected' AND (c.test_task_id IS NULL OR c.test_task_id = r.test_task_id))))
BEGIN SELECT RAISE(ABORT, 'the import of a reading was not checked'); END;
