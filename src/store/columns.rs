//! Column types: typed ids, instants, dates, decimals and the persisted enums.
//!
//! All of them are text in both databases, in one canonical form, so that a row has the same bytes on SQLite
//! and on PostgreSQL (the audit seals rest on that) and no number passes through a binary float.

use std::fmt;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use diesel::backend::Backend;
use diesel::deserialize::FromSqlRow;
use diesel::deserialize::{self, FromSql};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A newtype over text that diesel reads and writes unchanged.
macro_rules! text_column {
    ($(#[$doc:meta])* $name:ident) => {
        #[derive(
            Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, AsExpression, FromSqlRow, ToSchema,
        )]
        $(#[$doc])*
        #[diesel(sql_type = Text)]
        #[serde(transparent)]
        pub struct $name(String);

        impl<DB: Backend> ToSql<Text, DB> for $name
        where
            str: ToSql<Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                <str as ToSql<Text, DB>>::to_sql(self.0.as_str(), out)
            }
        }

        impl<DB: Backend> FromSql<Text, DB> for $name
        where
            String: FromSql<Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
                String::from_sql(bytes).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl $name {
            /// The text as stored.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

/// A typed id: UUID version 7, so that keys grow with time and an index stays compact.
macro_rules! ids {
    ($($name:ident),* $(,)?) => {$(
        text_column!(
            #[doc = concat!("Identifies one row: ", stringify!($name), ".")]
            $name
        );

        impl $name {
            /// A fresh id.
            #[must_use]
            #[allow(clippy::new_without_default)]
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7().to_string())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    )*};
}

ids!(
    InstituteId,
    ApplicantId,
    AccountId,
    SessionId,
    SignatureId,
    SignatoryFieldId,
    SignatoryFieldEndId,
    ProductId,
    SpecificationId,
    TestItemId,
    AuthorisationId,
    OwnerProposalId,
    ApplicationId,
    BatchId,
    SampleId,
    ContainerId,
    CustodyEntryId,
    LabelPrintId,
    ReversalId,
    SealAnchorId,
    KeepingRequestId,
    KeepingStepId,
    HandoverId,
    InstrumentFileId,
    ObservationId,
    TestTaskId,
    ReadingId,
    ResultId,
    OosDecisionId,
    InvestigationStepId,
    ResultCorrectionId,
    RecordCorrectionId,
    ImportCheckId,
    CertificateId,
    ProtocolReviewId,
    ReferenceStandardId,
    EvaluationId,
    EvaluationResultId,
    InstrumentId,
    CalibrationId,
    DeadLetterId,
    RunListId,
);

/// A stored text that cannot be read as what its column holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {what}")]
pub struct Unreadable {
    /// What the column holds: `an instant`, `a date`, `a decimal`, `JSON`.
    pub what: &'static str,
    /// What it has.
    pub text: String,
}

/// A value that is kept as text in one canonical form and was read when it was loaded: what cannot be read never
/// becomes a row, and so never zero, empty or 1970.
macro_rules! parsed_column {
    ($(#[$doc:meta])* $name:ident: $value:ty, $what:literal, $format:expr, $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, AsExpression, FromSqlRow)]
        #[diesel(sql_type = Text)]
        pub struct $name {
            text: String,
            value: $value,
        }

        impl $name {
            /// The text as stored.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.text
            }

            /// Reads a stored text.
            ///
            /// # Errors
            /// Where it is not of the column's form.
            pub fn read(text: String) -> Result<Self, Unreadable> {
                let parse: fn(&str) -> Option<$value> = $parse;
                match parse(&text) {
                    Some(value) => Ok(Self { text, value }),
                    None => Err(Unreadable { what: $what, text }),
                }
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.text == other.text
            }
        }

        impl Eq for $name {}

        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.text.hash(state);
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.text.cmp(&other.text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::read(String::deserialize(from)?).map_err(serde::de::Error::custom)
            }
        }

        impl<DB: Backend> ToSql<Text, DB> for $name
        where
            str: ToSql<Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                <str as ToSql<Text, DB>>::to_sql(self.text.as_str(), out)
            }
        }

        impl<DB: Backend> FromSql<Text, DB> for $name
        where
            String: FromSql<Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
                Ok(Self::read(String::from_sql(bytes)?)?)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let text = utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String);
                text.format($format).into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

/// How the description of the API calls a format.
const fn known(format: utoipa::openapi::KnownFormat) -> Option<utoipa::openapi::SchemaFormat> {
    Some(utoipa::openapi::SchemaFormat::KnownFormat(format))
}

parsed_column!(
    /// An instant: RFC 3339 in UTC with six fractional digits, so that text order is time order.
    Instant: DateTime<Utc>, "an instant", known(utoipa::openapi::KnownFormat::DateTime),
    |text| DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
);
parsed_column!(
    /// A statutory date in Asia/Shanghai, `YYYY-MM-DD`.
    Day: NaiveDate, "a date", known(utoipa::openapi::KnownFormat::Date),
    |text| text.parse().ok()
);
parsed_column!(
    /// A decimal as written: trailing zeros are kept.
    Dec: Decimal, "a decimal", None,
    |text| text.parse().ok()
);

/// A JSON document as text. It is JSON: what is not never becomes a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow, ToSchema)]
#[diesel(sql_type = Text)]
#[schema(value_type = String, content_media_type = "application/json")]
pub struct Json(String);

impl<DB: Backend> ToSql<Text, DB> for Json
where
    str: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        <str as ToSql<Text, DB>>::to_sql(self.0.as_str(), out)
    }
}

impl<DB: Backend> FromSql<Text, DB> for Json
where
    String: FromSql<Text, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let text = String::from_sql(bytes)?;
        match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
            Ok(_) => Ok(Self(text)),
            Err(_) => Err(Unreadable { what: "JSON", text }.into()),
        }
    }
}

impl Serialize for Json {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<DateTime<Utc>> for Instant {
    fn from(at: DateTime<Utc>) -> Self {
        let text = at.to_rfc3339_opts(SecondsFormat::Micros, true);
        // As it is read back: what is finer than the form keeps is gone.
        let value = DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at);
        Self { text, value }
    }
}

impl Instant {
    /// The point in time.
    #[must_use]
    pub fn utc(&self) -> DateTime<Utc> {
        self.value
    }
}

impl From<NaiveDate> for Day {
    fn from(day: NaiveDate) -> Self {
        Self { text: day.format("%Y-%m-%d").to_string(), value: day }
    }
}

impl Day {
    /// The date.
    #[must_use]
    pub fn date(&self) -> NaiveDate {
        self.value
    }
}

impl From<Decimal> for Dec {
    fn from(value: Decimal) -> Self {
        Self { text: value.to_string(), value }
    }
}

impl Dec {
    /// The number.
    #[must_use]
    pub fn decimal(&self) -> Decimal {
        self.value
    }
}

impl Json {
    /// Serialises `value`; what cannot be serialised (which none of the program's types is) becomes `null`.
    #[must_use]
    pub fn of(value: &impl Serialize) -> Self {
        Self(serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()))
    }

    /// Whether it is a list of nothing.
    #[must_use]
    pub fn is_empty_list(&self) -> bool {
        self.0 == "[]"
    }

    /// The text as stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The document as a tree. That it is JSON was seen when it was loaded.
    #[must_use]
    pub fn tree(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or(serde_json::Value::Null)
    }

    /// Reads the document as `T`.
    ///
    /// # Errors
    /// Where the stored document has another shape.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_an_error() {
        assert_eq!(Dec::read("1.50".into()).map(|dec| dec.to_string()), Ok("1.50".to_owned()));
        assert_eq!(Dec::read("1,5".into()).map_err(|error| error.what), Err("a decimal"));
        assert!(Day::read("2026-02-30".into()).is_err() && Day::read(String::new()).is_err());
        assert!(Instant::read("yesterday".into()).is_err());
    }

    #[test]
    fn an_instant_is_what_its_text_says() {
        let fine = DateTime::from_timestamp(1_772_413_200, 123_456_789).expect("an instant");
        let kept = Instant::from(fine);
        assert_eq!(Instant::read(kept.to_string()).map(|read| read.utc()), Ok(kept.utc()));
    }
}
