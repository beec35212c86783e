//! Which addresses an `http` node may reach: public ones, and private ones only when the
//! allow-list names them. Pure: resolving and connecting are in [`super::guard`].
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// The allow-list: what may be reached although it is private.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    hosts: Vec<String>,
    networks: Vec<Network>,
}

/// A block of addresses such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    base: IpAddr,
    prefix: u8,
}

/// An entry of the allow-list that is neither an address, a network nor a host name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` in the list of allowed hosts is not an address (127.0.0.1, ::1), a network (10.0.0.0/8) \
     or a host name (internal.example); a port, a path or a scheme does not belong there"
)]
pub struct PolicyError(pub String);

impl FromStr for Policy {
    type Err = PolicyError;

    /// Reads `127.0.0.1,10.0.0.0/8,host.name`; blanks around entries and empty entries are fine.
    fn from_str(list: &str) -> Result<Self, PolicyError> {
        let mut policy = Self::default();
        for entry in list
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
        {
            let wrong = || PolicyError(entry.to_owned());
            if let Some(network) = Network::parse(entry) {
                policy.networks.push(network);
            } else if is_host_name(entry) {
                policy.hosts.push(plain_host(entry));
            } else {
                return Err(wrong());
            }
        }
        Ok(policy)
    }
}

impl Policy {
    /// Whether the allow-list names this host, so that any of its addresses will do.
    pub(super) fn names(&self, host: &str) -> bool {
        let host = plain_host(host);
        self.hosts.contains(&host)
    }

    /// Why `address` may not be reached; `None` when it may.
    pub(super) fn refuses(&self, address: IpAddr) -> Option<&'static str> {
        let address = address.to_canonical();
        if self
            .networks
            .iter()
            .any(|network| network.contains(address))
        {
            return None;
        }
        match address {
            IpAddr::V4(v4) => not_public_v4(v4),
            IpAddr::V6(v6) => not_public_v6(v6),
        }
    }
}

/// Lower case and without the dot at the end that DNS allows.
fn plain_host(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Letters, digits, hyphens, underscores; the last label not all digits, so that a mistyped address
/// is not taken for a name.
fn is_host_name(text: &str) -> bool {
    let text = text.trim_end_matches('.');
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    text.len() <= 253
        && text.split('.').all(label)
        && text
            .rsplit('.')
            .next()
            .is_some_and(|last| last.bytes().any(|b| !b.is_ascii_digit()))
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let bare = address
            .strip_prefix('[')
            .and_then(|a| a.strip_suffix(']'))
            .unwrap_or(address);
        let base = bare.parse::<IpAddr>().ok()?;
        let bits = if base.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(bits), |prefix| prefix.parse::<u8>().ok())?;
        (prefix <= bits).then_some(Self { base, prefix })
    }

    fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.prefix);
                base.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.prefix);
                base.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

/// The IANA special-purpose registry for IPv4, and a cloud's metadata address outside of it.
fn not_public_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (0, ..) => Some("an address of this host"),
        (127, ..) => Some("a loopback address"),
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => Some("a private address"),
        (100, 64..=127, _) => Some("a carrier-grade NAT address"),
        (169, 254, _) => Some("a link-local address, where clouds keep their metadata"),
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 18..=19, _) | (198, 51, 100) | (203, 0, 113) => {
            Some("an address reserved for protocols, tests and documents")
        }
        (224..=239, ..) => Some("a multicast address"),
        (240..=255, ..) => Some("a reserved or broadcast address"),
        (168, 63, 129) if address == Ipv4Addr::new(168, 63, 129, 16) => {
            Some("a cloud's metadata address")
        }
        _ => None,
    }
}

/// Only global unicast (2000::/3) is public, without its special blocks; addresses that carry an
/// IPv4 address are as public as that one.
fn not_public_v6(address: Ipv6Addr) -> Option<&'static str> {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = address.segments();
    let carried = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        not_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match s0 {
        0 if address.is_loopback() => Some("a loopback address"),
        0 if address.is_unspecified() => Some("an address of this host"),
        0x0064 if (s1, s2, s3, s4, s5) == (0xff9b, 0, 0, 0, 0) => carried(s6, s7),
        0x2002 => carried(s1, s2),
        0x2001 if s1 < 0x0200 || s1 == 0x0db8 => {
            Some("an address reserved for protocols and documents")
        }
        0x3fff if s1 < 0x1000 => Some("an address reserved for documents"),
        0x2000..=0x3fff => None,
        0xfc00..=0xfdff => Some("a private address"),
        0xfe80..=0xfebf => Some("a link-local address"),
        0xff00..=0xffff => Some("a multicast address"),
        _ => Some("an address that is not public"),
    }
}
