//! Where containers can be, and between which places they may go.

vocabulary! {
    /// A place of the custody ledger.
    Place {
        Supplied = "supplied", "供样方", "the supplier";
        Received = "received", "已收", "received";
        TestPortion = "test_portion", "检验用", "test portion";
        Retest = "retest", "复试用", "re-test portion";
        Retention = "retention", "留样", "retention portion";
        Surplus = "surplus", "余样", "surplus";
        ForSale = "for_sale", "拟上市销售", "for sale";
        SentOut = "sent_out", "外送", "sent out";
        Consumed = "consumed", "已消耗", "consumed";
        Returned = "returned", "已退回", "returned";
        Destroyed = "destroyed", "已销毁", "destroyed";
    }
}

impl Place {
    /// Whether a person may move containers from here to `to`. Receipt and an approved re-test move them by
    /// themselves; what was consumed, returned or destroyed does not come back, and what is retained serves a re-test by
    /// approval only.
    #[must_use]
    pub fn leads_to(self, to: Place) -> bool {
        use Place::{Consumed, Destroyed, ForSale, Retention, Retest, Returned, SentOut, Surplus, TestPortion};
        matches!(
            (self, to),
            (TestPortion, Consumed | Retention | Surplus | SentOut | Returned | Destroyed)
                | (Retest, Consumed | Retention | Surplus | SentOut | Returned | Destroyed)
                | (Retention, Returned | Destroyed)
                | (Surplus, TestPortion | Retest | Retention | ForSale | SentOut | Returned | Destroyed)
                | (ForSale, Surplus | Returned | Destroyed)
                | (SentOut, Surplus)
        )
    }

    /// The places in the house where containers wait for something: what is left of a sample.
    pub const LEFT: &'static [Place] =
        &[Place::Received, Place::TestPortion, Place::Retest, Place::Retention, Place::Surplus, Place::ForSale];
}
