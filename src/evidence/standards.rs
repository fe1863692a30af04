//! The register of reference standards (对照品): lots with purity and expiry. A lot is never changed, only withdrawn.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::institute_of;
use crate::audit::{self, Actor, Change};
use crate::input;
use crate::refusal::{Code, Refusal};
use crate::services::Services;
use crate::store::Outcome;
use crate::store::columns::{Dec, Instant, ReferenceStandardId};
use crate::store::dialect::columns_of;
use crate::store::rows::ReferenceStandardRow;
use crate::store::schema::reference_standard;

/// A lot of a reference standard.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewStandard {
    /// 品名
    pub name: String,
    /// 批号
    pub batch: String,
    /// 来源, e.g. `中国食品药品检定研究院`
    pub source: String,
    /// In per cent, as on its certificate
    pub purity: String,
    /// `as_is`: of the substance as it is; `dried`, `anhydrous`: of the dried or water-free substance
    pub basis: String,
    /// Water or loss on drying, in per cent; needed where it is weighed as it is and its purity is of the dried
    pub water: Option<String>,
    /// `YYYY-MM-DD`, the last day of its use
    pub expires_on: String,
    pub storage: String,
    pub note: String,
}

/// Why a lot is withdrawn.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Withdrawal {
    pub reason: String,
}

/// Registers a lot.
///
/// # Errors
/// Where a field is not as expected, or the lot is registered already.
pub fn create_standard(services: &Services, actor: &Actor, new: &NewStandard) -> Outcome<ReferenceStandardRow> {
    let within = |field: &str, text: &str| -> Result<String, Refusal> {
        let (text, value) = input::not_negative(field, text)?;
        if value > rust_decimal::Decimal::ONE_HUNDRED && field == "water" {
            return Err(Refusal::field(field, "应为 0 至 100", "expected 0 to 100"));
        }
        Ok(text)
    };
    let (purity, _) = input::positive("purity", &new.purity)?;
    let water = new.water.as_deref().filter(|text| !text.trim().is_empty());
    let water = water.map(|text| within("water", text)).transpose()?;
    let now = services.clock.now();
    let row = ReferenceStandardRow {
        id: ReferenceStandardId::new(),
        institute_id: institute_of(actor)?,
        name: input::printed("name", &new.name, input::TEXT)?,
        batch: input::printed("batch", &new.batch, input::TEXT)?,
        source: input::printed("source", &new.source, input::TEXT)?,
        purity: decimal(&purity),
        basis: input::word("basis", &new.basis, |word| {
            ["as_is", "dried", "anhydrous"].contains(&word).then(|| word.to_owned())
        })?,
        water: water.as_deref().map(decimal),
        expires_on: input::date("expires_on", &new.expires_on)?.into(),
        storage: input::optional("storage", &new.storage, input::TEXT)?,
        note: input::optional("note", &new.note, input::REMARK)?,
        created_by: actor.account.clone(),
        created_at: now.into(),
        withdrawn_by: None,
        withdrawn_at: None,
        withdrawn_reason: None,
    };
    let actor = actor.clone();
    services.db.write(move |conn| {
        let known: i64 = reference_standard::table
            .filter(reference_standard::institute_id.eq(&row.institute_id))
            .filter(reference_standard::name.eq(&row.name))
            .filter(reference_standard::batch.eq(&row.batch))
            .count()
            .get_result(conn)?;
        if known > 0 {
            let refusal = Refusal::new(Code::Conflict, "该批号已登记", "this lot is registered already");
            return Err(refusal.at("batch").into());
        }
        diesel::insert_into(reference_standard::table).values(&row).execute(conn)?;
        let change = Change::created("reference_standard.create", "reference_standard", &row.id, json!(row));
        audit::record(conn, &actor, now, vec![change])?;
        Ok(row.clone())
    })
}

/// Kept as typed: the text was checked to be a plain decimal.
fn decimal(text: &str) -> Dec {
    text.parse::<rust_decimal::Decimal>().unwrap_or_default().into()
}

/// Withdraws a lot: it stays on record and is not used again.
///
/// # Errors
/// Where there is none, or it is withdrawn already.
pub fn withdraw_standard(
    services: &Services,
    actor: &Actor,
    id: &ReferenceStandardId,
    new: &Withdrawal,
) -> Outcome<ReferenceStandardRow> {
    let reason = input::required("reason", &new.reason, input::REMARK)?;
    let (actor, now, id, institute) = (actor.clone(), services.clock.now(), id.clone(), institute_of(actor)?);
    services.db.write(move |conn| {
        let found: Option<ReferenceStandardRow> = reference_standard::table
            .find(&id)
            .filter(reference_standard::institute_id.eq(&institute))
            .select(ReferenceStandardRow::as_select())
            .first(conn)
            .optional()?;
        let row = found.ok_or_else(|| Refusal::not_found("对照品", "reference standard", id.as_str()))?;
        if row.withdrawn_by.is_some() {
            return Err(Refusal::new(Code::WrongState, "该批号已停用", "the lot is withdrawn already").into());
        }
        let row = diesel::update(reference_standard::table.find(&id))
            .set((
                reference_standard::withdrawn_by.eq(&actor.account),
                reference_standard::withdrawn_at.eq(Instant::from(now)),
                reference_standard::withdrawn_reason.eq(&reason),
            ))
            .returning(columns_of::<ReferenceStandardRow>())
            .get_result::<ReferenceStandardRow>(conn)?;
        let change =
            Change::field("reference_standard.withdraw", "reference_standard", &id, "state", "in_use", "withdrawn");
        audit::record(conn, &actor, now, vec![change.because(&reason)])?;
        Ok(row)
    })
}
