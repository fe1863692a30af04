//! Moving containers by hand: consumption, return, destruction. Three actions, since each is a permission of its own.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::amounts::{There, billionths, content_of, with_containers};
use super::entry;
use super::refusals::CustodyRefusal;
use super::using::there;
use crate::action::{Action, Context, Facts, Subject};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::regulation::{Determination, Remainder};
use crate::store::columns::{ApplicationId, Json, SampleId};
use crate::store::revisions::Revised;
use crate::store::rows::{CustodyEntryRow, SampleRow};
use crate::store::schema::{application, certificate, custody_entry, sample};
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::{Permission, Place, SampleState};

/// Moves containers within the laboratory, for sale, or out to another one: used up, set aside, taken from what is over.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveContainers {
    pub id: SampleId,
    /// `test_portion`, `retest`, `surplus`, `for_sale` or `sent_out`
    pub from: Place,
    /// `consumed`, `test_portion`, `retest`, `retention`, `surplus`, `for_sale` or `sent_out`
    pub to: Place,
    /// Whole containers
    pub quantity: i64,
    pub reason: String,
}

/// Returns containers to who supplied them.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnContainers {
    pub id: SampleId,
    /// `test_portion`, `retest`, `retention`, `surplus` or `for_sale`
    pub from: Place,
    /// Whole containers
    pub quantity: i64,
    pub reason: String,
    /// Who took them
    #[serde(default)]
    pub taken_by: Option<String>,
    /// The receipt that was signed for them, by its number
    #[serde(default)]
    pub receipt: Option<String>,
}

/// Destroys containers that are not retained; those are destroyed on request, with an approval and a witness.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DestroyContainers {
    pub id: SampleId,
    /// `test_portion` or `retention`
    pub from: Place,
    /// Whole containers
    pub quantity: i64,
    pub reason: String,
}

/// What a move left behind.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Moved {
    pub from: Place,
    pub to: Place,
    pub quantity: i64,
    /// What is left at `from`
    pub left: i64,
}

/// A move as all three ask for it.
struct Move<'a> {
    from: Place,
    to: Place,
    quantity: i64,
    reason: &'a str,
    /// Who took what is returned, and the paper.
    receipt: (Option<&'a str>, Option<&'a str>),
}

/// What a move is decided from.
pub struct Shelf {
    sample: SampleRow,
    /// What is at the place they leave.
    there: There,
    /// Whether a certificate of the sample was signed.
    reported: bool,
    /// Whether the regulation lets what remains be sold, and by what; only asked where that is wanted.
    remainder: Option<Remainder>,
}

/// A move that was found in order.
pub struct Planned {
    from: Place,
    to: Place,
    quantity: i64,
    reason: String,
    receipt: Option<String>,
}

fn load(cx: &mut Context<'_>, id: &SampleId, (from, to): (Place, Place)) -> Outcome<Shelf> {
    let sample = sample_of(cx.conn, cx.actor, id)?;
    let there = there(cx.conn, id, from)?;
    let reported = from != Place::Retention || reported(cx.conn, id)?;
    let remainder = if to == Place::ForSale { remainder(cx.conn, &sample.application_id)? } else { None };
    Ok(Shelf { sample, there, reported, remainder })
}

/// Whether what remains of a case may be sold.
fn remainder(conn: &mut AnyConnection, id: &ApplicationId) -> Outcome<Option<Remainder>> {
    let stored: Option<Json> = application::table.find(id).select(application::determination).first(conn)?;
    let read = |stored: &Json| stored.stored::<Determination>("application", "determination", id);
    Ok(stored.as_ref().map(read).transpose()?.map(|determination| determination.remainder))
}

/// Whether the containers may go: the action leads there (`ways`) and a person may take that way, there are enough, and the retained
/// ones stay until the report is signed.
fn decide(shelf: &Shelf, wanted: &Move<'_>, ways: &[Place]) -> Result<Planned, Refusal> {
    let (from, to, quantity) = (wanted.from, wanted.to, wanted.quantity);
    if !ways.contains(&to) || !from.leads_to(to) {
        return Err(CustodyRefusal::NoWay { from, to }.into());
    }
    if quantity < 1 {
        return Err(CustodyRefusal::NotCountable.into());
    }
    let reason = text::required("reason", wanted.reason, text::REMARK)?;
    // The retained containers answer questions about the report.
    if from == Place::Retention && !shelf.reported && shelf.sample.state == SampleState::Received {
        return Err(CustodyRefusal::ReportOpen.into());
    }
    if shelf.there.containers < quantity {
        return Err(CustodyRefusal::TooFew { at: from, available: shelf.there.containers, asked: quantity }.into());
    }
    if to == Place::ForSale && !shelf.remainder.as_ref().is_some_and(|rule| rule.may_be_sold) {
        let provisions = shelf.remainder.as_ref().map(|rule| rule.provisions.clone());
        return Err(CustodyRefusal::NotForSale(provisions.unwrap_or_default()).into());
    }
    // What is retained goes by a request, which somebody else approves and another one witnesses.
    if (from, to) == (Place::Retention, Place::Destroyed) {
        return Err(CustodyRefusal::DestroyedOnRequest.into());
    }
    let receipt = receipt(wanted.receipt)?;
    Ok(Planned { from, to, quantity, reason, receipt })
}

/// Who took what is returned, and the paper, in one line.
fn receipt((taken_by, paper): (Option<&str>, Option<&str>)) -> Result<Option<String>, Refusal> {
    let taken_by = text::optional("taken_by", taken_by.unwrap_or_default(), text::TEXT)?;
    let paper = text::optional("receipt", paper.unwrap_or_default(), text::TEXT)?;
    let both: Vec<String> = [taken_by, paper].into_iter().filter(|said| !said.is_empty()).collect();
    Ok(Some(both.join(" · ")).filter(|said| !said.is_empty()))
}

fn keep(cx: &mut Context<'_>, event: &'static str, shelf: &Shelf, plan: Planned) -> Outcome<Moved> {
    let Planned { from, to, quantity, reason, receipt } = plan;
    let row = entry(&shelf.sample, None, (from, to), quantity, &reason, cx.actor, cx.now);
    let row = CustodyEntryRow { receipt, ..by_container(&shelf.sample, shelf.there, row) };
    diesel::insert_into(custody_entry::table).values(&row).execute(cx.conn)?;
    let content =
        serde_json::json!({"entry": row.id, "from": from, "to": to, "quantity": quantity, "receipt": row.receipt});
    cx.record(Change::created(event, "sample", &shelf.sample.id, content).because(&reason));
    Ok(Moved { from, to, quantity, left: shelf.there.containers - quantity })
}

/// The entry with the amount that goes with its containers, where the ledger of the sample counts amounts.
pub(crate) fn by_container(sample: &SampleRow, there: There, row: CustodyEntryRow) -> CustodyEntryRow {
    let one = content_of(sample).and_then(|content| billionths(content.amount));
    let billionths = one.map(|one| with_containers(there, row.quantity, one).unwrap_or(0));
    CustodyEntryRow { billionths, ..row }
}

/// The three actions differ by their name, their permission and where the containers go.
macro_rules! moves {
    ($($action:ident = $name:literal, $permission:ident, $to:expr, $ways:expr, $receipt:expr;)+) => {$(
        impl Action for $action {
            const NAME: &'static str = $name;
            const PERMISSION: Permission = Permission::$permission;
            type Prepared = ();
            type Loaded = Shelf;
            type Plan = Planned;
            type Done = Moved;

            fn subject(&self) -> Option<Subject> {
                Some(Subject::new(Revised::Sample, &self.id))
            }

            fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Shelf> {
                let to: fn(&Self) -> Place = $to;
                load(cx, &self.id, (self.from, to(self)))
            }

            fn decide(&self, _: &Facts<'_>, shelf: &Shelf) -> Result<Planned, Refusal> {
                let to: fn(&Self) -> Place = $to;
                let receipt: fn(&Self) -> (Option<&str>, Option<&str>) = $receipt;
                let receipt = receipt(self);
                let wanted = Move { from: self.from, to: to(self), quantity: self.quantity, reason: &self.reason, receipt };
                decide(shelf, &wanted, $ways)
            }

            fn keep(&self, cx: &mut Context<'_>, shelf: Shelf, plan: Planned) -> Outcome<Moved> {
                keep(cx, Self::NAME, &shelf, plan)
            }
        }
    )+};
}

/// Where a move within the laboratory leads.
const WITHIN: &[Place] = &[
    Place::Consumed,
    Place::TestPortion,
    Place::Retest,
    Place::Retention,
    Place::Surplus,
    Place::ForSale,
    Place::SentOut,
];

moves! {
    MoveContainers = "custody.move", CustodyMove, |action| action.to, WITHIN, |_| (None, None);
    ReturnContainers = "custody.return", CustodyReturn, |_| Place::Returned, &[Place::Returned],
        |action| (action.taken_by.as_deref(), action.receipt.as_deref());
    DestroyContainers = "custody.destroy", CustodyDestroy, |_| Place::Destroyed, &[Place::Destroyed], |_| (None, None);
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
    found.ok_or_else(|| CustodyRefusal::NoSample(id.clone()).into())
}

/// Whether a certificate of the sample was signed.
pub(super) fn reported(conn: &mut AnyConnection, id: &SampleId) -> Outcome<bool> {
    let signed = certificate::table.filter(certificate::sample_id.eq(id)).filter(certificate::signed_at.is_not_null());
    Ok(diesel::select(diesel::dsl::exists(signed)).get_result(conn)?)
}

#[cfg(test)]
mod tests {
    use super::super::specimens::sample;
    use super::*;

    fn shelf(there: i64, reported: bool) -> Shelf {
        Shelf { sample: sample(), there: There { containers: there, billionths: None }, reported, remainder: None }
    }

    fn wanted(from: Place, to: Place, quantity: i64) -> Move<'static> {
        Move { from, to, quantity, reason: "检验", receipt: (None, None) }
    }

    #[test]
    fn more_than_there_is_does_not_go() {
        let refused = decide(&shelf(2, true), &wanted(Place::TestPortion, Place::Consumed, 3), Place::ALL).err();
        let few = CustodyRefusal::TooFew { at: Place::TestPortion, available: 2, asked: 3 };
        assert_eq!(refused, Some(few.into()));
        assert!(decide(&shelf(3, true), &wanted(Place::TestPortion, Place::Consumed, 3), Place::ALL).is_ok());
        assert!(decide(&shelf(3, true), &wanted(Place::TestPortion, Place::Consumed, 0), Place::ALL).is_err());
    }

    #[test]
    fn what_is_retained_stays_until_the_report_is_signed() {
        let away = wanted(Place::Retention, Place::Destroyed, 1);
        assert_eq!(decide(&shelf(3, false), &away, Place::ALL).err(), Some(CustodyRefusal::ReportOpen.into()));
        let requested = CustodyRefusal::DestroyedOnRequest;
        assert_eq!(decide(&shelf(3, true), &away, Place::ALL).err(), Some(requested.into()));
        let back = wanted(Place::Retention, Place::Returned, 1);
        assert_eq!(decide(&shelf(3, false), &back, Place::ALL).err(), Some(CustodyRefusal::ReportOpen.into()));
        let taken = Move { receipt: (Some("张三"), Some("收条 2026-7")), ..back };
        let plan = decide(&shelf(3, true), &taken, Place::ALL).expect("returned");
        assert_eq!(plan.receipt.as_deref(), Some("张三 · 收条 2026-7"));
    }

    #[test]
    fn nothing_is_set_aside_for_sale_that_no_provision_lets_be_sold() {
        let sold = wanted(Place::Surplus, Place::ForSale, 1);
        let refused = decide(&shelf(3, true), &sold, Place::ALL).err();
        assert_eq!(refused, Some(CustodyRefusal::NotForSale(Vec::new()).into()));
        let may_be_sold = Remainder { may_be_sold: true, conditions: Vec::new(), provisions: vec!["N-1".into()] };
        let allowed = Shelf { remainder: Some(may_be_sold), ..shelf(3, true) };
        assert!(decide(&allowed, &sold, Place::ALL).is_ok());
    }

    #[test]
    fn an_action_leads_only_where_its_permission_does() {
        let away = wanted(Place::TestPortion, Place::Destroyed, 1);
        assert!(decide(&shelf(3, true), &away, &[Place::Consumed, Place::Retention]).is_err());
        assert!(decide(&shelf(3, true), &away, &[Place::Destroyed]).is_ok());
    }

    #[test]
    fn what_was_consumed_does_not_come_back() {
        let back = wanted(Place::Consumed, Place::TestPortion, 1);
        let no_way = CustodyRefusal::NoWay { from: Place::Consumed, to: Place::TestPortion };
        assert_eq!(decide(&shelf(3, true), &back, Place::ALL).err(), Some(no_way.into()));
    }
}
