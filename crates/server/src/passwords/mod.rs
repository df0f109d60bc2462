//! Password hashes with argon2id, with a limit on concurrent hashes.
//!
//! A hash costs some 20 ms of a core and 19 MiB, on purpose. Without a limit, a few hundred
//! sign-ins a second took the cores from all other calls and grew the process to gigabytes. So few
//! hashes run at a time, few callers wait, and the others get OVERLOADED. [`gate`] decides who is
//! next.

mod gate;

use std::thread;
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};
use domain::{Password, Rejection};
use store::PasswordHash;
use tokio::task;

use self::gate::{Full, Gate};
use crate::errors::Failure;

pub use self::gate::{HashCaller, HashPermit};

/// The memory of one hash, in KiB. With [`PASSES`] and [`LANES`] the first choice of OWASP's
/// password storage cheat sheet.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT_BYTES: usize = 32;

/// When a retry is worthwhile: a full queue takes a fraction of this.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Hashes and verifies passwords, a few at a time. Clones share the limits.
#[derive(Debug, Clone)]
pub struct Passwords {
    gate: Gate,
}

impl Passwords {
    /// Allows one hash at a time per two cores, and at least one.
    #[must_use]
    pub fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self::with_workers((cores / 2).max(1))
    }

    fn with_workers(workers: usize) -> Self {
        Self {
            gate: Gate::new(workers),
        }
    }

    /// Waits until a hash may be computed for this caller. A caller that is cancelled stops
    /// waiting.
    ///
    /// Fails with OVERLOADED if too many callers wait.
    pub async fn acquire(&self, caller: HashCaller) -> Result<HashPermit, Failure> {
        let permit = self.gate.acquire(caller).await;
        permit.map_err(|Full| {
            Failure::from(Rejection::Overloaded {
                retry_after: RETRY_AFTER,
            })
        })
    }

    /// Returns the hash to store for a new password, with a new salt.
    ///
    /// Fails with OVERLOADED if too many callers wait.
    pub async fn hash(
        &self,
        caller: HashCaller,
        password: Password,
    ) -> Result<PasswordHash, Failure> {
        let permit = self.acquire(caller).await?;
        work(permit, move || hash_with_new_salt(&password)).await
    }

    /// Whether this is the password of the stored hash. Without a hash it is not, after the same
    /// work, so that the time does not reveal whether the account exists.
    ///
    /// A password that was typed in another form than the one that is hashed takes two hashes, if
    /// the first does not match, because releases up to 0.1.0 hashed it as it was typed.
    ///
    /// Fails with INTERNAL if the stored hash has other parameters than ours.
    pub async fn verify(
        permit: HashPermit,
        password: Password,
        stored: Option<&PasswordHash>,
    ) -> Result<PasswordMatch, Failure> {
        let known = stored.is_some();
        let expected = stored.map_or_else(Expected::decoy, Expected::parse)?;
        work(permit, move || {
            if expected.is_of(password.as_bytes())? && known {
                return Ok(PasswordMatch::Yes);
            }
            match password.as_typed() {
                Some(typed) if expected.is_of(typed)? && known => {
                    hash_with_new_salt(&password).map(PasswordMatch::Outdated)
                }
                _ => Ok(PasswordMatch::No),
            }
        })
        .await
    }
}

/// How a password compares with a stored hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordMatch {
    No,
    Yes,
    /// It matches, but the hash is of the password as it was typed. This one, of its normalised
    /// form, matches however it is typed.
    Outdated(PasswordHash),
}

fn hash_with_new_salt(password: &Password) -> Result<PasswordHash, Failure> {
    let salt = Salt::generate();
    let output = Hasher::ours()?.run(password.as_bytes(), &salt)?;
    let phc = Phc {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params()?).map_err(fault)?,
        salt: Some(salt),
        hash: Some(output),
    };
    Ok(PasswordHash::new(phc.to_string()))
}

/// Runs the work on a blocking thread, because the thread that serves calls must not be blocked.
/// The work holds the permit and not the caller: if the caller is cancelled, the hash continues and
/// still counts.
async fn work<T: Send + 'static>(
    permit: HashPermit,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let work = move || {
        let _permit = permit;
        work()
    };
    task::spawn_blocking(work).await.map_err(fault)?
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

/// Argon2id with our parameters.
struct Hasher(Argon2<'static>);

impl Hasher {
    fn ours() -> Result<Self, Failure> {
        let params = params()?;
        Ok(Self(Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            params,
        )))
    }

    fn run(&self, password: &[u8], salt: &[u8]) -> Result<Output, Failure> {
        let mut output = [0; OUTPUT_BYTES];
        self.0
            .hash_password_into(password, salt, &mut output)
            .map_err(fault)?;
        Output::new(&output).map_err(fault)
    }
}

fn params() -> Result<Params, Failure> {
    Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_BYTES)).map_err(fault)
}

/// A stored hash to compare a password with.
struct Expected {
    hasher: Hasher,
    salt: Salt,
    output: Output,
}

impl Expected {
    fn parse(stored: &PasswordHash) -> Result<Self, Failure> {
        let phc = Phc::new(stored.as_str()).map_err(fault)?;
        let ours = phc.algorithm == ARGON2ID_IDENT
            && phc.version == Some(Version::V0x13.into())
            && phc.params == ParamsString::try_from(&params()?).map_err(fault)?;
        match (ours, phc.salt, phc.hash) {
            (true, Some(salt), Some(output)) => Ok(Self {
                hasher: Hasher::ours()?,
                salt,
                output,
            }),
            _ => Err(fault("the stored password hash is not one of ours")),
        }
    }

    /// Compares in constant time, as `Output` does.
    fn is_of(&self, password: &[u8]) -> Result<bool, Failure> {
        Ok(self.hasher.run(password, &self.salt)? == self.output)
    }

    fn decoy() -> Result<Self, Failure> {
        Ok(Self {
            hasher: Hasher::ours()?,
            salt: Salt::new(&[0; Salt::RECOMMENDED_LENGTH]).map_err(fault)?,
            output: Output::new(&[0; OUTPUT_BYTES]).map_err(fault)?,
        })
    }
}

/// Converts an error that our parameters and records rule out.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn fault(error: impl ToString) -> Failure {
    Failure::Internal(error.to_string())
}

#[cfg(test)]
mod tests;
