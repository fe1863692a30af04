//! A case as the public interface writes it, read strictly: every complaint names the field.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use thiserror::Error;

use vocabulary::words::{Business, Category, DateName, DeviceClass, Jurisdiction, Purpose, Trait};

/// What a determination is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CaseFacts {
    pub business: Business,
    /// What the same samples are tested for beside that: an imported vaccine has port entry and lot release.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub obligations: Vec<Business>,
    /// Where the releasing, port or testing institute is: that decides which local rules speak.
    pub jurisdiction: Jurisdiction,
    pub dates: Dates,
    pub product: Product,
    pub purpose: Purpose,
    pub pre_submission: bool,
    pub standard_verification: bool,
}

/// The dates of a case, all of them dates in Asia/Shanghai.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = CaseDates)]
pub struct Dates {
    pub accepted: NaiveDate,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrived_at_port: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice_received: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampled: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supplement_requested: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_received: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling_refused: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub re_examination_accepted: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_ends: Option<NaiveDate>,
}

impl Dates {
    /// A case of which only the acceptance is known.
    pub const fn accepted_on(accepted: NaiveDate) -> Self {
        Dates {
            accepted,
            arrived_at_port: None,
            notice_received: None,
            sampled: None,
            received: None,
            supplement_requested: None,
            result_received: None,
            sampling_refused: None,
            re_examination_accepted: None,
            review_ends: None,
        }
    }

    /// The date of that name, where the case has it.
    pub const fn get(&self, name: DateName) -> Option<NaiveDate> {
        match name {
            DateName::Accepted => Some(self.accepted),
            DateName::ArrivedAtPort => self.arrived_at_port,
            DateName::NoticeReceived => self.notice_received,
            DateName::Sampled => self.sampled,
            DateName::Received => self.received,
            DateName::SupplementRequested => self.supplement_requested,
            DateName::ResultReceived => self.result_received,
            DateName::SamplingRefused => self.sampling_refused,
            DateName::ReExaminationAccepted => self.re_examination_accepted,
            DateName::ReviewEnds => self.review_ends,
        }
    }
}

/// What is tested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = RegulatedProduct)]
pub struct Product {
    pub category: Category,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_class: Option<DeviceClass>,
    pub traits: BTreeSet<Trait>,
}

/// Why a case could not be read. Every variant but the first names the field.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CaseError {
    #[error("the case is not JSON: {detail}")]
    NotJson { detail: String },
    #[error("unknown field `{field}`")]
    UnknownField { field: String },
    #[error("missing field `{field}`")]
    Missing { field: String },
    #[error("field `{field}`: expected {expected}")]
    WrongType { field: String, expected: &'static str },
    #[error("field `{field}`: unknown value `{value}`, expected one of: {expected}")]
    UnknownValue { field: String, value: String, expected: String },
    #[error("field `{field}`: `{value}` is not a date (expected YYYY-MM-DD)")]
    NotADate { field: String, value: String },
    /// Two things of the case exclude each other; `field` is the one to look at first.
    #[error("field `{field}`: {en} / {zh}")]
    Contradiction { field: String, zh: String, en: String },
}

impl CaseError {
    /// A stable word for the kind of problem.
    pub const fn code(&self) -> &'static str {
        match self {
            CaseError::NotJson { .. } => "not_json",
            CaseError::UnknownField { .. } => "unknown_field",
            CaseError::Missing { .. } => "missing_field",
            CaseError::WrongType { .. } => "wrong_type",
            CaseError::UnknownValue { .. } => "unknown_value",
            CaseError::NotADate { .. } => "not_a_date",
            CaseError::Contradiction { .. } => "contradiction",
        }
    }

    /// The field that the complaint is about, as a path (`dates.accepted`).
    pub fn field(&self) -> Option<&str> {
        match self {
            CaseError::NotJson { .. } => None,
            CaseError::UnknownField { field }
            | CaseError::Missing { field }
            | CaseError::WrongType { field, .. }
            | CaseError::UnknownValue { field, .. }
            | CaseError::NotADate { field, .. }
            | CaseError::Contradiction { field, .. } => Some(field),
        }
    }

    /// What is said, in Chinese and English; what only a machine writes wrongly has one sentence for both.
    pub fn sides(&self) -> (String, String) {
        match self {
            CaseError::Contradiction { zh, en, .. } => (zh.clone(), en.clone()),
            other => (other.to_string(), other.to_string()),
        }
    }
}

impl CaseFacts {
    /// Reads a case from JSON text.
    ///
    /// # Errors
    /// Text that is not JSON, an unknown, missing or repeated field, a word outside its vocabulary, a wrong date.
    pub fn from_json(text: &str) -> Result<CaseFacts, CaseError> {
        let strict: StrictValue =
            serde_json::from_str(text).map_err(|error| CaseError::NotJson { detail: error.to_string() })?;
        CaseFacts::from_value(&strict.0)
    }

    /// Reads a case from a JSON value.
    ///
    /// # Errors
    /// As [`CaseFacts::from_json`].
    pub fn from_value(value: &Value) -> Result<CaseFacts, CaseError> {
        let top = Fields::of(value, "")?;
        top.only(&[
            "business",
            "obligations",
            "jurisdiction",
            "dates",
            "product",
            "purpose",
            "pre_submission",
            "standard_verification",
        ])?;
        let business = top.required("business")?;
        let business = top.word("business", business, Business::parse, Business::words)?;
        let jurisdiction = top.required("jurisdiction")?;
        let jurisdiction = top.word("jurisdiction", jurisdiction, Jurisdiction::parse, || {
            "CN, or CN- and a letter code of ISO 3166-2 (CN-SH)".to_owned()
        })?;
        let obligations = read_obligations(&top, business)?;
        let dates = read_dates(&top)?;
        let product = read_product(&top)?;
        let purpose = match top.optional("purpose") {
            None => Purpose::Initial,
            Some(value) => top.word("purpose", value, Purpose::parse, Purpose::words)?,
        };
        Ok(CaseFacts {
            business,
            obligations,
            jurisdiction,
            dates,
            product,
            purpose,
            pre_submission: top.flag("pre_submission")?,
            standard_verification: top.flag("standard_verification")?,
        })
    }
}

/// The businesses beside the first, each once.
fn read_obligations(top: &Fields<'_>, business: Business) -> Result<Vec<Business>, CaseError> {
    let values = match top.optional("obligations") {
        None => return Ok(Vec::new()),
        Some(Value::Array(values)) => values,
        Some(_) => return Err(top.wrong_type("obligations", "a list of businesses")),
    };
    let mut others: Vec<Business> = Vec::new();
    for value in values {
        let other = top.word("obligations", value, Business::parse, Business::words)?;
        if other != business && !others.contains(&other) {
            others.push(other);
        }
    }
    Ok(others)
}

fn read_dates(top: &Fields<'_>) -> Result<Dates, CaseError> {
    let dates = Fields::of(top.required("dates")?, "dates")?;
    let names: Vec<&str> = DateName::ALL.iter().map(|name| name.as_str()).collect();
    dates.only(&names)?;
    dates.required("accepted")?;
    let date = |name: DateName| dates.date(name.as_str());
    let accepted =
        date(DateName::Accepted)?.ok_or_else(|| CaseError::Missing { field: "dates.accepted".to_owned() })?;
    Ok(Dates {
        accepted,
        arrived_at_port: date(DateName::ArrivedAtPort)?,
        notice_received: date(DateName::NoticeReceived)?,
        sampled: date(DateName::Sampled)?,
        received: date(DateName::Received)?,
        supplement_requested: date(DateName::SupplementRequested)?,
        result_received: date(DateName::ResultReceived)?,
        sampling_refused: date(DateName::SamplingRefused)?,
        re_examination_accepted: date(DateName::ReExaminationAccepted)?,
        review_ends: date(DateName::ReviewEnds)?,
    })
}

fn read_product(top: &Fields<'_>) -> Result<Product, CaseError> {
    let product = Fields::of(top.required("product")?, "product")?;
    product.only(&["category", "device_class", "traits"])?;
    let category = product.required("category")?;
    let category = product.word("category", category, Category::parse, Category::words)?;
    let device_class = match product.optional("device_class") {
        None => None,
        Some(value) => Some(product.word("device_class", value, DeviceClass::parse, DeviceClass::words)?),
    };
    let traits = match product.optional("traits") {
        None => BTreeSet::new(),
        Some(Value::Array(values)) => values
            .iter()
            .map(|value| product.word("traits", value, Trait::parse, Trait::words))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(product.wrong_type("traits", "a list of words")),
    };
    Ok(Product { category, device_class, traits })
}

/// The fields of one JSON object, with the path to it for messages.
struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: &'static str,
}

impl<'a> Fields<'a> {
    fn of(value: &'a Value, path: &'static str) -> Result<Self, CaseError> {
        match value {
            Value::Object(map) => Ok(Fields { map, path }),
            Value::Null if !path.is_empty() => Err(CaseError::Missing { field: path.to_owned() }),
            _ => {
                let field = if path.is_empty() { "(the case)" } else { path };
                Err(CaseError::WrongType { field: field.to_owned(), expected: "an object" })
            }
        }
    }

    fn name(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }

    fn wrong_type(&self, field: &str, expected: &'static str) -> CaseError {
        CaseError::WrongType { field: self.name(field), expected }
    }

    fn only(&self, known: &[&str]) -> Result<(), CaseError> {
        match self.map.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(CaseError::UnknownField { field: self.name(key) }),
        }
    }

    /// A field that may be left out; `null` counts as left out.
    fn optional(&self, field: &str) -> Option<&'a Value> {
        self.map.get(field).filter(|value| !value.is_null())
    }

    fn required(&self, field: &str) -> Result<&'a Value, CaseError> {
        self.optional(field).ok_or_else(|| CaseError::Missing { field: self.name(field) })
    }

    fn word<T>(
        &self,
        field: &str,
        value: &Value,
        parse: impl Fn(&str) -> Option<T>,
        words: impl Fn() -> String,
    ) -> Result<T, CaseError> {
        let text = value.as_str().ok_or_else(|| self.wrong_type(field, "a word in quotes"))?;
        parse(text).ok_or_else(|| CaseError::UnknownValue {
            field: self.name(field),
            value: text.to_owned(),
            expected: words(),
        })
    }

    fn flag(&self, field: &str) -> Result<bool, CaseError> {
        match self.optional(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.wrong_type(field, "true or false")),
        }
    }

    fn date(&self, field: &str) -> Result<Option<NaiveDate>, CaseError> {
        let Some(value) = self.optional(field) else {
            return Ok(None);
        };
        let not_a_date = |text: &str| CaseError::NotADate { field: self.name(field), value: text.to_owned() };
        match value.as_str() {
            None => Err(not_a_date(&value.to_string())),
            Some(text) => parse_statutory_date(text).map(Some).ok_or_else(|| not_a_date(text)),
        }
    }
}

/// Reads `YYYY-MM-DD`, or an instant with its offset (RFC 3339), which is the date that it has in Asia/Shanghai.
pub fn parse_statutory_date(text: &str) -> Option<NaiveDate> {
    if let Some(date) = parse_date(text) {
        return Some(date);
    }
    let instant = DateTime::parse_from_rfc3339(text).ok()?;
    Some(statutory_date(instant.with_timezone(&Utc)))
}

/// Reads exactly `YYYY-MM-DD`, from the year 1900 on.
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !shape || text < "1900" {
        return None;
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// The date of an instant in Asia/Shanghai: the only day that statutory dates know.
pub fn statutory_date(instant: DateTime<Utc>) -> NaiveDate {
    chrono_tz::Asia::Shanghai.from_utc_datetime(&instant.naive_utc()).date_naive()
}

/// JSON in which no object repeats a key: of two values under one key nobody could say which was meant.
struct StrictValue(Value);

impl<'de> serde::Deserialize<'de> for StrictValue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(StrictValue)
    }
}

struct StrictVisitor;

impl<'de> serde::de::Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(StrictValue(value)) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, StrictValue(value))) = access.next_entry::<String, StrictValue>()? {
            if map.contains_key(&key) {
                return Err(serde::de::Error::custom(format!("the field `{key}` stands twice")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"business": "lot_release", "jurisdiction": "CN-SH",
        "dates": {"accepted": "2025-11-03"},
        "product": {"category": "vaccine", "traits": ["seasonal_influenza_vaccine"]}}"#;

    #[test]
    fn the_documented_case_is_read_with_its_defaults() {
        let case = CaseFacts::from_json(GOOD).expect("the documented case");
        assert_eq!(case.business, Business::LotRelease);
        assert_eq!(case.purpose, Purpose::Initial);
        assert!(!case.pre_submission && !case.standard_verification);
        assert!(case.product.traits.contains(&Trait::SeasonalInfluenzaVaccine));
    }

    #[test]
    fn every_complaint_names_its_field() {
        let table: &[(&str, &str, &str, &str)] = &[
            (r#""business": "lot_release""#, r#""busines": "lot_release""#, "unknown_field", "busines"),
            (r#""business": "lot_release","#, "", "missing_field", "business"),
            (r#""jurisdiction": "CN-SH","#, "", "missing_field", "jurisdiction"),
            ("CN-SH", "CN-XX", "unknown_value", "jurisdiction"),
            (r#""accepted": "2025-11-03""#, "", "missing_field", "dates.accepted"),
            (r#""accepted": "2025-11-03""#, r#""accepted": null"#, "missing_field", "dates.accepted"),
            ("2025-11-03", "2025-11-31", "not_a_date", "dates.accepted"),
            ("2025-11-03", "2025-1-3", "not_a_date", "dates.accepted"),
            ("2025-11-03", "20251103", "not_a_date", "dates.accepted"),
            ("2025-11-03", "0025-11-03", "not_a_date", "dates.accepted"),
            (r#""2025-11-03""#, "20251103", "not_a_date", "dates.accepted"),
            (r#"{"accepted""#, r#"{"sampeld": "2025-11-03", "accepted""#, "unknown_field", "dates.sampeld"),
            (r#"{"accepted""#, r#"{"sampled": "soon", "accepted""#, "not_a_date", "dates.sampled"),
            (r#""category": "vaccine","#, "", "missing_field", "product.category"),
            (r#""vaccine""#, r#""vacine""#, "unknown_value", "product.category"),
            (r#"["seasonal_influenza_vaccine"]"#, r#"["flu"]"#, "unknown_value", "product.traits"),
            (r#"["seasonal_influenza_vaccine"]"#, r#""innovative""#, "wrong_type", "product.traits"),
            (r#""category": "vaccine""#, r#""class": "II", "category": "vaccine""#, "unknown_field", "product.class"),
            (
                r#""category": "vaccine""#,
                r#""device_class": "IV", "category": "vaccine""#,
                "unknown_value",
                "product.device_class",
            ),
            (r#""business""#, r#""pre_submission": "yes", "business""#, "wrong_type", "pre_submission"),
            (r#""business""#, r#""purpose": "renewal", "business""#, "unknown_value", "purpose"),
        ];
        for (from, to, code, field) in table {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(&text, GOOD, "{from} is not in the case");
            let error = CaseFacts::from_json(&text).expect_err(&text);
            assert_eq!((error.code(), error.field()), (*code, Some(*field)), "{text}");
            assert!(error.to_string().contains(field), "{error}");
        }
        for text in ["", "[]", "{", "null", r#"{"business":"lot_release","business":"lot_release"}"#] {
            CaseFacts::from_json(text).expect_err(text);
        }
    }

    #[test]
    fn statutory_dates_are_dates_in_shanghai() {
        let august = NaiveDate::from_ymd_opt(2025, 8, 1);
        assert_eq!(parse_statutory_date("2025-08-01T00:30:00+08:00"), august);
        assert_eq!(parse_statutory_date("2025-07-31T16:30:00Z"), august);
        assert_eq!(parse_statutory_date("2025-07-31T15:59:59Z"), august.and_then(|d| d.pred_opt()));
        assert_eq!(parse_statutory_date("2025-08-01"), august);
        assert_eq!(parse_statutory_date("2025-08-01T00:30:00"), None);
    }
}
