//! Who may speak to a listener: addresses and networks.

use std::fmt;
use std::net::IpAddr;

/// One address, or the network of its first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Net {
    address: IpAddr,
    bits: u8,
}

impl Net {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address.trim(), Some(bits.trim().parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { address, bits })
    }

    fn holds(self, peer: IpAddr) -> bool {
        let same = |one: u128, other: u128, width: u32| {
            let rest = width - u32::from(self.bits);
            // Shifted by its whole width, a number is nothing: every address is in the network of no bits.
            one.checked_shr(rest).unwrap_or(0) == other.checked_shr(rest).unwrap_or(0)
        };
        match (self.address, peer) {
            (IpAddr::V4(own), IpAddr::V4(peer)) => same(u128::from(own.to_bits()), u128::from(peer.to_bits()), 32),
            (IpAddr::V6(own), IpAddr::V6(peer)) => same(own.to_bits(), peer.to_bits(), 128),
            _ => false,
        }
    }
}

/// Who may speak to a listener. Where nobody is named, this machine alone may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peers(Vec<Net>);

impl Peers {
    /// Reads addresses and networks that are separated by commas, semicolons or blanks.
    ///
    /// # Errors
    /// The part that is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split([',', ';', '，', '；', '、', ' ', '\n', '\r', '\t']).filter(|part| !part.is_empty());
        parts.map(|part| Net::parse(part).ok_or_else(|| part.to_owned())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether this address may speak.
    #[must_use]
    pub fn admit(&self, peer: IpAddr) -> bool {
        // A socket for both families gives addresses of version 4 in the clothes of version 6.
        let peer = peer.to_canonical();
        peer.is_loopback() || self.0.iter().any(|net| net.holds(peer))
    }
}

impl fmt::Display for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, net) in self.0.iter().enumerate() {
            let most = if net.address.is_ipv4() { 32 } else { 128 };
            let comma = if index > 0 { ", " } else { "" };
            match net.bits == most {
                true => write!(f, "{comma}{}", net.address)?,
                false => write!(f, "{comma}{}/{}", net.address, net.bits)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(peers: &str, peer: &str) -> bool {
        Peers::parse(peers).expect("peers").admit(peer.parse().expect("an address"))
    }

    #[test]
    fn addresses_and_networks_admit_their_own() {
        for (peers, peer) in [
            ("", "127.0.0.1"),
            ("", "::1"),
            ("10.2.0.7", "10.2.0.7"),
            ("10.2.0.7", "::ffff:10.2.0.7"),
            ("10.2.0.0/24", "10.2.0.255"),
            ("0.0.0.0/0", "203.0.113.9"),
            ("fd00::/8", "fdab::1"),
            ("192.0.2.1; 10.2.0.0/24", "10.2.0.1"),
        ] {
            assert!(admit(peers, peer), "{peers} {peer}");
        }
        for (peers, peer) in [
            ("", "10.2.0.7"),
            ("10.2.0.7", "10.2.0.8"),
            ("10.2.0.0/24", "10.2.1.0"),
            ("0.0.0.0/0", "fd00::1"),
            ("fd00::/8", "fe00::1"),
            ("10.2.0.0/25", "10.2.0.128"),
        ] {
            assert!(!admit(peers, peer), "{peers} {peer}");
        }
    }

    #[test]
    fn what_is_no_address_is_named_and_the_rest_reads_back() {
        for wrong in ["10.2.0", "10.2.0.0/33", "fd00::/129", "10.2.0.0/-1", "balance.lan", "10.2.0.1:80", "/8"] {
            assert_eq!(Peers::parse(&format!("10.2.0.9, {wrong}")), Err(wrong.to_owned()));
        }
        let peers = Peers::parse("10.2.0.9；fd00::/8").expect("peers");
        assert_eq!(peers.to_string(), "10.2.0.9, fd00::/8");
        assert_eq!(Peers::parse(&peers.to_string()), Ok(peers));
    }
}
