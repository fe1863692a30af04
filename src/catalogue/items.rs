//! Specifications (质量标准) and their test items (检验项目). An effective specification is locked.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::action::Services;
use crate::calculation::formula::Formula;
use crate::calculation::inputs::ReadingInput;
use crate::insert_all;
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::regulation::numeric::Limit;
use crate::store::columns::{Json, ProductId, SpecificationId, TestItemId};
use crate::store::dialect::columns_of;
use crate::store::rows::{SpecificationRow, TestItemRow};
use crate::store::schema::{specification, test_item};
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::{Comparison, ItemKind};

/// A new version of a product's specification.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSpecification {
    pub product_id: String,
    /// 检验依据, e.g. `《中国药典》2025年版二部`
    pub title: String,
    /// The edition in force
    pub edition: String,
    pub items: Vec<NewItem>,
}

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
    /// `numeric`, or `text` for a finding such as an identity
    pub kind: String,
    #[serde(default)]
    pub unit: String,
    /// As on the report: `95.0~105.0`, `≤0.5`; for `text` the finding that conforms, e.g. `应呈正反应`
    pub limit: String,
    /// `rounded` (修约值比较法) or `full` (全数值比较法), GB/T 8170; `text` for findings
    pub compare_by: String,
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
    /// Whether the item is within the laboratory's accredited scope
    #[serde(default = "yes")]
    pub in_scope: bool,
    /// What the certificate's annex shows of the accepted result's instrument files: `chromatogram`
    #[serde(default)]
    pub annex: Vec<String>,
}

fn once() -> i64 {
    1
}

fn yes() -> bool {
    true
}

/// Stores a new version of a specification as a draft.
///
/// # Errors
/// Where a field is not as expected; the field is named with the item's position.
pub fn create_specification(services: &Services, actor: &Actor, new: &NewSpecification) -> Outcome<SpecificationRow> {
    if new.items.is_empty() || new.items.len() > 200 {
        return Err(Refusal::field("items", "应有 1 至 200 个检验项目", "expected 1 to 200 test items").into());
    }
    let at = services.clock.now();
    let mut row = SpecificationRow {
        id: SpecificationId::new(),
        product_id: new.product_id.as_str().into(),
        version: 1,
        title: text::printed("title", &new.title, text::TEXT)?,
        edition: text::printed("edition", &new.edition, text::TEXT)?,
        status: "draft".into(),
        effective_from: None,
        created_at: at.into(),
    };
    let items = new
        .items
        .iter()
        .enumerate()
        .map(|(index, item)| check_item(&row.id, index, item))
        .collect::<Result<Vec<_>, Refusal>>()?;
    let actor = actor.clone();
    services.db.write(move |conn| {
        row.version = next_version(conn, &row.product_id)?;
        diesel::insert_into(specification::table).values(&row).execute(conn)?;
        insert_all!(conn, test_item::table, &items)?;
        let change = Change::created("specification.create", "specification", &row.id, json!(row)).and(
            "items",
            (),
            json!(items),
        );
        record::record(conn, &actor, at, vec![change])?;
        Ok(row.clone())
    })
}

fn next_version(conn: &mut AnyConnection, product: &ProductId) -> Outcome<i64> {
    let last: Option<i64> = specification::table
        .filter(specification::product_id.eq(product))
        .select(diesel::dsl::max(specification::version))
        .first(conn)?;
    Ok(last.unwrap_or(0) + 1)
}

fn check_item(specification_id: &SpecificationId, index: usize, new: &NewItem) -> Result<TestItemRow, Refusal> {
    let at = |field: &str| format!("items[{index}].{field}");
    let kind = ItemKind::parse(&new.kind);
    let kind = kind.ok_or_else(|| Refusal::field(at("kind"), "应为 numeric 或 text", "expected numeric or text"))?;
    let text = kind == ItemKind::Text;
    let limit = text::printed(&at("limit"), &new.limit, text::TEXT)?;
    let compare_by = match (text, Comparison::parse(&new.compare_by)) {
        (true, Some(by @ Comparison::Text)) | (false, Some(by @ (Comparison::Rounded | Comparison::Full))) => by,
        _ => {
            return Err(Refusal::field(
                at("compare_by"),
                "数值项目应为 rounded 或 full，文字项目应为 text",
                "expected rounded or full for a numeric item, text for a finding",
            ));
        }
    };
    if !text {
        Limit::parse(&limit).map_err(|error| Refusal::field(at("limit"), error.to_string(), error.to_string()))?;
    }
    let inputs = check_inputs(&at("inputs"), new)?;
    if new.replicates < 1 || new.replicates > 100 {
        return Err(Refusal::field(at("replicates"), "应为 1 至 100", "expected 1 to 100"));
    }
    Ok(TestItemRow {
        id: TestItemId::new(),
        specification_id: specification_id.clone(),
        position: i64::try_from(index).unwrap_or(i64::MAX) + 1,
        code: text::required(&at("code"), &new.code, 40)?,
        name_zh: text::printed(&at("name_zh"), &new.name_zh, text::TEXT)?,
        name_en: text::printed(&at("name_en"), &new.name_en, text::TEXT)?,
        method: text::printed(&at("method"), &new.method, text::TEXT)?,
        kind,
        unit: text::optional(&at("unit"), &new.unit, 20)?,
        limit_text: limit,
        compare_by,
        rounding_step: (new.rounding_step.as_deref())
            .map(|step| text::positive(&at("rounding_step"), step).map(|(_, value)| value.into()))
            .transpose()?,
        formula: new.formula.clone(),
        inputs: Json::of(&inputs),
        replicates: new.replicates,
        consumes: text::not_negative(&at("consumes"), &new.consumes)?.1.into(),
        in_scope: new.in_scope,
        annex: Json::of(&check_annex(&at("annex"), &new.annex)?),
    })
}

/// What an annex can show.
const ANNEX: [&str; 1] = ["chromatogram"];

fn check_annex(at: &str, wanted: &[String]) -> Result<Vec<String>, Refusal> {
    for (index, word) in wanted.iter().enumerate() {
        if !ANNEX.contains(&word.as_str()) || wanted.iter().take(index).any(|before| before == word) {
            let words = ANNEX.join(", ");
            let (zh, en) = (format!("应为 {words}，且不重复"), format!("expected {words}, each once"));
            return Err(Refusal::field(format!("{at}[{index}]"), zh, en));
        }
    }
    Ok(wanted.to_vec())
}

/// The inputs as declared, or the one reading `x`; every name of the formula is among them.
fn check_inputs(at: &str, new: &NewItem) -> Result<Vec<ReadingInput>, Refusal> {
    let mut inputs = new.inputs.clone();
    if inputs.is_empty() {
        let unit = new.unit.clone();
        let (label_zh, label_en) = ("读数".to_owned(), "Reading".to_owned());
        inputs.push(ReadingInput { name: "x".into(), label_zh, label_en, unit, count: 1, source: None });
    }
    for (index, reading) in inputs.iter().enumerate() {
        let plain = reading.name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if reading.name.is_empty() || !plain || reading.name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(Refusal::field(
                format!("{at}[{index}].name"),
                "应以字母开头，由字母、数字和下划线组成",
                "expected letters, digits and underscores, with a letter first",
            ));
        }
        if inputs.iter().take(index).any(|other| other.name == reading.name) {
            return Err(Refusal::field(format!("{at}[{index}].name"), "名称重复", "the name stands twice"));
        }
        if let Some((part, why)) = reading.source.as_ref().and_then(|source| source.check().err()) {
            return Err(Refusal::field(format!("{at}[{index}].source.{part}"), why.clone(), why));
        }
        if !(0..=500).contains(&reading.count) {
            return Err(Refusal::field(format!("{at}[{index}].count"), "应为 0 至 500", "expected 0 to 500"));
        }
    }
    let field = at.replace("inputs", "formula");
    let Some(formula) = &new.formula else {
        if inputs.len() > 1 {
            return Err(Refusal::field(field, "多个读数须有计算公式", "several readings need a formula"));
        }
        return Ok(inputs);
    };
    let formula =
        Formula::parse(formula).map_err(|error| Refusal::field(&field, error.to_string(), error.to_string()))?;
    for name in formula.names() {
        if !inputs.iter().any(|reading| reading.name == name) {
            return Err(Refusal::field(
                field,
                format!("公式使用了未定义的读数 {name}"),
                format!("the formula uses the reading {name}, which is not declared"),
            ));
        }
    }
    Ok(inputs)
}

/// Makes a draft effective from `from` on; the version before it is superseded.
///
/// # Errors
/// Where it is no draft.
pub fn make_effective(
    services: &Services,
    actor: &Actor,
    id: &SpecificationId,
    from: &str,
) -> Outcome<SpecificationRow> {
    let from = text::date("effective_from", from)?;
    let (actor, at, id) = (actor.clone(), services.clock.now(), id.clone());
    services.db.write(move |conn| {
        let found: Option<SpecificationRow> =
            specification::table.find(&id).select(SpecificationRow::as_select()).first(conn).optional()?;
        let mut row = found.ok_or_else(|| Refusal::not_found("质量标准", "specification", id.as_str()))?;
        if row.status != "draft" {
            return Err(Refusal::new(Code::WrongState, "该标准不是草稿", "the specification is no draft").into());
        }
        let before = specification::table
            .filter(specification::product_id.eq(&row.product_id))
            .filter(specification::status.eq("effective"));
        diesel::update(before).set(specification::status.eq("superseded")).execute(conn)?;
        row = diesel::update(specification::table.find(&id))
            .set((
                specification::status.eq("effective"),
                specification::effective_from.eq(crate::store::columns::Day::from(from)),
            ))
            .returning(columns_of::<SpecificationRow>())
            .get_result(conn)?;
        let change = Change::field("specification.effective", "specification", &id, "status", "draft", "effective")
            .and("effective_from", (), from.to_string());
        record::record(conn, &actor, at, vec![change])?;
        Ok(row)
    })
}
