//! What traits say beside themselves (`data/traits.toml`): which others they imply, and whose they can be.

use serde::Deserialize;

use crate::case::{CaseError, CaseFacts, Product};
use crate::error::RegisterError;
use crate::load;
use vocabulary::words::{Category, Kind, Trait};

/// The file that ships with the program.
const SHIPPED: (&str, &str) = ("traits.toml", include_str!("data/traits.toml"));

/// The rules about traits, in the order of the file.
#[derive(Clone, Debug)]
pub struct TraitRules(Vec<TraitRule>);

/// The rule about one trait.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TraitRule {
    name: Trait,
    #[serde(default)]
    implies: Vec<Trait>,
    /// Empty: of every category.
    #[serde(default)]
    categories: Vec<Category>,
}

impl TraitRules {
    /// The shipped rules.
    ///
    /// # Errors
    /// The shipped file is wrong, which a test excludes.
    pub(crate) fn shipped() -> Result<Self, RegisterError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            #[serde(rename = "trait")]
            rules: Vec<TraitRule>,
        }
        let (file, text) = SHIPPED;
        let read: Result<File, toml::de::Error> = load::parse(file, text)?.try_into();
        let read = read.map_err(|error| RegisterError::File { file: file.to_owned(), detail: error.to_string() })?;
        Ok(TraitRules(read.rules))
    }

    /// The case with the traits that its own imply.
    pub(crate) fn completed(&self, case: &CaseFacts) -> CaseFacts {
        let mut case = case.clone();
        let mut before = 0;
        while case.product.traits.len() != before {
            before = case.product.traits.len();
            let has = |rule: &&TraitRule| case.product.traits.contains(&rule.name);
            let implied: Vec<Trait> = self.0.iter().filter(has).flat_map(|rule| rule.implies.iter().copied()).collect();
            case.product.traits.extend(implied);
        }
        case
    }

    /// What a product says against itself.
    pub(crate) fn product_contradiction(&self, product: &Product) -> Option<CaseError> {
        let Product { category, device_class, traits } = product;
        if let (Kind::Drug, Some(class)) = (category.kind(), device_class) {
            return Some(contradiction(
                "product.device_class",
                format!("{}不分医疗器械类别，却填了{}", category.zh(), class.zh()),
                format!("a product of the category {category} has no device class, and {class} is given"),
            ));
        }
        if category.kind() == Kind::Device && device_class.is_none() {
            return Some(contradiction(
                "product.device_class",
                format!("{}须填类别（I、II、III）", category.zh()),
                format!("a product of the category {category} needs its device class (I, II or III)"),
            ));
        }
        let misfit = |rule: &&TraitRule| {
            traits.contains(&rule.name) && !rule.categories.is_empty() && !rule.categories.contains(category)
        };
        let rule = self.0.iter().find(misfit)?;
        let zh: Vec<&str> = rule.categories.iter().map(|one| one.zh()).collect();
        let en: Vec<&str> = rule.categories.iter().map(|one| one.as_str()).collect();
        Some(contradiction(
            "product.traits",
            format!("“{}”只用于{}，不用于{}", rule.name.zh(), zh.join("、"), category.zh()),
            format!("`{}` is of {} only, and the category is {category}", rule.name, en.join(" or ")),
        ))
    }

    /// What a case says against itself: its product, and dates that cannot follow each other.
    pub(crate) fn contradiction(&self, case: &CaseFacts) -> Option<CaseError> {
        self.product_contradiction(&case.product).or_else(|| {
            let (arrived, sampled) = (case.dates.arrived_at_port?, case.dates.sampled?);
            (sampled < arrived).then(|| {
                contradiction(
                    "dates.sampled",
                    format!("抽样日期{sampled}早于到港日期{arrived}"),
                    format!("sampled on {sampled}, before the arrival at the port on {arrived}"),
                )
            })
        })
    }
}

fn contradiction(field: &'static str, zh: String, en: String) -> CaseError {
    CaseError::Contradiction { field: field.to_owned(), zh, en }
}
