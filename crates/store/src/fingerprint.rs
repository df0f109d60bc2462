//! Tells whether a request that came again is the same request.

use data_encoding::BASE32_DNSSEC;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// 128 bits of SHA-256 over what the request asks for. Never over a password: a fast hash of one
/// would undo the slow one.
pub(crate) fn fingerprint(of: &impl Serialize) -> Result<String> {
    let body = serde_json::to_vec(of)
        .map_err(|error| Error::Corrupt(format!("a request that cannot be written: {error}")))?;
    Ok(BASE32_DNSSEC.encode(&Sha256::digest(body)[..16]))
}
