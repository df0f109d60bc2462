//! The header of the PROXY protocol, versions 1 and 2.
//! <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>
//!
//! It is read byte by byte to its end, so that nothing of HTTP/2 is read with it. The crate `ppp`
//! parses buffers that may hold more, so reading would remain here.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};

const V2_SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
const V1_START: &[u8] = b"PROXY ";
/// The longest header of version 1, with CRLF, by the specification.
const MAX_V1_BYTES: usize = 107;
/// The longest rest of a header of version 2. The addresses take at most 216 bytes; the rest are
/// additions of the proxy, such as the name of a cloud endpoint.
const MAX_V2_REST: usize = 1024;

/// A trusted proxy did not begin with a valid header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no valid header of the PROXY protocol")]
struct InvalidHeader;

impl From<InvalidHeader> for io::Error {
    fn from(invalid: InvalidHeader) -> Self {
        Self::new(io::ErrorKind::InvalidData, invalid)
    }
}

/// Reads the header and returns the address of the client; `None` if the proxy speaks for itself,
/// as in a health check.
pub(crate) async fn read_header(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<IpAddr>> {
    let mut start = [0; V2_SIGNATURE.len()];
    stream.read_exact(&mut start).await?;
    if start == V2_SIGNATURE {
        read_v2(stream).await
    } else if start.starts_with(V1_START) {
        read_v1(&start, stream).await
    } else {
        Err(InvalidHeader.into())
    }
}

async fn read_v1(
    start: &[u8],
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<IpAddr>> {
    let mut line = start.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() == MAX_V1_BYTES {
            return Err(InvalidHeader.into());
        }
        line.push(stream.read_u8().await?);
    }
    Ok(parse_v1(&line)?)
}

fn parse_v1(line: &[u8]) -> Result<Option<IpAddr>, InvalidHeader> {
    let line = std::str::from_utf8(line).map_err(|_| InvalidHeader)?;
    let fields = line.strip_suffix("\r\n").ok_or(InvalidHeader)?.split(' ');
    let fields: Vec<&str> = fields.collect();
    match fields[..] {
        ["PROXY", "UNKNOWN", ..] => Ok(None),
        ["PROXY", "TCP4", source, destination, from, to] => {
            parse_v1_addresses::<Ipv4Addr>(source, destination, from, to)
        }
        ["PROXY", "TCP6", source, destination, from, to] => {
            parse_v1_addresses::<Ipv6Addr>(source, destination, from, to)
        }
        _ => Err(InvalidHeader),
    }
}

fn parse_v1_addresses<A: std::str::FromStr + Into<IpAddr>>(
    source: &str,
    destination: &str,
    from_port: &str,
    to_port: &str,
) -> Result<Option<IpAddr>, InvalidHeader> {
    let is_port = |text: &str| text.parse::<u16>().is_ok();
    match (source.parse::<A>(), destination.parse::<A>()) {
        (Ok(source), Ok(_)) if is_port(from_port) && is_port(to_port) => Ok(Some(source.into())),
        _ => Err(InvalidHeader),
    }
}

async fn read_v2(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [command, family, length @ ..] = head;
    let length = usize::from(u16::from_be_bytes(length));
    if length > MAX_V2_REST {
        return Err(InvalidHeader.into());
    }
    let mut rest = [0; MAX_V2_REST];
    let rest = &mut rest[..length];
    stream.read_exact(rest).await?;
    Ok(parse_v2(command, family, rest)?)
}

fn parse_v2(command: u8, family: u8, rest: &[u8]) -> Result<Option<IpAddr>, InvalidHeader> {
    const LOCAL: u8 = 0x20;
    const PROXY: u8 = 0x21;
    match command {
        LOCAL => return Ok(None),
        PROXY => {}
        _ => return Err(InvalidHeader),
    }
    // The source, the destination, and two ports.
    match family >> 4 {
        1 => match rest.first_chunk::<12>() {
            Some(&[a, b, c, d, ..]) => Ok(Some(Ipv4Addr::new(a, b, c, d).into())),
            None => Err(InvalidHeader),
        },
        2 => match (rest.first_chunk::<16>(), rest.len() >= 36) {
            (Some(&source), true) => Ok(Some(Ipv6Addr::from(source).into())),
            _ => Err(InvalidHeader),
        },
        // Unspecified, or a Unix socket.
        0 | 3 => Ok(None),
        _ => Err(InvalidHeader),
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use proptest::prelude::*;

    use super::*;

    /// Returns the result, and what is left of the stream.
    fn read(mut bytes: &[u8]) -> (io::Result<Option<IpAddr>>, &[u8]) {
        let result = read_header(&mut bytes).now_or_never();
        (result.expect("a slice is always ready"), bytes)
    }

    fn client(bytes: &[u8]) -> Option<IpAddr> {
        let followed = [bytes, b"PRI * HTTP/2.0"].concat();
        let (client, rest) = read(&followed);
        assert_eq!(rest, b"PRI * HTTP/2.0");
        client.expect("a valid header")
    }

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).expect("short").to_be_bytes();
        [&V2_SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    #[test]
    fn the_source_is_the_client() {
        let v4 = Some("192.0.2.1".parse().expect("an address"));
        let v6 = Some("2001:db8::1".parse().expect("an address"));
        assert_eq!(client(b"PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\r\n"), v4);
        assert_eq!(client(b"PROXY TCP6 2001:db8::1 ::1 65535 1\r\n"), v6);

        let source: [u8; 16] = "2001:db8::1"
            .parse::<Ipv6Addr>()
            .expect("an address")
            .octets();
        let rest = [&[192, 0, 2, 1, 10, 0, 0, 1][..], &[1, 2, 3, 4]].concat();
        assert_eq!(client(&v2(0x21, 0x11, &rest)), v4);
        let with_additions = [&rest[..], &[3, 0, 4, 1, 2, 3, 4]].concat();
        assert_eq!(client(&v2(0x21, 0x11, &with_additions)), v4);
        let rest = [&source[..], &[0; 20]].concat();
        assert_eq!(client(&v2(0x21, 0x21, &rest)), v6);
    }

    #[test]
    fn a_proxy_can_speak_for_itself() {
        for header in [
            b"PROXY UNKNOWN\r\n".to_vec(),
            b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(),
            v2(0x20, 0, &[]),
            v2(0x20, 0x11, &[0; 12]),
            v2(0x21, 0, &[]),
            v2(0x21, 0x31, &[0; 216]),
        ] {
            assert_eq!(client(&header), None, "{header:?}");
        }
    }

    #[test]
    fn an_invalid_header_is_refused() {
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(MAX_V1_BYTES));
        for header in [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 56324\r\n".to_vec(),
            b"PROXY TCP4 2001:db8::1 ::1 56324 443\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 65536 443\r\n".to_vec(),
            b"PROXY TCP4  192.0.2.1 10.0.0.1 56324 443\r\n".to_vec(),
            b"PROXY UDP4 192.0.2.1 10.0.0.1 56324 443\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\n".to_vec(),
            long.into_bytes(),
            v2(0x11, 0x11, &[0; 12]),
            v2(0x22, 0x11, &[0; 12]),
            v2(0x21, 0x41, &[0; 12]),
            v2(0x21, 0x11, &[0; 11]),
            v2(0x21, 0x21, &[0; 35]),
            v2(0x21, 0x11, &[0; MAX_V2_REST + 1]),
        ] {
            assert!(read(&header).0.is_err(), "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_read_on(
            version in 0..3_u8,
            bytes in prop::collection::vec(any::<u8>(), 0..1200),
        ) {
            let start = match version {
                0 => &b""[..],
                1 => b"PROXY TCP4 ",
                _ => &V2_SIGNATURE,
            };
            let bytes = [start, &bytes].concat();
            let (_, rest) = read(&bytes);
            prop_assert!(bytes.len() - rest.len() <= V2_SIGNATURE.len() + 4 + MAX_V2_REST);
        }
    }
}
