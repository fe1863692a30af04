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

/// A newtype over text that diesel reads and writes as it stands.
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
    ProductId,
    SpecificationId,
    TestItemId,
    AuthorisationId,
    ApplicationId,
    BatchId,
    SampleId,
    ContainerId,
    CustodyEntryId,
    InstrumentFileId,
    ObservationId,
    TestTaskId,
    ReadingId,
    ResultId,
    OosDecisionId,
    ImportCheckId,
    CertificateId,
    ReferenceStandardId,
    EvaluationId,
    EvaluationResultId,
    InstrumentId,
    CalibrationId,
    DeadLetterId,
    RunListId,
);

text_column!(
    /// An instant: RFC 3339 in UTC with six fractional digits, so that text order is time order.
    #[schema(format = DateTime)]
    Instant
);
text_column!(
    /// A statutory date in Asia/Shanghai, `YYYY-MM-DD`.
    #[schema(format = Date)]
    Day
);
text_column!(
    /// A decimal as written: trailing zeros are kept.
    Dec
);
text_column!(
    /// A JSON document as text.
    #[schema(content_media_type = "application/json")]
    Json
);

impl From<DateTime<Utc>> for Instant {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl Instant {
    /// The point in time. Rows written by hand past the database's own checks read as the epoch.
    #[must_use]
    pub fn utc(&self) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(&self.0).map(|at| at.to_utc()).unwrap_or_default()
    }
}

impl From<NaiveDate> for Day {
    fn from(day: NaiveDate) -> Self {
        Self(day.format("%Y-%m-%d").to_string())
    }
}

impl Day {
    /// The date. Rows written by hand past the database's own checks read as 1970-01-01.
    #[must_use]
    pub fn date(&self) -> NaiveDate {
        self.0.parse().unwrap_or_default()
    }
}

impl From<Decimal> for Dec {
    fn from(value: Decimal) -> Self {
        Self(value.to_string())
    }
}

impl Dec {
    /// The number. Rows written by hand past the database's own checks read as zero.
    #[must_use]
    pub fn decimal(&self) -> Decimal {
        self.0.parse().unwrap_or_default()
    }
}

impl Json {
    /// Serialises `value`; what cannot be serialised (no type of ours) becomes `null`.
    #[must_use]
    pub fn of(value: &impl Serialize) -> Self {
        Self(serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()))
    }

    /// The document as a tree.
    #[must_use]
    pub fn tree(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// Reads the document as `T`.
    ///
    /// # Errors
    /// Where the stored document has another shape.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }
}
