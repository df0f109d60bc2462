//! The network of a client, which limits per network count by.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::connections::ClientConnection;

/// The network of a client: an IPv4 /24 or an IPv6 /64, the size that one household or host gets.
/// Clients behind a proxy that is not trusted share the proxy's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// The network of callers that did not come over TCP.
    pub const NONE: Self = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));

    /// Returns the network that the edge found for the call. Calls that did not come over TCP share
    /// one.
    pub fn of<T>(request: &tonic::Request<T>) -> Self {
        let extensions = request.extensions();
        let found = extensions.get::<Self>().copied();
        found.unwrap_or_else(|| {
            let client = extensions.get().map(ClientConnection::client);
            client.map_or(Self::NONE, Self::containing)
        })
    }

    #[must_use]
    pub fn containing(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & (u32::MAX << 8)).into(),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        })
    }

    /// The first address of the network.
    #[must_use]
    pub fn address(self) -> IpAddr {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::containing(text.parse().expect("an address"))
    }

    #[test]
    fn addresses_in_a_24_or_a_64_share_a_network() {
        assert_eq!(network("192.0.2.1"), network("192.0.2.254"));
        assert_ne!(network("192.0.2.1"), network("192.0.3.1"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.1"));
    }
}
