//! How much sample a case needs: the full-test quantity of a product in whole containers, and what is required.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What one test item consumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemDemand {
    pub code: String,
    /// Amount that one test consumes, in the unit that the content of a container is given in.
    pub amount_per_test: Decimal,
    pub replicates: u32,
}

/// What each batch must bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// The sum over the items, in the content's unit.
    pub full_test_amount: Decimal,
    /// 全项检验用量: that sum in whole containers.
    pub full_test_containers: u64,
    pub multiple: u32,
    /// Multiple × full-test quantity.
    pub required_containers: u64,
}

/// What is missing of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error(
    "要求{required}个最小包装，送检{supplied}个，缺{short}个 / {required} containers required, {supplied} supplied, {short} missing"
)]
pub struct Shortfall {
    pub required: u64,
    pub supplied: u64,
    pub short: u64,
}

/// Items or contents from which no quantity can be computed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QuantityError {
    #[error("the content of one container is above zero, not {0}")]
    NoContent(Decimal),
    #[error("test item `{code}`: the amount of one test is not below zero, as {amount} is")]
    Negative { code: String, amount: Decimal },
    #[error("the quantity is too great to be computed")]
    TooGreat,
}

impl Demand {
    /// What is missing where so many containers are supplied.
    pub fn shortfall(&self, supplied: u64) -> Option<Shortfall> {
        let required = self.required_containers;
        let short = required.checked_sub(supplied).filter(|short| *short > 0)?;
        Some(Shortfall { required, supplied, short })
    }
}

/// Adds up what the items consume, takes whole containers of it, and multiplies by the multiple that is required.
///
/// # Errors
/// An amount below zero, a content that is not above zero, or numbers out of range.
pub fn demand(items: &[ItemDemand], content: Decimal, multiple: u32) -> Result<Demand, QuantityError> {
    let mut amount = Decimal::ZERO;
    for item in items {
        if item.amount_per_test < Decimal::ZERO {
            let (code, amount) = (item.code.clone(), item.amount_per_test);
            return Err(QuantityError::Negative { code, amount });
        }
        amount = item
            .amount_per_test
            .checked_mul(Decimal::from(item.replicates))
            .and_then(|need| amount.checked_add(need))
            .ok_or(QuantityError::TooGreat)?;
    }
    let full_test_containers = whole_containers(amount, content)?;
    Ok(Demand {
        full_test_amount: amount,
        full_test_containers,
        multiple,
        required_containers: full_test_containers.checked_mul(u64::from(multiple)).ok_or(QuantityError::TooGreat)?,
    })
}

/// The smallest number of containers that hold the amount. By remainder, not by quotient, which may be cut off.
///
/// # Errors
/// A content that is not above zero, or numbers out of range.
pub fn whole_containers(amount: Decimal, content: Decimal) -> Result<u64, QuantityError> {
    if content <= Decimal::ZERO {
        return Err(QuantityError::NoContent(content));
    }
    let rest = amount.checked_rem(content).ok_or(QuantityError::TooGreat)?;
    let filled = amount.checked_sub(rest).and_then(|full| full.checked_div(content)).ok_or(QuantityError::TooGreat)?;
    let filled = u64::try_from(filled.round()).map_err(|_| QuantityError::TooGreat)?;
    filled.checked_add(u64::from(rest > Decimal::ZERO)).ok_or(QuantityError::TooGreat)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(code: &str, amount: &str, replicates: u32) -> ItemDemand {
        ItemDemand { code: code.into(), amount_per_test: number(amount), replicates }
    }

    fn number(text: &str) -> Decimal {
        text.parse().expect(text)
    }

    #[test]
    fn the_sum_over_the_items_is_taken_in_whole_containers() {
        let items = [item("assay", "20", 2), item("dissolution", "6", 1), item("impurities", "0.5", 2)];
        // 40 + 6 + 1 = 47 tablets: two containers of 24 in all, not one a test item.
        let found = demand(&items, number("24"), 3).expect("a quantity");
        assert_eq!(found.full_test_amount, number("47"));
        assert_eq!((found.full_test_containers, found.required_containers), (2, 6));
        assert_eq!(demand(&items, number("47"), 2).map(|found| found.required_containers), Ok(2));
        assert_eq!(demand(&items, number("46.9"), 2).map(|found| found.required_containers), Ok(4));
        assert_eq!(demand(&[], number("24"), 2).map(|found| found.required_containers), Ok(0));
    }

    #[test]
    fn what_is_short_is_said_with_its_numbers() {
        let found = demand(&[item("assay", "47", 1)], number("24"), 3).expect("a quantity");
        assert_eq!(found.shortfall(6), None);
        assert_eq!(found.shortfall(7), None);
        let short = found.shortfall(4).expect("two are missing");
        assert_eq!(short, Shortfall { required: 6, supplied: 4, short: 2 });
        assert!(short.to_string().contains("6 containers required, 4 supplied, 2 missing"));
    }

    #[test]
    fn a_quotient_that_does_not_end_is_not_rounded_down() {
        let tiny = Decimal::from_i128_with_scale(1, 28);
        assert_eq!(whole_containers(Decimal::ONE + tiny, Decimal::ONE), Ok(2));
        assert_eq!(whole_containers(number("0.3"), number("0.1")), Ok(3));
        assert_eq!(whole_containers(Decimal::ONE, Decimal::from(3)), Ok(1));
        assert_eq!(whole_containers(number("10"), number("3")), Ok(4));
    }

    #[test]
    fn wrong_items_are_errors_and_named() {
        let error = demand(&[item("assay", "-1", 1)], number("24"), 2).expect_err("below zero");
        assert!(error.to_string().contains("assay"), "{error}");
        assert!(demand(&[], Decimal::ZERO, 2).is_err());
        assert_eq!(demand(&[item("a", "1", 1)], Decimal::from_i128_with_scale(1, 28), 2), Err(QuantityError::TooGreat));
        let most = ItemDemand { code: "a".into(), amount_per_test: Decimal::MAX, replicates: 2 };
        assert_eq!(demand(&[most], Decimal::ONE, 2), Err(QuantityError::TooGreat));
    }
}
