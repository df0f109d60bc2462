//! The URL of a gRPC server.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use http::Uri;
use http::uri::Authority;
use tonic::transport::Endpoint;

/// The URL of a server without TLS: `http://host:port` or `host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl(Uri);

/// A text is not a valid [`ServerUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be of the form http://host:port")]
pub struct InvalidServerUrl;

impl ServerUrl {
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::from(self.0.clone())
    }
}

impl FromStr for ServerUrl {
    type Err = InvalidServerUrl;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let uri: Uri = url.parse().map_err(|_| InvalidServerUrl)?;
        let is_plain = matches!(uri.scheme_str(), None | Some("http"));
        let has_path = !matches!(uri.path(), "" | "/") || uri.query().is_some();
        let authority = uri.into_parts().authority.ok_or(InvalidServerUrl)?;
        if !is_plain || has_path || !is_host_and_port(&authority) {
            return Err(InvalidServerUrl);
        }
        let uri = Uri::builder()
            .scheme("http")
            .authority(authority)
            .path_and_query("/")
            .build();
        uri.map(Self).map_err(|_| InvalidServerUrl)
    }
}

fn is_host_and_port(authority: &Authority) -> bool {
    let has_user = authority.as_str().contains('@');
    !authority.host().is_empty() && authority.port_u16().is_some() && !has_user
}

/// The URL of a server on this machine that listens on this address. If it listens on all
/// addresses, the URL names the loopback address.
impl TryFrom<SocketAddr> for ServerUrl {
    type Error = InvalidServerUrl;

    fn try_from(mut listen: SocketAddr) -> Result<Self, Self::Error> {
        match listen.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        listen.to_string().parse()
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.authority().map_or("", Authority::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_host_and_a_port_with_or_without_http() {
        for text in ["http://peer:50051", "http://peer:50051/", "peer:50051"] {
            let url: ServerUrl = text.parse().unwrap();
            assert_eq!((text, url.to_string()), (text, "peer:50051".to_owned()));
        }
        assert_eq!(
            "[::1]:50051".parse::<ServerUrl>().unwrap().to_string(),
            "[::1]:50051"
        );
    }

    #[test]
    fn anything_else_is_refused() {
        let others = [
            "",
            "peer",
            "http://peer",
            "https://peer:50051",
            "http://peer:50051/path",
            "http://peer:50051?query",
            "http://me:secret@peer:50051",
            "http://:50051",
            "peer:port",
            "redis://peer:6379",
            "two words:1",
        ];
        for text in others {
            assert_eq!(
                (text, text.parse::<ServerUrl>()),
                (text, Err(InvalidServerUrl))
            );
        }
    }

    #[test]
    fn a_server_that_listens_on_all_addresses_is_reached_by_loopback() {
        for (listen, url) in [
            ("0.0.0.0:1", "127.0.0.1:1"),
            ("[::]:1", "[::1]:1"),
            ("192.0.2.7:1", "192.0.2.7:1"),
        ] {
            let listen: SocketAddr = listen.parse().unwrap();
            assert_eq!(ServerUrl::try_from(listen).unwrap().to_string(), url);
        }
    }
}
