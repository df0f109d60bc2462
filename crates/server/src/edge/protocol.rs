//! Whether a request is a call of gRPC. If it is not, the response has a status of HTTP, so that no
//! client takes it for a success: a status of gRPC travels with the HTTP status 200.

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use tonic::body::Body;

use super::response::UnaryBody;

const GRPC: &str = "application/grpc";

/// Why a request is not a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotGrpc {
    Method,
    ContentType,
}

impl NotGrpc {
    /// Returns the reason if the request is not a call. A missing `te: trailers` is accepted,
    /// because proxies may remove it.
    pub(super) fn of<B>(request: &Request<B>) -> Option<Self> {
        if request.method() != Method::POST {
            Some(Self::Method)
        } else if !is_supported(request.headers()) {
            Some(Self::ContentType)
        } else {
            None
        }
    }

    /// Returns the reason for the log.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Method => "METHOD_NOT_ALLOWED",
            Self::ContentType => "UNSUPPORTED_MEDIA_TYPE",
        }
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let (status, sentence) = match self {
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "a call of gRPC has the method POST\n",
            ),
            Self::ContentType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "a call of gRPC has the content type application/grpc or application/grpc+proto\n",
            ),
        };
        let mut response = Response::new(UnaryBody::of_text(sentence));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        headers.insert(CONTENT_TYPE, text);
        if self == Self::Method {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }
}

/// Whether the messages are encoded with Protocol Buffers, the default of `application/grpc`.
/// Parameters are ignored.
fn is_supported(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(content_type), None) = (types.next(), types.next()) else {
        return false;
    };
    if content_type.as_bytes() == GRPC.as_bytes() {
        return true;
    }
    let text = content_type.to_str().unwrap_or_default();
    let media_type = text.split(';').next().unwrap_or_default().trim();
    [GRPC, "application/grpc+proto"]
        .iter()
        .any(|supported| media_type.eq_ignore_ascii_case(supported))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, content_types: &[&'static str]) -> Request<()> {
        let mut request = Request::new(());
        *request.method_mut() = method;
        for content_type in content_types {
            let value = HeaderValue::from_static(content_type);
            request.headers_mut().append(CONTENT_TYPE, value);
        }
        request
    }

    #[test]
    fn a_call_is_a_post_with_a_content_type_of_grpc() {
        for valid in [
            "application/grpc",
            "application/grpc+proto",
            "Application/gRPC",
            "application/grpc;charset=utf-8",
            "application/grpc+proto; v=1",
        ] {
            assert_eq!(
                NotGrpc::of(&request(Method::POST, &[valid])),
                None,
                "{valid}"
            );
        }
        for invalid in [
            "",
            "application/json",
            "text/plain",
            "application/grpc+json",
            "application/grpc-web",
            "application/grpc-web+proto",
            "application/grpcx",
            "application/grp",
            "text/plain; application/grpc",
            "application/grpc, text/plain",
        ] {
            let reason = NotGrpc::of(&request(Method::POST, &[invalid]));
            assert_eq!(reason, Some(NotGrpc::ContentType), "{invalid}");
        }
        for types in [&[][..], &["application/grpc", "text/plain"]] {
            let reason = NotGrpc::of(&request(Method::POST, types));
            assert_eq!(reason, Some(NotGrpc::ContentType), "{types:?}");
        }
        for method in [Method::GET, Method::PUT, Method::CONNECT] {
            let reason = NotGrpc::of(&request(method, &["application/grpc"]));
            assert_eq!(reason, Some(NotGrpc::Method));
        }
    }
}
