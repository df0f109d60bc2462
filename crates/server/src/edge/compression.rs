//! gzip in both directions.
//!
//! tonic could compress too, but it compresses every response, small ones as well, at the level 6
//! and on the thread that serves all calls.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::task::spawn_blocking;

use super::message::PREFIX_BYTES;
use crate::errors::Failure;

const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");

const NOT_COMPRESSED: u8 = 0;
const COMPRESSED: u8 = 1;

/// How the message of a request may be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    pub(super) fn of_request(headers: &HeaderMap) -> Result<Self, Failure> {
        match headers.get(ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"identity") => Ok(Self::Identity),
            Some(b"gzip") => Ok(Self::Gzip),
            Some(_) => Err(Failure::Compressed(
                "grpc-encoding must be identity or gzip".to_owned(),
            )),
        }
    }

    /// Returns the message without compression. Both have the prefix, and are complete.
    pub(super) fn decompress(self, message: Bytes, max_bytes: usize) -> Result<Bytes, Failure> {
        match (message.first(), self) {
            (Some(&NOT_COMPRESSED), _) => Ok(message),
            (Some(&COMPRESSED), Self::Gzip) => decompress(&message[PREFIX_BYTES..], max_bytes),
            (Some(&COMPRESSED), Self::Identity) => Err(Failure::Malformed(
                "the message is marked as compressed, but grpc-encoding names no compression"
                    .to_owned(),
            )),
            _ => Err(Failure::Malformed(
                "the first byte before a message must be 0 or 1".to_owned(),
            )),
        }
    }
}

fn decompress(bytes: &[u8], max_bytes: usize) -> Result<Bytes, Failure> {
    let mut message = vec![NOT_COMPRESSED; PREFIX_BYTES];
    let one_too_many = u64::try_from(max_bytes).map_or(u64::MAX, |max| max + 1);
    MultiGzDecoder::new(bytes)
        .take(one_too_many)
        .read_to_end(&mut message)
        .map_err(|_| Failure::Malformed("the message is not valid gzip".to_owned()))?;
    let length = message.len() - PREFIX_BYTES;
    if length > max_bytes {
        return Err(Failure::MessageTooLarge);
    }
    write_length(&mut message);
    Ok(message.into())
}

/// Names the supported compressions in the error for an unsupported one, as the gRPC specification
/// of compression demands.
pub(super) fn announce(headers: &mut HeaderMap) {
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity,gzip"));
}

/// Removes what the next layer must not see, because it does not decompress.
pub(super) fn strip(headers: &mut HeaderMap) {
    headers.remove(ENCODING);
}

pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(ACCEPT_ENCODING).iter();
    lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','))
        .any(|encoding| encoding.trim() == "gzip")
}

/// The smallest response that is compressed.
const MIN_BYTES: usize = 4 * 1024;

/// From this size on, compression is work for another thread.
const MIN_BLOCKING_BYTES: usize = 64 * 1024;

/// Compresses the message of a response, with its prefix, if that makes it smaller. The headers
/// are those of the response.
pub(super) async fn compress(message: Bytes, headers: &mut HeaderMap) -> Bytes {
    if message.len() < MIN_BYTES {
        return message;
    }
    let compressed = if message.len() < MIN_BLOCKING_BYTES {
        gzip(&message)
    } else {
        let message = message.clone();
        spawn_blocking(move || gzip(&message)).await.ok().flatten()
    };
    match compressed {
        Some(compressed) if compressed.len() < message.len() => {
            headers.insert(ENCODING, HeaderValue::from_static("gzip"));
            compressed
        }
        _ => message,
    }
}

fn gzip(message: &[u8]) -> Option<Bytes> {
    let mut compressed = Vec::with_capacity(message.len() / 2);
    compressed.extend([COMPRESSED, 0, 0, 0, 0]);
    let mut encoder = GzEncoder::new(compressed, Compression::fast());
    encoder.write_all(&message[PREFIX_BYTES..]).ok()?;
    let mut compressed = encoder.finish().ok()?;
    write_length(&mut compressed);
    Some(compressed.into())
}

/// Writes the length of a message into its prefix.
fn write_length(message: &mut [u8]) {
    // Messages are far below 4 GiB.
    let length = u32::try_from(message.len() - PREFIX_BYTES).unwrap_or(u32::MAX);
    message[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
}
