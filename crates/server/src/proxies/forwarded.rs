//! `x-forwarded-for`, and `forwarded` of RFC 7239.
//!
//! Each proxy adds the address from which it received the call on the right, so a list is read from
//! the right: the first address that is not a trusted proxy is the client. What is further left
//! comes from the client itself, which can write anything there.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};

use super::TrustedProxies;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Returns the client of a call that was received from `from`, which is the peer or the client of
/// the PROXY protocol. Only trusted proxies are believed.
///
/// A proxy sets one of the two headers and may pass on the other as the client wrote it. If both
/// are there and name different clients, neither is believed, and the call counts as the proxy's.
pub(crate) fn forwarded_client(
    proxies: &TrustedProxies,
    from: IpAddr,
    headers: &HeaderMap,
) -> IpAddr {
    if !proxies.trusts(from) {
        return from;
    }
    let chain = |name, parse| client_of_chain(proxies, from, headers, name, parse);
    let clients = (
        chain(&X_FORWARDED_FOR, parse_address as ParseElement),
        chain(&FORWARDED, parse_for),
    );
    match clients {
        (Some(client), None) | (None, Some(client)) => client,
        (Some(one), Some(other)) if one == other => one,
        _ => from,
    }
}

/// Parses one element of a list; `None` if it names no address.
type ParseElement = fn(&str) -> Option<IpAddr>;

/// Returns the client by this header; `None` if there is no such header.
fn client_of_chain(
    proxies: &TrustedProxies,
    from: IpAddr,
    headers: &HeaderMap,
    name: &HeaderName,
    parse: ParseElement,
) -> Option<IpAddr> {
    headers.get(name)?;
    let mut client = from;
    for line in headers.get_all(name).iter().rev() {
        let line = String::from_utf8_lossy(line.as_bytes());
        for element in elements(&line, ',').into_iter().rev() {
            let Some(address) = parse(element) else {
                return Some(client);
            };
            client = address.to_canonical();
            if !proxies.trusts(client) {
                return Some(client);
            }
        }
    }
    Some(client)
}

/// Splits a list at the separators that are not in a quoted string.
fn elements(list: &str, separator: char) -> Vec<&str> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    let at_separator = |c: char| {
        if is_escaped {
            is_escaped = false;
        } else if c == '\\' && is_quoted {
            is_escaped = true;
        } else if c == '"' {
            is_quoted = !is_quoted;
        }
        c == separator && !is_quoted
    };
    list.split(at_separator).map(str::trim).collect()
}

/// Parses an address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`,
/// `[2001:db8::1]`, `[2001:db8::1]:80`.
fn parse_address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    if let Some(bracketed) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return bracketed.parse().ok().map(IpAddr::V6);
    }
    text.parse::<SocketAddr>().ok().map(|socket| socket.ip())
}

/// Parses the parameter `for` of an element of `forwarded`.
fn parse_for(element: &str) -> Option<IpAddr> {
    let parameters = elements(element, ';');
    let node = parameters.into_iter().find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("for").then_some(value)
    })?;
    let unquoted = node
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    parse_node(unquoted.unwrap_or(node))
}

/// Parses a node of RFC 7239, whose port may be hidden as in `192.0.2.1:_p7`.
fn parse_node(node: &str) -> Option<IpAddr> {
    parse_address(node).or_else(|| {
        let (address, port) = node.rsplit_once(':')?;
        let is_hidden = port.len() > 1 && port.starts_with('_');
        let address = is_hidden.then_some(address)?;
        let is_plain = address.starts_with('[') || address.parse::<Ipv4Addr>().is_ok();
        is_plain.then(|| parse_address(address)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn proxies() -> TrustedProxies {
        "10.0.0.0/8,2001:db8:ffff::/48".parse().expect("valid")
    }

    fn client(from: &str, lines: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
            headers.append(*name, value);
        }
        let from = from.parse().expect("an address");
        forwarded_client(&proxies(), from, &headers).to_string()
    }

    fn x_forwarded_for(list: &str) -> String {
        client(PROXY, &[("x-forwarded-for", list)])
    }

    fn forwarded(list: &str) -> String {
        client(PROXY, &[("forwarded", list)])
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let lines = [
            ("x-forwarded-for", "192.0.2.1"),
            ("forwarded", "for=192.0.2.1"),
        ];
        assert_eq!(client("198.51.100.9", &lines), "198.51.100.9");
        assert_eq!(client(PROXY, &lines), "192.0.2.1");
        assert_eq!(client("::ffff:10.0.0.1", &lines), "192.0.2.1");
        assert_eq!(client(PROXY, &[]), PROXY);
    }

    #[test]
    fn the_first_address_from_the_right_that_is_no_proxy_is_the_client() {
        for (list, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("6.6.6.6, 192.0.2.1", "192.0.2.1"),
            ("6.6.6.6,192.0.2.1 , 10.0.0.7,10.0.0.8", "192.0.2.1"),
            ("10.0.0.7, 10.0.0.8", "10.0.0.7"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(x_forwarded_for(list), expected, "{list}");
        }
        let lines = [
            ("x-forwarded-for", "6.6.6.6, 192.0.2.1"),
            ("x-forwarded-for", "10.0.0.7"),
        ];
        assert_eq!(client(PROXY, &lines), "192.0.2.1");
    }

    #[test]
    fn at_a_text_that_is_no_address_the_last_proxy_is_the_client() {
        for list in [
            "",
            "192.0.2.1,",
            "unknown",
            "192.0.2.1, unknown, 10.0.0.1",
            "192.0.2.256",
            "192.0.2.1:port",
            "[2001:db8::1",
            "[192.0.2.1]",
            "caf\u{e9}",
        ] {
            assert_eq!(x_forwarded_for(list), PROXY, "{list}");
        }
        assert_eq!(x_forwarded_for("garbage, 10.0.0.7"), "10.0.0.7");
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_defines_it() {
        for (list, expected) in [
            ("for=192.0.2.1", "192.0.2.1"),
            (
                "proto=https;For=\"192.0.2.1:4711\";by=10.0.0.1",
                "192.0.2.1",
            ),
            ("for=\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("for=\"[2001:db8::1]\", for=10.0.0.7", "2001:db8::1"),
            ("for=192.0.2.1;host=\"a,b;c\", for=10.0.0.7", "192.0.2.1"),
            ("for=\"192.0.2.1:_p7\"", "192.0.2.1"),
            ("for=6.6.6.6, for=unknown", PROXY),
            ("for=6.6.6.6, for=_hidden", PROXY),
            ("for=6.6.6.6, by=10.0.0.1", PROXY),
            ("for=\"192.0.2.1", PROXY),
            ("nonsense", PROXY),
        ] {
            assert_eq!(forwarded(list), expected, "{list}");
        }
    }

    #[test]
    fn two_headers_that_disagree_are_not_believed() {
        let lines = [
            ("x-forwarded-for", "192.0.2.1"),
            ("forwarded", "for=6.6.6.6"),
        ];
        assert_eq!(client(PROXY, &lines), PROXY);
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(list in "[ -~]{0,60}") {
            x_forwarded_for(&list);
            forwarded(&list);
        }
    }
}
