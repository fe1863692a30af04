//! One's own sessions and second factor, as their owner sees them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::second_factor::{factor_of, opened};
use super::session::Authenticated;
use super::{Identity, find};
use crate::store::columns::Instant;
use crate::store::rows::SessionRow;
use crate::store::schema::{recovery_code, session};
use crate::store::{AnyConnection, Outcome};

/// A session that is open.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OwnSession {
    /// By which it is ended
    pub id: String,
    pub opened_at: Instant,
    /// To the minute
    pub seen_at: Instant,
    pub expires_at: Instant,
    /// The address that it was opened from
    pub source: Option<String>,
    /// What the browser or program called itself
    pub agent: Option<String>,
    /// Whether it is the one that asks
    pub current: bool,
}

/// One's own second factor.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OwnSecondFactor {
    /// Whether it was confirmed, so that it is asked for at the log-in
    pub confirmed: bool,
    /// Whether a role of the account asks for one
    pub required: bool,
    /// How many recovery codes are left
    pub recovery_codes_left: i64,
    /// For the authenticator app; only until it is confirmed
    pub secret: Option<String>,
    /// The same as the address that an app reads from a picture
    pub address: Option<String>,
    /// Each opens a session once; only until it is confirmed
    pub recovery_codes: Vec<String>,
}

impl Identity {
    /// The open sessions of an account, the one last seen first.
    ///
    /// # Errors
    /// The store's failure.
    pub fn own_sessions(&self, who: &Authenticated) -> Outcome<Vec<OwnSession>> {
        let (now, idle) = (self.clock.now(), self.rules.idle);
        self.db.read(|conn| {
            let own: Option<String> =
                session::table.find(&who.session).select(session::family).first(conn).optional()?;
            let mut found: Vec<OwnSession> = open_rows(conn, who, now)?
                .into_iter()
                .map(|row| OwnSession {
                    current: own.as_ref() == Some(&row.family),
                    seen_at: row.seen_at.unwrap_or_else(|| row.created_at.clone()),
                    opened_at: row.opened_at.unwrap_or(row.created_at),
                    id: row.family,
                    expires_at: row.expires_at,
                    source: row.source,
                    agent: row.agent,
                })
                .filter(|one| now - one.seen_at.utc() < idle)
                .collect();
            found.sort_by_key(|one| std::cmp::Reverse(one.seen_at.utc()));
            Ok(found)
        })
    }

    /// One's own second factor.
    ///
    /// # Errors
    /// The store's failure, and a secret of another key.
    pub fn own_second_factor(&self, who: &Authenticated) -> Outcome<OwnSecondFactor> {
        let account = &who.actor.account;
        self.db.read(|conn| {
            let left = recovery_code::table
                .filter(recovery_code::account_id.eq(account))
                .filter(recovery_code::used_at.is_null())
                .count()
                .get_result(conn)?;
            let roles = find::roles_of(conn, account)?;
            let required = roles.iter().any(|role| self.rules.second_factor.contains(role));
            let row = factor_of(conn, account)?;
            let confirmed = row.as_ref().is_some_and(|row| row.confirmed_at.is_some());
            let offered = match &row {
                Some(row) if !confirmed => Some(opened(&self.vault, row)?),
                _ => None,
            };
            let address = offered.as_ref().map(|offered| offered.address(&who.actor.username)).transpose()?;
            let (secret, recovery_codes) =
                offered.map_or((None, Vec::new()), |offered| (Some(offered.secret), offered.recovery_codes));
            Ok(OwnSecondFactor { confirmed, required, recovery_codes_left: left, secret, address, recovery_codes })
        })
    }
}

/// The last row of every session that is open.
fn open_rows(conn: &mut AnyConnection, who: &Authenticated, now: DateTime<Utc>) -> Outcome<Vec<SessionRow>> {
    Ok(session::table
        .filter(session::account_id.eq(&who.actor.account))
        .filter(session::used_at.is_null())
        .filter(session::revoked_at.is_null())
        .filter(session::expires_at.gt(Instant::from(now)))
        .select(SessionRow::as_select())
        .load(conn)?)
}
