//! Corrections of what is on record (更正).

vocabulary! {
    /// What a correction is of.
    CorrectionSubject {
        Case = "case", "申请", "case";
        Batch = "batch", "批次", "batch";
        Product = "product", "品种", "product";
        Applicant = "applicant", "申请人", "applicant";
        Institute = "institute", "检验机构", "institute";
    }
}

vocabulary! {
    /// What became of a proposed correction.
    CorrectionOutcome {
        Applied = "applied", "已更正", "applied";
        Rejected = "rejected", "不予更正", "rejected";
    }
}
