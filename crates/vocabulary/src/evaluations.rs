//! The words of evaluations and of the reference standards that they use.

vocabulary! {
    /// What is evaluated.
    EvaluationKind {
        Sequence = "sequence", "序列", "sequence";
        Plate = "plate", "板", "plate";
        /// Independent assays of one sample together.
        Combination = "combination", "合并", "combination";
    }
}

vocabulary! {
    /// Whether an evaluation may be entered as a result.
    EvaluationVerdict {
        Valid = "valid", "有效", "valid";
        /// Kept with its reasons; nothing is entered from it.
        Invalid = "invalid", "无效", "invalid";
    }
}

impl EvaluationVerdict {
    /// The word for what a calculation found.
    #[must_use]
    pub const fn of(valid: bool) -> Self {
        if valid { Self::Valid } else { Self::Invalid }
    }
}

vocabulary! {
    /// Which value of an evaluation a row is.
    ResultPart {
        Mean = "mean", "均值", "mean";
        Replicate = "replicate", "单值", "replicate";
    }
}

vocabulary! {
    /// What the purity of a reference standard is of.
    StandardBasis {
        AsIs = "as_is", "按实际样品", "as is";
        Dried = "dried", "按干燥品", "dried";
        Anhydrous = "anhydrous", "按无水物", "anhydrous";
    }
}

vocabulary! {
    /// The state of a lot of a reference standard.
    ReferenceStandardState {
        InUse = "in_use", "在用", "in use";
        Withdrawn = "withdrawn", "已停用", "withdrawn";
    }
}

vocabulary! {
    /// What happens to a lot of a reference standard.
    ReferenceStandardEvent {
        Withdraw = "withdraw", "停用", "withdraw";
        /// That it was withdrawn was a mistake.
        Restore = "restore", "恢复使用", "restore";
    }
}

transitions! { ReferenceStandardState on ReferenceStandardEvent, Standard:
    InUse + Withdraw = Withdrawn;
    Withdrawn + Restore = InUse;
}
