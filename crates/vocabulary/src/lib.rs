//! The words of Qianfa: every lifecycle with its events and its one transition function, the roles and what each may
//! do, and the closed vocabularies of a case. A word is the same in JSON, in the database and on the command line alike,
//! with its names in Chinese and English beside it.

/// Declares an enum whose variants are known outside by one word each, and named in both languages.
macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal, $zh:literal, $en:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(
            feature = "database",
            derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow),
            diesel(sql_type = diesel::sql_types::Text)
        )]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The word used in JSON, in the database and on the command line.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }

            /// The name in Chinese.
            pub const fn zh(self) -> &'static str {
                match self { $($name::$variant => $zh,)+ }
            }

            /// The name in English.
            pub const fn en(self) -> &'static str {
                match self { $($name::$variant => $en,)+ }
            }

            /// The value that a word stands for; `None` for any other word.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some($name::$variant),)+ _ => None }
            }

            /// All words, for messages that say what was expected.
            pub fn words() -> String {
                [$($word,)+].join(", ")
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <String as serde::Deserialize>::deserialize(deserializer)?;
                $name::parse(&word).ok_or_else(|| {
                    serde::de::Error::custom(format!(
                        "`{word}` is not one of: {}", $name::words()
                    ))
                })
            }
        }

        #[cfg(feature = "database")]
        impl<DB: diesel::backend::Backend> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where
            str: diesel::serialize::ToSql<diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
                <str as diesel::serialize::ToSql<diesel::sql_types::Text, DB>>::to_sql(self.as_str(), out)
            }
        }

        #[cfg(feature = "database")]
        impl<DB: diesel::backend::Backend> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $name
        where
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let text = <String as diesel::deserialize::FromSql<diesel::sql_types::Text, DB>>::from_sql(bytes)?;
                $name::parse(&text).ok_or_else(|| format!("{text:?} is not a {}", stringify!($name)).into())
            }
        }

        #[cfg(feature = "schema")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                crate::words_schema($name::ALL.iter().map(|one| (one.as_str(), one.zh(), one.en())))
            }
        }

        #[cfg(feature = "schema")]
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

#[cfg(feature = "schema")]
/// The words of a vocabulary as the public interface describes them: each with what it means.
pub(crate) fn words_schema(
    words: impl Iterator<Item = (&'static str, &'static str, &'static str)> + Clone,
) -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    let meaning = words.clone().map(|(word, zh, en)| format!("`{word}` {zh} {en}")).collect::<Vec<_>>().join("; ");
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .enum_values(Some(words.map(|(word, ..)| word)))
        .description(Some(meaning))
        .into()
}

#[macro_use]
pub mod states;

mod bench;
mod certificates;
mod corrections;
pub mod duties;
mod evaluations;
mod hidden;
pub mod instruments;
pub mod investigation;
pub mod keeping;
mod places;
pub mod register;
pub mod roles;
pub mod samples;
pub mod words;

pub use bench::{
    CheckOutcome, Comparison, CorrectionKind, ItemKind, OosDecision, ReadingSource, ReviewOutcome, Verdict,
};
pub use certificates::{CertificateKind, IssueMeaning, ProtocolOutcome, SignatureMeaning};
pub use corrections::{CorrectionOutcome, CorrectionSubject};
pub use duties::Duty;
pub use evaluations::{
    EvaluationKind, EvaluationVerdict, ReferenceStandardEvent, ReferenceStandardState, ResultPart, StandardBasis,
};
pub use hidden::Hidden;
pub use investigation::{CheckFinding, InvestigationEvent, InvestigationState};
pub use keeping::{KeepingEvent, KeepingKind, KeepingState};
pub use places::Place;
pub use register::{
    AccountState, AnchorKind, AuthorisationState, PasswordOrigin, SpecificationStanding, SpecificationState,
};
pub use roles::{Permission, Role, allowed};
pub use samples::{Portion, SampleState};
pub use states::{CaseState, CertificateState, TaskState};
pub use words::{
    Business, Category, ClockName, ClockUnit, Confidence, DateName, DeviceClass, Jurisdiction, Kind, Lane, Purpose,
    Trait, is_jurisdiction,
};
