//! Showing seals outside: the newest is time-stamped by an authority (RFC 3161), sent to the log of another machine
//! (RFC 5424), or both. Whoever changes the whole installation, keys and witness with it, does not change what others
//! have. The answers are kept beside the seals, and `audit verify` compares them.

use std::io::Write;
use std::net::{TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use diesel::prelude::*;
use x509_cert::Certificate;

use super::misfit::{Misfit, MisfitKind};
use super::seal::Sealer;
use super::witness::{Witness, last_seal};
use super::writing::{Author, Change, record_by};
use crate::documents::{Trust, check_timestamp, timestamp_request, timestamp_token};
use crate::store::columns::SealAnchorId;
use crate::store::rows::SealAnchorRow;
use crate::store::schema::{audit_seal, seal_anchor};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::AnchorKind;

/// How long an authority or a log may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// No answer of an authority is longer.
const ANSWER: u64 = 64 << 10;
/// How far the clocks of an authority and of this machine may differ.
const SKEW: i64 = 300;

/// Where seals are shown.
#[derive(Clone, Debug, Default)]
pub struct AnchorSettings {
    /// The address of a time-stamp authority.
    pub authority: Option<String>,
    /// The log of another machine.
    pub syslog: Option<SyslogAddress>,
}

/// A log that takes messages over the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogAddress {
    /// Over TCP, with the length before each message (RFC 6587); else a datagram each.
    tcp: bool,
    /// `host:port`.
    address: String,
}

impl SyslogAddress {
    /// Reads `udp://host:port` or `tcp://host:port`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (tcp, address) = match text.split_once("://")? {
            ("udp", address) => (false, address),
            ("tcp", address) => (true, address),
            _ => return None,
        };
        let (host, port) = address.rsplit_once(':')?;
        let fine = !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0);
        fine.then(|| Self { tcp, address: address.to_owned() })
    }

    fn send(&self, message: &str) -> std::io::Result<()> {
        let missing = || std::io::Error::new(std::io::ErrorKind::NotFound, "the name leads nowhere");
        let to = self.address.to_socket_addrs()?.next().ok_or_else(missing)?;
        if self.tcp {
            let mut stream = TcpStream::connect_timeout(&to, PATIENCE)?;
            stream.set_write_timeout(Some(PATIENCE))?;
            return write!(stream, "{} {message}", message.len()).and_then(|()| stream.flush());
        }
        let any = if to.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" };
        UdpSocket::bind(any)?.send_to(message.as_bytes(), to).map(|_| ())
    }
}

impl std::fmt::Display for SyslogAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", if self.tcp { "tcp" } else { "udp" }, self.address)
    }
}

/// How showing seals does at the moment, for whoever looks after the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchored {
    /// The newest seal that was shown.
    pub seal: i64,
    /// When; none before the first.
    pub at: Option<DateTime<Utc>>,
    /// What keeps it from being shown, place by place.
    pub failing: Vec<(AnchorKind, String)>,
}

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

fn hash_of(chained: &str) -> Result<[u8; 32], String> {
    let bytes = hex::decode(chained).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.ok_or_else(|| "the seal has no SHA-256".to_owned())
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

/// Compares what was shown outside with the seals: whether each token is about its seal, and, where roots are given,
/// whether they trust its authority. Tells how many there are.
///
/// # Errors
/// The store's failure.
pub fn compare_anchors(conn: &mut AnyConnection, roots: &[Certificate], misfits: &mut Vec<Misfit>) -> Outcome<u64> {
    let rows: Vec<(SealAnchorRow, String, crate::store::columns::Instant)> = seal_anchor::table
        .inner_join(audit_seal::table)
        .order((seal_anchor::seal_seq, seal_anchor::id))
        .select((SealAnchorRow::as_select(), audit_seal::chained, audit_seal::sealed_at))
        .load(conn)?;
    let count = u64::try_from(rows.len()).unwrap_or_default();
    for (row, chained, sealed_at) in rows {
        if let Err((zh, en)) = fits(&row, &chained, sealed_at.utc(), roots) {
            let (n, target) = (row.seal_seq, &row.target);
            misfits.push(Misfit {
                kind: MisfitKind::AnchorDiffers,
                entry: None,
                seal: Some(n),
                message_zh: format!("第{n}号封签与外部（{target}）所存不符：{zh}"),
                message_en: format!("seal {n} is not what {target} has: {en}"),
            });
        }
    }
    Ok(count)
}

fn fits(
    row: &SealAnchorRow,
    chained: &str,
    sealed_at: DateTime<Utc>,
    roots: &[Certificate],
) -> Result<(), (String, String)> {
    let wrong = |zh: &str, en: &str| Err((zh.to_owned(), en.to_owned()));
    if row.chained != chained {
        return wrong("哈希不同", "another hash");
    }
    let Some(token) = &row.token else { return Ok(()) };
    let both = |why: String| (why.clone(), why);
    let token = STANDARD.decode(token).map_err(|error| both(error.to_string()))?;
    let stamp = check_timestamp(&token, &hash_of(chained).map_err(both)?, roots).map_err(both)?;
    if (sealed_at - stamp.at).num_seconds() > SKEW {
        return wrong("时间戳早于封签", "the time-stamp is older than the seal");
    }
    if !roots.is_empty() && stamp.trust != Trust::Trusted {
        let authority = &stamp.authority;
        return Err((format!("时间戳机构 {authority} 不受信任"), format!("the authority {authority} is not trusted")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_log_has_its_transport_a_host_and_a_port() {
        for text in ["udp://log.example:514", "tcp://[::1]:601"] {
            assert_eq!(SyslogAddress::parse(text).map(|at| at.to_string()).as_deref(), Some(text));
        }
        for wrong in ["log:514", "http://log:514", "udp://log", "udp://:514", "tcp://log:0", "udp://log:x"] {
            assert_eq!(SyslogAddress::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_message_is_one_of_rfc_5424() {
        let said = message(&Witness { seq: 7, chained: "ab".into() }, DateTime::UNIX_EPOCH);
        let expected = format!("<109>1 1970-01-01T00:00:00.000Z - qianfa {} seal - seal 7:ab", std::process::id());
        assert_eq!(said, expected);
    }
}
