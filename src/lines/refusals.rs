//! What the lines of business refuse, in one place and in both languages.

use crate::refusal::{Code, Refusal};
use crate::regulation::AuthorisationRefused;

/// Why a line does not take a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineRefusal {
    /// The institute is not authorised for the lot; the register says why.
    NotAuthorised(AuthorisationRefused),
    /// A sample was drawn before the goods arrived at the port.
    SampledBeforeArrival,
}

impl From<LineRefusal> for Refusal {
    fn from(why: LineRefusal) -> Self {
        match why {
            LineRefusal::NotAuthorised(refused) => {
                Self::new(Code::NotAuthorised, refused.message_zh, refused.message_en)
                    .by(refused.provisions)
                    .at("product_id")
            }
            LineRefusal::SampledBeforeArrival => {
                Self::field("sampled_on", "抽样早于到港", "sampling lies before the arrival at the port")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::walk;
    use crate::regulation::{Category, authorised};

    #[test]
    fn every_refusal_says_so_in_both_languages() {
        let today = chrono::NaiveDate::MIN;
        let refused = authorised(&[], "i", "p", Category::Vaccine, &[], today).expect_err("no authorisation");
        let given = [LineRefusal::NotAuthorised(refused), LineRefusal::SampledBeforeArrival];
        walk::every(include_str!("refusals.rs"), &given);
    }
}
