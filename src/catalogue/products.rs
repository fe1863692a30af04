//! Products (品种).

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::action::Services;
use crate::insert_all;
use crate::record::{self, Actor, Change};
use crate::refusal::Refusal;
use crate::regulation::{Category, DeviceClass, Trait};
use crate::store::Outcome;
use crate::store::columns::ProductId;
use crate::store::rows::{ProductRow, ProductTraitRow};
use crate::store::schema::{product, product_trait};
use crate::text;

/// A new product with what the regulation asks about it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    /// `chemical`, `tcm`, `biologic`, `vaccine`, `blood_product`, `blood_screening_reagent`, `device`, `ivd`
    pub category: String,
    /// `I`, `II`, `III` for devices
    pub device_class: Option<String>,
    /// What speeds or eases its testing, e.g. `rare_disease`
    #[serde(default)]
    pub traits: Vec<String>,
    #[serde(default)]
    pub strength: String,
    #[serde(default)]
    pub dosage_form: String,
    #[serde(default)]
    pub package_spec: String,
    #[serde(default)]
    pub storage: String,
    pub manufacturer: String,
    /// 上市许可持有人, marketing authorisation holder
    #[serde(default)]
    pub holder: String,
    pub approval_number: Option<String>,
    /// What one container is called, e.g. `瓶`
    pub container_name: String,
    /// How much one container holds, in `content_unit`
    pub container_content: String,
    /// The unit in which test items state what they consume, e.g. `片`, `mL`
    pub content_unit: String,
}

/// Registers a product.
///
/// # Errors
/// Where a field is not as expected or the code is taken.
pub fn create_product(services: &Services, actor: &Actor, new: &NewProduct) -> Outcome<ProductRow> {
    let at = services.clock.now();
    let printed = |field: &str, text: &str| -> Result<String, Refusal> {
        let text = text::optional(field, text, text::TEXT)?;
        text::printable(field, &text)?;
        Ok(text)
    };
    let row = ProductRow {
        id: ProductId::new(),
        code: text::required("code", &new.code, 40)?,
        name_zh: text::printed("name_zh", &new.name_zh, text::TEXT)?,
        name_en: text::printed("name_en", &new.name_en, text::TEXT)?,
        category: text::word("category", &new.category, Category::parse)?,
        device_class: (new.device_class.as_deref())
            .map(|text| text::word("device_class", text, DeviceClass::parse))
            .transpose()?,
        strength: printed("strength", &new.strength)?,
        dosage_form: printed("dosage_form", &new.dosage_form)?,
        package_spec: printed("package_spec", &new.package_spec)?,
        storage: printed("storage", &new.storage)?,
        manufacturer: text::printed("manufacturer", &new.manufacturer, text::TEXT)?,
        holder: printed("holder", &new.holder)?,
        approval_number: new.approval_number.as_deref().map(|t| printed("approval_number", t)).transpose()?,
        container_name: text::printed("container_name", &new.container_name, 20)?,
        container_content: text::positive("container_content", &new.container_content)?.1.into(),
        content_unit: text::printed("content_unit", &new.content_unit, 20)?,
        created_at: at.into(),
    };
    if row.device_class.is_some() != matches!(row.category, Category::Device | Category::Ivd) {
        return Err(Refusal::field(
            "device_class",
            "器械与体外诊断试剂须填类别，其他品种不填",
            "is given for devices and in-vitro diagnostics, and for nothing else",
        )
        .into());
    }
    let mut traits: Vec<ProductTraitRow> = Vec::new();
    for (index, text) in new.traits.iter().enumerate() {
        let trait_name = text::word(&format!("traits[{index}]"), text, Trait::parse)?;
        if !traits.iter().any(|row| row.trait_name == trait_name) {
            traits.push(ProductTraitRow { product_id: row.id.clone(), trait_name });
        }
    }
    let actor = actor.clone();
    services.db.write(move |conn| {
        diesel::insert_into(product::table).values(&row).execute(conn)?;
        insert_all!(conn, product_trait::table, &traits)?;
        let names: Vec<&str> = traits.iter().map(|t| t.trait_name.as_str()).collect();
        let change = Change::created("product.create", "product", &row.id, json!(row)).and("traits", (), json!(names));
        record::record(conn, &actor, at, vec![change])?;
        Ok(row.clone())
    })
}
