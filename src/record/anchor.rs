//! Showing seals outside: the newest is time-stamped by an authority (RFC 3161), sent to the log of another machine
//! (RFC 5424), or both. Whoever changes the whole installation, keys and witness with it, does not change what others
//! have. The answers are kept beside the seals, and `audit verify` compares them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use diesel::prelude::*;

use super::outside::{AnchorSettings, PATIENCE, hash_of};
use super::seal::Sealer;
use super::witness::{Witness, last_seal};
use super::writing::{Author, Change, record_by};
use crate::documents::{timestamp_request, timestamp_token};
use crate::store::Outcome;
use crate::store::columns::SealAnchorId;
use crate::store::rows::SealAnchorRow;
use crate::store::schema::seal_anchor;
use crate::vocabulary::AnchorKind;

/// No answer of an authority is longer.
const ANSWER: u64 = 64 << 10;
/// The message of a seal. Facility 13 (log audit), severity 5 (notice).
fn message(seal: &Witness, now: DateTime<Utc>) -> String {
    let at = now.to_rfc3339_opts(SecondsFormat::Millis, true);
    format!("<109>1 {at} - qianfa {} seal - seal {}:{}", std::process::id(), seal.seq, seal.chained)
}

/// Asks an authority for a time-stamp: the token.
fn stamped(authority: &str, hash: &[u8; 32]) -> Result<Vec<u8>, String> {
    let bytes = *uuid::Uuid::new_v4().as_bytes();
    let nonce = bytes.iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    let request = timestamp_request(hash, nonce)?;
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0).build().into();
    let asked = agent.post(authority).header("Content-Type", "application/timestamp-query").send(&request[..]);
    let mut answer = asked.map_err(|error| error.to_string())?;
    let body = answer.body_mut().with_config().limit(ANSWER).read_to_vec().map_err(|error| error.to_string())?;
    timestamp_token(&body, hash, nonce)
}

impl Sealer {
    /// Shows the newest seal wherever it was not shown yet. Failing and going on again are events, each once.
    ///
    /// # Errors
    /// The store's failure.
    pub fn show(&self, settings: &AnchorSettings) -> Outcome<()> {
        let Some(seal) = self.db().read(last_seal)? else { return Ok(()) };
        if let Some(authority) = &settings.authority {
            self.show_at(AnchorKind::TimeStamp, authority, &seal, |seal| {
                stamped(authority, &hash_of(&seal.chained)?).map(Some)
            })?;
        }
        if let Some(log) = &settings.syslog {
            let now = self.clock().now();
            self.show_at(AnchorKind::Syslog, &log.to_string(), &seal, |seal| {
                log.send(&message(seal, now)).map(|()| None).map_err(|error| error.to_string())
            })?;
        }
        Ok(())
    }

    fn show_at(
        &self,
        kind: AnchorKind,
        target: &str,
        seal: &Witness,
        show: impl FnOnce(&Witness) -> Result<Option<Vec<u8>>, String>,
    ) -> Outcome<()> {
        let seq = seal.seq;
        let shown = self.db().read(|conn| {
            let same = seal_anchor::table.filter(seal_anchor::seal_seq.eq(seq)).filter(seal_anchor::kind.eq(kind));
            Ok(diesel::select(diesel::dsl::exists(same)).get_result(conn)?)
        })?;
        if shown {
            return Ok(());
        }
        let (answer, now) = (show(seal), self.clock().now());
        let failed = self.anchored().failing.iter().any(|(failing, _)| *failing == kind);
        let event = match &answer {
            Ok(_) if failed => {
                Some(Change::field("record.anchor", "record", "trail", kind.as_str(), "failing", target))
            }
            Err(why) if !failed => {
                tracing::error!(%why, target, "the newest seal was not shown outside; it is tried again");
                let event = Change::field("record.anchor", "record", "trail", kind.as_str(), target, "failing");
                Some(event.because(why.as_str()))
            }
            _ => None,
        };
        self.note(|at| {
            at.failing.retain(|(failing, _)| *failing != kind);
            match &answer {
                Ok(_) => (at.seal, at.at) = (seq, Some(now)),
                Err(why) => at.failing.push((kind, why.clone())),
            }
        });
        let row = answer.ok().map(|token| SealAnchorRow {
            id: SealAnchorId::new(),
            seal_seq: seq,
            kind,
            target: target.to_owned(),
            chained: seal.chained.clone(),
            token: token.map(|token| STANDARD.encode(token)),
            anchored_at: now.into(),
        });
        if row.is_none() && event.is_none() {
            return Ok(());
        }
        self.db().write(move |conn| {
            if let Some(row) = &row {
                diesel::insert_into(seal_anchor::table).values(row).execute(conn)?;
            }
            match &event {
                Some(event) => record_by(conn, &Author::program(), now, vec![event.clone()]),
                None => Ok(()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_of_rfc_5424() {
        let said = message(&Witness { seq: 7, chained: "ab".into() }, DateTime::UNIX_EPOCH);
        let expected = format!("<109>1 1970-01-01T00:00:00.000Z - qianfa {} seal - seal 7:ab", std::process::id());
        assert_eq!(said, expected);
    }
}
