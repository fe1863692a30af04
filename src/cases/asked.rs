//! What a receipt or an acceptance asks about, as it is answered and shown. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::regulation::quantities::QuantityError;
use crate::text::codes;
use crate::vocabulary::CaseState;

/// What has to be known before an amount can be computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AmountQuestion {
    /// `container_content`, `consumes` or `consumes_unit`
    pub field: String,
    pub zh: String,
    pub en: String,
}

impl AmountQuestion {
    pub(super) fn of(why: &QuantityError) -> Self {
        let (zh, en) = why.sides();
        Self { field: why.field().to_owned(), zh, en }
    }
}

/// A case of the same lot that there is already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KnownLot {
    /// As that case writes it
    pub lot_number: String,
    pub institute_zh: String,
    pub institute_en: String,
    pub application_number: String,
    pub state: CaseState,
    /// What its newest issued certificate says; null where there is none
    pub conforms: Option<bool>,
    /// Whether it is the own institute's
    pub own: bool,
}

impl KnownLot {
    pub(super) fn is_of(&self, lot: &str) -> bool {
        codes::lot_key(&self.lot_number) == codes::lot_key(lot)
    }

    /// What became of it, in Chinese and English.
    fn outcome(&self) -> (&'static str, &'static str) {
        match self.conforms {
            Some(true) => ("符合规定", "conforms"),
            Some(false) => ("不符合规定", "does not conform"),
            None => (self.state.zh(), self.state.en()),
        }
    }

    /// In one line, in Chinese and English.
    pub(super) fn said(&self) -> (String, String) {
        let (zh, en) = self.outcome();
        let (name_zh, name_en, number) = (&self.institute_zh, &self.institute_en, &self.application_number);
        (format!("{name_zh} {number}（{zh}）"), format!("{name_en} {number} ({en})"))
    }
}
