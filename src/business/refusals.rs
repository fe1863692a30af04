//! What the declaration of a line refuses, in one place and in both languages.

use crate::refusal::{Code, Refusal};
use crate::regulation::Business;

/// Why a case cannot be of a business, or not with these dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusinessRefusal {
    /// The installation has no line of this business.
    NoLine(Business),
    /// A date lies after today.
    InFuture { field: &'static str },
}

impl From<BusinessRefusal> for Refusal {
    fn from(why: BusinessRefusal) -> Self {
        match why {
            BusinessRefusal::NoLine(business) => Self::new(
                Code::NotDetermined,
                format!("本系统未开通该业务：{}", business.zh()),
                format!("this installation has no such line of business: {}", business.en()),
            )
            .at("business"),
            BusinessRefusal::InFuture { field } => Self::field(field, "晚于今天", "lies in the future"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::walk;

    #[test]
    fn every_refusal_says_so_in_both_languages() {
        let given = [BusinessRefusal::NoLine(Business::LotRelease), BusinessRefusal::InFuture { field: "sampled_on" }];
        walk::every(include_str!("refusals.rs"), &given);
    }
}
