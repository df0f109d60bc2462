//! The address of a client behind a proxy. It is believed only if a trusted proxy states it.
//!
//! - `header`: the PROXY protocol, for proxies that forward bytes.
//! - `forwarded`: `x-forwarded-for` and `forwarded`, for proxies that speak HTTP.

mod forwarded;
mod header;

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use thiserror::Error;

pub(crate) use forwarded::forwarded_client;
pub(crate) use header::read_header;

/// The networks of the proxies in front of the service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// A text is not a list of networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be networks in CIDR form, separated by commas, such as 10.1.0.0/16,2001:db8::/64")]
pub struct InvalidNetworks;

impl TrustedProxies {
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for TrustedProxies {
    type Err = InvalidNetworks;

    /// Parses networks and single addresses. An empty text is an empty list.
    fn from_str(text: &str) -> Result<Self, InvalidNetworks> {
        let parse = |item: &str| {
            let item = item.trim();
            let network = item.parse::<IpNet>();
            let network = network.or_else(|_| item.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| InvalidNetworks)
        };
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',')
            .map(parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_networks_and_addresses() {
        let proxies: TrustedProxies = "10.1.0.0/16, 2001:db8::/64,192.0.2.7"
            .parse()
            .expect("valid");
        for (address, trusted) in [
            ("10.1.255.1", true),
            ("::ffff:10.1.255.1", true),
            ("10.2.0.1", false),
            ("2001:db8::1", true),
            ("2001:db8:0:1::1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(proxies.trusts(address), trusted, "{address}");
        }
        assert_eq!("".parse(), Ok(TrustedProxies::default()));
    }

    #[test]
    fn a_text_that_is_no_list_of_networks_is_refused() {
        for text in [
            "10.0.0.0/33",
            "10.0.0.0/8,",
            "proxy",
            "10.0.0.0/8;10.1.0.0/8",
        ] {
            assert_eq!(
                text.parse::<TrustedProxies>(),
                Err(InvalidNetworks),
                "{text}"
            );
        }
    }
}
