//! The lines of business, a room each. Nothing below names one: `app/` hands the table down.

pub mod lot_release;
pub mod port_entry;
mod refusals;
pub mod registration;

use crate::business::Lines;
pub use refusals::LineRefusal;

/// The lines that the program has.
#[must_use]
pub fn all() -> Lines {
    Lines::new(vec![&registration::Registration, &lot_release::LotRelease, &port_entry::PortEntry])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::business::{COMMON, Field, Particulars};
    use crate::vocabulary::Business;

    #[test]
    fn every_business_has_one_line() {
        let lines = all();
        for business in Business::ALL {
            let serving = lines.all().filter(|line| line.businesses().contains(business)).count();
            assert_eq!(serving, 1, "{business}");
            assert!(lines.of(*business).is_ok());
        }
    }

    #[test]
    fn every_particular_is_asked_for_by_some_line() {
        let lines = all();
        let asked: Vec<&Field> = COMMON.iter().chain(lines.all().flat_map(|line| line.particulars())).collect();
        for name in Particulars::FIELDS {
            let found: Vec<&&Field> = asked.iter().filter(|field| field.name == *name).collect();
            assert!(!found.is_empty(), "{name}");
            assert!(found.iter().all(|field| *field == found[0]), "{name} is asked for in the same words everywhere");
        }
        assert!(asked.iter().all(|field| Particulars::FIELDS.contains(&field.name)));
    }

    #[test]
    fn dates_and_ticks_are_fields_of_an_application() {
        for line in all().all() {
            for field in line.dates() {
                assert!(["arrived_at_port_on", "notice_received_on", "sampled_on"].contains(&field.name));
            }
            for field in line.ticks() {
                assert!(["pre_submission", "standard_verification"].contains(&field.name));
            }
        }
    }
}
