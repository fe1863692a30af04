DROP TRIGGER custody_entry_approved ON custody_entry;
DROP FUNCTION custody_entry_approved();
DROP TABLE lot_key;
DROP TABLE handover;
DROP TABLE keeping_step;
DROP TABLE keeping_request;
ALTER TABLE custody_entry DROP COLUMN receipt;
ALTER TABLE batch DROP COLUMN despite_duplicate;
DROP FUNCTION keeping_request_institute();
DROP FUNCTION keeping_step_order();
DROP FUNCTION keeping_step_by_another();
DROP FUNCTION keeping_step_signed();
DROP FUNCTION handover_order();
DROP FUNCTION handover_institute();
CREATE OR REPLACE FUNCTION signature_meaning() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.meaning NOT IN ('授权签发', '批准签发', '复核通过', '复核退回', '导入复核一致', '导入复核不通过', '批准复验', '确认不符合规定', '批准质量标准', '审核证书', '批准撤销证书', '批准检验无效', '批准复试方案', '批准换方法复试', '审核批记录摘要', '批准更正结果') THEN
        RAISE EXCEPTION 'qianfa:signature-meaning: a signature stands for one of the known meanings' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
