//! The register of reference standards (对照品): lots with purity and expiry. A lot is never changed, only withdrawn.

use chrono::NaiveDate;
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::refusals::EvaluationRefusal;
use crate::action::{Action, Context, Facts, Subject, TakenBack};
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::{AccountId, Instant, ReferenceStandardId};
use crate::store::revisions::Revised;
use crate::store::rows::ReferenceStandardRow;
use crate::store::schema::reference_standard;
use crate::store::views::{self, StandardView};
use crate::text;
use crate::vocabulary::{Permission, ReferenceStandardEvent, ReferenceStandardState, StandardBasis};

/// Registers a lot of a reference standard.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddStandard {
    /// 品名
    pub name: String,
    /// 批号
    pub batch: String,
    /// 来源, e.g. `中国食品药品检定研究院`
    pub source: String,
    /// In per cent, as on its certificate
    pub purity: String,
    /// Of the substance as it is, dried, or water-free
    pub basis: StandardBasis,
    /// Water or loss on drying, in per cent; needed where it is weighed as it is and its purity is of the dried
    #[serde(default)]
    pub water: Option<String>,
    /// `YYYY-MM-DD`, the last day of its use
    pub expires_on: String,
    #[serde(default)]
    pub storage: String,
    #[serde(default)]
    pub note: String,
}

/// Withdraws a lot: it stays on record and is not used again.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawStandard {
    pub id: ReferenceStandardId,
    pub reason: String,
}

/// A lot as it was read from the input.
#[derive(Debug, PartialEq)]
pub struct StandardLot {
    name: String,
    batch: String,
    source: String,
    purity: Decimal,
    water: Option<Decimal>,
    expires_on: NaiveDate,
    storage: String,
    note: String,
}

impl AddStandard {
    fn read(&self) -> Result<StandardLot, Refusal> {
        let (_, purity) = text::positive("purity", &self.purity)?;
        let water = self.water.as_deref().filter(|text| !text.trim().is_empty());
        let water = water.map(|text| text::not_negative("water", text)).transpose()?.map(|(_, water)| water);
        if water.is_some_and(|water| water > Decimal::ONE_HUNDRED) {
            return Err(EvaluationRefusal::WaterRange.into());
        }
        Ok(StandardLot {
            name: text::required("name", &self.name, text::TEXT)?,
            batch: text::required("batch", &self.batch, text::TEXT)?,
            source: text::required("source", &self.source, text::TEXT)?,
            purity,
            water,
            expires_on: text::date("expires_on", &self.expires_on)?,
            storage: text::optional("storage", &self.storage, text::TEXT)?,
            note: text::optional("note", &self.note, text::REMARK)?,
        })
    }
}

impl Action for AddStandard {
    const NAME: &'static str = "standard.add";
    const PERMISSION: Permission = Permission::StandardManage;
    type Prepared = ();
    /// Whether the lot is registered already.
    type Loaded = bool;
    type Plan = StandardLot;
    type Done = StandardView;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<bool> {
        let known = reference_standard::table
            .filter(reference_standard::institute_id.eq(cx.institute()?))
            .filter(reference_standard::name.eq(self.name.trim()))
            .filter(reference_standard::batch.eq(self.batch.trim()));
        Ok(diesel::select(diesel::dsl::exists(known)).get_result(cx.conn)?)
    }

    fn decide(&self, _: &Facts<'_>, known: &bool) -> Result<StandardLot, Refusal> {
        let lot = self.read()?;
        if *known {
            return Err(EvaluationRefusal::StandardKnown.into());
        }
        Ok(lot)
    }

    fn keep(&self, cx: &mut Context<'_>, _: bool, lot: StandardLot) -> Outcome<StandardView> {
        let row = ReferenceStandardRow {
            id: ReferenceStandardId::new(),
            institute_id: cx.institute()?,
            name: lot.name,
            batch: lot.batch,
            source: lot.source,
            purity: lot.purity.into(),
            basis: self.basis,
            water: lot.water.map(Into::into),
            expires_on: lot.expires_on.into(),
            storage: lot.storage,
            note: lot.note,
            created_by: cx.actor.account.clone(),
            created_at: cx.now.into(),
            withdrawn_by: None,
            withdrawn_at: None,
            withdrawn_reason: None,
        };
        diesel::insert_into(reference_standard::table).values(&row).execute(cx.conn)?;
        let content = json!({"state": ReferenceStandardState::InUse, "name": row.name, "batch": row.batch,
            "source": row.source, "purity": row.purity, "basis": row.basis, "water": row.water,
            "expires_on": row.expires_on});
        cx.record(Change::created(Self::NAME, "reference_standard", &row.id, content));
        view(cx, &row.id)
    }
}

impl Action for WithdrawStandard {
    const NAME: &'static str = "standard.withdraw";
    const PERMISSION: Permission = Permission::StandardManage;
    type Prepared = ();
    type Loaded = ReferenceStandardState;
    type Plan = String;
    type Done = StandardView;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Standard, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<ReferenceStandardState> {
        Ok(view(cx, &self.id)?.state)
    }

    fn decide(&self, _: &Facts<'_>, state: &ReferenceStandardState) -> Result<String, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        state.on(ReferenceStandardEvent::Withdraw).map_err(EvaluationRefusal::State)?;
        Ok(reason)
    }

    fn keep(&self, cx: &mut Context<'_>, state: ReferenceStandardState, reason: String) -> Outcome<StandardView> {
        diesel::update(reference_standard::table.find(&self.id))
            .set((
                reference_standard::withdrawn_by.eq(&cx.actor.account),
                reference_standard::withdrawn_at.eq(Instant::from(cx.now)),
                reference_standard::withdrawn_reason.eq(&reason),
            ))
            .execute(cx.conn)?;
        let (old, new) = (state.as_str(), ReferenceStandardState::Withdrawn.as_str());
        cx.record(Change::field(Self::NAME, "reference_standard", &self.id, "state", old, new).because(&reason));
        view(cx, &self.id)
    }
}

/// Takes back that a lot was withdrawn: that was a mistake, and it is used as before.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreStandard {
    pub id: ReferenceStandardId,
    pub reason: String,
}

impl Action for RestoreStandard {
    const NAME: &'static str = "standard.restore";
    const PERMISSION: Permission = Permission::StandardManage;
    type Prepared = ();
    type Loaded = StandardView;
    type Plan = (ReferenceStandardState, String);
    type Done = StandardView;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Standard, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<StandardView> {
        view(cx, &self.id)
    }

    fn decide(&self, _: &Facts<'_>, lot: &StandardView) -> Result<Self::Plan, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        let state = lot.state.on(ReferenceStandardEvent::Restore).map_err(EvaluationRefusal::State)?;
        Ok((state, reason))
    }

    fn keep(&self, cx: &mut Context<'_>, lot: StandardView, (state, reason): Self::Plan) -> Outcome<StandardView> {
        let taken = TakenBack {
            of: ("reference_standard", self.id.as_str()),
            was: lot.state.as_str(),
            becomes: state.as_str(),
            was_because: lot.withdrawn_reason.as_deref(),
            reason: &reason,
        };
        cx.take_back(Revised::Standard, &taken)?;
        diesel::update(reference_standard::table.find(&self.id))
            .set((
                reference_standard::withdrawn_by.eq(None::<AccountId>),
                reference_standard::withdrawn_at.eq(None::<Instant>),
                reference_standard::withdrawn_reason.eq(None::<String>),
            ))
            .execute(cx.conn)?;
        let (old, new) = (lot.state.as_str(), state.as_str());
        cx.record(Change::field(Self::NAME, "reference_standard", &self.id, "state", old, new).because(&reason));
        view(cx, &self.id)
    }
}

/// The lot, where it is of the actor's institute.
fn view(cx: &mut Context<'_>, id: &ReferenceStandardId) -> Outcome<StandardView> {
    let reader = cx.services.reader(cx.actor)?;
    let found = views::standard(cx.conn, &reader, id)?;
    found.ok_or_else(|| EvaluationRefusal::NoStandard(id.clone()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lot() -> AddStandard {
        AddStandard {
            name: "头孢曲松".into(),
            batch: "A".into(),
            source: "中国食品药品检定研究院".into(),
            purity: "99.60".into(),
            basis: StandardBasis::AsIs,
            water: None,
            expires_on: "2027-12-31".into(),
            storage: String::new(),
            note: String::new(),
        }
    }

    #[test]
    fn a_lot_is_read_with_its_digits() {
        assert_eq!(lot().read().map(|lot| lot.purity.to_string()), Ok("99.60".into()));
    }

    #[test]
    fn what_is_not_as_expected_is_named() {
        let field = |lot: AddStandard| lot.read().err().and_then(|refusal| refusal.field);
        assert_eq!(field(AddStandard { purity: "0".into(), ..lot() }).as_deref(), Some("purity"));
        assert_eq!(field(AddStandard { water: Some("100.1".into()), ..lot() }).as_deref(), Some("water"));
        assert_eq!(field(AddStandard { expires_on: "31.12.2027".into(), ..lot() }).as_deref(), Some("expires_on"));
        assert_eq!(field(AddStandard { name: " ".into(), ..lot() }).as_deref(), Some("name"));
    }
}
