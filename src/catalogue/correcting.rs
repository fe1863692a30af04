//! Putting right what the catalogue says of a product, an applicant or an institute: which fields are texts that documents
//! carry, and what a new text has to be like. What the regulation reads of a product (category, class, traits) is not a
//! matter of spelling: a product that is another one is entered as another one.

use diesel::prelude::*;

use super::owners::keeper;
use super::refusals::CatalogueRefusal;
use crate::action::Context;
use crate::business::{Field, RecordedField};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::store::columns::{ApplicantId, InstituteId, ProductId};
use crate::store::rows::{ApplicantRow, InstituteRow, ProductRow};
use crate::store::schema::{applicant, institute, product};
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::CorrectionSubject;

const OF_PRODUCTS: &[Field] = &[
    Field::new("name_zh", "名称", "Name in Chinese"),
    Field::new("name_en", "英文名称", "Name in English"),
    Field::new("strength", "规格", "Strength"),
    Field::new("dosage_form", "剂型", "Dosage form"),
    Field::new("package_spec", "包装规格", "Package"),
    Field::new("storage", "贮藏", "Storage"),
    Field::new("manufacturer", "生产单位", "Manufacturer"),
    Field::new("holder", "上市许可持有人", "Marketing authorisation holder"),
    Field::new("approval_number", "批准文号", "Approval number"),
];

const OF_APPLICANTS: &[Field] = &[
    Field::new("name", "名称", "Name"),
    Field::new("address", "地址", "Address"),
    Field::new("contact", "联系方式", "Contact"),
];

const OF_INSTITUTES: &[Field] = &[
    Field::new("name_zh", "名称", "Name in Chinese"),
    Field::new("name_en", "英文名称", "Name in English"),
    Field::new("address_zh", "地址", "Address in Chinese"),
    Field::new("address_en", "英文地址", "Address in English"),
];

/// What must not be left empty.
const NEEDED: &[&str] = &["name", "name_zh", "name_en", "manufacturer", "address_zh", "address_en"];

/// An entry of the catalogue that the actor's institute may put right.
#[derive(Clone)]
pub enum CorrectableEntry {
    Product(Box<ProductRow>),
    Applicant(ApplicantRow),
    Institute(InstituteRow),
}

impl CorrectableEntry {
    /// The entry: the institute's own, or a shared one where it keeps the shared catalogue; of institutes itself.
    ///
    /// # Errors
    /// Where there is none, or another institute keeps it.
    pub fn load(conn: &mut AnyConnection, actor: &Actor, subject: CorrectionSubject, id: &str) -> Outcome<Self> {
        let own = actor.institute()?;
        let keeper = keeper(conn, &own)?;
        let may = |owner: Option<&InstituteId>| match owner {
            Some(owner) if *owner == own => Some(Ok(())),
            Some(_) => None,
            None if keeper => Some(Ok(())),
            None => Some(Err(CatalogueRefusal::NotKeeper)),
        };
        match subject {
            CorrectionSubject::Applicant => {
                let found = applicant::table.find(id).select(ApplicantRow::as_select()).first(conn).optional()?;
                let none = || CatalogueRefusal::NoApplicant(ApplicantId::from(id));
                let row: ApplicantRow = found.ok_or_else(none)?;
                may(row.institute_id.as_ref()).ok_or_else(none)??;
                Ok(Self::Applicant(row))
            }
            CorrectionSubject::Institute => {
                let none = || CatalogueRefusal::NoInstitute(InstituteId::from(id));
                if own.as_str() != id {
                    return Err(none().into());
                }
                let found = institute::table.find(id).select(InstituteRow::as_select()).first(conn).optional()?;
                Ok(Self::Institute(found.ok_or_else(none)?))
            }
            _ => {
                let found = product::table.find(id).select(ProductRow::as_select()).first(conn).optional()?;
                let none = || CatalogueRefusal::NoProduct(ProductId::from(id));
                let row: ProductRow = found.ok_or_else(none)?;
                may(row.institute_id.as_ref()).ok_or_else(none)??;
                Ok(Self::Product(Box::new(row)))
            }
        }
    }

    /// The fields of such an entry.
    #[must_use]
    pub fn named(subject: CorrectionSubject) -> Vec<Field> {
        match subject {
            CorrectionSubject::Applicant => OF_APPLICANTS,
            CorrectionSubject::Institute => OF_INSTITUTES,
            _ => OF_PRODUCTS,
        }
        .to_vec()
    }

    /// Its texts as they are on record.
    #[must_use]
    pub fn fields(&self) -> Vec<RecordedField> {
        let recorded = |fields: &[Field], value: &dyn Fn(&str) -> String| -> Vec<RecordedField> {
            fields.iter().map(|field| RecordedField { field: *field, value: value(field.name) }).collect()
        };
        match self {
            Self::Product(row) => recorded(OF_PRODUCTS, &|name| match name {
                "name_zh" => row.name_zh.clone(),
                "name_en" => row.name_en.clone(),
                "strength" => row.strength.clone(),
                "dosage_form" => row.dosage_form.clone(),
                "package_spec" => row.package_spec.clone(),
                "storage" => row.storage.clone(),
                "manufacturer" => row.manufacturer.clone(),
                "holder" => row.holder.clone(),
                _ => row.approval_number.clone().unwrap_or_default(),
            }),
            Self::Applicant(row) => recorded(OF_APPLICANTS, &|name| match name {
                "name" => row.name.clone(),
                "address" => row.address.clone(),
                _ => row.contact.clone(),
            }),
            Self::Institute(row) => recorded(OF_INSTITUTES, &|name| match name {
                "name_zh" => row.name_zh.clone(),
                "name_en" => row.name_en.clone(),
                "address_zh" => row.address_zh.clone(),
                _ => row.address_en.clone(),
            }),
        }
    }

    /// The new text of a field as it is kept.
    ///
    /// # Errors
    /// Where there is no such field, or it does not hold that text.
    pub fn checked(&self, field: &str, new: &str) -> Result<String, Refusal> {
        if !self.fields().iter().any(|known| known.field.name == field) {
            return Err(CatalogueRefusal::NoSuchField(field.to_owned()).into());
        }
        let kept = match NEEDED.contains(&field) {
            true => text::required("new_value", new, text::TEXT)?,
            false => text::optional("new_value", new, text::TEXT)?,
        };
        text::printable("new_value", &kept)?;
        Ok(kept)
    }

    /// Writes a text that was checked, with the event of that name.
    ///
    /// # Errors
    /// The store's failure.
    pub fn keep(
        &self,
        cx: &mut Context<'_>,
        name: &'static str,
        (field, new): (&str, &str),
        reason: &str,
    ) -> Outcome<()> {
        let old = self.fields().into_iter().find(|one| one.field.name == field).map(|one| one.value);
        let (kind, id) = match self {
            Self::Product(row) => {
                write_product(cx.conn, &row.id, field, new)?;
                ("product", row.id.to_string())
            }
            Self::Applicant(row) => {
                write_applicant(cx.conn, &row.id, field, new)?;
                ("applicant", row.id.to_string())
            }
            Self::Institute(row) => {
                write_institute(cx.conn, &row.id, field, new)?;
                ("institute", row.id.to_string())
            }
        };
        cx.record(Change::field(name, kind, id, field, old.unwrap_or_default(), new).because(reason));
        Ok(())
    }
}

fn write_product(conn: &mut AnyConnection, id: &ProductId, field: &str, new: &str) -> Outcome<()> {
    let row = product::table.find(id);
    match field {
        "name_zh" => diesel::update(row).set(product::name_zh.eq(new)).execute(conn)?,
        "name_en" => diesel::update(row).set(product::name_en.eq(new)).execute(conn)?,
        "strength" => diesel::update(row).set(product::strength.eq(new)).execute(conn)?,
        "dosage_form" => diesel::update(row).set(product::dosage_form.eq(new)).execute(conn)?,
        "package_spec" => diesel::update(row).set(product::package_spec.eq(new)).execute(conn)?,
        "storage" => diesel::update(row).set(product::storage.eq(new)).execute(conn)?,
        "manufacturer" => diesel::update(row).set(product::manufacturer.eq(new)).execute(conn)?,
        "holder" => diesel::update(row).set(product::holder.eq(new)).execute(conn)?,
        _ => {
            let given = Some(new).filter(|text| !text.is_empty());
            diesel::update(row).set(product::approval_number.eq(given)).execute(conn)?
        }
    };
    Ok(())
}

fn write_applicant(conn: &mut AnyConnection, id: &ApplicantId, field: &str, new: &str) -> Outcome<()> {
    let row = applicant::table.find(id);
    match field {
        "name" => diesel::update(row).set(applicant::name.eq(new)).execute(conn)?,
        "address" => diesel::update(row).set(applicant::address.eq(new)).execute(conn)?,
        _ => diesel::update(row).set(applicant::contact.eq(new)).execute(conn)?,
    };
    Ok(())
}

fn write_institute(conn: &mut AnyConnection, id: &InstituteId, field: &str, new: &str) -> Outcome<()> {
    let row = institute::table.find(id);
    match field {
        "name_zh" => diesel::update(row).set(institute::name_zh.eq(new)).execute(conn)?,
        "name_en" => diesel::update(row).set(institute::name_en.eq(new)).execute(conn)?,
        "address_zh" => diesel::update(row).set(institute::address_zh.eq(new)).execute(conn)?,
        _ => diesel::update(row).set(institute::address_en.eq(new)).execute(conn)?,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applicant() -> CorrectableEntry {
        CorrectableEntry::Applicant(ApplicantRow {
            id: "a".into(),
            name: "某公司".into(),
            address: String::new(),
            contact: String::new(),
            created_at: chrono::DateTime::UNIX_EPOCH.into(),
            institute_id: Some("i".into()),
        })
    }

    #[test]
    fn a_name_is_never_emptied_and_an_address_may_be() {
        let entry = applicant();
        let at = |field: &str, new: &str| entry.checked(field, new).err().and_then(|refusal| refusal.field);
        assert_eq!(at("name", " ").as_deref(), Some("new_value"));
        assert_eq!(at("name", "\u{1}").as_deref(), Some("new_value"));
        assert_eq!(at("institute_id", "j").as_deref(), Some("field"), "an owner is no text");
        assert_eq!(entry.checked("address", " 上海 ").as_deref(), Ok("上海"));
        assert_eq!(entry.checked("address", "").as_deref(), Ok(""));
    }

    #[test]
    fn every_entry_shows_what_is_on_record() {
        let fields = applicant().fields();
        let names: Vec<&str> = fields.iter().map(|one| one.field.name).collect();
        assert_eq!(names, ["name", "address", "contact"]);
        assert_eq!(fields[0].value, "某公司");
        assert!(NEEDED.iter().all(|name| {
            [OF_PRODUCTS, OF_APPLICANTS, OF_INSTITUTES].iter().any(|all| all.iter().any(|field| field.name == *name))
        }));
    }
}
