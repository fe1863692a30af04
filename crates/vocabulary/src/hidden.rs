//! What a laboratory may hide from those who test, so that nobody tests for somebody.

vocabulary! {
    /// A fact of a case that may be hidden.
    Hidden {
        Applicant = "applicant", "申请人", "the applicant";
        Contacts = "contacts", "联系人", "the applicant's contacts";
        AcceptanceNumber = "acceptance_number", "受理号", "the acceptance number";
        WhoEntered = "who_entered", "录入人", "who entered the case";
        /// On the label that the analyst compares: hidden only where samples are re-coded.
        Maker = "maker", "生产单位", "the maker";
        Holder = "holder", "上市许可持有人", "the marketing authorisation holder";
    }
}
