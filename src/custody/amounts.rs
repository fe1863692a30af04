//! Amounts beside containers. The ledger counts them in whole billionths of the unit of the content, which both databases
//! add exactly; a container that is opened stays where it is until it is empty. Pure.

use rust_decimal::Decimal;

use crate::regulation::quantities::{Content, ItemDemand, QuantityError};
pub(crate) use crate::regulation::quantities::{amount, billionths};
use crate::store::rows::SampleRow;

/// What is at a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct There {
    pub containers: i64,
    /// None where the ledger of the sample counts containers alone.
    pub billionths: Option<i64>,
}

/// What leaves a place, or comes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Portioned {
    pub containers: i64,
    pub billionths: i64,
}

/// What one container of a sample holds; none where its ledger counts containers alone.
#[must_use]
pub(crate) fn content_of(sample: &SampleRow) -> Option<Content> {
    let (amount, unit) = (sample.content_amount.as_ref()?, sample.content_unit.as_ref()?);
    Some(Content { amount: amount.decimal(), unit: unit.clone() })
}

/// How much goes with so many containers: full ones first, and with the last one all that is left.
pub(crate) fn with_containers(there: There, containers: i64, content: i64) -> Option<i64> {
    let all = there.billionths?;
    Some(if containers >= there.containers { all } else { containers.saturating_mul(content).min(all) })
}

/// So many containers as hold that amount.
fn holding(amount: i64, content: i64) -> i64 {
    if content < 1 { 0 } else { amount / content + i64::from(amount % content > 0) }
}

/// What one test takes: its amount, and its whole containers with what they hold.
pub(crate) fn taken_by(item: &ItemDemand, content: &Content) -> Result<i64, QuantityError> {
    let amount = item.amount_in(Some(content))?;
    let whole = Decimal::from(item.whole_containers).checked_mul(content.amount);
    let all = whole.and_then(|whole| whole.checked_add(amount)).and_then(billionths);
    all.ok_or(QuantityError::TooGreat)
}

/// Takes an amount from a place: the containers that are empty then go with it. None where there is not so much.
pub(crate) fn take(there: There, amount: i64, content: i64) -> Option<Portioned> {
    let left = there.billionths?.checked_sub(amount).filter(|left| *left >= 0)?;
    let containers = there.containers - holding(left, content).min(there.containers);
    Some(Portioned { containers, billionths: amount })
}

/// Puts an amount back: with it come as many containers as it takes to hold it, of those that went. What they do not hold
/// stays used up: the container that it was in has gone elsewhere meanwhile.
pub(crate) fn put_back(there: There, amount: i64, content: i64, gone: i64) -> Portioned {
    let has = there.billionths.unwrap_or(0);
    let containers = (holding(has.saturating_add(amount), content) - there.containers).clamp(0, gone.max(0));
    let room = (there.containers + containers).saturating_mul(content).saturating_sub(has);
    Portioned { containers, billionths: amount.min(room.max(0)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SCALE: i64 = 1_000_000_000;

    fn there(containers: i64, units: i64) -> There {
        There { containers, billionths: Some(units * SCALE) }
    }

    #[test]
    fn an_opened_container_stays_until_it_is_empty() {
        let of = 24 * SCALE;
        let first = take(there(2, 48), 10 * SCALE, of).expect("48 tablets");
        assert_eq!(first, Portioned { containers: 0, billionths: 10 * SCALE });
        assert_eq!(take(there(2, 38), 14 * SCALE, of).map(|part| part.containers), Some(1));
        assert_eq!(take(there(1, 24), 24 * SCALE, of).map(|part| part.containers), Some(1));
        assert_eq!(take(there(1, 24), 25 * SCALE, of), None);
        // Two that were opened one after the other: the second puts back what the first emptied.
        assert_eq!(put_back(there(0, 0), 10 * SCALE, of, 1).containers, 1);
        assert_eq!(put_back(there(1, 10), 14 * SCALE, of, 0).containers, 0);
        let gone_elsewhere = put_back(there(0, 0), 40 * SCALE, 13 * SCALE, 3);
        assert_eq!(gone_elsewhere, Portioned { containers: 3, billionths: 39 * SCALE });
        assert_eq!(with_containers(there(2, 38), 1, of), Some(of));
        assert_eq!(with_containers(there(2, 38), 2, of), Some(38 * SCALE));
        assert_eq!(with_containers(There { containers: 2, billionths: None }, 1, of), None);
    }

    #[test]
    fn amounts_are_counted_exactly_and_never_too_little() {
        let number = |text: &str| text.parse::<Decimal>().expect(text);
        assert_eq!(billionths(number("0.5")), Some(500_000_000));
        assert_eq!(billionths(number("0.0000000001")), Some(1));
        assert_eq!(billionths(Decimal::MAX), None);
        assert_eq!(amount(2_500_000_000).to_string(), "2.5");
        let item = ItemDemand {
            code: "a".into(),
            amount_per_test: number("250"),
            unit: Some("uL".into()),
            whole_containers: 2,
            replicates: 1,
        };
        let vial = Content { amount: number("0.5"), unit: "mL".into() };
        assert_eq!(taken_by(&item, &vial), Ok(1_250_000_000));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Take(i64),
        PutBack,
        Move { from: usize, to: usize, containers: i64 },
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let one = prop_oneof![
            (1_i64..60).prop_map(Step::Take),
            Just(Step::PutBack),
            (0_usize..3, 0_usize..3, 1_i64..4).prop_map(|(from, to, containers)| Step::Move { from, to, containers }),
        ];
        prop::collection::vec(one, 0..40)
    }

    proptest! {
        /// Random moves between three shelves and what is used up: nothing is lost, nothing appears, nothing falls below
        /// nothing, and no shelf holds more than its containers can.
        #[test]
        fn containers_and_amounts_are_conserved(containers in 1_i64..9, of in 1_i64..50, walk in steps()) {
            let content = of * SCALE;
            let mut shelves = [there(containers, containers * of), there(0, 0), there(0, 0)];
            let mut used = there(0, 0);
            let mut tests: Vec<i64> = Vec::new();
            for step in walk {
                match step {
                    Step::Take(units) => {
                        if let Some(part) = take(shelves[0], units * SCALE, content) {
                            shelves[0].containers -= part.containers;
                            shelves[0].billionths = shelves[0].billionths.map(|all| all - part.billionths);
                            used.containers += part.containers;
                            used.billionths = used.billionths.map(|all| all + part.billionths);
                            tests.push(part.billionths);
                        }
                    }
                    Step::PutBack => {
                        if let Some(amount) = tests.pop() {
                            let part = put_back(shelves[0], amount, content, used.containers);
                            shelves[0].containers += part.containers;
                            shelves[0].billionths = shelves[0].billionths.map(|all| all + part.billionths);
                            used.containers -= part.containers;
                            used.billionths = used.billionths.map(|all| all - part.billionths);
                        }
                    }
                    Step::Move { from, to, containers } => {
                        if from != to && containers <= shelves[from].containers {
                            let part = with_containers(shelves[from], containers, content).expect("it is counted");
                            shelves[from].containers -= containers;
                            shelves[from].billionths = shelves[from].billionths.map(|all| all - part);
                            shelves[to].containers += containers;
                            shelves[to].billionths = shelves[to].billionths.map(|all| all + part);
                        }
                    }
                }
                let all = shelves.iter().chain([&used]);
                let (mut count, mut amount) = (0, 0);
                for one in all {
                    prop_assert!(one.containers >= 0 && one.billionths.is_some_and(|all| all >= 0));
                    count += one.containers;
                    amount += one.billionths.unwrap_or(0);
                }
                prop_assert_eq!((count, amount), (containers, containers * content));
                for shelf in &shelves {
                    prop_assert!(shelf.billionths.unwrap_or(0) <= shelf.containers * content);
                }
            }
        }
    }
}
