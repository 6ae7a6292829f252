//! The internal addresses and hosts that an operator allows calls to.

use super::Denied;
use super::address::{internal_kind, is_within, unmapped};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use url::Host;

/// An entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Allowed {
    Network { base: IpAddr, prefix: u8, port: Option<u16> },
    Host { name: String, port: Option<u16> },
}

/// The policy for calls to other systems: public addresses are called, internal ones only if they are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbound(Vec<Allowed>);

impl FromStr for Outbound {
    type Err = String;

    /// Reads networks, addresses and hosts separated by commas: `10.1.0.0/16`, `[fd00::1]:8443`, `erp.local`, `erp.local:8080`.
    fn from_str(text: &str) -> Result<Self, String> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(Allowed::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl Allowed {
    fn parse(entry: &str) -> Result<Self, String> {
        if let Some((base, prefix)) = entry.split_once('/') {
            return Self::network(base, prefix).map_err(|why| format!("\"{entry}\" is not a network: {why}"));
        }
        let single = |address: IpAddr, port| {
            let base = unmapped(address);
            Self::Network { base, prefix: width(base), port }
        };
        if let Ok(address) = entry.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return Ok(single(address, None));
        }
        if let Ok(address) = entry.parse::<SocketAddr>() {
            return Ok(single(address.ip(), Some(address.port())));
        }
        let wrong = || format!("\"{entry}\" is neither a network, nor an address, nor a host, nor HOST:PORT");
        let (name, port) = match entry.split_once(':') {
            Some((name, port)) => (name, Some(port.parse().map_err(|_| wrong())?)),
            None => (entry, None),
        };
        match Host::parse(name) {
            Ok(Host::Domain(name)) if !name.contains('*') => {
                Ok(Self::Host { name: name.trim_end_matches('.').to_owned(), port })
            }
            Ok(Host::Ipv4(address)) => Ok(single(address.into(), port)),
            _ => Err(wrong()),
        }
    }

    fn network(base: &str, prefix: &str) -> Result<Self, String> {
        let base: IpAddr = base.parse().map_err(|_| "no address before the slash".to_owned())?;
        let prefix: u8 = prefix.parse().map_err(|_| "no number of bits after the slash".to_owned())?;
        if prefix > width(base) {
            return Err(format!("at most {} bits", width(base)));
        }
        let is_base = match base {
            IpAddr::V4(base) => u32::from(base).checked_shl(prefix.into()).unwrap_or(0) == 0,
            IpAddr::V6(base) => u128::from(base).checked_shl(prefix.into()).unwrap_or(0) == 0,
        };
        if !is_base {
            return Err("the address has bits beyond the prefix".to_owned());
        }
        Ok(Self::Network { base, prefix, port: None })
    }
}

/// Bits of an address.
fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl Outbound {
    /// Whether a host may be called whatever it resolves to.
    pub(super) fn allows_host(&self, host: &str, called: u16) -> bool {
        let host = host.trim_end_matches('.');
        self.0.iter().any(|allowed| match allowed {
            Allowed::Host { name, port } => name.eq_ignore_ascii_case(host) && port.is_none_or(|port| port == called),
            Allowed::Network { .. } => false,
        })
    }

    /// Checks an address that is to be connected to.
    ///
    /// # Errors
    /// Returns `Denied` if it is internal and not allowed.
    pub(super) fn check_address(&self, host: &str, called: SocketAddr) -> Result<(), Denied> {
        let Some(kind) = internal_kind(called.ip()) else { return Ok(()) };
        let address = unmapped(called.ip());
        let is_allowed = self.0.iter().any(|allowed| match allowed {
            Allowed::Network { base, prefix, port } => {
                is_within(address, *base, *prefix) && port.is_none_or(|port| port == called.port())
            }
            Allowed::Host { .. } => false,
        });
        if is_allowed { Ok(()) } else { Err(Denied::Internal { host: host.to_owned(), address, kind }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let list = "10.1.0.0/16, fd00::/8,127.0.0.1, 127.0.0.1:80, [::1]:8080, [::1], erp.local, ERP.local.:8080, 0.0.0.0/0, ::/0";
        assert_eq!(list.parse::<Outbound>().unwrap().0.len(), 10);
        assert_eq!("".parse(), Ok(Outbound::default()));
        for (wrong, why) in [
            ("10.0.0.0/33", "at most 32"),
            ("fd00::/129", "at most 128"),
            ("10.1.0.0/8", "beyond the prefix"),
            ("erp/8", "no address"),
            ("10.0.0.0/x", "no number"),
            ("http://erp/", "not a network"),
            ("a b", "neither"),
            ("*.local", "neither"),
            ("erp:99999", "neither"),
            ("user@erp", "neither"),
        ] {
            let said = wrong.parse::<Outbound>().unwrap_err();
            assert!(said.contains(why), "{wrong}: {said}");
        }
    }

    #[test]
    fn only_what_is_listed_is_allowed() {
        let outbound: Outbound = "10.1.0.0/16, 192.168.0.5:8443, erp.local".parse().unwrap();
        let check = |address: &str| outbound.check_address("h", address.parse().unwrap()).is_ok();
        assert!(
            check("10.1.255.255:1") && check("[::ffff:10.1.0.1]:1") && check("192.168.0.5:8443") && check("8.8.8.8:1")
        );
        assert!(!check("10.2.0.0:1") && !check("192.168.0.5:8080") && !check("127.0.0.1:1"));
        assert!(outbound.allows_host("ERP.local.", 9) && !outbound.allows_host("erp.local.evil", 9));
    }
}
