-- The review of a lot's summary protocol (批生产及检验记录摘要): what a certificate says of it is on record here.
CREATE TABLE protocol_review (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    sample_id TEXT NOT NULL REFERENCES sample (id),
    protocol_number TEXT NOT NULL CHECK (length(protocol_number) > 0),
    outcome TEXT NOT NULL,
    note TEXT NOT NULL,
    reviewed_by TEXT NOT NULL REFERENCES account (id),
    reviewed_at instant NOT NULL,
    signature_id TEXT NOT NULL REFERENCES signature (id),
    CHECK (outcome IN ('conforms','deficient')),
    CHECK (outcome = 'conforms' OR length(note) > 0)
);
CREATE INDEX protocol_review_sample ON protocol_review (sample_id, reviewed_at);
CREATE INDEX protocol_review_institute_id ON protocol_review (institute_id);
CREATE INDEX protocol_review_reviewed_by ON protocol_review (reviewed_by);
CREATE INDEX protocol_review_signature_id ON protocol_review (signature_id);

CREATE TRIGGER protocol_review_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON protocol_review
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE FUNCTION protocol_review_institute() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.institute_id <> (SELECT institute_id FROM sample WHERE id = NEW.sample_id) THEN
        RAISE EXCEPTION 'qianfa:wrong-institute: a protocol is reviewed by the institute of its sample' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER protocol_review_institute BEFORE INSERT ON protocol_review FOR EACH ROW EXECUTE FUNCTION protocol_review_institute();

CREATE OR REPLACE FUNCTION signature_meaning() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.meaning NOT IN ('授权签发', '批准签发', '复核通过', '复核退回', '导入复核一致', '导入复核不通过', '批准复验', '确认不符合规定', '批准质量标准', '审核证书', '批准撤销证书', '批准检验无效', '批准复试方案', '批准换方法复试', '审核批记录摘要') THEN
        RAISE EXCEPTION 'qianfa:signature-meaning: a signature stands for one of the known meanings' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
