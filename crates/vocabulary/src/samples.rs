//! The states of a sample and of its containers.

vocabulary! {
    /// The state of a sample.
    SampleState {
        Received = "received", "已收样", "received";
        /// It was not taken: its condition or its papers were not in order.
        Refused = "refused", "已拒收", "refused";
        /// Its case ended without a report.
        Voided = "voided", "已作废", "voided";
    }
}

vocabulary! {
    /// What happens to a sample.
    SampleEvent {
        /// Its case ends without a report.
        Void = "void", "作废", "void";
        /// That it was refused or voided was a mistake.
        Reinstate = "reinstate", "撤销误操作", "reinstate";
    }
}

vocabulary! {
    /// What a container is set aside for.
    Portion {
        Received = "received", "已收", "received";
        Test = "test", "检验用", "test portion";
        Retention = "retention", "留样及复试用", "retention and re-test portion";
        Returned = "returned", "已退回", "returned";
    }
}

vocabulary! {
    /// What a container is set aside by.
    PortionEvent {
        TakeForTesting = "take_for_testing", "用于检验", "take for testing";
        Retain = "retain", "留样", "retain";
        GiveBack = "give_back", "退回", "give back";
        /// That it was given back was a mistake.
        ComeBack = "come_back", "撤销误退", "come back";
    }
}

transitions! { SampleState on SampleEvent, Sample:
    Received + Void = Voided;
    Refused + Reinstate = Received;
    Voided + Reinstate = Received;
}

transitions! { Portion on PortionEvent, Portion:
    Received + TakeForTesting = Test;
    Received + Retain = Retention;
    Received + GiveBack = Returned;
    Test + Retain = Retention;
    Test + GiveBack = Returned;
    Retention + TakeForTesting = Test;
    Retention + GiveBack = Returned;
    Returned + ComeBack = Received;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_or_given_back_stays_so_unless_that_was_a_mistake() {
        assert_eq!(SampleState::Received.on(SampleEvent::Void), Ok(SampleState::Voided));
        for ended in [SampleState::Refused, SampleState::Voided] {
            assert!(ended.on(SampleEvent::Void).is_err());
            assert_eq!(ended.on(SampleEvent::Reinstate), Ok(SampleState::Received));
        }
        for event in PortionEvent::ALL {
            let comes = Portion::Returned.on(*event).is_ok();
            assert_eq!(comes, *event == PortionEvent::ComeBack, "{event}");
        }
        let refused = SampleState::Refused.on(SampleEvent::Void).expect_err("it was not taken");
        assert!(refused.zh().contains("已拒收") && refused.en().contains("refused"));
    }
}
