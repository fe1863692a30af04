//! One's own sessions: one that was left open elsewhere is ended from here.

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::action::{Action, Context, Facts};
use crate::people::end_family;
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::schema::session;
use crate::vocabulary::Permission;

/// Ends a session of one's own, with everything that was refreshed from it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndSession {
    /// As the list of one's own sessions names it
    pub id: String,
}

impl EndSession {
    fn checked(&self, open: i64) -> Result<(), Refusal> {
        if open == 0 { Err(Refusal::not_found("会话", "session", &self.id)) } else { Ok(()) }
    }
}

impl Action for EndSession {
    const NAME: &'static str = "session.end";
    const PERMISSION: Permission = Permission::OwnSessionEnd;
    type Prepared = ();
    type Loaded = i64;
    type Plan = ();
    type Done = ();

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<i64> {
        Ok(session::table
            .filter(session::family.eq(&self.id))
            .filter(session::account_id.eq(&cx.actor.account))
            .filter(session::revoked_at.is_null())
            .count()
            .get_result(cx.conn)?)
    }

    fn decide(&self, _: &Facts<'_>, open: &i64) -> Result<(), Refusal> {
        self.checked(*open)
    }

    fn keep(&self, cx: &mut Context<'_>, _: i64, (): ()) -> Outcome<()> {
        end_family(cx.conn, &self.id, cx.now)?;
        cx.record(Change::field(Self::NAME, "session", &self.id, "state", "open", "closed"));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Code;

    #[test]
    fn only_a_session_of_ones_own_that_is_open_is_ended() {
        let end = EndSession { id: "s1".into() };
        assert!(end.checked(2).is_ok());
        assert_eq!(end.checked(0).err().map(|refusal| refusal.code), Some(Code::NotFound));
    }
}
