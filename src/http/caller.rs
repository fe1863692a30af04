//! Who sends a request, as far as the connection tells, and where a browser may be sent on to.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header;

use super::permit::services;
use super::request_id;
use crate::people::Caller;

/// The address, the program and the id of a request.
#[must_use]
pub fn caller(req: &HttpRequest) -> Caller {
    let agent = req.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Caller { source: source(req), agent, request_id: request_id(req) }
}

/// The address that a request comes from. What a header says of it counts only where it was written by a proxy that the
/// configuration names: anybody else can write what it likes.
fn source(req: &HttpRequest) -> Option<IpAddr> {
    let peer = req.peer_addr()?.ip().to_canonical();
    let trusted = services(req).map(|services| services.site.trusted_proxies.clone()).unwrap_or_default();
    let chain: Vec<&str> = req
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    Some(behind(peer, &chain, &trusted))
}

/// The last address of a chain that no trusted proxy has.
fn behind(peer: IpAddr, chain: &[&str], trusted: &[IpAddr]) -> IpAddr {
    let mut source = peer;
    for hop in chain.iter().rev() {
        if !trusted.contains(&source) {
            break;
        }
        let Ok(next) = hop.trim().parse::<IpAddr>() else { break };
        source = next.to_canonical();
    }
    source
}

/// An address of this server to send a browser on to: what was asked for, where it is one, else the first page. A second
/// slash or a backslash would name another host, and browsers drop tabs and line ends before they look.
#[must_use]
pub fn local(path: &str) -> &str {
    let mut letters = path.chars();
    let inside = letters.next() == Some('/') && !matches!(letters.next(), Some('/' | '\\'));
    if inside && !path.contains(|c: char| c == '\\' || c.is_control() || c.is_whitespace()) { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for inside in ["/", "/cases", "/cases?a=b&next=//x", "/verify/ABC", "/a//b", "/样品"] {
            assert_eq!(local(inside), inside);
        }
        for elsewhere in [
            "",
            "x",
            "//evil.com",
            "///evil.com",
            "/\\evil.com",
            "\\\\evil.com",
            "/\t/evil.com",
            "/\n/evil.com",
            "\t//evil.com",
            "/ /evil.com",
            "https://evil.com",
            "javascript:alert(1)",
            "/a\\b",
            "/\u{0}",
            "/\u{85}/evil.com",
            "/\u{a0}/evil.com",
        ] {
            assert_eq!(local(elsewhere), "/", "{elsewhere:?}");
        }
    }

    #[test]
    fn a_header_counts_from_a_trusted_proxy_only() {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        let trusted = [ip("10.0.0.1"), ip("10.0.0.2")];
        assert_eq!(behind(ip("203.0.113.9"), &["198.51.100.1"], &trusted), ip("203.0.113.9"));
        assert_eq!(behind(ip("10.0.0.1"), &["198.51.100.1"], &trusted), ip("198.51.100.1"));
        // What comes before it may have been written by the sender.
        assert_eq!(behind(ip("10.0.0.1"), &["127.0.0.1", "198.51.100.1", "10.0.0.2"], &trusted), ip("198.51.100.1"));
        assert_eq!(behind(ip("10.0.0.1"), &["not an address"], &trusted), ip("10.0.0.1"));
        assert_eq!(behind(ip("10.0.0.1"), &[], &trusted), ip("10.0.0.1"));
    }
}
