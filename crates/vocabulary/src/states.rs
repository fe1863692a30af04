//! The states that are stored, and the one way from each to the next.
//!
//! A state changes by an event or not at all: what is not in these tables is refused, with both names.

use thiserror::Error;

use crate::evaluations::{ReferenceStandardEvent, ReferenceStandardState};
use crate::instruments::{
    DeadLetterEvent, DeadLetterState, FileEvent, FileState, FolderEntryEvent, FolderEntryState, InstrumentEvent,
    InstrumentState, RunListEvent, RunListState,
};
use crate::investigation::{InvestigationEvent, InvestigationState};
use crate::keeping::{KeepingEvent, KeepingState};
use crate::register::{AccountEvent, AccountState, SpecificationEvent, SpecificationState};
use crate::samples::{Portion, PortionEvent, SampleEvent, SampleState};

vocabulary! {
    /// The state of a case.
    CaseState {
        Draft = "draft", "草稿", "draft";
        Accepted = "accepted", "已受理", "accepted";
        Refused = "refused", "不予受理", "refused";
        Testing = "testing", "检验中", "testing";
        Tested = "tested", "检验完成", "tested";
        Reported = "reported", "已出具报告", "reported";
        Withdrawn = "withdrawn", "申请人撤回", "withdrawn";
        Voided = "voided", "已作废", "voided";
    }
}

vocabulary! {
    /// What happens to a case.
    CaseEvent {
        Accept = "accept", "受理", "accept";
        Refuse = "refuse", "不予受理", "refuse";
        /// Samples are received: the work begins.
        Receive = "receive", "收样", "receive samples";
        FinishTesting = "finish_testing", "完成检验", "finish testing";
        /// The final certificate is signed.
        Report = "report", "出具报告", "report";
        Withdraw = "withdraw", "撤回", "withdraw";
        Void = "void", "作废", "void";
        /// An approved result of it is corrected.
        Reopen = "reopen", "因更正重新检验", "reopen for a correction";
        /// That it ended was a mistake: it begins again, and its own facts say how far it was.
        Reinstate = "reinstate", "撤销误操作", "reinstate";
    }
}

vocabulary! {
    /// The state of a test task.
    TaskState {
        Waiting = "waiting", "待检", "waiting";
        InProgress = "in_progress", "检验中", "in progress";
        Entered = "entered", "待复核", "entered, to be reviewed";
        Reviewed = "reviewed", "已复核", "reviewed";
        /// Out of specification: it awaits a decision.
        Oos = "out_of_limit", "超出标准", "out of specification (OOS)";
        /// Its result is invalid or decides nothing, and another task does the test again; the result stays.
        RetestOrdered = "retest_ordered", "已安排复试", "re-test ordered";
        Confirmed = "confirmed", "确认不符合规定", "confirmed out of specification";
        Cancelled = "cancelled", "已取消", "cancelled";
    }
}

vocabulary! {
    /// What happens to a test task.
    TaskEvent {
        Start = "start", "开始", "start";
        /// Its analyst does not go on with it.
        HandBack = "hand_back", "交回", "hand back";
        /// A complete result is entered, or corrected before its review.
        Enter = "enter", "录入", "enter";
        SendBack = "send_back", "退回", "send back";
        Approve = "approve", "复核通过", "approve";
        FindOos = "find_oos", "判为超出标准", "find out of specification";
        OrderRetest = "order_retest", "安排复试", "order a re-test";
        Confirm = "confirm", "确认不符合", "confirm";
        Cancel = "cancel", "取消", "cancel";
        /// An approved result was found wrong: the test is entered anew.
        Reopen = "reopen", "更正结果", "reopen for a correction";
        /// That its case ended was a mistake: it begins again, and what was entered says how far it was.
        Reinstate = "reinstate", "撤销误操作", "reinstate";
    }
}

vocabulary! {
    /// The state of a certificate.
    CertificateState {
        Drafted = "drafted", "已起草", "drafted";
        Reviewed = "reviewed", "已审核", "reviewed";
        Issued = "issued", "已签发", "issued";
        Superseded = "superseded", "已被替代", "superseded";
        Withdrawn = "withdrawn", "已撤销", "withdrawn";
        Discarded = "discarded", "已弃用", "discarded";
    }
}

vocabulary! {
    /// What happens to a certificate.
    CertificateEvent {
        Review = "review", "审核", "review";
        SendBack = "send_back", "退回", "send back";
        Sign = "sign", "签发", "sign";
        /// A new certificate that names this one is signed.
        Supersede = "supersede", "替代", "supersede";
        Withdraw = "withdraw", "撤销", "withdraw";
        Discard = "discard", "弃用", "discard";
    }
}

/// An event that does not fit the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{}", self.en())]
pub enum WrongState {
    Case(CaseState, CaseEvent),
    Task(TaskState, TaskEvent),
    Certificate(CertificateState, CertificateEvent),
    Instrument(InstrumentState, InstrumentEvent),
    InstrumentFile(FileState, FileEvent),
    DeadLetter(DeadLetterState, DeadLetterEvent),
    FolderEntry(FolderEntryState, FolderEntryEvent),
    RunList(RunListState, RunListEvent),
    Specification(SpecificationState, SpecificationEvent),
    Account(AccountState, AccountEvent),
    Standard(ReferenceStandardState, ReferenceStandardEvent),
    Sample(SampleState, SampleEvent),
    Portion(Portion, PortionEvent),
    Investigation(InvestigationState, InvestigationEvent),
    Keeping(KeepingState, KeepingEvent),
}

impl WrongState {
    /// The message in Chinese.
    pub fn zh(&self) -> String {
        let (what, state, event) = match self {
            WrongState::Case(state, event) => ("申请", state.zh(), event.zh()),
            WrongState::Task(state, event) => ("检验任务", state.zh(), event.zh()),
            WrongState::Certificate(state, event) => ("证书", state.zh(), event.zh()),
            WrongState::Instrument(state, event) => ("仪器", state.zh(), event.zh()),
            WrongState::InstrumentFile(state, event) => ("仪器文件", state.zh(), event.zh()),
            WrongState::DeadLetter(state, event) => ("未导入的文件", state.zh(), event.zh()),
            WrongState::FolderEntry(state, event) => ("文件夹中的文件", state.zh(), event.zh()),
            WrongState::RunList(state, event) => ("进样序列", state.zh(), event.zh()),
            WrongState::Specification(state, event) => ("质量标准", state.zh(), event.zh()),
            WrongState::Account(state, event) => ("账户", state.zh(), event.zh()),
            WrongState::Standard(state, event) => ("对照品", state.zh(), event.zh()),
            WrongState::Sample(state, event) => ("样品", state.zh(), event.zh()),
            WrongState::Portion(state, event) => ("容器", state.zh(), event.zh()),
            WrongState::Investigation(state, event) => ("超标调查", state.zh(), event.zh()),
            WrongState::Keeping(state, event) => ("留样申请", state.zh(), event.zh()),
        };
        format!("{what}处于“{state}”状态，不能{event}")
    }

    /// The message in English.
    pub fn en(&self) -> String {
        let (what, state, event) = match self {
            WrongState::Case(state, event) => ("case", state.en(), event.en()),
            WrongState::Task(state, event) => ("test task", state.en(), event.en()),
            WrongState::Certificate(state, event) => ("certificate", state.en(), event.en()),
            WrongState::Instrument(state, event) => ("instrument", state.en(), event.en()),
            WrongState::InstrumentFile(state, event) => ("instrument file", state.en(), event.en()),
            WrongState::DeadLetter(state, event) => ("dead letter", state.en(), event.en()),
            WrongState::FolderEntry(state, event) => ("file of the folder", state.en(), event.en()),
            WrongState::RunList(state, event) => ("sequence list", state.en(), event.en()),
            WrongState::Specification(state, event) => ("specification", state.en(), event.en()),
            WrongState::Account(state, event) => ("account", state.en(), event.en()),
            WrongState::Standard(state, event) => ("reference standard", state.en(), event.en()),
            WrongState::Sample(state, event) => ("sample", state.en(), event.en()),
            WrongState::Portion(state, event) => ("container", state.en(), event.en()),
            WrongState::Investigation(state, event) => ("investigation", state.en(), event.en()),
            WrongState::Keeping(state, event) => ("request", state.en(), event.en()),
        };
        format!("not possible: {event} (the {what} is {state})")
    }
}

/// Gives a state its transition function and its table from one list of rows.
macro_rules! transitions {
    ($state:ident on $event:ident, $what:ident: $($from:ident + $by:ident = $to:ident;)+) => {
        impl $state {
            /// The state after an event.
            ///
            /// # Errors
            /// The event does not fit the state.
            #[allow(unreachable_patterns)] // Some lifecycle takes every event in every state.
            pub const fn on(self, event: $event) -> Result<$state, $crate::states::WrongState> {
                match (self, event) {
                    $(($state::$from, $event::$by) => Ok($state::$to),)+
                    _ => Err($crate::states::WrongState::$what(self, event)),
                }
            }

            /// Whether no event leads on from here.
            pub fn is_final(self) -> bool {
                $event::ALL.iter().all(|event| self.on(*event).is_err())
            }

            /// Every state and event with what follows (`-` where it is refused), one a line: for a golden file.
            pub fn table() -> String {
                let mut lines = String::new();
                for state in $state::ALL {
                    for event in $event::ALL {
                        let next = state.on(*event).map_or("-", $state::as_str);
                        lines.push_str(&format!("{} {state} + {event} = {next}\n", stringify!($what)));
                    }
                }
                lines
            }
        }
    };
}

/// The states for which something holds, in the order of declaration: a set that the transition function decides and
/// that nobody lists by hand.
macro_rules! states_that {
    ($state:ident: $($(#[$meta:meta])* $name:ident = |$one:ident| $holds:expr;)+) => {
        impl $state {
            $($(#[$meta])*
            pub const $name: &'static [$state] = {
                const COUNT: usize = {
                    let (mut count, mut at) = (0, 0);
                    while at < $state::ALL.len() {
                        let $one = $state::ALL[at];
                        if $holds {
                            count += 1;
                        }
                        at += 1;
                    }
                    count
                };
                const FOUND: [$state; COUNT] = {
                    let (mut found, mut next, mut at) = ([$state::ALL[0]; COUNT], 0, 0);
                    while at < $state::ALL.len() {
                        let $one = $state::ALL[at];
                        if $holds {
                            found[next] = $one;
                            next += 1;
                        }
                        at += 1;
                    }
                    found
                };
                &FOUND
            };)+
        }
    };
}

states_that! { CaseState:
    /// Work is done on it: its tasks may still be decided.
    WORKING = |state| state.on(CaseEvent::FinishTesting).is_ok();
    /// Samples may still arrive for it.
    RECEIVING = |state| state.on(CaseEvent::Receive).is_ok();
    /// It may still end without a report.
    ENDABLE = |state| state.on(CaseEvent::Void).is_ok();
    /// It ended without a report, and goes on where that was a mistake.
    ENDED = |state| state.on(CaseEvent::Reinstate).is_ok();
    /// Nothing arrived yet: its applicant may still withdraw it alone.
    NOT_BEGUN = |state| state.on(CaseEvent::FinishTesting).is_err()
        && (state.on(CaseEvent::Accept).is_ok() || state.on(CaseEvent::Receive).is_ok());
}

states_that! { TaskState:
    /// An event may still move it: its case is not finished while it is so.
    OPEN = |state| state.on(TaskEvent::Cancel).is_ok() || state.on(TaskEvent::Confirm).is_ok();
    /// It goes with its case when that ends.
    CANCELLABLE = |state| state.on(TaskEvent::Cancel).is_ok();
    /// Its result waits for somebody else: the reviewer, or the one who decides about an OOS result.
    UNDER_REVIEW = |state| state.on(TaskEvent::Approve).is_ok() || state.on(TaskEvent::Confirm).is_ok();
    /// Readings may be entered; entering starts a task that waits.
    ENTERABLE = |state| state.on(TaskEvent::Start).is_ok() || state.on(TaskEvent::Enter).is_ok();
    /// On the bench: nobody has entered a complete result.
    ON_BENCH = |state| state.on(TaskEvent::Start).is_ok()
        || (state.on(TaskEvent::Enter).is_ok() && state.on(TaskEvent::Approve).is_err());
}

states_that! { CertificateState:
    /// It was issued, whatever became of it since.
    EVER_ISSUED = |state| matches!(state, CertificateState::Issued | CertificateState::Superseded | CertificateState::Withdrawn);
}

transitions! { CaseState on CaseEvent, Case:
    Draft + Accept = Accepted;
    Draft + Refuse = Refused;
    Draft + Withdraw = Withdrawn;
    Draft + Void = Voided;
    Accepted + Receive = Testing;
    Accepted + Withdraw = Withdrawn;
    Accepted + Void = Voided;
    Testing + Receive = Testing;
    Testing + FinishTesting = Tested;
    Testing + Withdraw = Withdrawn;
    Testing + Void = Voided;
    Testing + Reopen = Testing;
    Tested + Reopen = Testing;
    Tested + Report = Reported;
    Reported + Reopen = Testing;
    Tested + Withdraw = Withdrawn;
    Tested + Void = Voided;
    Refused + Reinstate = Draft;
    Withdrawn + Reinstate = Draft;
    Voided + Reinstate = Draft;
}

transitions! { TaskState on TaskEvent, Task:
    Waiting + Start = InProgress;
    Waiting + Cancel = Cancelled;
    InProgress + HandBack = Waiting;
    InProgress + Enter = Entered;
    InProgress + Cancel = Cancelled;
    Entered + Enter = Entered;
    Entered + SendBack = InProgress;
    Entered + Approve = Reviewed;
    Entered + FindOos = Oos;
    Entered + OrderRetest = RetestOrdered;
    Entered + Cancel = Cancelled;
    Reviewed + Reopen = Waiting;
    Confirmed + Reopen = Waiting;
    Oos + OrderRetest = RetestOrdered;
    Oos + Confirm = Confirmed;
    Oos + Cancel = Cancelled;
    Cancelled + Reinstate = Waiting;
}

transitions! { CertificateState on CertificateEvent, Certificate:
    Drafted + Review = Reviewed;
    Drafted + Discard = Discarded;
    Reviewed + SendBack = Drafted;
    Reviewed + Sign = Issued;
    Reviewed + Discard = Discarded;
    Issued + Supersede = Superseded;
    Issued + Withdraw = Withdrawn;
}

/// All tables, one after the other: for a golden file.
pub fn table() -> String {
    [
        CaseState::table(),
        SampleState::table(),
        Portion::table(),
        TaskState::table(),
        CertificateState::table(),
        ReferenceStandardState::table(),
        InvestigationState::table(),
        KeepingState::table(),
        crate::instruments::table(),
        crate::register::table(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_of_a_case() {
        let way = [CaseEvent::Accept, CaseEvent::Receive, CaseEvent::FinishTesting, CaseEvent::Report];
        let end = way.iter().try_fold(CaseState::Draft, |state, event| state.on(*event));
        assert_eq!(end, Ok(CaseState::Reported));
        let refused = CaseState::Draft.on(CaseEvent::Report).expect_err("nothing was tested");
        assert_eq!(refused, WrongState::Case(CaseState::Draft, CaseEvent::Report));
        assert!(refused.zh().contains("草稿") && refused.en().contains("draft"));
    }

    #[test]
    fn a_result_out_of_specification_needs_a_decision() {
        let found = TaskState::Entered.on(TaskEvent::FindOos);
        assert_eq!(found, Ok(TaskState::Oos));
        assert!(TaskState::Oos.on(TaskEvent::Approve).is_err());
        assert_eq!(TaskState::Oos.on(TaskEvent::Confirm), Ok(TaskState::Confirmed));
        assert_eq!(TaskState::Oos.on(TaskEvent::OrderRetest), Ok(TaskState::RetestOrdered));
    }

    #[test]
    fn the_sets_of_tasks_follow_from_the_transitions() {
        use TaskState::{Entered, InProgress, Oos, Waiting};
        assert_eq!(TaskState::OPEN, [Waiting, InProgress, Entered, Oos]);
        assert_eq!(TaskState::CANCELLABLE, [Waiting, InProgress, Entered, Oos]);
        assert_eq!(TaskState::ENTERABLE, [Waiting, InProgress, Entered]);
        assert_eq!(TaskState::UNDER_REVIEW, [Entered, Oos]);
        assert_eq!(TaskState::ON_BENCH, [Waiting, InProgress]);
        // What is settled is left again by a correction only, or where its end was a mistake.
        let back = [TaskEvent::Reopen, TaskEvent::Reinstate];
        let settled = |state: &TaskState| TaskEvent::ALL.iter().all(|e| back.contains(e) || state.on(*e).is_err());
        assert!(TaskState::ALL.iter().all(|state| TaskState::OPEN.contains(state) != settled(state)));
    }

    #[test]
    fn what_is_final_stays() {
        // A case that ended goes on only where its end was a mistake.
        for ended in [CaseState::Refused, CaseState::Withdrawn, CaseState::Voided] {
            for event in CaseEvent::ALL {
                assert_eq!(ended.on(*event).is_ok(), *event == CaseEvent::Reinstate, "{ended} {event}");
            }
        }
        let certificates: Vec<CertificateState> =
            CertificateState::ALL.iter().copied().filter(|s| s.is_final()).collect();
        assert_eq!(
            certificates,
            [CertificateState::Superseded, CertificateState::Withdrawn, CertificateState::Discarded]
        );
        // A certificate that is issued never becomes a draft again, and only a reviewed one is signed.
        for event in CertificateEvent::ALL {
            assert_ne!(CertificateState::Issued.on(*event), Ok(CertificateState::Drafted));
        }
        assert!(CertificateState::Drafted.on(CertificateEvent::Sign).is_err());
    }

    #[test]
    fn every_state_can_be_reached() {
        let reached = |state: TaskState| {
            state == TaskState::Waiting
                || TaskState::ALL
                    .iter()
                    .any(|from| TaskEvent::ALL.iter().any(|event| *from != state && from.on(*event) == Ok(state)))
        };
        assert!(TaskState::ALL.iter().all(|state| reached(*state)));
        let instruments = 2 * 5 + 4 * 6 + 3 * 4 + 3 * 3 + 2;
        let samples = 3 * 2 + 4 * 4;
        let register = 3 + 2 * 2;
        let investigations = 7 * 8;
        let keeping = 5 * 5;
        assert_eq!(
            table().lines().count(),
            8 * 9 + 8 * 11 + 6 * 6 + 2 * 2 + samples + instruments + register + investigations + keeping
        );
    }

    #[test]
    fn whatever_an_event_may_still_move_goes_with_its_case() {
        let back = [TaskEvent::Reopen, TaskEvent::Reinstate];
        let movable = |state: &TaskState| TaskEvent::ALL.iter().any(|e| !back.contains(e) && state.on(*e).is_ok());
        let all: Vec<TaskState> = TaskState::ALL.iter().copied().filter(movable).collect();
        assert_eq!(TaskState::CANCELLABLE, all);
        assert_eq!(TaskState::OPEN, all);
        assert!(TaskState::CANCELLABLE.contains(&TaskState::Oos));
        assert_eq!(CaseState::WORKING, [CaseState::Testing]);
        assert_eq!(CaseState::RECEIVING, [CaseState::Accepted, CaseState::Testing]);
        assert_eq!(CaseState::NOT_BEGUN, [CaseState::Draft, CaseState::Accepted]);
        let endable: Vec<CaseState> = CaseState::ALL
            .iter()
            .copied()
            .filter(|state| {
                let back = [CaseEvent::Reopen, CaseEvent::Reinstate];
                CaseEvent::ALL.iter().any(|event| !back.contains(event) && state.on(*event).is_ok())
            })
            .collect();
        assert_eq!(CaseState::ENDABLE, endable);
    }
}
