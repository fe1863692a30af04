//! What becomes of a retained portion: asked for, approved by somebody else, carried out and witnessed.

vocabulary! {
    /// What a request about a sample asks for.
    KeepingKind {
        /// What is retained is used for a re-test.
        Use = "use", "动用留样", "use of what is retained";
        Destroy = "destroy", "销毁", "destruction";
    }
}

vocabulary! {
    /// How far a request is.
    KeepingState {
        Asked = "asked", "待批准", "to be approved";
        Approved = "approved", "已批准", "approved";
        Refused = "refused", "未批准", "not approved";
        /// Destroyed, and not yet confirmed by who saw it.
        CarriedOut = "carried_out", "待见证确认", "to be confirmed by the witness";
        Done = "done", "已完成", "done";
    }
}

vocabulary! {
    /// A step of a request.
    KeepingEvent {
        Ask = "ask", "申请", "ask";
        Approve = "approve", "批准", "approve";
        Refuse = "refuse", "不予批准", "refuse";
        CarryOut = "carry_out", "执行", "carry out";
        Witness = "witness", "见证确认", "confirm as the witness";
    }
}

transitions! { KeepingState on KeepingEvent, Keeping:
    Asked + Approve = Approved;
    Asked + Refuse = Refused;
    Approved + CarryOut = CarriedOut;
    CarriedOut + Witness = Done;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_carried_out_unapproved_nor_done_unseen() {
        assert!(KeepingState::Asked.on(KeepingEvent::CarryOut).is_err());
        assert!(KeepingState::Approved.on(KeepingEvent::Witness).is_err());
        assert!(KeepingState::Refused.is_final() && KeepingState::Done.is_final());
    }
}
