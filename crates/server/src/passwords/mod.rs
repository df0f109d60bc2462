//! Password hashes with argon2id, with a limit on concurrent hashes.
//!
//! A hash costs some 20 ms of a core and 19 MiB, on purpose. Without a limit, a few hundred
//! sign-ins a second took the cores from all other calls and grew the process to gigabytes. So few
//! hashes run at a time, few callers wait, and the others get OVERLOADED.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};
use domain::{Password, Rejection};
use store::PasswordHash;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task;

use crate::errors::Failure;

/// The memory of one hash, in KiB. With [`PASSES`] and [`LANES`] the first choice of OWASP's
/// password storage cheat sheet.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT_BYTES: usize = 32;

/// The most waiting callers. Eight hashes take some 200 ms, which a person does not notice much.
const MAX_WAITING: usize = 8;

/// When a retry is worthwhile: a full queue takes a fraction of this.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Hashes and verifies passwords, a few at a time. Clones share the limits.
#[derive(Debug, Clone)]
pub struct Passwords {
    /// A permit for each caller, waiting or working.
    callers: Arc<Semaphore>,
    /// A permit for each hash that is being computed.
    workers: Arc<Semaphore>,
}

/// The permits of one hash. The work holds them and not the caller: if the caller is cancelled, the
/// hash continues and still counts.
struct HashPermit {
    _permits: [OwnedSemaphorePermit; 2],
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
            callers: Arc::new(Semaphore::new(workers + MAX_WAITING)),
            workers: Arc::new(Semaphore::new(workers)),
        }
    }

    /// Returns the hash to store for a new password, with a new salt.
    ///
    /// Fails with OVERLOADED if too many callers wait.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, Failure> {
        self.work(move || {
            let salt = Salt::generate();
            let output = Hasher::ours()?.run(&password, &salt)?;
            let phc = Phc {
                algorithm: ARGON2ID_IDENT,
                version: Some(Version::V0x13.into()),
                params: ParamsString::try_from(&params()?).map_err(fault)?,
                salt: Some(salt),
                hash: Some(output),
            };
            Ok(PasswordHash::new(phc.to_string()))
        })
        .await
    }

    /// Whether this is the password of the stored hash. Without a hash it is not, after the same
    /// work, so that the time does not reveal whether the account exists.
    ///
    /// Fails with OVERLOADED if too many callers wait, with INTERNAL if the stored hash has other
    /// parameters than ours.
    pub async fn verify(
        &self,
        password: Password,
        stored: Option<&PasswordHash>,
    ) -> Result<bool, Failure> {
        let known = stored.is_some();
        let expected = stored.map_or_else(Expected::decoy, Expected::parse)?;
        self.work(move || {
            let output = expected.hasher.run(&password, &expected.salt)?;
            // `Output` compares in constant time.
            Ok(output == expected.output && known)
        })
        .await
    }

    /// Waits for a permit and runs the work on a blocking thread, because the thread that serves
    /// calls must not be blocked.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let permit = self.acquire().await?;
        let work = move || {
            let _permit = permit;
            work()
        };
        task::spawn_blocking(work).await.map_err(fault)?
    }

    /// A caller that is cancelled here stops waiting: dropping the future drops its permit.
    async fn acquire(&self) -> Result<HashPermit, Failure> {
        let caller = Arc::clone(&self.callers)
            .try_acquire_owned()
            .map_err(|_full| Rejection::Overloaded {
                retry_after: RETRY_AFTER,
            })?;
        let worker = Arc::clone(&self.workers)
            .acquire_owned()
            .await
            .map_err(fault)?;
        Ok(HashPermit {
            _permits: [caller, worker],
        })
    }
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

    fn run(&self, password: &Password, salt: &[u8]) -> Result<Output, Failure> {
        let mut output = [0; OUTPUT_BYTES];
        self.0
            .hash_password_into(password.as_bytes(), salt, &mut output)
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
