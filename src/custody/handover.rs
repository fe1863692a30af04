//! Handing a sample, or a container of it, from person to person (交接): who has it gives it, or who takes it scans it. Both
//! are known.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::refusals::CustodyRefusal;
use crate::action::{Action, Context, Facts};
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::columns::{AccountId, ContainerId, HandoverId, InstituteId, SampleId};
use crate::store::rows::{HandoverRow, SampleRow};
use crate::store::schema::{account, container, handover, sample};
use crate::store::{AnyConnection, Outcome};
use crate::text::{self, codes};
use crate::vocabulary::{Permission, SampleState};

/// Hands over what was scanned. Without `to` the actor takes it from whoever has it; with `to` the actor gives it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    /// The number of a sample, or the label of a container
    pub code: String,
    /// Who gets it, by user name or id; without it, who scans
    #[serde(default)]
    pub to: Option<String>,
    #[serde(default)]
    pub note: String,
}

/// From whom to whom it went.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HandedOver {
    pub id: HandoverId,
    pub sample_id: SampleId,
    pub sample_number: String,
    /// Null where the whole sample went
    pub container_id: Option<ContainerId>,
    pub from: AccountId,
    pub from_name: String,
    pub to: AccountId,
    pub to_name: String,
}

/// What was scanned and who has it.
pub struct Scanned {
    sample: SampleRow,
    container: Option<ContainerId>,
    /// How often it was handed over before.
    times: i64,
    holder: AccountId,
    /// Who is to get it, where somebody was named.
    to: Option<AccountId>,
}

/// An account of the institute by user name or id.
fn person(conn: &mut AnyConnection, institute: &InstituteId, named: &str) -> Outcome<Option<AccountId>> {
    let own = account::table.filter(account::institute_id.eq(institute)).filter(account::disabled.eq(false));
    Ok(own.filter(account::username.eq(named).or(account::id.eq(named))).select(account::id).first(conn).optional()?)
}

/// The sample of that number, or of the container with that label.
fn scanned(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    code: &str,
) -> Outcome<Option<(SampleRow, Option<ContainerId>)>> {
    for code in codes::forms(code) {
        let whole: Option<SampleRow> = sample::table
            .filter(sample::institute_id.eq(institute))
            .filter(sample::number.eq(&code))
            .select(SampleRow::as_select())
            .first(conn)
            .optional()?;
        if let Some(sample) = whole {
            return Ok(Some((sample, None)));
        }
        let part: Option<(SampleRow, ContainerId)> = container::table
            .inner_join(sample::table)
            .filter(container::institute_id.eq(institute))
            .filter(container::label_code.eq(&code))
            .select((SampleRow::as_select(), container::id))
            .first(conn)
            .optional()?;
        if let Some((sample, container)) = part {
            return Ok(Some((sample, Some(container))));
        }
    }
    Ok(None)
}

/// Who has it, and how often it was handed over: a container is where its sample is until it goes alone.
fn holder(conn: &mut AnyConnection, sample: &SampleRow, container: Option<&ContainerId>) -> Outcome<(AccountId, i64)> {
    let all: Vec<HandoverRow> = handover::table
        .filter(handover::sample_id.eq(&sample.id))
        .order((handover::at, handover::id))
        .select(HandoverRow::as_select())
        .load(conn)?;
    let mut own = all.iter().filter(|row| row.container_id.as_ref() == container);
    let times = i64::try_from(own.clone().count()).unwrap_or(i64::MAX);
    let last = own.next_back().or_else(|| all.iter().rfind(|row| row.container_id.is_none()));
    Ok((last.map_or_else(|| sample.received_by.clone(), |row| row.to_account.clone()), times))
}

impl Action for HandOver {
    const NAME: &'static str = "custody.hand_over";
    const PERMISSION: Permission = Permission::CustodyHandOver;
    type Prepared = ();
    type Loaded = Scanned;
    type Plan = HandoverRow;
    type Done = HandedOver;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Scanned> {
        let institute = cx.institute()?;
        let found = scanned(cx.conn, &institute, &self.code)?;
        let (sample, container) = found.ok_or_else(|| CustodyRefusal::NothingScanned(self.code.trim().to_owned()))?;
        let (holder, times) = holder(cx.conn, &sample, container.as_ref())?;
        let to = match self.to.as_deref().map(str::trim).filter(|to| !to.is_empty()) {
            Some(named) => {
                let found = person(cx.conn, &institute, named)?;
                Some(found.ok_or_else(|| CustodyRefusal::NoPerson(named.to_owned()))?)
            }
            None => None,
        };
        Ok(Scanned { sample, container, times, holder, to })
    }

    fn decide(&self, facts: &Facts<'_>, of: &Scanned) -> Result<HandoverRow, Refusal> {
        let note = text::optional("note", &self.note, text::REMARK)?;
        if of.sample.state == SampleState::Refused {
            return Err(CustodyRefusal::NotInTheHouse.into());
        }
        let actor = &facts.actor.account;
        let to = of.to.clone().unwrap_or_else(|| actor.clone());
        if of.holder == to {
            return Err(CustodyRefusal::HasItAlready.into());
        }
        if *actor != to && *actor != of.holder {
            return Err(CustodyRefusal::SomebodyElses.into());
        }
        Ok(HandoverRow {
            id: HandoverId::new(),
            institute_id: of.sample.institute_id.clone(),
            sample_id: of.sample.id.clone(),
            container_id: of.container.clone(),
            position: of.times + 1,
            from_account: of.holder.clone(),
            to_account: to,
            scanned: text::required("code", &codes::code(&self.code), 80)?,
            note,
            recorded_by: actor.clone(),
            at: facts.now.into(),
        })
    }

    fn keep(&self, cx: &mut Context<'_>, of: Scanned, row: HandoverRow) -> Outcome<HandedOver> {
        diesel::insert_into(handover::table).values(&row).execute(cx.conn)?;
        let said = json!({"handover": row.id, "container": row.container_id, "from": row.from_account,
            "to": row.to_account, "scanned": row.scanned});
        let mut change = Change::created(Self::NAME, "sample", &row.sample_id, said);
        change.reason = Some(row.note.clone()).filter(|note| !note.is_empty());
        cx.record(change);
        let names = crate::store::views::names(cx.conn, &[&row.from_account, &row.to_account])?;
        let name = |id: &AccountId| names.get(id.as_str()).cloned().unwrap_or_default();
        Ok(HandedOver {
            id: row.id,
            sample_id: row.sample_id,
            sample_number: of.sample.number,
            container_id: row.container_id,
            from_name: name(&row.from_account),
            from: row.from_account,
            to_name: name(&row.to_account),
            to: row.to_account,
        })
    }
}
