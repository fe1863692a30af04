//! Products (品种).

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::refusals::CatalogueRefusal;
use crate::action::{Action, Context, Facts};
use crate::insert_all;
use crate::record::Change;
use crate::refusal::Refusal;
use crate::regulation::{Category, DeviceClass, Product, Regulation, Trait};
use crate::store::Outcome;
use crate::store::columns::{Dec, ProductId};
use crate::store::rows::{ProductRow, ProductTraitRow};
use crate::store::schema::{product, product_trait};
use crate::store::views::{self, ProductView};
use crate::text;
use crate::vocabulary::Permission;

/// A new product with what the regulation asks about it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = NewProduct)]
#[serde(deny_unknown_fields)]
pub struct CreateProduct {
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    pub category: Category,
    /// For devices and in-vitro diagnostics
    pub device_class: Option<DeviceClass>,
    /// What speeds or eases its testing, e.g. `rare_disease`
    #[serde(default)]
    pub traits: Vec<Trait>,
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

/// A product that was found in order.
pub struct CheckedProduct {
    new: CreateProduct,
    container_content: Dec,
}

impl CreateProduct {
    fn checked(&self, regulation: &Regulation) -> Result<CheckedProduct, Refusal> {
        let printed = |field: &str, typed: &str| -> Result<String, Refusal> {
            let typed = text::optional(field, typed, text::TEXT)?;
            text::printable(field, &typed)?;
            Ok(typed)
        };
        if self.device_class.is_some() != matches!(self.category, Category::Device | Category::Ivd) {
            return Err(CatalogueRefusal::DeviceClass.into());
        }
        let described = Product {
            category: self.category,
            device_class: self.device_class,
            traits: self.traits.iter().copied().collect(),
        };
        if let Some(error) = regulation.product_contradiction(&described) {
            return Err(CatalogueRefusal::TraitMisfit(error).into());
        }
        let mut traits = self.traits.clone();
        traits.sort_unstable();
        traits.dedup();
        let approval = self.approval_number.as_deref();
        let new = CreateProduct {
            code: text::required("code", &self.code, 40)?,
            name_zh: text::required("name_zh", &self.name_zh, text::TEXT)?,
            name_en: text::required("name_en", &self.name_en, text::TEXT)?,
            category: self.category,
            device_class: self.device_class,
            traits,
            strength: printed("strength", &self.strength)?,
            dosage_form: printed("dosage_form", &self.dosage_form)?,
            package_spec: printed("package_spec", &self.package_spec)?,
            storage: printed("storage", &self.storage)?,
            manufacturer: text::required("manufacturer", &self.manufacturer, text::TEXT)?,
            holder: printed("holder", &self.holder)?,
            approval_number: approval.map(|typed| printed("approval_number", typed)).transpose()?,
            container_name: text::required("container_name", &self.container_name, 20)?,
            container_content: self.container_content.clone(),
            content_unit: text::required("content_unit", &self.content_unit, 20)?,
        };
        let container_content = text::positive("container_content", &self.container_content)?.1.into();
        Ok(CheckedProduct { new, container_content })
    }
}

/// What the trail says of a new product.
fn content(row: &ProductRow, traits: &[Trait]) -> Value {
    json!({"code": row.code, "name_zh": row.name_zh, "name_en": row.name_en, "category": row.category,
        "device_class": row.device_class, "traits": traits, "strength": row.strength,
        "dosage_form": row.dosage_form, "package_spec": row.package_spec, "storage": row.storage,
        "manufacturer": row.manufacturer, "holder": row.holder, "approval_number": row.approval_number,
        "container_name": row.container_name, "container_content": row.container_content,
        "content_unit": row.content_unit})
}

impl Action for CreateProduct {
    const NAME: &'static str = "product.create";
    const PERMISSION: Permission = Permission::ProductManage;
    type Prepared = ();
    type Loaded = ();
    type Plan = CheckedProduct;
    type Done = ProductView;

    fn load(&self, _: &mut Context<'_>, (): &()) -> Outcome<()> {
        Ok(())
    }

    fn decide(&self, facts: &Facts<'_>, (): &()) -> Result<CheckedProduct, Refusal> {
        self.checked(facts.regulation)
    }

    fn keep(&self, cx: &mut Context<'_>, (): (), plan: CheckedProduct) -> Outcome<ProductView> {
        let CheckedProduct { new, container_content } = plan;
        let row = ProductRow {
            id: ProductId::new(),
            code: new.code,
            name_zh: new.name_zh,
            name_en: new.name_en,
            category: new.category,
            device_class: new.device_class,
            strength: new.strength,
            dosage_form: new.dosage_form,
            package_spec: new.package_spec,
            storage: new.storage,
            manufacturer: new.manufacturer,
            holder: new.holder,
            approval_number: new.approval_number,
            container_name: new.container_name,
            container_content,
            content_unit: new.content_unit,
            created_at: cx.now.into(),
            institute_id: Some(cx.institute()?),
        };
        diesel::insert_into(product::table).values(&row).execute(cx.conn)?;
        let of = |trait_name: &Trait| ProductTraitRow { product_id: row.id.clone(), trait_name: *trait_name };
        let traits: Vec<ProductTraitRow> = new.traits.iter().map(of).collect();
        insert_all!(cx.conn, product_trait::table, &traits)?;
        cx.record(Change::created(Self::NAME, "product", &row.id, content(&row, &new.traits)));
        let reader = cx.services.reader(cx.actor)?;
        let made = views::product(cx.conn, &reader, &row.id)?;
        made.ok_or_else(|| CatalogueRefusal::NoProduct(row.id).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product() -> CreateProduct {
        CreateProduct {
            code: "P".into(),
            name_zh: "示范品".into(),
            name_en: "Specimen".into(),
            category: Category::Chemical,
            device_class: None,
            traits: vec![Trait::RareDisease, Trait::Innovative, Trait::RareDisease],
            strength: "10 mg".into(),
            dosage_form: "片剂".into(),
            package_spec: String::new(),
            storage: String::new(),
            manufacturer: "示范制药有限公司".into(),
            holder: String::new(),
            approval_number: None,
            container_name: "瓶".into(),
            container_content: "10.0".into(),
            content_unit: "片".into(),
        }
    }

    fn fault(new: &CreateProduct) -> Option<String> {
        let regulation = Regulation::embedded().expect("the shipped regulation");
        new.checked(&regulation).err().and_then(|refusal| refusal.field)
    }

    #[test]
    fn a_class_is_of_devices_only() {
        assert_eq!(fault(&product()), None);
        let classed = CreateProduct { device_class: Some(DeviceClass::II), ..product() };
        assert_eq!(fault(&classed).as_deref(), Some("device_class"));
        let device = CreateProduct { category: Category::Device, ..product() };
        assert_eq!(fault(&device).as_deref(), Some("device_class"));
    }

    #[test]
    fn an_influenza_vaccine_is_no_chemical() {
        let flu = CreateProduct { traits: vec![Trait::SeasonalInfluenzaVaccine], ..product() };
        assert_eq!(fault(&flu).as_deref(), Some("traits"));
        assert_eq!(fault(&CreateProduct { category: Category::Vaccine, ..flu }), None);
    }

    #[test]
    fn a_trait_counts_once_and_a_content_is_kept_as_written() {
        let regulation = Regulation::embedded().expect("the shipped regulation");
        let Ok(checked) = product().checked(&regulation) else { panic!("a product") };
        assert_eq!(checked.new.traits, [Trait::Innovative, Trait::RareDisease]);
        assert_eq!(checked.container_content.as_str(), "10.0");
        assert_eq!(
            fault(&CreateProduct { container_content: "0".into(), ..product() }).as_deref(),
            Some("container_content")
        );
    }
}
