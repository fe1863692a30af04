//! Where containers can be, and between which places they may go.

vocabulary! {
    /// A place of the custody ledger.
    Place {
        Supplied = "supplied", "供样方", "the supplier";
        Received = "received", "已收", "received";
        TestPortion = "test_portion", "检验用", "test portion";
        Retention = "retention", "留样及复试用", "retention and re-test portion";
        Consumed = "consumed", "已消耗", "consumed";
        Returned = "returned", "已退回", "returned";
        Destroyed = "destroyed", "已销毁", "destroyed";
    }
}

impl Place {
    /// Whether a person may move containers from here to `to`. Receipt and an approved re-test move them by
    /// themselves; what was consumed, returned or destroyed does not come back.
    #[must_use]
    pub fn leads_to(self, to: Place) -> bool {
        matches!(
            (self, to),
            (Place::TestPortion, Place::Consumed | Place::Retention | Place::Returned | Place::Destroyed)
                | (Place::Retention, Place::Returned | Place::Destroyed)
        )
    }
}
