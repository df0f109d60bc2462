//! The size of the headers of a call.

use http::Request;

use crate::errors::Failure;

/// The longest list of headers, as HTTP/2 counts it (RFC 9113, 6.5.2): the bytes of the names and
/// the values, and 32 for each header. 8 KiB is the default of gRPC.
pub(crate) const MAX_HEADER_BYTES: u32 = 8 * 1024;

const BYTES_PER_HEADER: usize = 32;

/// Fails with `HEADERS_TOO_LARGE` if the headers are too large.
pub(super) fn check<B>(request: &Request<B>) -> Result<(), Failure> {
    if size(request) > MAX_HEADER_BYTES as usize {
        return Err(Failure::HeadersTooLarge);
    }
    Ok(())
}

fn size<B>(request: &Request<B>) -> usize {
    let uri = request.uri();
    let pseudo_headers = [
        (":method", request.method().as_str()),
        (":scheme", uri.scheme_str().unwrap_or_default()),
        (
            ":authority",
            uri.authority().map_or("", |authority| authority.as_str()),
        ),
        (
            ":path",
            uri.path_and_query().map_or("", |path| path.as_str()),
        ),
    ];
    let of_pseudo = |(name, value): (&str, &str)| name.len() + value.len() + BYTES_PER_HEADER;
    let pseudo: usize = pseudo_headers.into_iter().map(of_pseudo).sum();
    let headers = request.headers().iter();
    let of_header =
        headers.map(|(name, value)| name.as_str().len() + value.len() + BYTES_PER_HEADER);
    pseudo + of_header.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(length: usize) -> Request<()> {
        let request = Request::builder()
            .method("POST")
            .uri("http://localhost/a.B/C")
            .header("x-long", "x".repeat(length));
        request.body(()).expect("a request")
    }

    #[test]
    fn headers_count_as_in_http2() {
        let pseudo = ":methodPOST:schemehttp:authoritylocalhost:path/a.B/C";
        let expected = pseudo.len() + "x-long".len() + 5 * BYTES_PER_HEADER;
        assert_eq!(size(&request(0)), expected);
        let room = MAX_HEADER_BYTES as usize - expected;
        assert!(check(&request(room)).is_ok());
        let refused = check(&request(room + 1));
        assert!(matches!(refused, Err(Failure::HeadersTooLarge)));
    }
}
