//! The words of testing: what is tested and compared how, what came out, and what others said of it.

vocabulary! {
    /// What sort of result an item has.
    ItemKind {
        Numeric = "numeric", "数值项目", "numeric";
        /// A finding in words, which the analyst judges.
        Text = "text", "文字项目", "finding";
    }
}

vocabulary! {
    /// How an item's result is compared with its limit (GB/T 8170).
    Comparison {
        Rounded = "rounded", "修约值比较法", "rounded-value comparison";
        Full = "full", "全数值比较法", "full-value comparison";
        /// A finding is judged in words.
        Text = "text", "文字判定", "judged in words";
    }
}

vocabulary! {
    /// What the comparison of a result with its limit says.
    Verdict {
        Pass = "pass", "符合规定", "complies";
        Fail = "fail", "不符合规定", "does not comply";
        /// A censored result that lies on both sides of the limit.
        Indeterminate = "indeterminate", "无法判定", "indeterminate";
    }
}

vocabulary! {
    /// What a reviewer said of a result.
    ReviewOutcome {
        Approved = "approved", "复核通过", "approved";
        SentBack = "sent_back", "退回", "sent back";
    }
}

vocabulary! {
    /// What follows a result out of specification (OOS).
    OosDecision {
        Retest = "retest", "检验无效，重新检验", "invalid: tested again";
        Confirm = "confirm", "确认不符合规定", "confirm";
    }
}

vocabulary! {
    /// How an approved result that was found wrong was superseded.
    CorrectionKind {
        /// A reviewer took the approval back before any certificate carried the result.
        TakenBack = "taken_back", "撤回复核", "approval taken back";
        /// Quality ordered it, with evidence.
        Corrected = "corrected", "更正", "corrected";
    }
}

vocabulary! {
    /// What a second person found who compared an import with its file.
    CheckOutcome {
        /// Every value is that of the file.
        Ok = "ok", "一致", "every value is that of the file";
        Rejected = "rejected", "不通过", "rejected";
    }
}

impl CheckOutcome {
    /// What counts where both were found: the higher rank.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            CheckOutcome::Ok => 0,
            CheckOutcome::Rejected => 1,
        }
    }
}

vocabulary! {
    /// Where a reading comes from.
    ReadingSource {
        Typed = "typed", "人工录入", "typed in";
        File = "file", "仪器文件", "instrument file";
        Evaluation = "evaluation", "评价", "evaluation";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_counts_more_than_an_approval() {
        let found = [CheckOutcome::Ok, CheckOutcome::Rejected, CheckOutcome::Ok];
        assert_eq!(found.into_iter().max_by_key(|outcome| outcome.rank()), Some(CheckOutcome::Rejected));
    }
}
