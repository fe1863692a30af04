//! The investigation of a result out of specification (超标调查): its steps in their order.

vocabulary! {
    /// How far an investigation is.
    InvestigationState {
        /// The laboratory check (phase I) is to be done.
        Open = "open", "待实验室检查", "laboratory check to be done";
        CauseFound = "cause_found", "原因待批准", "cause to be approved";
        /// The result is invalid for an assignable cause: the test is done again.
        Invalidated = "invalidated", "检验无效，重新检验", "invalid: the test is done again";
        NoCause = "no_cause", "未查明原因", "no assignable cause";
        Planned = "planned", "复试方案待批准", "plan of repetitions to be approved";
        Repeating = "repeating", "按方案复试", "repeated under the plan";
        Confirmed = "confirmed", "确认不符合规定", "failing result confirmed";
    }
}

vocabulary! {
    /// A step of an investigation.
    InvestigationEvent {
        Open = "open", "立案", "open";
        FindCause = "find_cause", "查明原因", "find an assignable cause";
        FindNone = "find_none", "未查明原因", "find no assignable cause";
        ApproveCause = "approve_cause", "批准检验无效", "approve the cause";
        SendBack = "send_back", "退回", "send back";
        ProposePlan = "propose_plan", "提出复试方案", "propose a plan of repetitions";
        ApprovePlan = "approve_plan", "批准复试方案", "approve the plan";
        Confirm = "confirm", "确认不符合规定", "confirm";
    }
}

vocabulary! {
    /// What the laboratory check found about one point.
    CheckFinding {
        InOrder = "in_order", "正常", "in order";
        Deviation = "deviation", "异常", "deviation";
        NotApplicable = "not_applicable", "不适用", "not applicable";
    }
}

transitions! { InvestigationState on InvestigationEvent, Investigation:
    Open + FindCause = CauseFound;
    Open + FindNone = NoCause;
    CauseFound + ApproveCause = Invalidated;
    CauseFound + SendBack = Open;
    NoCause + ProposePlan = Planned;
    NoCause + Confirm = Confirmed;
    Planned + ApprovePlan = Repeating;
    Planned + SendBack = NoCause;
    Repeating + Confirm = Confirmed;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_from_an_open_investigation_but_a_cause_or_the_confirmation() {
        let ends: Vec<_> = InvestigationState::ALL.iter().filter(|state| state.is_final()).collect();
        assert_eq!(ends, [&InvestigationState::Invalidated, &InvestigationState::Confirmed]);
    }
}
