-- What becomes of a retained portion: asked for, approved, carried out and witnessed, one row for each step, only added.
CREATE TABLE keeping_request (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    sample_id TEXT NOT NULL REFERENCES sample (id),
    kind TEXT NOT NULL,
    from_place TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    reason TEXT NOT NULL,
    asked_by TEXT NOT NULL REFERENCES account (id),
    asked_at TEXT NOT NULL CHECK (asked_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CHECK (kind IN ('use','destroy')),
    CHECK (quantity > 0),
    CHECK (length(reason) > 0)
) STRICT;
CREATE INDEX keeping_request_sample ON keeping_request (sample_id, asked_at);
CREATE INDEX keeping_request_institute ON keeping_request (institute_id, asked_at);
CREATE INDEX keeping_request_asked_by ON keeping_request (asked_by);
CREATE TABLE keeping_step (
    id TEXT NOT NULL PRIMARY KEY,
    request_id TEXT NOT NULL REFERENCES keeping_request (id),
    position INTEGER NOT NULL,
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    note TEXT NOT NULL,
    by_account TEXT NOT NULL REFERENCES account (id),
    at TEXT NOT NULL CHECK (at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    signature_id TEXT REFERENCES signature (id),
    custody_entry_id TEXT REFERENCES custody_entry (id),
    UNIQUE (request_id, position),
    CHECK (event IN ('approve','refuse','carry_out','witness')),
    CHECK (state IN ('approved','refused','carried_out','done')),
    CHECK (event NOT IN ('refuse','carry_out') OR length(note) > 0)
) STRICT;
CREATE INDEX keeping_step_by_account ON keeping_step (by_account);
CREATE INDEX keeping_step_signature_id ON keeping_step (signature_id);
CREATE INDEX keeping_step_custody_entry_id ON keeping_step (custody_entry_id);

-- Who has a sample, or a container of it: handed over from person to person.
CREATE TABLE handover (
    id TEXT NOT NULL PRIMARY KEY,
    institute_id TEXT NOT NULL REFERENCES institute (id),
    sample_id TEXT NOT NULL REFERENCES sample (id),
    container_id TEXT REFERENCES container (id),
    position INTEGER NOT NULL,
    from_account TEXT NOT NULL REFERENCES account (id),
    to_account TEXT NOT NULL REFERENCES account (id),
    scanned TEXT NOT NULL,
    note TEXT NOT NULL,
    recorded_by TEXT NOT NULL REFERENCES account (id),
    at TEXT NOT NULL CHECK (at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CHECK (position >= 1),
    CHECK (from_account <> to_account AND recorded_by IN (from_account, to_account))
) STRICT;
CREATE UNIQUE INDEX handover_position ON handover (sample_id, coalesce(container_id, ''), position);
CREATE INDEX handover_institute_id ON handover (institute_id, at);
CREATE INDEX handover_container_id ON handover (container_id);
CREATE INDEX handover_from_account ON handover (from_account);
CREATE INDEX handover_to_account ON handover (to_account);
CREATE INDEX handover_recorded_by ON handover (recorded_by);

-- The receipt of what was returned: who took it, and the paper.
ALTER TABLE custody_entry ADD COLUMN receipt TEXT CHECK (receipt IS NULL OR (length(receipt) > 0 AND to_place = 'returned'));

-- Lots in the form in which they are compared, over all institutes; filled from the lots of before when the program starts.
CREATE TABLE lot_key (
    batch_id TEXT NOT NULL PRIMARY KEY REFERENCES batch (id),
    lot TEXT NOT NULL
) STRICT;
CREATE INDEX lot_key_lot ON lot_key (lot);
ALTER TABLE batch ADD COLUMN despite_duplicate TEXT CHECK (despite_duplicate IS NULL OR length(despite_duplicate) > 0);

CREATE TRIGGER keeping_request_kept BEFORE UPDATE ON keeping_request
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of keeping_request is only added, never changed or removed'); END;
CREATE TRIGGER keeping_request_kept_delete BEFORE DELETE ON keeping_request
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of keeping_request is only added, never changed or removed'); END;
CREATE TRIGGER keeping_step_kept BEFORE UPDATE ON keeping_step
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of keeping_step is only added, never changed or removed'); END;
CREATE TRIGGER keeping_step_kept_delete BEFORE DELETE ON keeping_step
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of keeping_step is only added, never changed or removed'); END;
CREATE TRIGGER handover_kept BEFORE UPDATE ON handover
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of handover is only added, never changed or removed'); END;
CREATE TRIGGER handover_kept_delete BEFORE DELETE ON handover
BEGIN SELECT RAISE(ABORT, 'qianfa:append-only: a row of handover is only added, never changed or removed'); END;
CREATE TRIGGER keeping_request_institute BEFORE INSERT ON keeping_request
WHEN NEW.institute_id <> (SELECT institute_id FROM sample WHERE id = NEW.sample_id)
BEGIN SELECT RAISE(ABORT, 'qianfa:wrong-institute: what becomes of a sample is asked for in its institute'); END;
CREATE TRIGGER keeping_step_order BEFORE INSERT ON keeping_step
WHEN NEW.position <> 1 + (SELECT COUNT(*) FROM keeping_step p WHERE p.request_id = NEW.request_id) OR COALESCE((SELECT p.state FROM keeping_step p WHERE p.request_id = NEW.request_id ORDER BY p.position DESC LIMIT 1), 'asked') || '+' || NEW.event || '=' || NEW.state NOT IN ('asked+approve=approved','asked+refuse=refused','approved+carry_out=carried_out','carried_out+witness=done') OR (NEW.event = 'carry_out' AND (SELECT kind FROM keeping_request WHERE id = NEW.request_id) <> 'destroy')
BEGIN SELECT RAISE(ABORT, 'qianfa:keeping-order: a request is approved, carried out and witnessed, one after the other'); END;
CREATE TRIGGER keeping_step_by_another BEFORE INSERT ON keeping_step
WHEN (NEW.event IN ('approve','refuse') AND NEW.by_account = (SELECT asked_by FROM keeping_request WHERE id = NEW.request_id)) OR (NEW.event = 'witness' AND NEW.by_account IN (SELECT p.by_account FROM keeping_step p WHERE p.request_id = NEW.request_id AND p.event = 'carry_out'))
BEGIN SELECT RAISE(ABORT, 'qianfa:self-keeping: who asks does not approve, and who destroys is not the witness'); END;
CREATE TRIGGER keeping_step_signed BEFORE INSERT ON keeping_step
WHEN NEW.event IN ('approve','witness') AND NOT EXISTS (SELECT 1 FROM signature s WHERE s.id = NEW.signature_id AND s.account_id = NEW.by_account AND s.signed_at = NEW.at AND s.subject_kind = 'sample' AND s.subject_id = (SELECT sample_id FROM keeping_request WHERE id = NEW.request_id))
BEGIN SELECT RAISE(ABORT, 'qianfa:keeping-unsigned: an approval and a witness are signed, about that sample'); END;
CREATE TRIGGER custody_entry_approved BEFORE INSERT ON custody_entry
WHEN NEW.from_place = 'retention' AND ((NEW.to_place IN ('retest','test_portion') AND NOT EXISTS (SELECT 1 FROM signature s WHERE s.account_id = NEW.moved_by AND s.signed_at = NEW.moved_at)) OR (NEW.to_place = 'destroyed' AND NOT EXISTS (SELECT 1 FROM keeping_request r JOIN keeping_step p ON p.request_id = r.id WHERE r.sample_id = NEW.sample_id AND r.kind = 'destroy' AND r.from_place = NEW.from_place AND r.quantity = NEW.quantity AND p.event = 'carry_out' AND NOT EXISTS (SELECT 1 FROM keeping_step w WHERE w.request_id = r.id AND w.event = 'witness'))))
BEGIN SELECT RAISE(ABORT, 'qianfa:retention-unapproved: what is retained is used by a signed approval, and destroyed as it was approved and witnessed'); END;
CREATE TRIGGER handover_order BEFORE INSERT ON handover
WHEN NEW.position <> 1 + (SELECT COUNT(*) FROM handover h WHERE h.sample_id = NEW.sample_id AND h.container_id IS NEW.container_id) OR (NEW.position > 1 AND NEW.from_account <> (SELECT h.to_account FROM handover h WHERE h.sample_id = NEW.sample_id AND h.container_id IS NEW.container_id ORDER BY h.position DESC LIMIT 1)) OR (NEW.position = 1 AND NEW.from_account <> (SELECT received_by FROM sample WHERE id = NEW.sample_id) AND NEW.from_account NOT IN (SELECT h.to_account FROM handover h WHERE h.sample_id = NEW.sample_id))
BEGIN SELECT RAISE(ABORT, 'qianfa:handover-order: a sample is handed over by who has it'); END;
CREATE TRIGGER handover_institute BEFORE INSERT ON handover
WHEN NEW.institute_id <> (SELECT institute_id FROM sample WHERE id = NEW.sample_id) OR NEW.institute_id IS NOT (SELECT institute_id FROM account WHERE id = NEW.to_account)
BEGIN SELECT RAISE(ABORT, 'qianfa:wrong-institute: a sample is handed over within its institute'); END;
DROP TRIGGER signature_meaning;
CREATE TRIGGER signature_meaning BEFORE INSERT ON signature
WHEN NEW.meaning NOT IN ('授权签发', '批准签发', '复核通过', '复核退回', '导入复核一致', '导入复核不通过', '批准复验', '确认不符合规定', '批准质量标准', '审核证书', '批准撤销证书', '批准检验无效', '批准复试方案', '批准换方法复试', '审核批记录摘要', '批准更正结果', '批准动用或销毁样品', '见证样品销毁')
BEGIN SELECT RAISE(ABORT, 'qianfa:signature-meaning: a signature stands for one of the known meanings'); END;
