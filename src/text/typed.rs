//! Dates and decimals as fields of a request: read where the request is read, so that a fault names its field.

use std::fmt;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A date, written `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TypedDate(pub NaiveDate);

/// A plain decimal, written as text so that no digit is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypedDecimal(pub Decimal);

impl From<NaiveDate> for TypedDate {
    fn from(day: NaiveDate) -> Self {
        Self(day)
    }
}

impl fmt::Display for TypedDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

impl<'de> Deserialize<'de> for TypedDate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match super::date("", &text) {
            Ok(day) => Ok(Self(day)),
            Err(_) => Err(D::Error::custom(format!("“{text}”不是日期，应为 YYYY-MM-DD / no date YYYY-MM-DD"))),
        }
    }
}

impl<'de> Deserialize<'de> for TypedDecimal {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match super::decimal("", &text) {
            Ok((_, value)) => Ok(Self(value)),
            Err(_) => Err(D::Error::custom(format!("“{text}”不是十进制数 / no plain decimal such as \"4.5\""))),
        }
    }
}

/// A field that may be left out, be null or be blank.
fn unless_blank<'de, D: Deserializer<'de>, T>(
    from: D,
    read: impl Fn(serde::de::value::StringDeserializer<D::Error>) -> Result<T, D::Error>,
) -> Result<Option<T>, D::Error> {
    use serde::de::IntoDeserializer;
    let text = Option::<String>::deserialize(from)?.filter(|text| !text.trim().is_empty());
    text.map(|text| read(text.into_deserializer())).transpose()
}

/// A date that may be left out or blank.
///
/// # Errors
/// Where it is not a date.
pub fn date_or_blank<'de, D: Deserializer<'de>>(from: D) -> Result<Option<TypedDate>, D::Error> {
    unless_blank(from, TypedDate::deserialize)
}

/// A decimal that may be left out or blank.
///
/// # Errors
/// Where it is not a decimal.
pub fn decimal_or_blank<'de, D: Deserializer<'de>>(from: D) -> Result<Option<TypedDecimal>, D::Error> {
    unless_blank(from, TypedDecimal::deserialize)
}

impl PartialSchema for TypedDate {
    fn schema() -> RefOr<Schema> {
        let date = SchemaFormat::KnownFormat(KnownFormat::Date);
        ObjectBuilder::new().schema_type(Type::String).format(Some(date)).into()
    }
}

impl ToSchema for TypedDate {}

impl PartialSchema for TypedDecimal {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).pattern(Some(r"^-?\d+(\.\d+)?$")).into()
    }
}

impl ToSchema for TypedDecimal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Asked {
        #[serde(default, deserialize_with = "date_or_blank")]
        on: Option<TypedDate>,
        #[serde(default, deserialize_with = "decimal_or_blank")]
        celsius: Option<TypedDecimal>,
    }

    #[test]
    fn dates_are_read_whole_or_not_at_all() {
        let read = |json: &str| serde_json::from_str::<Asked>(json);
        let asked = read(r#"{"on": "2026-03-13", "celsius": "5.0"}"#).expect("both");
        assert_eq!(asked.on.map(|day| day.to_string()).as_deref(), Some("2026-03-13"));
        assert_eq!(asked.celsius.map(|number| number.0.to_string()).as_deref(), Some("5.0"));
        for blank in [r#"{}"#, r#"{"on": null, "celsius": ""}"#, r#"{"on": " "}"#] {
            assert!(read(blank).is_ok_and(|asked| asked.on.is_none() && asked.celsius.is_none()), "{blank}");
        }
        for bad in ["2026-3-13", "13/03/2026", "2026-02-30", "2026-03-13T00:00:00Z"] {
            let told = read(&format!(r#"{{"on": "{bad}"}}"#)).expect_err(bad).to_string();
            assert!(told.contains(bad) && told.contains("YYYY-MM-DD"), "{told}");
        }
        assert!(read(r#"{"celsius": 5}"#).is_err() && read(r#"{"celsius": "5 °C"}"#).is_err());
    }
}
