//! The particulars of a case: what its reports carry beside the results. The list of them is written here once.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::refusal::Refusal;
use crate::text;

/// The form in which particulars are stored now.
const VERSION: u32 = 2;

/// The first form had no version.
fn first() -> u32 {
    1
}

fn is_first(version: &u32) -> bool {
    *version == first()
}

macro_rules! particulars {
    ($($(#[$meta:meta])* $name:ident,)+) => {
        /// What the reports carry beside the results; all of it may be left empty.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct Particulars { $($(#[$meta])* pub $name: String,)+ }

        impl Particulars {
            /// The names of all fields.
            pub const FIELDS: &'static [&'static str] = &[$(stringify!($name),)+];

            /// Filled field by field.
            #[must_use]
            pub fn of(text: impl Fn(&'static str) -> String) -> Self {
                Self { $($name: text(stringify!($name)),)+ }
            }

            /// The text of that name; empty where there is no such field.
            #[must_use]
            pub fn get(&self, name: &str) -> String {
                match name { $(stringify!($name) => self.$name.clone(),)+ _ => String::new() }
            }

            /// As they are kept: trimmed, and in the font of the certificates.
            ///
            /// # Errors
            /// Names the field.
            pub fn checked(&self) -> Result<Self, Refusal> {
                Ok(Self { $($name: checked(stringify!($name), &self.$name)?,)+ })
            }
        }

        /// Particulars as they are stored. What another version of the program wrote beside them is kept.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct StoredParticulars {
            #[serde(default = "first", skip_serializing_if = "is_first")]
            version: u32,
            $(#[serde(default)] $name: String,)+
            #[serde(flatten)]
            others: Map<String, Value>,
        }

        impl From<Particulars> for StoredParticulars {
            fn from(given: Particulars) -> Self {
                Self { version: VERSION, $($name: given.$name,)+ others: Map::new() }
            }
        }

        impl From<StoredParticulars> for Particulars {
            fn from(stored: StoredParticulars) -> Self {
                Self { $($name: stored.$name,)+ }
            }
        }
    };
}

particulars! {
    /// 供样／被抽样单位
    supplier,
    /// 检验目的
    test_purpose,
    /// 签发量
    release_quantity,
    /// 进口药品注册证号
    import_registration,
    /// 进口药品口岸检验通知书编号
    notice_number,
    /// 通关单编号
    customs_number,
    /// 合同号
    contract_number,
    /// 进口量
    import_quantity,
    /// 口岸
    port,
    /// 抽样地点
    sampling_place,
    /// 抽样件数
    sampling_packages,
    /// 原厂检验报告号
    manufacturer_report,
    /// 批生产及检验记录摘要编号
    summary_protocol,
    /// 备注
    remarks,
}

fn checked(name: &str, given: &str) -> Result<String, Refusal> {
    let field = format!("particulars.{name}");
    let kept = text::optional(&field, given, text::REMARK)?;
    text::printable(&field, &kept)?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_keeps_what_it_does_not_know() {
        let old = r#"{"supplier": "某单位", "colour": "白"}"#;
        let stored: StoredParticulars = serde_json::from_str(old).expect("the first form");
        assert_eq!((stored.version, stored.supplier.as_str()), (1, "某单位"));
        let back = serde_json::to_value(&stored).expect("JSON");
        assert_eq!((&back["colour"], &back["supplier"]), (&Value::from("白"), &Value::from("某单位")));
        assert!(serde_json::from_str::<Particulars>(old).is_err(), "nobody enters what nobody reads");
        assert!(serde_json::from_str::<StoredParticulars>(r#"{"supplier": 1}"#).is_err());
    }

    #[test]
    fn a_field_that_cannot_be_printed_is_named() {
        let given = Particulars { port: "\u{7}".into(), ..Particulars::default() };
        assert_eq!(given.checked().err().and_then(|refusal| refusal.field).as_deref(), Some("particulars.port"));
        let given = Particulars { port: " 上海 ".into(), ..Particulars::default() };
        assert_eq!(given.checked().map(|kept| kept.port).as_deref(), Ok("上海"));
    }
}
