DROP TRIGGER investigation_step_order;
DROP TRIGGER investigation_step_by_another;
DROP TRIGGER investigation_step_once;
DROP TRIGGER out_of_limit_decision_investigated;
DROP TRIGGER test_task_ordered;
DROP TRIGGER test_task_investigated;
DROP TRIGGER certificate_investigated_insert;
DROP TRIGGER certificate_investigated;
DROP TRIGGER reading_by_assigned;
DROP TRIGGER application_failing;
DROP TRIGGER signature_meaning;
CREATE TRIGGER signature_meaning BEFORE INSERT ON signature
WHEN NEW.meaning NOT IN ('授权签发', '批准签发', '复核通过', '复核退回', '导入复核一致', '导入复核不通过', '批准复验', '确认不符合规定', '批准质量标准', '审核证书', '批准撤销证书')
BEGIN SELECT RAISE(ABORT, 'qianfa:signature-meaning: a signature stands for one of the known meanings'); END;
DROP TABLE investigation_step;
ALTER TABLE test_task DROP COLUMN assigned_to;
ALTER TABLE test_task DROP COLUMN repeats_result_id;
ALTER TABLE test_item DROP COLUMN retest_allowed;
