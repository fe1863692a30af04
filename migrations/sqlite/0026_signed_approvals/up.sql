-- An approval comes to be with the signature of who gives it alone: about that thing, with a meaning that fits, given in
-- the same moment. What was approved before is left as it is: only the step is held to it. The rules are asked after the
-- others, so that each of those is met by its own name.

CREATE TRIGGER result_signed AFTER UPDATE ON result
WHEN NEW.review_outcome IS NOT NULL AND OLD.review_outcome IS NULL AND NOT (CASE NEW.review_outcome WHEN 'approved' THEN EXISTS (SELECT 1 FROM signature s WHERE s.subject_kind = 'result' AND s.subject_id = NEW.id AND s.account_id = NEW.reviewer_id AND s.signed_at = NEW.reviewed_at AND s.meaning IN ('复核通过', '批准换方法复试')) ELSE EXISTS (SELECT 1 FROM signature s WHERE s.subject_kind = 'result' AND s.subject_id = NEW.id AND s.account_id = NEW.reviewer_id AND s.signed_at = NEW.reviewed_at AND s.meaning = '复核退回') OR EXISTS (SELECT 1 FROM signature s JOIN import_check c ON c.instrument_file_id = s.subject_id AND c.checked_by = s.account_id AND c.checked_at = s.signed_at WHERE s.subject_kind = 'instrument_file' AND s.account_id = NEW.reviewer_id AND s.signed_at = NEW.reviewed_at AND s.meaning = '导入复核不通过' AND c.outcome = 'rejected' AND EXISTS (SELECT 1 FROM reading r JOIN observation o ON o.id = r.observation_id WHERE r.test_task_id = NEW.test_task_id AND o.instrument_file_id = s.subject_id)) END)
BEGIN SELECT RAISE(ABORT, 'qianfa:approval-unsigned: an approval rests on the signature of who gives it, about that thing and with that meaning'); END;
CREATE TRIGGER import_check_signed AFTER INSERT ON import_check
WHEN NOT (CASE NEW.outcome WHEN 'ok' THEN EXISTS (SELECT 1 FROM signature s WHERE s.subject_kind = 'instrument_file' AND s.subject_id = NEW.instrument_file_id AND s.account_id = NEW.checked_by AND s.signed_at = NEW.checked_at AND s.meaning = '导入复核一致') ELSE EXISTS (SELECT 1 FROM signature s WHERE s.subject_kind = 'instrument_file' AND s.subject_id = NEW.instrument_file_id AND s.account_id = NEW.checked_by AND s.signed_at = NEW.checked_at AND s.meaning = '导入复核不通过') END)
BEGIN SELECT RAISE(ABORT, 'qianfa:approval-unsigned: an approval rests on the signature of who gives it, about that thing and with that meaning'); END;
CREATE TRIGGER out_of_limit_decision_signed AFTER INSERT ON out_of_limit_decision
WHEN NOT (CASE NEW.decision WHEN 'retest' THEN EXISTS (SELECT 1 FROM signature s WHERE s.subject_kind = 'result' AND s.subject_id = NEW.result_id AND s.account_id = NEW.decided_by AND s.signed_at = NEW.decided_at AND s.meaning = '批准检验无效') ELSE EXISTS (SELECT 1 FROM signature s WHERE s.subject_kind = 'result' AND s.subject_id = NEW.result_id AND s.account_id = NEW.decided_by AND s.signed_at = NEW.decided_at AND s.meaning = '确认不符合规定') END)
BEGIN SELECT RAISE(ABORT, 'qianfa:approval-unsigned: an approval rests on the signature of who gives it, about that thing and with that meaning'); END;
CREATE TRIGGER investigation_step_signed AFTER INSERT ON investigation_step
WHEN NEW.event IN ('approve_cause','approve_plan','confirm') AND NOT (CASE NEW.event WHEN 'approve_cause' THEN EXISTS (SELECT 1 FROM signature s WHERE s.subject_kind = 'result' AND s.subject_id = NEW.result_id AND s.account_id = NEW.by_account AND s.signed_at = NEW.at AND s.meaning = '批准检验无效') WHEN 'approve_plan' THEN EXISTS (SELECT 1 FROM signature s WHERE s.subject_kind = 'result' AND s.subject_id = NEW.result_id AND s.account_id = NEW.by_account AND s.signed_at = NEW.at AND s.meaning = '批准复试方案') ELSE EXISTS (SELECT 1 FROM signature s WHERE s.subject_kind = 'result' AND s.subject_id = NEW.result_id AND s.account_id = NEW.by_account AND s.signed_at = NEW.at AND s.meaning = '确认不符合规定') END)
BEGIN SELECT RAISE(ABORT, 'qianfa:approval-unsigned: an approval rests on the signature of who gives it, about that thing and with that meaning'); END;
CREATE TRIGGER result_correction_signed AFTER INSERT ON result_correction
WHEN NOT (CASE NEW.kind WHEN 'taken_back' THEN EXISTS (SELECT 1 FROM signature s WHERE s.subject_kind = 'result' AND s.subject_id = NEW.result_id AND s.account_id = NEW.ordered_by AND s.signed_at = NEW.ordered_at AND s.meaning = '复核退回') ELSE EXISTS (SELECT 1 FROM signature s WHERE s.subject_kind = 'result' AND s.subject_id = NEW.result_id AND s.account_id = NEW.ordered_by AND s.signed_at = NEW.ordered_at AND s.meaning = '批准更正结果') END)
BEGIN SELECT RAISE(ABORT, 'qianfa:approval-unsigned: an approval rests on the signature of who gives it, about that thing and with that meaning'); END;
CREATE TRIGGER specification_signed AFTER UPDATE ON specification
WHEN OLD.status = 'draft' AND NEW.status <> 'draft' AND NOT EXISTS (SELECT 1 FROM signature s WHERE s.subject_kind = 'specification' AND s.subject_id = NEW.id AND s.account_id = NEW.released_by AND s.meaning = '批准质量标准')
BEGIN SELECT RAISE(ABORT, 'qianfa:approval-unsigned: an approval rests on the signature of who gives it, about that thing and with that meaning'); END;
CREATE TRIGGER specification_signed_insert AFTER INSERT ON specification
WHEN NEW.status <> 'draft'
BEGIN SELECT RAISE(ABORT, 'qianfa:approval-unsigned: an approval rests on the signature of who gives it, about that thing and with that meaning'); END;
CREATE TRIGGER certificate_review_signed AFTER UPDATE ON certificate
WHEN OLD.state = 'drafted' AND NEW.state NOT IN ('drafted','discarded') AND NOT EXISTS (SELECT 1 FROM signature s WHERE s.subject_kind = 'certificate' AND s.subject_id = NEW.id AND s.account_id = NEW.reviewed_by AND s.signed_at = NEW.reviewed_at AND s.meaning = '审核证书')
BEGIN SELECT RAISE(ABORT, 'qianfa:approval-unsigned: an approval rests on the signature of who gives it, about that thing and with that meaning'); END;
CREATE TRIGGER certificate_issue_signed AFTER UPDATE ON certificate
WHEN NEW.state = 'issued' AND OLD.state <> 'issued' AND NOT EXISTS (SELECT 1 FROM signature s WHERE s.id = NEW.signature_id AND s.subject_kind = 'certificate' AND s.subject_id = NEW.id AND s.account_id = NEW.signed_by AND s.content_sha256 = NEW.pdf_sha256 AND s.meaning IN ('授权签发','批准签发'))
BEGIN SELECT RAISE(ABORT, 'qianfa:approval-unsigned: an approval rests on the signature of who gives it, about that thing and with that meaning'); END;
CREATE TRIGGER certificate_withdrawal_signed AFTER UPDATE ON certificate
WHEN NEW.state = 'withdrawn' AND OLD.state <> 'withdrawn' AND NOT EXISTS (SELECT 1 FROM signature s WHERE s.subject_kind = 'certificate' AND s.subject_id = NEW.id AND s.meaning = '批准撤销证书')
BEGIN SELECT RAISE(ABORT, 'qianfa:approval-unsigned: an approval rests on the signature of who gives it, about that thing and with that meaning'); END;
CREATE TRIGGER certificate_amendment_signed AFTER UPDATE ON certificate
WHEN NEW.state = 'superseded' AND OLD.state <> 'superseded' AND NOT EXISTS (SELECT 1 FROM certificate a WHERE a.amends_id = NEW.id AND a.state = 'issued')
BEGIN SELECT RAISE(ABORT, 'qianfa:approval-unsigned: an approval rests on the signature of who gives it, about that thing and with that meaning'); END;
CREATE TRIGGER certificate_signed_insert AFTER INSERT ON certificate
WHEN NEW.state <> 'drafted'
BEGIN SELECT RAISE(ABORT, 'qianfa:approval-unsigned: an approval rests on the signature of who gives it, about that thing and with that meaning'); END;
CREATE TRIGGER protocol_review_signed AFTER INSERT ON protocol_review
WHEN NOT EXISTS (SELECT 1 FROM signature s WHERE s.id = NEW.signature_id AND s.subject_kind = 'sample' AND s.subject_id = NEW.sample_id AND s.account_id = NEW.reviewed_by AND s.signed_at = NEW.reviewed_at AND s.meaning = '审核批记录摘要')
BEGIN SELECT RAISE(ABORT, 'qianfa:approval-unsigned: an approval rests on the signature of who gives it, about that thing and with that meaning'); END;

-- The correction of an approved result is one of them.
DROP TRIGGER signature_meaning;
CREATE TRIGGER signature_meaning BEFORE INSERT ON signature
WHEN NEW.meaning NOT IN ('授权签发', '批准签发', '复核通过', '复核退回', '导入复核一致', '导入复核不通过', '批准复验', '确认不符合规定', '批准质量标准', '审核证书', '批准撤销证书', '批准检验无效', '批准复试方案', '批准换方法复试', '审核批记录摘要', '批准更正结果')
BEGIN SELECT RAISE(ABORT, 'qianfa:signature-meaning: a signature stands for one of the known meanings'); END;
