//! Network addresses as far as limits are concerned: what counts as one place, and what is this machine itself.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

/// The address that limits are counted by: an IPv4 address, or the first 64 bits of an IPv6 address, because that is the
/// smallest network a provider gives to a subscriber, who may use every address of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressKey(IpAddr);

impl AddressKey {
    /// The key of an address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.into()),
            IpAddr::V6(address) => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                Self(Ipv6Addr::from(network).into())
            }
        }
    }
}

impl AddressKey {
    /// The site of an IPv6 network: its first 48 bits, the largest network that a provider gives to a subscriber. `None`: an IPv4
    /// address stands for itself.
    pub fn site(self) -> Option<Site> {
        match self.0 {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => Some(Site((u128::from(address) >> 80) as u64)),
        }
    }
}

/// See [`AddressKey::site`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site(u64);

impl fmt::Display for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(address) => write!(f, "{address}/64"),
        }
    }
}

/// Whether an address is of a private network, where reverse proxies live: not reachable from the Internet.
pub fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_private() || address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(address: &str) -> String {
        AddressKey::of(address.parse().unwrap()).to_string()
    }

    #[test]
    fn an_ipv6_network_counts_as_one_place_and_an_ipv4_address_however_it_is_written() {
        assert_eq!(key("192.0.2.7"), "192.0.2.7");
        assert_eq!(key("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(key("2001:db8:1:2:ffff::"), key("2001:db8:1:2::1"));
        assert_ne!(key("2001:db8:1:3::1"), key("2001:db8:1:2::1"));
        let site = |address: &str| AddressKey::of(address.parse().unwrap()).site();
        assert_eq!(site("2001:db8:1:3::1"), site("2001:db8:1:ffff::1"));
        assert_ne!(site("2001:db8:1:3::1"), site("2001:db8:2:3::1"));
        assert_eq!([site("192.0.2.7"), site("::ffff:192.0.2.7")], [None, None]);
    }

    #[test]
    fn proxies_live_in_private_networks() {
        for address in
            ["10.1.2.3", "172.17.0.1", "192.168.0.9", "127.0.0.1", "::1", "fd00::7", "::ffff:10.0.0.1"]
        {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in ["192.0.2.7", "8.8.8.8", "2001:db8::1"] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }
}
