//! The mark of a demonstration: the accounts of this database have a password that everybody can read. A server on it
//! answers this machine alone.

use diesel::prelude::*;
use serde_json::json;

use crate::action::{Action, Context, Facts, Services, act_as_program};
use crate::record::{Actor, Author, Change};
use crate::refusal::Refusal;
use crate::store::columns::Instant;
use crate::store::schema::demonstration;
use crate::store::{DbConn, Outcome};
use crate::vocabulary::Permission;

/// Marks the database, once and for good.
#[derive(Clone, Debug)]
pub struct MarkDemonstration {}

impl Action for MarkDemonstration {
    const NAME: &'static str = "demonstration.mark";
    const PERMISSION: Permission = Permission::InstituteManage;
    type Prepared = ();
    type Loaded = bool;
    type Plan = bool;
    type Done = ();

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<bool> {
        Ok(demonstration::table.count().get_result::<i64>(cx.conn)? > 0)
    }

    fn decide(&self, _: &Facts<'_>, marked: &bool) -> Result<bool, Refusal> {
        Ok(!marked)
    }

    fn keep(&self, cx: &mut Context<'_>, _: bool, mark: bool) -> Outcome<()> {
        if mark {
            let row = (demonstration::id.eq(1_i64), demonstration::made_at.eq(Instant::from(cx.now)));
            diesel::insert_into(demonstration::table).values(row).execute(cx.conn)?;
            cx.record(Change::created(Self::NAME, "demonstration", "1", json!({"demonstration": true})));
        }
        Ok(())
    }
}

/// Marks the database of a demonstration, before its first account is made.
///
/// # Errors
/// The store's failure.
pub fn mark_demonstration(services: &Services) -> Outcome<()> {
    let program = Actor {
        account: "demo".into(),
        username: "demo".into(),
        display_name: "demo".into(),
        institute: None,
        applicant: None,
        roles: Vec::new(),
        request_id: None,
        session: None,
    };
    act_as_program(services, &program, Author::nobody("demo", None), MarkDemonstration {})
}

/// Whether the database is a demonstration's.
///
/// # Errors
/// The store's failure.
pub fn is_demonstration(db: &DbConn) -> Outcome<bool> {
    db.read(|conn| Ok(demonstration::table.count().get_result::<i64>(conn)? > 0))
}
