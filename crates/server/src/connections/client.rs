//! What the calls of one connection share.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use http::{Extensions, HeaderMap};

use crate::admission::ConnectionUsage;
use crate::proxies::{TrustedProxies, forwarded_client};

/// The connection on which a call came. It is in the extensions of every request.
#[derive(Debug, Clone)]
pub struct ClientConnection(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    peer: IpAddr,
    client: IpAddr,
    proxies: Arc<TrustedProxies>,
    usage: ConnectionUsage,
}

impl ClientConnection {
    pub(super) fn new(peer: IpAddr, client: IpAddr, proxies: Arc<TrustedProxies>) -> Self {
        Self(Arc::new(Inner {
            peer: peer.to_canonical(),
            client: client.to_canonical(),
            proxies,
            usage: ConnectionUsage::default(),
        }))
    }

    /// Returns the connection of a request. A request that did not come over a connection, as in
    /// tests, gets a new one from the address 0.0.0.0.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Self {
        let connection = extensions.get::<Self>().cloned();
        connection.unwrap_or_else(|| {
            let nobody = Ipv4Addr::UNSPECIFIED.into();
            Self::new(nobody, nobody, Arc::default())
        })
    }

    /// Returns the address of the other end of the TCP connection.
    #[must_use]
    pub fn peer(&self) -> IpAddr {
        self.0.peer
    }

    /// Returns the address of the client: that in the header of the PROXY protocol if a trusted
    /// proxy sent one, otherwise the peer's.
    #[must_use]
    pub fn client(&self) -> IpAddr {
        self.0.client
    }

    /// Returns the address of the client of one call: that in `x-forwarded-for` or `forwarded` if
    /// the call came from a trusted proxy, otherwise [`Self::client`].
    #[must_use]
    pub fn client_of_call(&self, headers: &HeaderMap) -> IpAddr {
        forwarded_client(&self.0.proxies, self.client(), headers)
    }

    /// Returns what the connection uses of the server's limits.
    #[must_use]
    pub fn usage(&self) -> &ConnectionUsage {
        &self.0.usage
    }
}
