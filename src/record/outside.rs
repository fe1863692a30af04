//! Where seals are shown outside, how that does, and whether what others have of a seal is the seal.

use std::io::Write;
use std::net::{TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use x509_cert::Certificate;

use super::misfit::{Misfit, MisfitKind};
use crate::documents::{Trust, check_timestamp};
use crate::store::rows::SealAnchorRow;
use crate::store::schema::{audit_seal, seal_anchor};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::AnchorKind;

/// How long an authority or a log may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
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

    pub(super) fn send(&self, message: &str) -> std::io::Result<()> {
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

/// The chained hash of a seal as bytes.
pub(super) fn hash_of(chained: &str) -> Result<[u8; 32], String> {
    let bytes = hex::decode(chained).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.ok_or_else(|| "the seal has no SHA-256".to_owned())
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
}
