DROP TRIGGER custody_entry_restored;
CREATE TRIGGER custody_entry_restored BEFORE INSERT ON custody_entry
WHEN NEW.from_place IN ('consumed','returned','destroyed') AND NOT EXISTS (SELECT 1 FROM reversal v JOIN custody_entry e ON e.id = v.custody_entry_id WHERE e.sample_id = NEW.sample_id AND e.from_place = NEW.to_place AND e.to_place = NEW.from_place AND e.quantity = NEW.quantity AND v.at = NEW.moved_at AND v.by_account = NEW.moved_by)
BEGIN SELECT RAISE(ABORT, 'qianfa:reversal-missing: what was ended or given away comes back only as a recorded reversal says'); END;
DROP TRIGGER signature_meaning;
CREATE TRIGGER signature_meaning BEFORE INSERT ON signature
WHEN NEW.meaning NOT IN ('授权签发', '批准签发', '复核通过', '复核退回', '导入复核一致', '导入复核不通过', '批准复验', '确认不符合规定', '批准质量标准', '审核证书', '批准撤销证书', '批准检验无效', '批准复试方案', '批准换方法复试', '审核批记录摘要', '批准更正结果', '批准动用或销毁样品', '见证样品销毁')
BEGIN SELECT RAISE(ABORT, 'qianfa:signature-meaning: a signature stands for one of the known meanings'); END;
DROP TABLE corrected_certificate;
DROP TABLE record_correction_decision;
DROP TABLE record_correction;
