//! The test items (检验项目) of a specification, checked before they are kept.

use serde::Deserialize;
use utoipa::ToSchema;

use units::Unit;

use super::refusals::CatalogueRefusal;
use crate::calculation::formula::Formula;
use crate::calculation::inputs::ReadingInput;
use crate::refusal::Refusal;
use crate::regulation::numeric::Limit;
use crate::store::columns::{Dec, Json, SpecificationId, TestItemId};
use crate::store::rows::TestItemRow;
use crate::text;
use crate::vocabulary::register::AnnexPicture;
use crate::vocabulary::{Comparison, ItemKind};

/// A test item (检验项目).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewItem {
    /// A short code, e.g. `assay`
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    /// The method, e.g. `高效液相色谱法（通则0512）`
    pub method: String,
    /// `text` for a finding such as an identity
    pub kind: ItemKind,
    #[serde(default)]
    pub unit: String,
    /// As on the report: `95.0~105.0`, `≤0.5`; for `text` the finding that conforms, e.g. `应呈正反应`
    pub limit: String,
    /// `rounded` or `full` for numbers (GB/T 8170), `text` for findings
    pub compare_by: Comparison,
    /// The step that the result is rounded to; without it, the limit's last digit
    pub rounding_step: Option<String>,
    /// How the result comes from the readings; without it, the mean of the one reading
    pub formula: Option<String>,
    /// The readings that it takes; without them, one reading called `x`
    #[serde(default)]
    pub inputs: Vec<ReadingInput>,
    /// How many times each reading is taken
    #[serde(default = "once")]
    pub replicates: i64,
    /// How much one complete test consumes, in the product's content unit
    pub consumes: String,
    /// The unit of that amount in UCUM (`mL`, `{tbl}`); without it, the product's content unit
    #[serde(default)]
    pub consumes_unit: Option<String>,
    /// Containers that one test needs whole, beside that amount (sterility, minimum fill, visible particles)
    #[serde(default)]
    pub whole_containers: Option<i64>,
    /// Whether the item is within the laboratory's accredited scope
    #[serde(default = "yes")]
    pub in_scope: bool,
    /// What its result can plausibly be, as a limit is written (`50~150`); without it, the laboratory's rules say so.
    /// A result outside is asked about
    #[serde(default)]
    pub plausible: Option<String>,
    /// Whether a failing result may be repeated under a plan (复试); without it, not for sterility, pyrogens and
    /// endotoxins, and else it may
    #[serde(default)]
    pub retest_allowed: Option<bool>,
    /// What the certificate's annex shows of the accepted result's instrument files
    #[serde(default)]
    pub annex: Vec<AnnexPicture>,
}

fn once() -> i64 {
    1
}

fn yes() -> bool {
    true
}

/// An item that was found in order.
#[derive(Clone, Debug)]
pub struct CheckedItem {
    item: NewItem,
    rounding_step: Option<Dec>,
    consumes: Dec,
}

impl CheckedItem {
    /// The row that is kept.
    pub(super) fn row(self, specification_id: &SpecificationId, position: i64) -> TestItemRow {
        let Self { item, rounding_step, consumes } = self;
        TestItemRow {
            id: TestItemId::new(),
            specification_id: specification_id.clone(),
            position,
            code: item.code,
            name_zh: item.name_zh,
            name_en: item.name_en,
            method: item.method,
            kind: item.kind,
            unit: item.unit,
            limit_text: item.limit,
            compare_by: item.compare_by,
            rounding_step,
            formula: item.formula,
            inputs: Json::of(&item.inputs),
            replicates: item.replicates,
            consumes,
            in_scope: item.in_scope,
            annex: Json::of(&item.annex),
            plausible: item.plausible,
            retest_allowed: item.retest_allowed,
            consumes_unit: item.consumes_unit,
            whole_containers: item.whole_containers.filter(|whole| *whole > 0),
        }
    }
}

/// Checks the item at that place of the list, for a product whose content is measured in `content_unit`.
pub(super) fn check_item(index: usize, new: &NewItem, content_unit: &str) -> Result<CheckedItem, Refusal> {
    let at = |field: &str| format!("items[{index}].{field}");
    let limit = text::required(&at("limit"), &new.limit, text::TEXT)?;
    let fits = match new.kind {
        ItemKind::Text => new.compare_by == Comparison::Text,
        ItemKind::Numeric => new.compare_by != Comparison::Text,
    };
    if !fits {
        return Err(CatalogueRefusal::ComparisonMisfit { field: at("compare_by") }.into());
    }
    if new.kind == ItemKind::Numeric {
        Limit::parse(&limit).map_err(|why| CatalogueRefusal::LimitUnreadable { field: at("limit"), why })?;
    }
    let inputs = check_inputs(&at("inputs"), new)?;
    if new.replicates < 1 || new.replicates > 100 {
        return Err(CatalogueRefusal::ReplicateCount { field: at("replicates") }.into());
    }
    if let Some(twice) = (1..new.annex.len()).find(|nth| new.annex[..*nth].contains(&new.annex[*nth])) {
        return Err(CatalogueRefusal::PictureTwice { field: at(&format!("annex[{twice}]")) }.into());
    }
    let plausible = new.plausible.as_deref().map(str::trim).filter(|text| !text.is_empty());
    if let Some(text) = plausible {
        Limit::parse(text).map_err(|why| CatalogueRefusal::LimitUnreadable { field: at("plausible"), why })?;
    }
    let step = new.rounding_step.as_deref();
    let rounding_step = step.map(|step| text::positive(&at("rounding_step"), step)).transpose()?;
    let item = NewItem {
        code: text::required(&at("code"), &new.code, 40)?,
        name_zh: text::required(&at("name_zh"), &new.name_zh, text::TEXT)?,
        name_en: text::required(&at("name_en"), &new.name_en, text::TEXT)?,
        method: text::required(&at("method"), &new.method, text::TEXT)?,
        unit: text::optional(&at("unit"), &new.unit, 20)?,
        plausible: plausible.map(str::to_owned),
        limit,
        inputs,
        consumes_unit: check_unit(&at("consumes_unit"), new.consumes_unit.as_deref(), content_unit)?,
        ..new.clone()
    };
    if new.whole_containers.is_some_and(|whole| !(0..=5000).contains(&whole)) {
        return Err(CatalogueRefusal::WholeContainers { field: at("whole_containers") }.into());
    }
    let consumes = text::not_negative(&at("consumes"), &new.consumes)?.1.into();
    Ok(CheckedItem { item, rounding_step: rounding_step.map(|(_, value)| value.into()), consumes })
}

/// The unit of what an item consumes; it leads to the unit of the content, or nothing can be added up.
fn check_unit(field: &str, typed: Option<&str>, content_unit: &str) -> Result<Option<String>, Refusal> {
    let Some(typed) = typed.map(str::trim).filter(|typed| !typed.is_empty()) else { return Ok(None) };
    let unit = text::required(field, typed, 20)?;
    if !units::same(&unit, content_unit) {
        let way = Unit::read(&unit).and_then(|from| from.to(&Unit::read(content_unit)?));
        way.map_err(|why| CatalogueRefusal::UnitMisfit { field: field.to_owned(), why })?;
    }
    Ok(Some(unit))
}

/// The inputs as declared, or the one reading `x`; every name of the formula is among them.
fn check_inputs(at: &str, new: &NewItem) -> Result<Vec<ReadingInput>, CatalogueRefusal> {
    let mut inputs = new.inputs.clone();
    if inputs.is_empty() {
        let unit = new.unit.clone();
        let (label_zh, label_en) = ("读数".to_owned(), "Reading".to_owned());
        inputs.push(ReadingInput { name: "x".into(), label_zh, label_en, unit, count: 1, source: None, range: None });
    }
    for (index, reading) in inputs.iter().enumerate() {
        let plain = reading.name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if reading.name.is_empty() || !plain || reading.name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(CatalogueRefusal::InputName { field: format!("{at}[{index}].name") });
        }
        if inputs.iter().take(index).any(|other| other.name == reading.name) {
            return Err(CatalogueRefusal::InputTwice { field: format!("{at}[{index}].name") });
        }
        if let Some((part, why)) = reading.source.as_ref().and_then(|source| source.check().err()) {
            return Err(CatalogueRefusal::InputSource { field: format!("{at}[{index}].source.{part}"), why });
        }
        if let Some(why) = reading.range.as_deref().and_then(|text| Limit::parse(text).err()) {
            return Err(CatalogueRefusal::LimitUnreadable { field: format!("{at}[{index}].range"), why });
        }
        if !(0..=500).contains(&reading.count) {
            return Err(CatalogueRefusal::ReadingCount { field: format!("{at}[{index}].count") });
        }
    }
    let field = at.replace("inputs", "formula");
    let Some(formula) = &new.formula else {
        if inputs.len() > 1 {
            return Err(CatalogueRefusal::FormulaNeeded { field });
        }
        return Ok(inputs);
    };
    let formula =
        Formula::parse(formula).map_err(|why| CatalogueRefusal::FormulaUnreadable { field: field.clone(), why })?;
    for name in formula.names() {
        if !inputs.iter().any(|reading| reading.name == name) {
            return Err(CatalogueRefusal::ReadingUndeclared { field, name });
        }
    }
    Ok(inputs)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn assay() -> NewItem {
        NewItem {
            code: "assay".into(),
            name_zh: "含量测定".into(),
            name_en: "Assay".into(),
            method: "通则0512".into(),
            kind: ItemKind::Numeric,
            unit: "%".into(),
            limit: "95.0~105.0".into(),
            compare_by: Comparison::Rounded,
            rounding_step: None,
            formula: None,
            inputs: Vec::new(),
            replicates: 1,
            consumes: "10".into(),
            consumes_unit: None,
            whole_containers: None,
            in_scope: true,
            plausible: None,
            retest_allowed: None,
            annex: Vec::new(),
        }
    }

    fn fault(item: &NewItem) -> Option<String> {
        check_item(3, item, "片").err().and_then(|refusal| refusal.field)
    }

    #[test]
    fn an_item_without_inputs_has_one_reading() {
        let checked = check_item(0, &assay(), "片").expect("an item");
        let names: Vec<&str> = checked.item.inputs.iter().map(|input| input.name.as_str()).collect();
        assert_eq!(names, ["x"]);
    }

    #[test]
    fn a_fault_names_the_place_of_the_item() {
        assert_eq!(fault(&assay()), None);
        let finding = NewItem { kind: ItemKind::Text, ..assay() };
        assert_eq!(fault(&finding).as_deref(), Some("items[3].compare_by"));
        assert_eq!(fault(&NewItem { limit: "much".into(), ..assay() }).as_deref(), Some("items[3].limit"));
        let range = NewItem { plausible: Some("about 100".into()), ..assay() };
        assert_eq!(fault(&range).as_deref(), Some("items[3].plausible"));
        assert_eq!(fault(&NewItem { formula: Some("y * 2".into()), ..assay() }).as_deref(), Some("items[3].formula"));
        let twice = NewItem { annex: vec![AnnexPicture::Chromatogram, AnnexPicture::Chromatogram], ..assay() };
        assert_eq!(fault(&twice).as_deref(), Some("items[3].annex[1]"));
    }

    #[test]
    fn what_is_consumed_leads_to_the_unit_of_the_content() {
        let of = |unit: &str| NewItem { consumes_unit: Some(unit.into()), ..assay() };
        for unit in ["{tbl}", "片", " ", "{tablet}"] {
            assert_eq!(fault(&of(unit)), None, "{unit}");
        }
        for unit in ["g", "mL", "handful", "{capsule}"] {
            assert_eq!(fault(&of(unit)).as_deref(), Some("items[3].consumes_unit"), "{unit}");
        }
        assert!(check_item(0, &of("uL"), "mL").is_ok());
        let whole = |containers: i64| NewItem { whole_containers: Some(containers), ..assay() };
        assert_eq!((fault(&whole(20)), fault(&whole(-1)).is_some()), (None, true));
    }
}
