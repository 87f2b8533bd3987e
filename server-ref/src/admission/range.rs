//! Ranges of addresses, as operators write them: those of their proxies.

use std::{net::IpAddr, str::FromStr};

/// A network: an address and the number of leading bits that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    network: IpAddr,
    bits: u32,
}

impl AddressRange {
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let ignored = 32 - self.bits;
                u32::from(network).checked_shr(ignored) == u32::from(address).checked_shr(ignored)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let ignored = 128 - self.bits;
                u128::from(network).checked_shr(ignored) == u128::from(address).checked_shr(ignored)
            }
            _ => false,
        }
    }
}

impl FromStr for AddressRange {
    type Err = String;

    /// Reads `10.0.0.0/8`, or an address alone.
    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || format!("{text:?} is not an address or a network such as 10.0.0.0/8");
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let network = address.trim().parse::<IpAddr>().map_err(|_| invalid())?.to_canonical();
        let all = if network.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(all), |bits| bits.trim().parse().map_err(|_| invalid()))?;
        if bits > all { Err(invalid()) } else { Ok(Self { network, bits }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_are_read_and_compared_by_their_leading_bits() {
        let range = |text: &str| text.parse::<AddressRange>();
        assert!(range("10.0.0.0/8").unwrap().contains(ip("10.255.0.1")));
        assert!(range("10.0.0.0/8").unwrap().contains(ip("::ffff:10.1.1.1")));
        assert!(!range("10.0.0.0/8").unwrap().contains(ip("11.0.0.1")));
        assert!(range("192.0.2.7").unwrap().contains(ip("192.0.2.7")));
        assert!(!range("192.0.2.7").unwrap().contains(ip("192.0.2.8")));
        assert!(range("0.0.0.0/0").unwrap().contains(ip("8.8.8.8")));
        assert!(range("2001:db8::/32").unwrap().contains(ip("2001:db8:ffff::1")));
        assert!(!range("2001:db8::/32").unwrap().contains(ip("10.0.0.1")));
        for wrong in ["10.0.0.0/33", "host", "", "10.0.0.0/", "::/129"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
    }
}
