-- One row at least of everything, as the version before revisions wrote it. Both databases read it.

INSERT INTO institute (id, code, name_zh, name_en, abbreviation, jurisdiction, address_zh, address_en, sample_prefix, created_at) VALUES
    ('i1', 'SXIDC', '山西示范药品检验所', 'Shanxi', '晋', 'CN-SX', '太原', 'Taiyuan', 'SX', '2026-03-02T01:00:00.000000Z'),
    ('i2', 'HBIDC', '河北示范药品检验所', 'Hebei', '冀', 'CN-HE', '石家庄', 'Shijiazhuang', 'HB', '2026-03-02T01:00:00.000000Z');
INSERT INTO applicant (id, name, address, contact, created_at) VALUES
    ('p1', '示范申请人', '示范路 1 号', '', '2026-03-02T01:00:00.000000Z');
INSERT INTO account (id, username, display_name, password_hash, institute_id, applicant_id, disabled, failed_logins, locked_until, created_at) VALUES
    ('a1', 'analyst', '检验员', '!', 'i1', NULL, FALSE, 0, NULL, '2026-03-02T01:00:00.000000Z'),
    ('a2', 'reviewer', '复核员', '!', 'i1', NULL, FALSE, 0, NULL, '2026-03-02T01:00:00.000000Z'),
    ('a3', 'second', '第二检验员', '!', 'i1', NULL, FALSE, 0, NULL, '2026-03-02T01:00:00.000000Z'),
    ('a4', 'applicant', '申请人', '!', NULL, 'p1', FALSE, 0, NULL, '2026-03-02T01:00:00.000000Z');
INSERT INTO account_role (account_id, role) VALUES ('a1', 'analyst'), ('a2', 'reviewer');
INSERT INTO session (id, account_id, family, refresh_sha256, created_at, expires_at) VALUES
    ('s1', 'a1', 'f', 'r', '2026-03-02T01:00:00.000000Z', '2026-03-03T01:00:00.000000Z');
INSERT INTO signature (id, account_id, meaning, subject_kind, subject_id, content_sha256, signed_at) VALUES
    ('g1', 'a2', '授权签发', 'certificate', 'x1', 'c', '2026-03-20T01:00:00.000000Z');

INSERT INTO product (id, code, name_zh, name_en, category, strength, dosage_form, package_spec, storage, manufacturer, holder, container_name, container_content, content_unit, created_at) VALUES
    ('d1', 'P', '示范品', 'Specimen', 'chemical', '10 mg', '片剂', '10 片/瓶', '室温', '示范制药', '示范制药', '瓶', '10', '片', '2026-03-02T01:00:00.000000Z');
INSERT INTO product_trait (product_id, trait_name) VALUES ('d1', 'rare_disease');
INSERT INTO specification (id, product_id, version, title, edition, status, effective_from, created_at) VALUES
    ('n1', 'd1', 1, '《示范标准》', '2026', 'draft', NULL, '2026-03-02T01:00:00.000000Z'),
    ('n2', 'd1', 2, '《示范标准》', '2027', 'draft', NULL, '2026-03-02T01:00:00.000000Z');
INSERT INTO test_item (id, specification_id, position, code, name_zh, name_en, method, kind, unit, limit_text, compare_by, inputs, replicates, consumes, in_scope) VALUES
    ('t1', 'n1', 1, 'assay', '含量测定', 'Assay', '通则0512', 'numeric', '%', '≥97.0', 'rounded', '[]', 1, '10', FALSE),
    ('t2', 'n2', 1, 'assay', '含量测定', 'Assay', '通则0512', 'numeric', '%', '≥98.0', 'rounded', '[]', 1, '10', FALSE);
UPDATE specification SET status = 'effective', effective_from = '2026-01-01' WHERE id = 'n1';
INSERT INTO authorisation (id, institute_id, category, valid_from, document, created_at) VALUES
    ('u1', 'i1', 'chemical', '2026-01-01', '批件', '2026-03-02T01:00:00.000000Z');

INSERT INTO number_series (series, year, last) VALUES ('SX', 2026, 1);
INSERT INTO application (id, number, business, purpose, pre_submission, standard_verification, institute_id, applicant_id, product_id, specification_id, state, accepted_on, particulars, lane_rank, determination, state_reason, created_by, created_at) VALUES
    ('c1', 'SXC20260001', 'drug_registration', 'registration', FALSE, FALSE, 'i1', 'p1', 'd1', 'n1', 'testing', '2026-03-02', '{}', 2, '{}', NULL, 'a1', '2026-03-02T01:00:00.000000Z'),
    ('c3', 'HBC20260001', 'drug_registration', 'registration', FALSE, FALSE, 'i2', 'p1', 'd1', 'n1', 'voided', '2026-03-02', '{}', 2, '{}', '重复', 'a1', '2026-03-02T02:00:00.000000Z');
INSERT INTO application_clock (application_id, name, unit, limit_days, starts, due, provisional, provisions) VALUES
    ('c1', 'testing', 'working_day', 60, '2026-03-02', '2026-06-01', FALSE, '[]');
INSERT INTO batch (id, application_id, position, lot_number) VALUES ('b1', 'c1', 1, 'A'), ('b3', 'c3', 1, 'B');
INSERT INTO sample (id, number, application_id, batch_id, state, received_at, received_by, seals_intact, packages, packages_intact, label_matches, condition_note, state_reason, full_test_containers, required_containers) VALUES
    ('m1', 'SX20260001', 'c1', 'b1', 'received', '2026-03-02T01:00:00.000000Z', 'a1', TRUE, 1, TRUE, TRUE, '', NULL, 1, 2),
    ('m3', 'HB20260001', 'c3', 'b3', 'voided', '2026-03-02T02:00:00.000000Z', 'a1', TRUE, 1, TRUE, TRUE, '', '重复', 1, 2);
INSERT INTO container (id, sample_id, position, label_code, portion) VALUES
    ('k1', 'm1', 1, 'SX20260001-01', 'test'), ('k2', 'm1', 2, 'SX20260001-02', 'retention');
INSERT INTO custody_entry (id, sample_id, container_id, from_place, to_place, quantity, reason, moved_by, moved_at) VALUES
    ('e1', 'm1', NULL, 'supplied', 'received', 2, '收样', 'a1', '2026-03-02T01:00:00.000000Z'),
    ('e2', 'm1', 'k1', 'received', 'test_portion', 1, '检验', 'a1', '2026-03-02T01:00:00.000000Z'),
    ('e3', 'm1', 'k2', 'received', 'retention', 1, '留样', 'a1', '2026-03-02T01:00:00.000000Z');
INSERT INTO idempotency_key (account_id, request_key, request_sha256, status, body, created_at) VALUES
    ('a1', 'key', 's', 201, '{}', '2026-03-02T01:00:00.000000Z');

INSERT INTO instrument (id, institute_id, account_id, code, name, vendor, model, serial, matching, folder_pattern, listener_idle_ms, state, created_by, created_at) VALUES
    ('n1', 'i1', 'a1', 'HPLC-1', '液相色谱仪', 'V', 'M', 'S', '{}', '*', 1000, 'active', 'a1', '2026-03-02T01:00:00.000000Z');
INSERT INTO calibration (id, instrument_id, performed_on, due_on, result, certificate_number, performed_by, note, recorded_by, recorded_at) VALUES
    ('y1', 'n1', '2026-01-01', '2027-01-01', 'pass', 'J-1', '计量院', '', 'a1', '2026-03-02T01:00:00.000000Z');
INSERT INTO instrument_way (instrument_id, kind, reached_at) VALUES ('n1', 'folder', '2026-03-02T01:00:00.000000Z');
INSERT INTO instrument_file (id, sha256, name, size, institute_id, run, problems, state, uploaded_by, uploaded_at, decided_by, decided_at, instrument_id) VALUES
    ('f1', '01', 'run.json', 10, 'i1', '{}', '[]', 'accepted', 'a1', '2026-03-03T01:00:00.000000Z', 'a1', '2026-03-03T02:00:00.000000Z', 'n1'),
    ('f2', '02', 'more.json', 10, 'i1', '{}', '[]', 'staged', 'a1', '2026-03-03T01:00:00.000000Z', NULL, NULL, 'n1');
INSERT INTO instrument_folder_entry (instrument_id, path, size, modified, sha256, state, instrument_file_id, tries, seen_at) VALUES
    ('n1', 'run.json', 10, 1, '01', 'taken', 'f1', 1, '2026-03-03T01:00:00.000000Z');
INSERT INTO companion_file (instrument_file_id, name, sha256, size) VALUES ('f1', 'run.pdf', '03', 5);
INSERT INTO observation (id, instrument_file_id, position, sample_text, quantity, raw, value, unit, status, flags, locator, context, sample_id) VALUES
    ('o1', 'f1', 1, 'SX20260001', 'content', '99.0', '99.0', '%', 'measured', '[]', '{}', '{}', 'm1'),
    ('o2', 'f2', 1, 'SX20260001', 'content', '98.0', '98.0', '%', 'measured', '[]', '{}', '{}', 'm1');
INSERT INTO dead_letter (id, institute_id, instrument_id, source, name, code, reason, tries, first_at, last_at, state) VALUES
    ('l1', 'i1', 'n1', 'folder', 'odd.bin', 'not_recognised', '无法识别', 1, '2026-03-03T01:00:00.000000Z', '2026-03-03T01:00:00.000000Z', 'open');
INSERT INTO run_list (id, institute_id, instrument_id, file_pattern, created_by, created_at) VALUES
    ('r1', 'i1', 'n1', '*', 'a1', '2026-03-03T01:00:00.000000Z');
INSERT INTO run_list_row (run_list_id, position, place, sample_id) VALUES ('r1', 1, 'RA1', 'm1');

INSERT INTO reference_standard (id, institute_id, name, batch, source, purity, basis, expires_on, storage, note, created_by, created_at, withdrawn_by, withdrawn_at, withdrawn_reason) VALUES
    ('h1', 'i1', '示范对照品', '1', '中检院', '99.5', 'as_is', '2028-01-01', '冷藏', '', 'a1', '2026-03-02T01:00:00.000000Z', NULL, NULL, NULL),
    ('h2', 'i1', '示范对照品', '0', '中检院', '99.1', 'as_is', '2027-01-01', '冷藏', '', 'a1', '2026-03-02T01:00:00.000000Z', 'a1', '2026-03-02T02:00:00.000000Z', '用尽');
INSERT INTO evaluation (id, root_id, version, institute_id, kind, title, method_id, method_version, method, calculation_version, setup, standards, outcome, verdict, created_by, created_at) VALUES
    ('v1', 'v1', 1, 'i1', 'sequence', '含量', 'm', '1', '{}', '1', '{}', '[]', '{}', 'valid', 'a1', '2026-03-03T03:00:00.000000Z'),
    ('v9', 'v9', 1, 'i1', 'sequence', '含量', 'm', '1', '{}', '1', '{}', '[]', '{}', 'invalid', 'a1', '2026-03-03T03:00:00.000000Z');
INSERT INTO evaluation_file (evaluation_id, instrument_file_id, position) VALUES ('v1', 'f1', 1);
INSERT INTO evaluation_standard (evaluation_id, reference_standard_id) VALUES ('v1', 'h1');
INSERT INTO evaluation_result (id, evaluation_id, position, sample_id, label, analyte, quantity, part, raw, value, unit, steps) VALUES
    ('w1', 'v1', 1, 'm1', 'SX20260001', 'Main', 'content', 'mean', '99.0', '99.0', '%', '[]');

INSERT INTO test_task (id, sample_id, test_item_id, attempt, state, lane_rank, due, available_at, started_at, analyst_id) VALUES
    ('k1', 'm1', 't1', 1, 'reviewed', 2, '2026-06-01', '2026-03-02T01:00:00.000000Z', '2026-03-03T03:00:00.000000Z', 'a1'),
    ('k2', 'm1', 't1', 2, 'entered', 2, '2026-06-01', '2026-03-02T01:00:00.000000Z', '2026-03-03T03:00:00.000000Z', 'a1');
INSERT INTO reading (id, test_task_id, name, position, version, raw, value, unit, observation_id, entered_by, entered_at) VALUES
    ('q1', 'k1', 'x', 1, 1, '99.0', '99.0', '%', NULL, 'a1', '2026-03-03T04:00:00.000000Z'),
    ('q2', 'k2', 'x', 1, 1, '99.0', '99.0', '%', 'o1', 'a1', '2026-03-03T04:00:00.000000Z');
INSERT INTO result (id, test_task_id, version, calculated, reported, unit, limit_text, compare_by, verdict, steps, reagents, note, analyst_id, entered_at) VALUES
    ('z1', 'k1', 1, '99.0', '99.0', '%', '≥97.0', 'rounded', 'pass', '[]', '', '', 'a1', '2026-03-03T04:00:00.000000Z'),
    ('z2', 'k2', 1, '99.0', '99.0', '%', '≥97.0', 'rounded', 'pass', '[]', '', '', 'a1', '2026-03-03T04:00:00.000000Z');
INSERT INTO import_check (id, instrument_file_id, test_task_id, outcome, checked_by, checked_at) VALUES
    ('j1', 'f1', 'k1', 'ok', 'a2', '2026-03-04T01:00:00.000000Z');
UPDATE result SET reviewer_id = 'a2', reviewed_at = '2026-03-04T01:00:00.000000Z', review_outcome = 'approved' WHERE id = 'z1';
INSERT INTO out_of_limit_decision (id, result_id, decision, reason, decided_by, decided_at) VALUES
    ('o1', 'z1', 'retest', '复验', 'a2', '2026-03-04T02:00:00.000000Z');

INSERT INTO certificate (id, kind, number, application_id, sample_id, state, conforms, data, verification_code, drafted_by, drafted_at, reviewed_by, reviewed_at, signed_by, signed_at, signature_id, pdf_sha256) VALUES
    ('x1', 'test_report', 'SXB20260001', 'c1', 'm1', 'issued', TRUE, '{}', 'CODE1', 'a1', '2026-03-10T01:00:00.000000Z', 'a2', '2026-03-11T01:00:00.000000Z', 'a2', '2026-03-20T01:00:00.000000Z', 'g1', '04'),
    ('x2', 'lot_release', NULL, 'c1', 'm1', 'drafted', TRUE, '{}', 'CODE2', 'a1', '2026-03-10T01:00:00.000000Z', NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO audit_entry (at, actor_id, actor, action, subject_kind, subject_id, changes) VALUES
    ('2026-03-02T01:00:00.000000Z', 'a1', '检验员', 'application.accept', 'application', 'c1', '{}');
INSERT INTO audit_seal (seq, first_entry, last_entry, entry_count, leaves, root, previous, chained, key_id, signature, sealed_at) VALUES
    (1, 1, 1, 1, 'l', 'r', 'p', 'c', 'k', 's', '2026-03-02T02:00:00.000000Z');
