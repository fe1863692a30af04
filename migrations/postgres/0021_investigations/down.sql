DROP TRIGGER investigation_step_order ON investigation_step;
DROP FUNCTION investigation_step_order();
DROP TRIGGER investigation_step_by_another ON investigation_step;
DROP FUNCTION investigation_step_by_another();
DROP TRIGGER investigation_step_once ON investigation_step;
DROP FUNCTION investigation_step_once();
DROP TRIGGER out_of_limit_decision_investigated ON out_of_limit_decision;
DROP FUNCTION out_of_limit_decision_investigated();
DROP TRIGGER test_task_ordered ON test_task;
DROP FUNCTION test_task_ordered();
DROP TRIGGER test_task_investigated ON test_task;
DROP FUNCTION test_task_investigated();
DROP TRIGGER certificate_investigated_insert ON certificate;
DROP FUNCTION certificate_investigated_insert();
DROP TRIGGER certificate_investigated ON certificate;
DROP FUNCTION certificate_investigated();
DROP TRIGGER reading_by_assigned ON reading;
DROP FUNCTION reading_by_assigned();
DROP TRIGGER application_failing ON application;
DROP FUNCTION application_failing();
CREATE OR REPLACE FUNCTION signature_meaning() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.meaning NOT IN ('授权签发', '批准签发', '复核通过', '复核退回', '导入复核一致', '导入复核不通过', '批准复验', '确认不符合规定', '批准质量标准', '审核证书', '批准撤销证书') THEN
        RAISE EXCEPTION 'qianfa:signature-meaning: a signature stands for one of the known meanings' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
DROP TABLE investigation_step;
ALTER TABLE test_task DROP COLUMN assigned_to;
ALTER TABLE test_task DROP COLUMN repeats_result_id;
ALTER TABLE test_item DROP COLUMN retest_allowed;
