//! How much each batch must bring: computed from what the items consume and what a container holds, with the multiple of
//! the regulation. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::asked::AmountQuestion;
use super::load::CaseFile;
use super::refusals::CasesRefusal;
use crate::regulation::practice::Practice;
use crate::regulation::quantities::{self, Content, ItemDemand};
use crate::regulation::{Determination, Ruled};
use crate::store::rows::TestItemRow;
use crate::vocabulary::Place;

/// How many containers one batch must bring, and by which provisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LotDemand {
    /// Full-test quantity (全项检验用量), in whole containers
    pub full_test_containers: i64,
    /// The multiple; null where no provision sets one (devices): then nothing is demanded
    pub multiple: Option<u32>,
    /// The multiple of the amounts, cut into whole containers once, and of the containers that items need whole
    pub required_containers: i64,
    pub provisions: Vec<String>,
    /// What one test of every item consumes, in `content_unit`; null where it cannot be computed
    #[serde(default)]
    pub full_test_amount: Option<String>,
    /// Containers that items need whole, for one test of every item
    #[serde(default)]
    pub whole_containers: i64,
    /// What one container holds
    #[serde(default)]
    pub content_amount: String,
    #[serde(default)]
    pub content_unit: String,
    /// The required containers by portion: for the test, for a re-test where there are three, to be retained
    #[serde(default)]
    pub portions: Vec<i64>,
    /// How the number comes about; empty where nothing is demanded
    #[serde(default)]
    pub computation_zh: String,
    #[serde(default)]
    pub computation_en: String,
    /// Why it cannot be computed, with the field to look at; nothing is received until that is answered
    #[serde(default)]
    pub question: Option<AmountQuestion>,
}

/// What one container holds by the catalogue.
#[must_use]
pub(super) fn usual_content(file: &CaseFile) -> Content {
    Content { amount: file.product.container_content.decimal(), unit: file.product.content_unit.clone() }
}

/// What the regulation asks of each batch of this case, whose containers hold `content`.
pub(super) fn demand(
    file: &CaseFile,
    determination: &Determination,
    content: &Content,
    practice: &Practice,
) -> LotDemand {
    let Ruled { value: multiple, provisions } = &determination.quantity_multiple;
    let items: Vec<ItemDemand> = file.items.iter().map(TestItemRow::demanded).collect();
    let counted =
        quantities::demand(&items, Some(content), multiple.unwrap_or(1), practice.whole_containers_multiplied)
            .and_then(|counted| Ok((counted, counted.portions()?)));
    let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let mut need = LotDemand {
        full_test_containers: 0,
        multiple: *multiple,
        required_containers: 0,
        provisions: provisions.clone(),
        full_test_amount: None,
        whole_containers: 0,
        content_amount: content.amount.normalize().to_string(),
        content_unit: content.unit.clone(),
        portions: Vec::new(),
        computation_zh: String::new(),
        computation_en: String::new(),
        question: None,
    };
    match counted {
        Ok((counted, portions)) => {
            need.full_test_containers = whole(counted.full_test_containers);
            need.full_test_amount = Some(counted.full_test_amount.normalize().to_string());
            need.whole_containers = whole(counted.whole_containers);
            // Where no provision asks for an amount, none is demanded.
            if multiple.is_some() {
                let (zh, en) = practice.mark();
                (need.computation_zh, need.computation_en) =
                    counted.computation(&content.unit, &file.product.container_name, (&zh, &en));
                need.required_containers = whole(counted.required_containers);
                need.portions = portions.into_iter().map(whole).collect();
            }
        }
        Err(why) if multiple.is_some() => need.question = Some(AmountQuestion::of(&why)),
        Err(_) => {}
    }
    need
}

impl LotDemand {
    /// Whether the ledger can count what the tests use up.
    #[must_use]
    pub(super) fn is_counted(&self) -> bool {
        self.full_test_amount.is_some()
    }

    /// What is asked before anything can be received.
    ///
    /// # Errors
    /// The question, at its field of the sample.
    pub(super) fn known(&self, sample: usize) -> Result<(), CasesRefusal> {
        match &self.question {
            Some(question) => Err(CasesRefusal::AmountUnknown { sample, question: question.clone() }),
            None => Ok(()),
        }
    }

    /// The places that so many containers go to: the portions as far as they are filled, and the rest.
    #[must_use]
    pub(super) fn places(&self, given: i64) -> Vec<(Place, i64)> {
        let (wanted, rest) = match self.portions.as_slice() {
            // Nothing multiplies the amount: what the test does not take answers later questions.
            [] => (vec![(Place::TestPortion, self.full_test_containers)], Place::Retention),
            [test] => (vec![(Place::TestPortion, *test)], Place::Surplus),
            [test, retained] => (vec![(Place::TestPortion, *test), (Place::Retention, *retained)], Place::Surplus),
            [test, again, retained @ ..] => {
                let retained = (Place::Retention, retained.iter().sum());
                (vec![(Place::TestPortion, *test), (Place::Retest, *again), retained], Place::Surplus)
            }
        };
        let mut left = given;
        let mut places: Vec<(Place, i64)> = Vec::new();
        for (place, wanted) in wanted {
            let taken = wanted.clamp(0, left.max(0));
            left -= taken;
            places.push((place, taken));
        }
        places.push((rest, left.max(0)));
        places.retain(|(_, quantity)| *quantity > 0);
        places
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::cases::specimens::World;
    use crate::regulation::Business;

    fn demanded(multiple: Option<u32>, consumes: &str, unit: Option<&str>, whole: Option<i64>) -> LotDemand {
        let world = World::new();
        let mut file = world.ground(Business::DrugRegistration).file;
        file.items[0].consumes = consumes.parse::<Decimal>().expect("a number").into();
        file.items[0].consumes_unit = unit.map(str::to_owned);
        file.items[0].whole_containers = whole;
        let facts = crate::cases::acceptance::case_of(&crate::cases::specimens::application(), &file, world.today());
        let mut determination = world.regulation.determine(&facts.expect("a case")).expect("a determination");
        determination.quantity_multiple.value = multiple;
        let content = Content { amount: Decimal::from(24), unit: "片".into() };
        demand(&file, &determination, &content, world.regulation.practice())
    }

    #[test]
    fn twenty_five_tablets_of_bottles_of_24_are_three_bottles_at_twice() {
        let need = demanded(Some(2), "25", Some("{tbl}"), None);
        assert_eq!((need.full_test_containers, need.required_containers), (2, 3));
        assert_eq!(need.places(3), [(Place::TestPortion, 2), (Place::Retention, 1)]);
        assert_eq!(need.places(5), [(Place::TestPortion, 2), (Place::Retention, 1), (Place::Surplus, 2)]);
        let thrice = demanded(Some(3), "25", None, None);
        assert_eq!(thrice.places(4), [(Place::TestPortion, 2), (Place::Retest, 1), (Place::Retention, 1)]);
        assert!(need.computation_zh.contains("2 × 25 片 = 50 片"), "{}", need.computation_zh);
    }

    #[test]
    fn a_default_of_the_laboratory_says_so() {
        let need = demanded(Some(2), "25", None, Some(20));
        assert_eq!(need.required_containers, 43);
        assert!(need.computation_zh.contains("实验室默认规则〔M-M〕"), "{}", need.computation_zh);
        assert!(!demanded(Some(2), "25", None, None).computation_zh.contains("默认"));
    }

    #[test]
    fn nothing_is_demanded_where_no_provision_asks() {
        let need = demanded(None, "25", None, None);
        assert_eq!((need.full_test_containers, need.required_containers), (2, 0));
        assert_eq!(need.places(3), [(Place::TestPortion, 2), (Place::Retention, 1)]);
        assert_eq!(demanded(None, "2", Some("g"), None).question, None);
    }

    #[test]
    fn what_cannot_be_computed_is_a_question_with_its_field() {
        let need = demanded(Some(2), "2", Some("g"), None);
        let question = need.question.clone().expect("grams are no tablets");
        assert_eq!(question.field, "consumes_unit");
        assert!(question.zh.contains('g') && question.en.contains("assay"), "{question:?}");
        assert!(need.known(0).is_err() && !need.is_counted());
    }
}
