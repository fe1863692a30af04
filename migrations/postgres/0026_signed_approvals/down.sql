CREATE OR REPLACE FUNCTION signature_meaning() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.meaning NOT IN ('授权签发', '批准签发', '复核通过', '复核退回', '导入复核一致', '导入复核不通过', '批准复验', '确认不符合规定', '批准质量标准', '审核证书', '批准撤销证书', '批准检验无效', '批准复试方案', '批准换方法复试', '审核批记录摘要') THEN
        RAISE EXCEPTION 'qianfa:signature-meaning: a signature stands for one of the known meanings' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER result_signed ON result;
DROP FUNCTION result_signed();
DROP TRIGGER import_check_signed ON import_check;
DROP FUNCTION import_check_signed();
DROP TRIGGER out_of_limit_decision_signed ON out_of_limit_decision;
DROP FUNCTION out_of_limit_decision_signed();
DROP TRIGGER investigation_step_signed ON investigation_step;
DROP FUNCTION investigation_step_signed();
DROP TRIGGER result_correction_signed ON result_correction;
DROP FUNCTION result_correction_signed();
DROP TRIGGER specification_signed ON specification;
DROP FUNCTION specification_signed();
DROP TRIGGER specification_signed_insert ON specification;
DROP FUNCTION specification_signed_insert();
DROP TRIGGER certificate_review_signed ON certificate;
DROP FUNCTION certificate_review_signed();
DROP TRIGGER certificate_issue_signed ON certificate;
DROP FUNCTION certificate_issue_signed();
DROP TRIGGER certificate_withdrawal_signed ON certificate;
DROP FUNCTION certificate_withdrawal_signed();
DROP TRIGGER certificate_amendment_signed ON certificate;
DROP FUNCTION certificate_amendment_signed();
DROP TRIGGER certificate_signed_insert ON certificate;
DROP FUNCTION certificate_signed_insert();
DROP TRIGGER protocol_review_signed ON protocol_review;
DROP FUNCTION protocol_review_signed();
