//! Specifications (质量标准): drafted, and released for a date. A released specification is locked.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::items::{CheckedItem, NewItem, check_item};
use super::owners::keeps_catalogue;
use super::refusals::CatalogueRefusal;
use crate::action::{Action, Context, Facts, Services, Subject};
use crate::insert_all;
use crate::people::{DutiesDone, Grace, Reauthenticated, SignedContent};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::secrets::Password;
use crate::store::Outcome;
use crate::store::columns::{AccountId, Day, InstituteId, ProductId, SpecificationId};
use crate::store::revisions::Revised;
use crate::store::rows::{SpecificationRow, TestItemRow};
use crate::store::schema::{product, specification, test_item};
use crate::store::views::{self, SpecificationView};
use crate::text;
use crate::vocabulary::register::{SpecificationDates, SpecificationEvent, in_force};
use crate::vocabulary::{Duty, Permission, SignatureMeaning, SpecificationState};

/// A new version of a product's specification.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = NewSpecification)]
#[serde(deny_unknown_fields)]
pub struct DraftSpecification {
    pub product_id: ProductId,
    /// 检验依据, e.g. `《中国药典》2025年版二部`
    pub title: String,
    /// The edition in force
    pub edition: String,
    pub items: Vec<NewItem>,
}

/// What a draft follows.
pub struct Predecessors {
    product: Whose,
    /// The number of its last version; none has 0.
    last: i64,
    /// The unit in which its containers are measured.
    content_unit: String,
}

/// A draft that was found in order.
pub struct CheckedDraft {
    version: i64,
    title: String,
    edition: String,
    items: Vec<CheckedItem>,
}

impl DraftSpecification {
    fn checked(&self, versions: &Predecessors) -> Result<CheckedDraft, Refusal> {
        match versions.product {
            Whose::Nobody => return Err(CatalogueRefusal::ProductUnknown.into()),
            Whose::Shared => return Err(CatalogueRefusal::NotKeeper.into()),
            Whose::Own | Whose::Kept => {}
        }
        if self.items.is_empty() || self.items.len() > 200 {
            return Err(CatalogueRefusal::ItemCount.into());
        }
        let items = self.items.iter().enumerate();
        let items = items.map(|(index, item)| check_item(index, item, &versions.content_unit));
        Ok(CheckedDraft {
            version: versions.last + 1,
            title: text::required("title", &self.title, text::TEXT)?,
            edition: text::required("edition", &self.edition, text::TEXT)?,
            items: items.collect::<Result<_, _>>()?,
        })
    }
}

/// What the trail says of an item.
fn item_content(item: &TestItemRow) -> Value {
    json!({"code": item.code, "name_zh": item.name_zh, "method": item.method, "kind": item.kind, "unit": item.unit,
        "limit": item.limit_text, "compare_by": item.compare_by, "rounding_step": item.rounding_step,
        "formula": item.formula, "replicates": item.replicates, "consumes": item.consumes,
        "consumes_unit": item.consumes_unit, "whole_containers": item.whole_containers,
        "in_scope": item.in_scope, "plausible": item.plausible})
}

impl Action for DraftSpecification {
    const NAME: &'static str = "specification.draft";
    const PERMISSION: Permission = Permission::SpecificationDraft;
    const AS_FILED: &'static [&'static str] = &["items.inputs.source.analyte"];
    type Prepared = ();
    type Loaded = Predecessors;
    type Plan = CheckedDraft;
    type Done = SpecificationView;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Predecessors> {
        let product = Whose::of(cx, &self.product_id)?;
        let last: Option<i64> = specification::table
            .filter(specification::product_id.eq(&self.product_id))
            .select(diesel::dsl::max(specification::version))
            .first(cx.conn)?;
        let unit: Option<String> =
            product::table.find(&self.product_id).select(product::content_unit).first(cx.conn).optional()?;
        Ok(Predecessors { product, last: last.unwrap_or(0), content_unit: unit.unwrap_or_default() })
    }

    fn decide(&self, _: &Facts<'_>, versions: &Predecessors) -> Result<CheckedDraft, Refusal> {
        self.checked(versions)
    }

    fn keep(&self, cx: &mut Context<'_>, _: Predecessors, plan: CheckedDraft) -> Outcome<SpecificationView> {
        let row = SpecificationRow {
            id: SpecificationId::new(),
            product_id: self.product_id.clone(),
            version: plan.version,
            title: plan.title,
            edition: plan.edition,
            status: SpecificationState::Draft,
            effective_from: None,
            created_at: cx.now.into(),
            drafted_by: Some(cx.actor.account.clone()),
            released_by: None,
        };
        let positions = 1_i64..;
        let items: Vec<TestItemRow> =
            plan.items.into_iter().zip(positions).map(|(item, position)| item.row(&row.id, position)).collect();
        diesel::insert_into(specification::table).values(&row).execute(cx.conn)?;
        insert_all!(cx.conn, test_item::table, &items)?;
        let content = json!({"product": row.product_id, "version": row.version, "title": row.title,
            "edition": row.edition, "items": items.iter().map(item_content).collect::<Vec<_>>()});
        cx.record(Change::created(Self::NAME, "specification", &row.id, content));
        shown(cx, &row.product_id, &row.id)
    }
}

/// Releases a draft of somebody else: it is in force from a date on, and the one before it until the day before.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = Effective)]
#[serde(deny_unknown_fields)]
pub struct ReleaseSpecification {
    pub id: SpecificationId,
    /// `YYYY-MM-DD`; a later day is waited for
    pub effective_from: String,
    /// To sign with; not needed shortly after the log-in or another signature of the same session
    #[serde(default)]
    pub password: Option<Password>,
    /// Of the second factor, where the account has one
    #[serde(default)]
    pub code: Option<String>,
}

/// The draft, and what decides which of its product's specifications is in force.
pub struct Releasable {
    product: ProductId,
    whose: Whose,
    /// Who drafted it.
    done: DutiesDone,
    state: SpecificationState,
    others: Vec<SpecificationDates<NaiveDate>>,
    /// What is signed, but for the date.
    content: Value,
    proof: Option<Reauthenticated>,
}

/// From when on it is in force.
pub struct Release {
    state: SpecificationState,
    from: NaiveDate,
}

fn decide_release(draft: &Releasable, typed: &str, (who, today): (&AccountId, NaiveDate)) -> Result<Release, Refusal> {
    if draft.whose == Whose::Shared {
        return Err(CatalogueRefusal::NotKeeper.into());
    }
    let state = draft.state.on(SpecificationEvent::Release).map_err(CatalogueRefusal::State)?;
    draft.done.allow(Duty::SpecificationRelease, who)?;
    let from = text::date("effective_from", typed)?;
    // It would never be in force: what is in force began later, and goes on.
    let current = in_force(&draft.others, today).and_then(|at| draft.others[at].from);
    if let Some(current) = current.filter(|current| from < *current) {
        return Err(CatalogueRefusal::BeforeCurrent(current).into());
    }
    Ok(Release { state, from })
}

impl Action for ReleaseSpecification {
    const NAME: &'static str = "specification.release";
    const PERMISSION: Permission = Permission::SpecificationRelease;
    type Prepared = Option<Reauthenticated>;
    type Loaded = Releasable;
    type Plan = Release;
    type Done = SpecificationView;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Specification, &self.id))
    }

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Option<Reauthenticated>> {
        let proof = services.identity.prove(actor, self.password.as_ref(), self.code.as_deref(), Grace::Counts);
        proof.map(Some)
    }

    fn load(&self, cx: &mut Context<'_>, proof: &Option<Reauthenticated>) -> Outcome<Releasable> {
        let found: Option<SpecificationRow> =
            specification::table.find(&self.id).select(SpecificationRow::as_select()).first(cx.conn).optional()?;
        let missing = || CatalogueRefusal::NoSpecification(self.id.clone());
        let row = found.ok_or_else(missing)?;
        let (product, state) = (row.product_id.clone(), row.status);
        let whose = Whose::of(cx, &product)?;
        if whose == Whose::Nobody {
            return Err(missing().into());
        }
        let facts = views::duties_of_specification(cx.conn, &self.id)?;
        let done = DutiesDone { facts, more: cx.services.site.apart.clone() };
        let rows: Vec<(SpecificationState, Option<Day>, i64)> = specification::table
            .filter(specification::product_id.eq(&product))
            .filter(specification::id.ne(&self.id))
            .select((specification::status, specification::effective_from, specification::version))
            .load(cx.conn)?;
        let dates = |(state, from, version): (SpecificationState, Option<Day>, i64)| SpecificationDates {
            state,
            from: from.map(|day| day.date()),
            version,
        };
        let items: Vec<TestItemRow> = test_item::table
            .filter(test_item::specification_id.eq(&self.id))
            .order(test_item::position)
            .select(TestItemRow::as_select())
            .load(cx.conn)?;
        let content = json!({"specification": row.id, "product": row.product_id, "version": row.version,
            "title": row.title, "edition": row.edition, "items": items});
        let (others, proof) = (rows.into_iter().map(dates).collect(), proof.clone());
        Ok(Releasable { product, whose, done, state, others, content, proof })
    }

    fn decide(&self, facts: &Facts<'_>, draft: &Releasable) -> Result<Release, Refusal> {
        decide_release(draft, &self.effective_from, (&facts.actor.account, facts.today()))
    }

    fn keep(&self, cx: &mut Context<'_>, draft: Releasable, plan: Release) -> Outcome<SpecificationView> {
        let mut content = draft.content;
        content["effective_from"] = json!(plan.from);
        let meaning = SignatureMeaning::SpecificationReleased;
        let subject = ("specification", self.id.as_str());
        cx.sign(draft.proof.as_ref(), meaning, subject, &SignedContent::of(&content))?;
        diesel::update(specification::table.find(&self.id))
            .set((
                specification::status.eq(plan.state),
                specification::effective_from.eq(Day::from(plan.from)),
                specification::released_by.eq(&cx.actor.account),
            ))
            .execute(cx.conn)?;
        let (old, new) = (draft.state.as_str(), plan.state.as_str());
        let event = Change::field(Self::NAME, "specification", &self.id, "status", old, new);
        cx.record(event.and("effective_from", (), plan.from.to_string()));
        shown(cx, &draft.product, &self.id)
    }
}

/// Whose a product is to the actor who writes what it is tested by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// Nobody's that the actor knows of.
    Nobody,
    /// The institute's own.
    Own,
    /// Of the shared catalogue, which the institute keeps.
    Kept,
    /// Of the shared catalogue, which another institute keeps.
    Shared,
}

impl Whose {
    fn of(cx: &mut Context<'_>, id: &ProductId) -> Outcome<Self> {
        let own = cx.institute()?;
        let owner: Option<Option<InstituteId>> =
            product::table.find(id).select(product::institute_id).first(cx.conn).optional()?;
        Ok(match owner {
            Some(Some(owner)) if owner == own => Self::Own,
            None | Some(Some(_)) => Self::Nobody,
            Some(None) if keeps_catalogue(cx)? => Self::Kept,
            Some(None) => Self::Shared,
        })
    }
}

/// The specification as it is today.
fn shown(cx: &mut Context<'_>, product: &ProductId, id: &SpecificationId) -> Outcome<SpecificationView> {
    let (reader, today) = (cx.services.reader(cx.actor)?, Day::from(cx.today()));
    let all = views::specifications(cx.conn, &reader, product, &today)?;
    let found = all.into_iter().find(|one| one.id == *id);
    found.ok_or_else(|| CatalogueRefusal::NoSpecification(id.clone()).into())
}

#[cfg(test)]
mod tests {
    use super::super::items::tests::assay;
    use super::*;
    use crate::refusal::Code;
    use crate::store::views::DutyFact;
    use crate::vocabulary::states::WrongState;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn drafted_by(who: &str) -> DutiesDone {
        let fact = DutyFact {
            duty: Duty::SpecificationDraft,
            account: who.into(),
            name: who.into(),
            what_zh: "《示范标准》".into(),
            what_en: "《示范标准》".into(),
            at: chrono::DateTime::UNIX_EPOCH.into(),
        };
        DutiesDone { facts: vec![fact], ..DutiesDone::default() }
    }

    fn release(draft: &Releasable, from: &str, today: NaiveDate) -> Result<Release, Refusal> {
        decide_release(draft, from, (&"releaser".into(), today))
    }

    fn draft(others: &[(&str, i64)]) -> Releasable {
        let dates = |(from, version): &(&str, i64)| SpecificationDates {
            state: SpecificationState::Effective,
            from: Some(day(from)),
            version: *version,
        };
        Releasable {
            product: "d1".into(),
            whose: Whose::Own,
            done: drafted_by("drafter"),
            state: SpecificationState::Draft,
            others: others.iter().map(dates).collect(),
            content: Value::Null,
            proof: None,
        }
    }

    #[test]
    fn a_release_has_its_own_date() {
        let today = day("2026-03-02");
        let Ok(later) = release(&draft(&[("2026-01-05", 1)]), "2026-07-01", today) else { panic!("a release") };
        assert_eq!((later.state, later.from), (SpecificationState::Effective, day("2026-07-01")));
        // The first of a product may have been in force for long.
        assert!(release(&draft(&[]), "2020-01-01", today).is_ok());
        let urgent = release(&draft(&[("2026-01-05", 1), ("2027-01-01", 2)]), "2026-12-15", today);
        assert!(urgent.is_ok(), "before one that waits");
    }

    #[test]
    fn a_release_that_would_never_be_in_force_is_refused() {
        let today = day("2026-03-02");
        let refused = release(&draft(&[("2026-01-05", 1)]), "2026-01-04", today).err().expect("a refusal");
        assert_eq!(refused, CatalogueRefusal::BeforeCurrent(day("2026-01-05")).into());
        assert!(release(&draft(&[("2026-01-05", 1)]), "2026-01-05", today).is_ok());
    }

    #[test]
    fn what_is_shared_is_the_keepers_and_every_release_takes_two() {
        let today = day("2026-03-02");
        let of = |whose, who| Releasable { whose, done: drafted_by(who), ..draft(&[]) };
        let refused = |draft: Releasable| release(&draft, "2026-07-01", today).err().map(|refusal| refusal.code);
        assert_eq!(refused(of(Whose::Shared, "drafter")), Some(Refusal::from(CatalogueRefusal::NotKeeper).code));
        for whose in [Whose::Own, Whose::Kept] {
            assert_eq!(refused(of(whose, "releaser")), Some(Code::SelfReview), "{whose:?}");
            assert_eq!(refused(of(whose, "drafter")), None, "{whose:?}");
        }
    }

    #[test]
    fn what_is_released_is_not_released_again() {
        let released = Releasable { state: SpecificationState::Effective, ..draft(&[]) };
        let refused = release(&released, "2026-07-01", day("2026-03-02")).err().expect("a refusal");
        let again = WrongState::Specification(SpecificationState::Effective, SpecificationEvent::Release);
        assert_eq!(refused, CatalogueRefusal::State(again).into());
    }

    #[test]
    fn a_draft_follows_the_last_version_and_has_items() {
        let new = DraftSpecification {
            product_id: "d1".into(),
            title: "《示范标准》".into(),
            edition: "2026".into(),
            items: vec![assay()],
        };
        let versions = Predecessors { product: Whose::Own, last: 2, content_unit: "片".into() };
        assert_eq!(new.checked(&versions).map(|drafted| drafted.version).ok(), Some(3));
        let fault = |new: &DraftSpecification, versions| new.checked(versions).err().and_then(|refusal| refusal.field);
        let nobodys = Predecessors { product: Whose::Nobody, last: 0, content_unit: "片".into() };
        assert_eq!(fault(&new, &nobodys).as_deref(), Some("product_id"));
        assert_eq!(fault(&DraftSpecification { items: Vec::new(), ..new }, &versions).as_deref(), Some("items"));
    }
}
