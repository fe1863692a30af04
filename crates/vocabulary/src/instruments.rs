//! The words of instruments: the register, the ways by which files come in, what becomes of a file, and how a value of
//! one is to be taken.

vocabulary! {
    /// The state of an instrument in the register.
    InstrumentState {
        Active = "active", "在用", "in use";
        Retired = "retired", "已停用", "retired";
    }
}

vocabulary! {
    /// What happens to an instrument.
    InstrumentEvent {
        Change = "change", "变更", "change";
        Calibrate = "calibrate", "登记校准", "record a calibration";
        /// A file or a sequence list is taken in for it.
        Serve = "serve", "使用", "serve";
        Retire = "retire", "停用", "retire";
        /// That it was retired was a mistake.
        Restore = "restore", "恢复使用", "restore";
    }
}

vocabulary! {
    /// The state of an instrument file.
    FileState {
        /// Read by an adapter; a person decides about it.
        Staged = "staged", "待处理", "staged";
        /// Kept, but no adapter reads it.
        Unread = "unread", "未识别", "unread";
        Accepted = "accepted", "已采用", "accepted";
        Rejected = "rejected", "未采用", "rejected";
    }
}

vocabulary! {
    /// What happens to an instrument file.
    FileEvent {
        /// An adapter of today reads what none read before.
        ReadAgain = "read_again", "重新识别", "read again";
        /// A name in it, or a place of its sequence, is given its sample.
        Match = "match", "对应样品", "match to samples";
        Accept = "accept", "采用", "accept";
        Reject = "reject", "拒绝", "reject";
        /// It was rejected by mistake.
        Reopen = "reopen", "恢复", "take up again";
        /// It was rejected by mistake, and no adapter has read it.
        ReopenUnread = "reopen_unread", "恢复（未识别）", "take up again, unread";
    }
}

vocabulary! {
    /// The state of a dead letter.
    DeadLetterState {
        Open = "open", "待处理", "open";
        Resolved = "resolved", "已导入", "resolved";
        Dismissed = "dismissed", "不予处理", "dismissed";
    }
}

vocabulary! {
    /// What happens to a dead letter.
    DeadLetterEvent {
        /// It is tried once more, and fails again.
        FailAgain = "fail_again", "重试", "try again";
        /// What it stands for came in.
        Resolve = "resolve", "导入", "resolve";
        Dismiss = "dismiss", "不予处理", "dismiss";
        /// That it was dismissed was a mistake.
        Restore = "restore", "恢复待处理", "restore";
    }
}

vocabulary! {
    /// What the watcher of a folder remembers of a file.
    FolderEntryState {
        Taken = "taken", "已导入", "taken in";
        /// Not tried again until it changes or a person asks.
        Refused = "refused", "未能导入", "refused";
        /// A person asked for another try.
        Again = "again", "要求重新读取", "to be tried again";
    }
}

vocabulary! {
    /// What happens to a file of a watched folder.
    FolderEntryEvent {
        Take = "take", "导入", "take in";
        Refuse = "refuse", "不导入", "refuse";
        Ask = "ask", "要求重试", "ask for another try";
    }
}

vocabulary! {
    /// The state of a sequence list.
    RunListState {
        InForce = "in_force", "有效", "in force";
        Withdrawn = "withdrawn", "已撤销", "withdrawn";
    }
}

vocabulary! {
    /// What happens to a sequence list.
    RunListEvent {
        /// By a person, or by a newer list of the same file.
        Withdraw = "withdraw", "撤销", "withdraw";
    }
}

transitions! { InstrumentState on InstrumentEvent, Instrument:
    Active + Change = Active;
    Active + Calibrate = Active;
    Active + Serve = Active;
    Active + Retire = Retired;
    Retired + Restore = Active;
}

transitions! { FileState on FileEvent, InstrumentFile:
    Unread + ReadAgain = Staged;
    Unread + Reject = Rejected;
    Staged + Match = Staged;
    Staged + Accept = Accepted;
    Staged + Reject = Rejected;
    Rejected + Reopen = Staged;
    Rejected + ReopenUnread = Unread;
}

transitions! { DeadLetterState on DeadLetterEvent, DeadLetter:
    Open + FailAgain = Open;
    Open + Resolve = Resolved;
    Open + Dismiss = Dismissed;
    Dismissed + Restore = Open;
}

transitions! { FolderEntryState on FolderEntryEvent, FolderEntry:
    Taken + Take = Taken;
    Taken + Refuse = Refused;
    Taken + Ask = Again;
    Refused + Take = Taken;
    Refused + Refuse = Refused;
    Refused + Ask = Again;
    Again + Take = Taken;
    Again + Refuse = Refused;
    Again + Ask = Again;
}

transitions! { RunListState on RunListEvent, RunList:
    InForce + Withdraw = Withdrawn;
}

impl FileState {
    /// Nobody has decided about it yet.
    pub const UNDECIDED: &'static [Self] = &[Self::Staged, Self::Unread];
    /// An evaluation may rest on its values.
    pub const EVALUABLE: &'static [Self] = &[Self::Staged, Self::Accepted];

    /// Whether an evaluation may rest on its values.
    #[must_use]
    pub fn is_evaluable(self) -> bool {
        Self::EVALUABLE.contains(&self)
    }
}

impl FolderEntryState {
    /// The watcher is done with the file as it looked.
    pub const SETTLED: &'static [Self] = &[Self::Taken, Self::Refused];
    /// The file did not come in.
    pub const OUTSIDE: &'static [Self] = &[Self::Refused, Self::Again];
}

vocabulary! {
    /// What a calibration came to.
    CalibrationResult {
        Pass = "pass", "合格", "pass";
        Fail = "fail", "不合格", "fail";
    }
}

vocabulary! {
    /// What an instrument's calibrations say of it on a day.
    CalibrationStanding {
        Ok = "ok", "在有效期内", "valid";
        Overdue = "overdue", "已到期", "overdue";
        Failed = "failed", "不合格", "failed";
        None = "none", "无记录", "none recorded";
    }
}

vocabulary! {
    /// By which way a file came in.
    FileSource {
        Upload = "upload", "手工上传", "upload";
        Folder = "folder", "监视文件夹", "watched folder";
        Lis2 = "lis2", "LIS2 监听", "LIS2 listener";
        Mllp = "mllp", "HL7 监听", "HL7 listener";
        Lines = "lines", "文本监听", "listener of lines";
    }
}

vocabulary! {
    /// The protocol of an instrument's listener.
    ListenerKind {
        Lis2 = "lis2", "LIS01-A2 / LIS02-A2", "LIS01-A2 / LIS02-A2";
        Mllp = "mllp", "HL7 v2 (MLLP)", "HL7 v2 (MLLP)";
        Lines = "lines", "文本行", "lines of text";
    }
}

vocabulary! {
    /// A way by which an instrument's files come by themselves.
    WayKind {
        Folder = "folder", "监视文件夹", "watched folder";
        Listener = "listener", "监听端口", "listener";
    }
}

vocabulary! {
    /// How a date is meant that can be read two ways.
    DayOrder {
        Dmy = "dmy", "日-月-年", "day, month, year";
        Mdy = "mdy", "月-日-年", "month, day, year";
    }
}

vocabulary! {
    /// What of a file leads to a sample.
    MatchWay {
        Number = "number", "样品编号", "sample number";
        Label = "label", "容器标签", "label of a container";
        RunList = "run_list", "进样序列", "sequence list";
    }
}

vocabulary! {
    /// What the pattern of an instrument is held against.
    MatchOn {
        Sample = "sample", "样品名", "the name of a sample";
        File = "file", "文件名", "the name of the file";
    }
}

vocabulary! {
    /// Why something could not be taken in.
    LetterCode {
        NotRecognised = "not_recognised", "无法识别", "not recognised";
        ReadingFailed = "reading_failed", "读取未完成", "the reading did not end";
        Unreadable = "unreadable", "无法读取", "cannot be read from its folder";
        TooLarge = "too_large", "过大", "too large";
        Framing = "framing", "报文不完整", "broken message";
        SameContent = "same_content", "内容相同", "same content as before";
        Refused = "refused", "未接受", "refused";
    }
}

vocabulary! {
    /// What a retry of a dead letter came to.
    RetryOutcome {
        Resolved = "resolved", "已导入", "resolved";
        /// It failed again.
        Open = "open", "仍未成功", "failed again";
        /// The folder is looked at again.
        Queued = "queued", "等待重试", "to be tried again";
    }
}

vocabulary! {
    /// How a value of a file is to be taken.
    ObservationStatus {
        Ok = "ok", "正常", "ok";
        Below = "below", "低于", "below";
        Above = "above", "高于", "above";
        NotDetected = "not_detected", "未检出", "not detected";
        OverRange = "over_range", "超量程", "over range";
        Masked = "masked", "已屏蔽", "masked";
        Unstable = "unstable", "未稳定", "unstable";
        Invalid = "invalid", "无效", "invalid";
        Text = "text", "文字", "text";
        /// It can be read in two ways, and a person says which.
        Ambiguous = "ambiguous", "两种读法", "can be read in two ways";
    }
}

impl ObservationStatus {
    /// A value of these may become a reading; the others are shown and left to a person.
    pub const USABLE: &'static [Self] = &[Self::Ok, Self::Below, Self::Above, Self::NotDetected, Self::Text];
}

vocabulary! {
    /// The weight of what a person has to know of a file.
    ProblemSeverity {
        /// Blocks the use of the file until a person has said why it counts.
        Error = "error", "错误", "error";
        Warning = "warning", "警告", "warning";
    }
}

/// The tables of these lifecycles, one after the other: for a golden file.
#[must_use]
pub fn table() -> String {
    [
        InstrumentState::table(),
        FileState::table(),
        DeadLetterState::table(),
        FolderEntryState::table(),
        RunListState::table(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_decided_about_stays() {
        for event in FileEvent::ALL {
            assert!(FileState::Accepted.on(*event).is_err(), "{event}");
        }
        assert!(FileState::Unread.on(FileEvent::Accept).is_err(), "nobody accepts what nobody could read");
        assert!(DeadLetterState::Resolved.is_final() && RunListState::Withdrawn.is_final());
        // What was ended by mistake comes back, and by nothing else.
        let letters = DeadLetterEvent::ALL.iter().filter(|event| DeadLetterState::Dismissed.on(**event).is_ok());
        assert_eq!(letters.collect::<Vec<_>>(), [&DeadLetterEvent::Restore]);
        let instruments = InstrumentEvent::ALL.iter().filter(|event| InstrumentState::Retired.on(**event).is_ok());
        assert_eq!(instruments.collect::<Vec<_>>(), [&InstrumentEvent::Restore]);
    }

    #[test]
    fn the_sets_say_what_the_transitions_allow() {
        for state in FileState::ALL {
            let undecided = state.on(FileEvent::Reject).is_ok();
            assert_eq!(FileState::UNDECIDED.contains(state), undecided, "{state}");
        }
        for state in FolderEntryState::ALL {
            let outside = *state != FolderEntryState::Taken;
            assert_eq!(FolderEntryState::OUTSIDE.contains(state), outside, "{state}");
        }
    }
}
