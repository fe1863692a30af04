//! How much sample a case needs: what the items consume, in amounts with units and in whole containers, and what is
//! required of it. What cannot be computed is an error that names the field; nothing is guessed.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use units::{Unit, UnitError};

/// What one test item consumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemDemand {
    pub code: String,
    /// Amount that one test consumes.
    pub amount_per_test: Decimal,
    /// The unit of that amount; none is the unit of the content.
    pub unit: Option<String>,
    /// Containers that one test needs whole, such as for sterility: they are never pooled with the others.
    pub whole_containers: u32,
    pub replicates: u32,
}

/// What one container holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    pub amount: Decimal,
    pub unit: String,
}

/// What each batch must bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// The sum over the items, in the content's unit.
    pub full_test_amount: Decimal,
    /// The sum of the containers that items need whole.
    pub whole_containers: u64,
    /// 全项检验用量: what one test of every item takes, in containers.
    pub full_test_containers: u64,
    pub multiple: u32,
    /// Whether the containers that are needed whole count as many times as the amounts.
    pub whole_multiplied: bool,
    /// What one container holds, in its unit; none where it was not said and no amount asks for it.
    pub content: Option<Decimal>,
    /// The multiple of the amounts in containers, and of the containers that are needed whole.
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
    #[error("一个容器的含量应大于零，不能为{0} / the content of one container is above zero, not {0}")]
    NoContent(Decimal),
    #[error(
        "检验项目 {code} 有用量，但未写明一个容器的含量 / test item `{code}` consumes an amount, and nothing says what a container holds"
    )]
    ContentNotGiven { code: String },
    #[error(
        "检验项目 {code} 的用量不能为负（{amount}） / test item `{code}`: the amount of one test is not below zero, as {amount} is"
    )]
    Negative { code: String, amount: Decimal },
    #[error("检验项目 {code} 的用量单位：{why} / unit of what test item `{code}` consumes: {why}")]
    Unit { code: String, why: UnitError },
    #[error("数量过大，无法计算 / the quantity is too great to be computed")]
    TooGreat,
}

impl QuantityError {
    /// The field that a person looks at.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::NoContent(_) | Self::ContentNotGiven { .. } => "container_content",
            Self::Negative { .. } | Self::TooGreat => "consumes",
            Self::Unit { .. } => "consumes_unit",
        }
    }

    /// The two languages of it.
    #[must_use]
    pub fn sides(&self) -> (String, String) {
        let said = self.to_string();
        // The reason within it has two languages too.
        match self {
            Self::Unit { code, why } => {
                let why = why.to_string();
                let (zh, en) = why.split_once(" / ").unwrap_or((&why, &why));
                (format!("检验项目 {code} 的用量单位：{zh}"), format!("unit of what test item {code} consumes: {en}"))
            }
            _ => match said.split_once(" / ") {
                Some((zh, en)) => (zh.to_owned(), en.to_owned()),
                None => (said.clone(), said),
            },
        }
    }
}

impl ItemDemand {
    /// What one test takes of the amount, in the unit of the content; what does not end is rounded up.
    ///
    /// # Errors
    /// An amount below zero, no content to measure it by, or units that do not convert.
    pub fn amount_in(&self, content: Option<&Content>) -> Result<Decimal, QuantityError> {
        if self.amount_per_test < Decimal::ZERO {
            return Err(QuantityError::Negative { code: self.code.clone(), amount: self.amount_per_test });
        }
        if self.amount_per_test.is_zero() {
            return Ok(Decimal::ZERO);
        }
        let content = content.ok_or_else(|| QuantityError::ContentNotGiven { code: self.code.clone() })?;
        let one = match &self.unit {
            Some(unit) if !units::same(unit, &content.unit) => {
                let named = |why: UnitError| QuantityError::Unit { code: self.code.clone(), why };
                let way = Unit::read(unit).and_then(|from| from.to(&Unit::read(&content.unit)?)).map_err(named)?;
                let found = way.of(self.amount_per_test).map_err(named)?;
                if found.exact { found.value } else { found.value + Decimal::new(1, found.value.scale()) }
            }
            _ => self.amount_per_test,
        };
        one.checked_mul(Decimal::from(self.replicates)).ok_or(QuantityError::TooGreat)
    }

    fn whole(&self) -> u64 {
        u64::from(self.whole_containers) * u64::from(self.replicates)
    }
}

impl Demand {
    /// What is missing where so many containers are supplied.
    pub fn shortfall(&self, supplied: u64) -> Option<Shortfall> {
        let required = self.required_containers;
        let short = required.checked_sub(supplied).filter(|short| *short > 0)?;
        Some(Shortfall { required, supplied, short })
    }

    /// So many times the amounts, in containers, and so many times those that are needed whole.
    fn containers(&self, times: u32) -> Result<u64, QuantityError> {
        let amount = self.full_test_amount.checked_mul(Decimal::from(times)).ok_or(QuantityError::TooGreat)?;
        let pooled = match self.content {
            _ if amount.is_zero() => 0,
            Some(content) => whole_containers(amount, content)?,
            None => return Err(QuantityError::NoContent(Decimal::ZERO)),
        };
        let whole_times = if self.whole_multiplied { u64::from(times) } else { u64::from(times.min(1)) };
        let whole = self.whole_containers.checked_mul(whole_times);
        whole.and_then(|whole| pooled.checked_add(whole)).ok_or(QuantityError::TooGreat)
    }

    /// How many of the required containers each portion gets, the first for the test: together they are what is required.
    ///
    /// # Errors
    /// Numbers out of range.
    pub fn portions(&self) -> Result<Vec<u64>, QuantityError> {
        let mut before = 0;
        let mut portions = Vec::new();
        for times in 1..=self.multiple {
            let all = self.containers(times)?;
            portions.push(all - before);
            before = all;
        }
        Ok(portions)
    }

    /// How the number of containers comes about, in Chinese and in English. `unit` is the content's, `container` what one
    /// is called; `default` is what marks a rule of the laboratory.
    #[must_use]
    pub fn computation(&self, unit: &str, container: &str, default: (&str, &str)) -> (String, String) {
        let (amount, required, times) = (self.full_test_amount.normalize(), self.required_containers, self.multiple);
        let mut zh = format!("每批须 {required} {container}");
        let mut en = format!("each batch needs {required} {container}");
        let mut terms = (Vec::new(), Vec::new());
        if let Some(content) = self.content.filter(|_| !amount.is_zero()) {
            let content = content.normalize();
            let all = (self.full_test_amount * Decimal::from(times)).normalize();
            let pooled = whole_containers(all, content).unwrap_or_default();
            terms.0.push(format!(
                "{times} × {amount} {unit} = {all} {unit}，每{container} {content} {unit}，进位为 {pooled} {container}"
            ));
            terms.1.push(format!(
                "{times} × {amount} {unit} = {all} {unit}, {content} {unit} in one {container}, rounded up to {pooled}"
            ));
        }
        if self.whole_containers > 0 {
            let whole = self.whole_containers;
            let counted = if self.whole_multiplied { times } else { 1 };
            terms.0.push(format!("须用整装的项目 {counted} × {whole} {container}（{}）", default.0));
            terms.1.push(format!("items that need whole ones: {counted} × {whole} {container} ({})", default.1));
        }
        if !terms.0.is_empty() {
            zh = format!("{zh}：{}", terms.0.join("；另加"));
            en = format!("{en}: {}", terms.1.join("; plus "));
        }
        (zh, en)
    }
}

/// Adds up what the items consume and takes so many times of it as the multiple says, cut into whole containers once:
/// `ceil(multiple × Σ amounts ÷ content) + multiple × Σ whole containers`.
///
/// # Errors
/// An amount below zero, no content or one that is not above zero, units that do not convert, or numbers out of range.
pub fn demand(
    items: &[ItemDemand],
    content: Option<&Content>,
    multiple: u32,
    whole_multiplied: bool,
) -> Result<Demand, QuantityError> {
    if let Some(content) = content.filter(|content| content.amount <= Decimal::ZERO) {
        return Err(QuantityError::NoContent(content.amount));
    }
    let mut amount = Decimal::ZERO;
    let mut whole: u64 = 0;
    for item in items {
        amount = amount.checked_add(item.amount_in(content)?).ok_or(QuantityError::TooGreat)?;
        whole = whole.checked_add(item.whole()).ok_or(QuantityError::TooGreat)?;
    }
    let mut demand = Demand {
        full_test_amount: amount,
        whole_containers: whole,
        full_test_containers: 0,
        multiple,
        whole_multiplied,
        content: content.map(|content| content.amount),
        required_containers: 0,
    };
    demand.full_test_containers = demand.containers(1)?;
    demand.required_containers = demand.containers(multiple)?;
    Ok(demand)
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

/// How many billionths a ledger counts in one unit of a content: whole numbers, which every database adds exactly.
const SCALE: i64 = 1_000_000_000;

/// An amount as a ledger counts it; what is finer is rounded up. None where it is beyond counting.
#[must_use]
pub fn billionths(amount: Decimal) -> Option<i64> {
    i64::try_from(amount.checked_mul(Decimal::from(SCALE))?.ceil()).ok()
}

/// What a ledger counted, as an amount.
#[must_use]
pub fn amount(billionths: i64) -> Decimal {
    Decimal::new(billionths, 9).normalize()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item(code: &str, amount: &str, replicates: u32) -> ItemDemand {
        ItemDemand { code: code.into(), amount_per_test: number(amount), unit: None, whole_containers: 0, replicates }
    }

    fn whole(code: &str, containers: u32) -> ItemDemand {
        ItemDemand { whole_containers: containers, ..item(code, "0", 1) }
    }

    fn number(text: &str) -> Decimal {
        text.parse().expect(text)
    }

    fn content(amount: &str) -> Content {
        Content { amount: number(amount), unit: "片".into() }
    }

    fn demanded(items: &[ItemDemand], of: &str, multiple: u32) -> Result<Demand, QuantityError> {
        demand(items, Some(&content(of)), multiple, true)
    }

    /// Amounts of one test, containers that are needed whole, content, multiple; required, and its portions.
    #[test]
    fn the_formula_as_a_table() {
        for (amount, containers, of, multiple, required, portions) in [
            // The amount is doubled before it is cut into containers: fifty tablets are three bottles of 24, not four.
            ("25", 0, "24", 2, 3, vec![2, 1]),
            ("25", 0, "24", 3, 4, vec![2, 1, 1]),
            ("25", 20, "24", 2, 43, vec![22, 21]),
            ("24", 0, "24", 2, 2, vec![1, 1]),
            ("12", 0, "24", 2, 1, vec![1, 0]),
            ("0", 20, "24", 3, 60, vec![20, 20, 20]),
            ("0", 0, "24", 2, 0, vec![0, 0]),
            ("0.3", 0, "0.1", 2, 6, vec![3, 3]),
        ] {
            let found = demanded(&[item("a", amount, 1), whole("b", containers)], of, multiple).expect("a demand");
            assert_eq!(found.required_containers, required, "{amount} and {containers} of {of} × {multiple}");
            assert_eq!(found.portions(), Ok(portions), "{amount} and {containers} of {of} × {multiple}");
        }
        // A laboratory that does not multiply the whole ones.
        let found = demand(&[item("a", "25", 1), whole("b", 20)], Some(&content("24")), 2, false).expect("a demand");
        assert_eq!((found.required_containers, found.portions()), (23, Ok(vec![22, 1])));
    }

    #[test]
    fn amounts_of_several_units_are_added_in_the_unit_of_the_content() {
        let one = |amount: &str, unit: &str| ItemDemand { unit: Some(unit.into()), ..item("a", amount, 1) };
        let vial = Content { amount: number("0.5"), unit: "mL".into() };
        let items = [one("250", "uL"), one("0.001", "L"), item("b", "0.25", 1)];
        let found = demand(&items, Some(&vial), 2, true).expect("they convert");
        assert_eq!((found.full_test_amount.normalize(), found.required_containers), (number("1.5"), 6));
        // Tablets are tablets however they are written, and no grams.
        assert_eq!(demanded(&[], "24", 2).map(|found| found.required_containers), Ok(0));
        assert!(demanded(&[one("25", "{tbl}")], "24", 2).is_ok_and(|found| found.required_containers == 3));
        let error = demanded(&[one("2", "g")], "24", 2).expect_err("no way from grams to tablets");
        assert_eq!((error.field(), error.sides().1.contains("test item a")), ("consumes_unit", true));
        let unknown = demanded(&[one("2", "handful")], "24", 2).expect_err("no unit");
        assert!(unknown.sides().0.contains("handful"), "{unknown}");
    }

    #[test]
    fn without_a_content_only_whole_containers_are_counted() {
        let error = demand(&[item("assay", "1", 1)], None, 2, true).expect_err("one of what?");
        assert_eq!(
            (error.clone(), error.field()),
            (QuantityError::ContentNotGiven { code: "assay".into() }, "container_content")
        );
        assert!(demand(&[whole("sterility", 20)], None, 2, true).is_ok_and(|found| found.required_containers == 40));
    }

    #[test]
    fn the_computation_is_said_with_its_numbers() {
        let found = demanded(&[item("a", "25", 1), whole("b", 20)], "24", 2).expect("a demand");
        let (zh, en) = found.computation("片", "瓶", ("实验室默认", "a default of the laboratory"));
        assert_eq!(
            zh,
            "每批须 43 瓶：2 × 25 片 = 50 片，每瓶 24 片，进位为 3 瓶；另加须用整装的项目 2 × 20 瓶（实验室默认）"
        );
        assert!(en.contains("rounded up to 3; plus items that need whole ones: 2 × 20 瓶"), "{en}");
    }

    #[test]
    fn the_sum_over_the_items_is_taken_in_whole_containers() {
        let items = [item("assay", "20", 2), item("dissolution", "6", 1), item("impurities", "0.5", 2)];
        // 40 + 6 + 1 = 47 tablets: two containers of 24 in all, not one a test item.
        let found = demanded(&items, "24", 3).expect("a quantity");
        assert_eq!(found.full_test_amount, number("47"));
        assert_eq!((found.full_test_containers, found.required_containers), (2, 6));
        assert_eq!(demanded(&items, "47", 2).map(|found| found.required_containers), Ok(2));
        assert_eq!(demanded(&items, "46.9", 2).map(|found| found.required_containers), Ok(3));
    }

    #[test]
    fn what_is_short_is_said_with_its_numbers() {
        let found = demanded(&[item("assay", "47", 1)], "24", 3).expect("a quantity");
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
        let error = demanded(&[item("assay", "-1", 1)], "24", 2).expect_err("below zero");
        assert!(error.to_string().contains("assay"), "{error}");
        assert!(demanded(&[], "0", 2).is_err());
        let least = Content { amount: Decimal::from_i128_with_scale(1, 28), unit: "片".into() };
        assert_eq!(demand(&[item("a", "1", 1)], Some(&least), 2, true), Err(QuantityError::TooGreat));
        let most = ItemDemand { amount_per_test: Decimal::MAX, ..item("a", "1", 2) };
        assert_eq!(demanded(&[most], "1", 2), Err(QuantityError::TooGreat));
    }

    proptest! {
        /// It suffices, one container fewer does not, and the portions are all of it.
        #[test]
        fn what_is_required_suffices_and_no_more(
            amounts in prop::collection::vec(0_i64..10_000, 0..8),
            containers in 0_u32..30,
            of in 1_i64..5_000,
            multiple in 1_u32..4,
        ) {
            let mut items: Vec<ItemDemand> =
                amounts.iter().map(|amount| item("a", &Decimal::new(*amount, 2).to_string(), 1)).collect();
            items.push(whole("b", containers));
            let holds = Content { amount: Decimal::new(of, 2), unit: "片".into() };
            let found = demand(&items, Some(&holds), multiple, true).expect("a demand");
            let all = Decimal::new(amounts.iter().sum(), 2) * Decimal::from(multiple);
            let pooled = Decimal::from(found.required_containers - u64::from(containers * multiple));
            prop_assert!(pooled * holds.amount >= all);
            prop_assert!(pooled.is_zero() || (pooled - Decimal::ONE) * holds.amount < all);
            let portions = found.portions().expect("portions");
            prop_assert_eq!(portions.iter().sum::<u64>(), found.required_containers);
            prop_assert_eq!((portions.len(), portions[0]), (multiple as usize, found.full_test_containers));
        }
    }
}
