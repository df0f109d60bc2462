//! Fingerprints of requests, by which a repeated request is recognised.

use data_encoding::BASE32_DNSSEC;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Returns 128 bits of SHA-256 over the JSON form of what a request asks for. The first part names
/// the action and the version of the form, such as `update_competition/2`.
///
/// A password must not be part of it: a fast hash of a password would defeat the slow one.
pub(crate) fn fingerprint(of: &impl Serialize) -> Result<String> {
    let json = serde_json::to_vec(of)
        .map_err(|error| Error::Corrupt(format!("a request cannot be serialised: {error}")))?;
    Ok(BASE32_DNSSEC.encode(&Sha256::digest(json)[..16]))
}
