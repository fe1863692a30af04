//! Whose a product or an applicant is, and how that changes: one person of the institute that keeps the shared
//! catalogue proposes, another one confirms.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::refusals::CatalogueRefusal;
use crate::action::{Action, Context, Facts};
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::columns::{AccountId, ApplicantId, InstituteId, OwnerProposalId, ProductId};
use crate::store::rows::OwnerProposalRow;
use crate::store::schema::{applicant, institute, owner_proposal, product};
use crate::store::views::{self, OwnerProposalView};
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::Permission;

/// Proposes whose a product or an applicant shall be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeOwner {
    /// One product, or
    #[serde(default)]
    pub product_id: Option<ProductId>,
    /// one applicant
    #[serde(default)]
    pub applicant_id: Option<ApplicantId>,
    /// The institute; without it, the shared catalogue
    #[serde(default)]
    pub institute_id: Option<InstituteId>,
    pub reason: String,
}

/// What a proposal rests on.
pub struct ProposalGround {
    keeper: bool,
    /// Whether it is the keeper's own, or shared.
    there: bool,
    institute: bool,
}

impl ProposeOwner {
    fn checked(&self, found: &ProposalGround) -> Result<String, Refusal> {
        if !found.keeper {
            return Err(CatalogueRefusal::NotKeeper.into());
        }
        match (&self.product_id, &self.applicant_id) {
            (Some(id), None) if !found.there => return Err(CatalogueRefusal::NoProduct(id.clone()).into()),
            (None, Some(id)) if !found.there => return Err(CatalogueRefusal::NoApplicant(id.clone()).into()),
            (Some(_), None) | (None, Some(_)) => {}
            _ => return Err(CatalogueRefusal::ProductOrApplicant.into()),
        }
        if !found.institute {
            return Err(CatalogueRefusal::InstituteUnknown.into());
        }
        text::required("reason", &self.reason, text::REMARK)
    }
}

/// Whether the actor's institute keeps the shared catalogue.
pub(super) fn keeps_catalogue(cx: &mut Context<'_>) -> Outcome<bool> {
    let own = cx.institute()?;
    keeper(cx.conn, &own)
}

/// Whether an institute does.
pub(super) fn keeper(conn: &mut AnyConnection, id: &InstituteId) -> Outcome<bool> {
    Ok(institute::table.find(id).select(institute::keeps_catalogue).first(conn)?)
}

impl Action for ProposeOwner {
    const NAME: &'static str = "owner.propose";
    const PERMISSION: Permission = Permission::ProductManage;
    type Prepared = ();
    type Loaded = ProposalGround;
    type Plan = String;
    type Done = OwnerProposalView;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<ProposalGround> {
        let own = cx.institute()?;
        let keeper = keeps_catalogue(cx)?;
        let products: i64 = match &self.product_id {
            Some(id) => product::table
                .filter(product::id.eq(id))
                .filter(product::institute_id.is_null().or(product::institute_id.eq(&own)))
                .count()
                .get_result(cx.conn)?,
            None => 0,
        };
        let applicants: i64 = match &self.applicant_id {
            Some(id) => applicant::table
                .filter(applicant::id.eq(id))
                .filter(applicant::institute_id.is_null().or(applicant::institute_id.eq(&own)))
                .count()
                .get_result(cx.conn)?,
            None => 0,
        };
        let institutes: i64 = match &self.institute_id {
            Some(id) => institute::table.filter(institute::id.eq(id)).count().get_result(cx.conn)?,
            None => 1,
        };
        Ok(ProposalGround { keeper, there: products + applicants == 1, institute: institutes == 1 })
    }

    fn decide(&self, _: &Facts<'_>, found: &ProposalGround) -> Result<String, Refusal> {
        self.checked(found)
    }

    fn keep(&self, cx: &mut Context<'_>, _: ProposalGround, reason: String) -> Outcome<OwnerProposalView> {
        let row = OwnerProposalRow {
            id: OwnerProposalId::new(),
            institute_id: cx.institute()?,
            product_id: self.product_id.clone(),
            applicant_id: self.applicant_id.clone(),
            to_institute_id: self.institute_id.clone(),
            reason: reason.clone(),
            proposed_by: cx.actor.account.clone(),
            proposed_at: cx.now.into(),
            confirmed_by: None,
            confirmed_at: None,
        };
        diesel::insert_into(owner_proposal::table).values(&row).execute(cx.conn)?;
        let content = json!({"product": row.product_id, "applicant": row.applicant_id, "to": row.to_institute_id});
        cx.record(Change::created(Self::NAME, "owner_proposal", &row.id, content).because(reason));
        shown(cx, &row.id)
    }
}

/// Confirms what somebody else of the institute proposed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmOwner {
    pub id: OwnerProposalId,
}

/// Refuses what the proposer or the past has settled.
fn confirmable(row: &OwnerProposalRow, actor: &AccountId) -> Result<(), CatalogueRefusal> {
    if row.confirmed_by.is_some() {
        return Err(CatalogueRefusal::ProposalConfirmed);
    }
    if row.proposed_by == *actor {
        return Err(CatalogueRefusal::OwnProposal);
    }
    Ok(())
}

impl Action for ConfirmOwner {
    const NAME: &'static str = "owner.confirm";
    const PERMISSION: Permission = Permission::ProductManage;
    type Prepared = ();
    type Loaded = OwnerProposalRow;
    type Plan = ();
    type Done = OwnerProposalView;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<OwnerProposalRow> {
        let found = owner_proposal::table
            .find(&self.id)
            .filter(owner_proposal::institute_id.eq(cx.institute()?))
            .select(OwnerProposalRow::as_select())
            .first(cx.conn)
            .optional()?;
        found.ok_or_else(|| CatalogueRefusal::NoProposal(self.id.clone()).into())
    }

    fn decide(&self, facts: &Facts<'_>, row: &OwnerProposalRow) -> Result<(), Refusal> {
        Ok(confirmable(row, &facts.actor.account)?)
    }

    fn keep(&self, cx: &mut Context<'_>, row: OwnerProposalRow, (): ()) -> Outcome<OwnerProposalView> {
        // The database lets an owner change only as a confirmed proposal says.
        let now = crate::store::columns::Instant::from(cx.now);
        diesel::update(owner_proposal::table.find(&self.id))
            .set((owner_proposal::confirmed_by.eq(&cx.actor.account), owner_proposal::confirmed_at.eq(now)))
            .execute(cx.conn)?;
        let to = &row.to_institute_id;
        let mut event = Change::field(Self::NAME, "owner_proposal", &self.id, "state", "proposed", "confirmed");
        if let Some(id) = &row.product_id {
            let old: Option<InstituteId> = product::table.find(id).select(product::institute_id).first(cx.conn)?;
            diesel::update(product::table.find(id))
                .set((product::institute_id.eq(to), product::owner_open.eq(false)))
                .execute(cx.conn)?;
            event.add("product", id.as_str(), id.as_str());
            event.add("owner", json!(old), json!(to));
        }
        if let Some(id) = &row.applicant_id {
            let old: Option<InstituteId> = applicant::table.find(id).select(applicant::institute_id).first(cx.conn)?;
            diesel::update(applicant::table.find(id))
                .set((applicant::institute_id.eq(to), applicant::owner_open.eq(false)))
                .execute(cx.conn)?;
            event.add("applicant", id.as_str(), id.as_str());
            event.add("owner", json!(old), json!(to));
        }
        cx.record(event);
        shown(cx, &self.id)
    }
}

/// The institute of that code keeps the shared catalogue from now on. The installation says so, on its command line.
#[derive(Clone, Debug)]
pub struct NameKeeper {
    pub code: String,
}

impl Action for NameKeeper {
    const NAME: &'static str = "institute.keep_catalogue";
    const PERMISSION: Permission = Permission::InstituteManage;
    type Prepared = ();
    type Loaded = Option<InstituteId>;
    type Plan = InstituteId;
    type Done = InstituteId;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Option<InstituteId>> {
        let found = institute::table.filter(institute::code.eq(self.code.trim())).select(institute::id);
        Ok(found.first(cx.conn).optional()?)
    }

    fn decide(&self, _: &Facts<'_>, found: &Option<InstituteId>) -> Result<InstituteId, Refusal> {
        Ok(found.clone().ok_or(CatalogueRefusal::InstituteUnknown)?)
    }

    fn keep(&self, cx: &mut Context<'_>, _: Option<InstituteId>, id: InstituteId) -> Outcome<InstituteId> {
        diesel::update(institute::table.filter(institute::keeps_catalogue))
            .set(institute::keeps_catalogue.eq(false))
            .execute(cx.conn)?;
        diesel::update(institute::table.find(&id)).set(institute::keeps_catalogue.eq(true)).execute(cx.conn)?;
        cx.record(Change::field(Self::NAME, "institute", &id, "keeps_catalogue", false, true).of(&id));
        Ok(id)
    }
}

/// The proposal as its institute sees it.
fn shown(cx: &mut Context<'_>, id: &OwnerProposalId) -> Outcome<OwnerProposalView> {
    let reader = cx.services.reader(cx.actor)?;
    let all = views::owner_proposals(cx.conn, &reader)?;
    let found = all.into_iter().find(|one| one.id == *id);
    found.ok_or_else(|| CatalogueRefusal::NoProposal(id.clone()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn propose() -> ProposeOwner {
        ProposeOwner {
            product_id: Some("d1".into()),
            applicant_id: None,
            institute_id: None,
            reason: "全国共用".into(),
        }
    }

    const FOUND: ProposalGround = ProposalGround { keeper: true, there: true, institute: true };

    #[test]
    fn only_the_keeper_of_the_catalogue_proposes() {
        assert!(propose().checked(&FOUND).is_ok());
        let other = ProposalGround { keeper: false, ..FOUND };
        assert_eq!(propose().checked(&other), Err(CatalogueRefusal::NotKeeper.into()));
        let nothing = ProposeOwner { product_id: None, ..propose() };
        assert_eq!(nothing.checked(&FOUND), Err(CatalogueRefusal::ProductOrApplicant.into()));
        let without = ProposeOwner { reason: " ".into(), ..propose() };
        assert_eq!(without.checked(&FOUND).err().and_then(|refusal| refusal.field).as_deref(), Some("reason"));
    }

    #[test]
    fn nobody_confirms_the_own_proposal_and_none_is_confirmed_twice() {
        let at = crate::store::columns::Instant::from(chrono::DateTime::UNIX_EPOCH);
        let row = OwnerProposalRow {
            id: "o1".into(),
            institute_id: "i1".into(),
            product_id: Some("d1".into()),
            applicant_id: None,
            to_institute_id: None,
            reason: "全国共用".into(),
            proposed_by: "a1".into(),
            proposed_at: at,
            confirmed_by: None,
            confirmed_at: None,
        };
        assert_eq!(confirmable(&row, &"a1".into()), Err(CatalogueRefusal::OwnProposal));
        assert_eq!(confirmable(&row, &"a2".into()), Ok(()));
        let done = OwnerProposalRow { confirmed_by: Some("a2".into()), ..row };
        assert_eq!(confirmable(&done, &"a3".into()), Err(CatalogueRefusal::ProposalConfirmed));
    }
}
