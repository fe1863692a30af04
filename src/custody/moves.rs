//! Moving containers by hand: consumption, return, destruction.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Place, entry};
use crate::action::Services;
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::store::columns::SampleId;
use crate::store::rows::{CustodyEntryRow, SampleRow};
use crate::store::schema::{application, certificate, custody_balance, custody_entry, sample};
use crate::store::{AnyConnection, Outcome};
use crate::text;

/// A move of containers.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// `test_portion` or `retention`
    pub from: String,
    /// `consumed`, `retention`, `returned`, `destroyed`
    pub to: String,
    /// Whole containers
    pub quantity: i64,
    pub reason: String,
}

/// What a move left behind.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Moved {
    pub from: String,
    pub to: String,
    pub quantity: i64,
    /// What is left at `from`
    pub left: i64,
}

/// Moves containers of a sample.
///
/// # Errors
/// Where the move is none of those allowed, more is asked for than is there, or the retention portion would
/// leave before its report is issued.
pub fn move_containers(services: &Services, actor: &Actor, id: &SampleId, new: &Move) -> Outcome<Moved> {
    let from = text::word("from", &new.from, Place::parse)?;
    let to = text::word("to", &new.to, Place::parse)?;
    if !from.leads_to(to) {
        return Err(Refusal::new(
            Code::LedgerRefused,
            format!("不能从“{}”转到“{}”", from.zh(), to.zh()),
            format!("nothing goes from {} to {} by hand", from.en(), to.en()),
        )
        .at("to")
        .into());
    }
    if new.quantity < 1 {
        return Err(Refusal::field("quantity", "应为正整数", "expected a whole number above zero").into());
    }
    let reason = text::required("reason", &new.reason, text::REMARK)?;
    let (actor, now, id, quantity) = (actor.clone(), services.clock.now(), id.clone(), new.quantity);
    services.db.write(move |conn| {
        let row = sample_of(conn, &actor, &id)?;
        if from == Place::Retention {
            check_reported(conn, &row)?;
        }
        let left = balance(conn, &id, from)? - quantity;
        if left < 0 {
            return Err(Refusal::new(
                Code::LedgerRefused,
                format!("“{}”只有 {} 个容器", from.zh(), left + quantity),
                format!("there are only {} containers at {}", left + quantity, from.en()),
            )
            .at("quantity")
            .with(serde_json::json!({"available": left + quantity, "asked": quantity}))
            .into());
        }
        let entry: CustodyEntryRow = entry(&row, None, (from, to), quantity, &reason, &actor, now);
        diesel::insert_into(custody_entry::table).values(&entry).execute(conn)?;
        let change = Change::created("custody.move", "sample", &id, serde_json::json!(entry)).because(&reason);
        record::record(conn, &actor, now, vec![change])?;
        Ok(Moved { from: from.to_string(), to: to.to_string(), quantity, left })
    })
}

/// How many containers of a sample are at a place.
///
/// # Errors
/// The store's failure.
pub(crate) fn balance(conn: &mut AnyConnection, id: &SampleId, place: Place) -> Outcome<i64> {
    let found: Option<i64> =
        custody_balance::table.find((id, place.as_str())).select(custody_balance::balance).first(conn).optional()?;
    Ok(found.unwrap_or(0))
}

/// The sample, where it is of the actor's institute.
pub(crate) fn sample_of(conn: &mut AnyConnection, actor: &Actor, id: &SampleId) -> Outcome<SampleRow> {
    let found: Option<SampleRow> = sample::table
        .inner_join(application::table)
        .filter(sample::id.eq(id))
        .filter(application::institute_id.nullable().eq(&actor.institute))
        .select(SampleRow::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| Refusal::not_found("样品", "sample", id.as_str()).into())
}

/// The retention portion answers questions about the report: it stays until that is issued.
fn check_reported(conn: &mut AnyConnection, row: &SampleRow) -> Outcome<()> {
    let issued: i64 = certificate::table
        .filter(certificate::sample_id.eq(&row.id))
        .filter(certificate::signed_at.is_not_null())
        .count()
        .get_result(conn)?;
    if issued == 0 && row.state == "received" {
        return Err(Refusal::new(
            Code::WrongState,
            "报告签发前留样不得退回或销毁",
            "the retention portion stays until the report is issued",
        )
        .into());
    }
    Ok(())
}
