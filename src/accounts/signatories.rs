//! What a signatory may sign (授权签字领域): lines of business and categories, with dates, and who said so. An appointment
//! is only added; its end is a record of its own.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::refusals::AccountRefusal;
use super::write::own_account;
use crate::action::{Action, Context, Facts};
use crate::people::roles_of;
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::columns::{AccountId, Day, SignatoryFieldEndId, SignatoryFieldId};
use crate::store::rows::{SignatoryFieldEndRow, SignatoryFieldRow};
use crate::store::schema::{account, signatory_field, signatory_field_end};
use crate::store::views::{self, SignatoryFieldView};
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::{Business, Category, Permission, Role};

/// Appoints a signatory for a line of business, all of it or one category of products.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppointSignatory {
    pub id: AccountId,
    pub business: Business,
    /// Without it, products of every category
    #[serde(default)]
    pub category: Option<Category>,
    /// `YYYY-MM-DD`
    pub valid_from: String,
    /// `YYYY-MM-DD`, the last day; needed for lot release, whose signatories are appointed for a time
    #[serde(default)]
    pub valid_to: Option<String>,
    /// The paper of the appointment
    pub document: String,
}

/// What was found in order.
pub struct Appointed {
    from: NaiveDate,
    to: Option<NaiveDate>,
    document: String,
}

impl AppointSignatory {
    fn checked(&self, actor: &AccountId, roles: &[Role]) -> Result<Appointed, Refusal> {
        if *actor == self.id {
            return Err(AccountRefusal::OwnAppointment.into());
        }
        if !roles.contains(&Role::AuthorisedSignatory) {
            return Err(AccountRefusal::NoSignatory.into());
        }
        let from = text::date("valid_from", &self.valid_from)?;
        let to = text::date_opt("valid_to", self.valid_to.as_deref())?;
        if self.business == Business::LotRelease && to.is_none() {
            return Err(AccountRefusal::LotReleaseUndated.into());
        }
        if to.is_some_and(|to| to < from) {
            return Err(AccountRefusal::EndsBeforeItBegins { field: "valid_to" }.into());
        }
        Ok(Appointed { from, to, document: text::required("document", &self.document, text::TEXT)? })
    }
}

impl Action for AppointSignatory {
    const NAME: &'static str = "signatory.appoint";
    const PERMISSION: Permission = Permission::SignatoryAppoint;
    type Prepared = ();
    type Loaded = Vec<Role>;
    type Plan = Appointed;
    type Done = SignatoryFieldView;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Vec<Role>> {
        own_account(cx.conn, cx.actor, &self.id)?;
        roles_of(cx.conn, &self.id)
    }

    fn decide(&self, facts: &Facts<'_>, roles: &Vec<Role>) -> Result<Appointed, Refusal> {
        self.checked(&facts.actor.account, roles)
    }

    fn keep(&self, cx: &mut Context<'_>, _: Vec<Role>, plan: Appointed) -> Outcome<SignatoryFieldView> {
        let row = SignatoryFieldRow {
            id: SignatoryFieldId::new(),
            account_id: self.id.clone(),
            business: self.business,
            category: self.category,
            valid_from: plan.from.into(),
            valid_to: plan.to.map(Into::into),
            document: plan.document,
            appointed_by: Some(cx.actor.account.clone()),
            appointed_at: cx.now.into(),
        };
        diesel::insert_into(signatory_field::table).values(&row).execute(cx.conn)?;
        let content = json!({"field": row.id, "business": row.business, "category": row.category,
            "valid_from": row.valid_from, "valid_to": row.valid_to, "document": row.document});
        cx.record(Change::created(Self::NAME, "account", &self.id, content));
        shown(cx, &self.id, &row.id)
    }
}

/// Ends an appointment: the last day on which it holds, and why.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndSignatoryField {
    pub id: SignatoryFieldId,
    /// `YYYY-MM-DD`, the last day; today or later
    pub ends_on: String,
    pub reason: String,
}

/// The appointment, and whether it was ended before.
pub struct Endable {
    row: SignatoryFieldRow,
    ended: bool,
}

impl EndSignatoryField {
    fn checked(&self, found: &Endable, today: NaiveDate) -> Result<(NaiveDate, String), Refusal> {
        if found.ended {
            return Err(AccountRefusal::FieldEnded.into());
        }
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        // What was signed yesterday stays signed by somebody who was appointed then.
        let last = text::date("ends_on", &self.ends_on)?;
        if last < today.pred_opt().unwrap_or(today) {
            return Err(AccountRefusal::EndsBeforeItBegins { field: "ends_on" }.into());
        }
        Ok((last, reason))
    }
}

impl Action for EndSignatoryField {
    const NAME: &'static str = "signatory.end";
    const PERMISSION: Permission = Permission::SignatoryAppoint;
    type Prepared = ();
    type Loaded = Endable;
    type Plan = (NaiveDate, String);
    type Done = SignatoryFieldView;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Endable> {
        let row: Option<SignatoryFieldRow> = signatory_field::table
            .inner_join(account::table.on(signatory_field::account_id.eq(account::id)))
            .filter(signatory_field::id.eq(&self.id))
            .filter(account::institute_id.eq(cx.institute()?))
            .select(SignatoryFieldRow::as_select())
            .first(cx.conn)
            .optional()?;
        let row = row.ok_or_else(|| AccountRefusal::NoField(self.id.clone()))?;
        let ends = signatory_field_end::table.filter(signatory_field_end::field_id.eq(&self.id));
        let ended = diesel::select(diesel::dsl::exists(ends)).get_result(cx.conn)?;
        Ok(Endable { row, ended })
    }

    fn decide(&self, facts: &Facts<'_>, found: &Endable) -> Result<(NaiveDate, String), Refusal> {
        self.checked(found, facts.today())
    }

    fn keep(&self, cx: &mut Context<'_>, found: Endable, plan: (NaiveDate, String)) -> Outcome<SignatoryFieldView> {
        let (last, reason) = plan;
        let row = SignatoryFieldEndRow {
            id: SignatoryFieldEndId::new(),
            field_id: self.id.clone(),
            ends_on: last.into(),
            reason: reason.clone(),
            ended_by: cx.actor.account.clone(),
            ended_at: cx.now.into(),
        };
        diesel::insert_into(signatory_field_end::table).values(&row).execute(cx.conn)?;
        let content = json!({"field": self.id, "ends_on": row.ends_on});
        let account = &found.row.account_id;
        cx.record(Change::created(Self::NAME, "account", account, content).because(reason));
        shown(cx, account, &self.id)
    }
}

fn shown(cx: &mut Context<'_>, account: &AccountId, id: &SignatoryFieldId) -> Outcome<SignatoryFieldView> {
    let reader = cx.services.reader(cx.actor)?;
    let all = views::signatory_fields(cx.conn, &reader, Some(account))?;
    let found = all.into_iter().find(|one| one.id == *id);
    found.ok_or_else(|| AccountRefusal::NoField(id.clone()).into())
}

/// An appointment as far as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningField<D> {
    pub business: Business,
    pub category: Option<Category>,
    pub from: D,
    /// The last day, by the appointment or by its end, whichever is earlier.
    pub to: Option<D>,
}

/// Whether one of the appointments covers a line of business and a category on a day.
pub fn in_field<D: Ord>(all: &[SigningField<D>], business: Business, category: Category, on: &D) -> bool {
    all.iter().any(|one| {
        one.business == business
            && one.category.is_none_or(|only| only == category)
            && one.from <= *on
            && one.to.as_ref().is_none_or(|last| on <= last)
    })
}

/// The appointments of an account.
///
/// # Errors
/// The store's failure.
pub fn fields_of(conn: &mut AnyConnection, id: &AccountId) -> Outcome<Vec<SigningField<NaiveDate>>> {
    let rows: Vec<(SignatoryFieldRow, Option<Day>)> = signatory_field::table
        .left_join(signatory_field_end::table)
        .filter(signatory_field::account_id.eq(id))
        .select((SignatoryFieldRow::as_select(), signatory_field_end::ends_on.nullable()))
        .load(conn)?;
    let field = |(row, end): (SignatoryFieldRow, Option<Day>)| SigningField {
        business: row.business,
        category: row.category,
        from: row.valid_from.date(),
        to: [row.valid_to, end].into_iter().flatten().map(|day| day.date()).min(),
    };
    Ok(rows.into_iter().map(field).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Code;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn appoint(business: Business, to: Option<&str>) -> AppointSignatory {
        AppointSignatory {
            id: "s".into(),
            business,
            category: None,
            valid_from: "2026-03-02".into(),
            valid_to: to.map(Into::into),
            document: "任命〔2026〕1号".into(),
        }
    }

    #[test]
    fn an_appointment_is_of_a_signatory_by_somebody_else_and_lot_release_is_for_a_time() {
        let signatory = [Role::AuthorisedSignatory];
        let of = |one: &AppointSignatory, who: &str, roles: &[Role]| one.checked(&who.into(), roles).err();
        let tests = appoint(Business::DrugRegistration, None);
        assert!(of(&tests, "admin", &signatory).is_none());
        assert_eq!(of(&tests, "s", &signatory).map(|refusal| refusal.code), Some(Code::SelfReview));
        assert!(of(&tests, "admin", &[Role::Analyst]).is_some());
        let field = |one: &AppointSignatory| of(one, "admin", &signatory).and_then(|refusal| refusal.field);
        assert_eq!(field(&appoint(Business::LotRelease, None)).as_deref(), Some("valid_to"));
        assert_eq!(field(&appoint(Business::LotRelease, Some("2028-03-01"))), None);
        assert_eq!(field(&appoint(Business::PortEntry, Some("2026-03-01"))).as_deref(), Some("valid_to"));
    }

    #[test]
    fn a_field_is_a_line_a_category_and_days() {
        let field = |category, to: Option<&str>| SigningField {
            business: Business::LotRelease,
            category,
            from: day("2026-03-02"),
            to: to.map(day),
        };
        let vaccines = [field(Some(Category::Vaccine), Some("2026-12-31"))];
        let signs =
            |all: &[SigningField<NaiveDate>], business, category, on: &str| in_field(all, business, category, &day(on));
        assert!(signs(&vaccines, Business::LotRelease, Category::Vaccine, "2026-03-02"));
        assert!(signs(&vaccines, Business::LotRelease, Category::Vaccine, "2026-12-31"));
        assert!(!signs(&vaccines, Business::LotRelease, Category::Vaccine, "2026-03-01"), "before");
        assert!(!signs(&vaccines, Business::LotRelease, Category::Vaccine, "2027-01-01"), "after");
        assert!(!signs(&vaccines, Business::LotRelease, Category::BloodProduct, "2026-04-01"), "another category");
        assert!(!signs(&vaccines, Business::PortEntry, Category::Vaccine, "2026-04-01"), "another line");
        assert!(signs(&[field(None, None)], Business::LotRelease, Category::BloodProduct, "2030-01-01"));
        assert!(!signs(&[], Business::LotRelease, Category::Vaccine, "2026-04-01"));
    }
}
