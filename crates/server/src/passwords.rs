//! Passwords: argon2id behind a gate.
//!
//! A hash costs some 20 ms of a core and 19 MiB, on purpose. Let in without a bound, a few hundred
//! sign-ins a second took the cores from all other calls and grew the process to gigabytes. So few are
//! made at a time, few wait, and the rest are told to come back.

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

/// Memory of one hash, in KiB. With [`PASSES`] and [`LANES`] the first choice of OWASP's password
/// storage cheat sheet.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT_BYTES: usize = 32;

/// How many callers wait for their turn; eight hashes are some 200 ms, as long as a person waits
/// gladly.
const QUEUE: usize = 8;

/// When it is worth trying again: by then a full queue has been worked off several times.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Hashes and verifies passwords, a few at a time. Clones share the gate.
#[derive(Debug, Clone)]
pub struct Passwords {
    /// Who may be in the queue or at work.
    places: Arc<Semaphore>,
    /// Who may be at work.
    turns: Arc<Semaphore>,
}

/// A turn at the gate. It is held by the work itself and not by the caller, so that who gives up
/// while the work goes on does not let another one in beside it.
struct Turn {
    _permits: [OwnedSemaphorePermit; 2],
}

impl Passwords {
    /// A gate for one hash at a time per two cores, and at least for one.
    #[must_use]
    pub fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self::with_turns((cores / 2).max(1))
    }

    fn with_turns(turns: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(turns + QUEUE)),
            turns: Arc::new(Semaphore::new(turns)),
        }
    }

    /// The hash to store for a new password, with a fresh salt.
    ///
    /// OVERLOADED if the queue is full.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, Failure> {
        self.work(move || {
            let salt = Salt::generate();
            let output = Recipe::ours()?.run(&password, &salt)?;
            let phc = Phc {
                algorithm: ARGON2ID_IDENT,
                version: Some(Version::V0x13.into()),
                params: ParamsString::try_from(&params()?).map_err(fault)?,
                salt: Some(salt),
                hash: Some(output),
            };
            Ok(PasswordHash(phc.to_string()))
        })
        .await
    }

    /// Whether this is the password of the stored hash. Without one the answer is no, after the same
    /// work: how long it takes does not tell whether there is such an account.
    ///
    /// OVERLOADED if the queue is full; INTERNAL if the stored hash is not one of ours.
    pub async fn verify(
        &self,
        password: Password,
        stored: Option<&PasswordHash>,
    ) -> Result<bool, Failure> {
        let known = stored.is_some();
        let expected = stored.map_or_else(Expected::decoy, Expected::parse)?;
        self.work(move || {
            let output = expected.recipe.run(&password, &expected.salt)?;
            // `Output` compares in constant time.
            Ok(output == expected.output && known)
        })
        .await
    }

    /// Waits for a turn and works on the blocking threads, off the ones that serve calls.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let turn = self.turn().await?;
        let work = move || {
            let _turn = turn;
            work()
        };
        task::spawn_blocking(work).await.map_err(fault)?
    }

    /// A caller who gives up here leaves the queue: dropping the future drops the place.
    async fn turn(&self) -> Result<Turn, Failure> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_full| Rejection::Overloaded {
                retry_after: RETRY_AFTER,
            })?;
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(fault)?;
        Ok(Turn {
            _permits: [place, turn],
        })
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

/// How a password becomes a hash.
struct Recipe(Argon2<'static>);

impl Recipe {
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

/// What a typed password is compared with.
struct Expected {
    recipe: Recipe,
    salt: Salt,
    output: Output,
}

impl Expected {
    fn parse(stored: &PasswordHash) -> Result<Self, Failure> {
        let phc = Phc::new(&stored.0).map_err(fault)?;
        let ours = phc.algorithm == ARGON2ID_IDENT
            && phc.version == Some(Version::V0x13.into())
            && phc.params == ParamsString::try_from(&params()?).map_err(fault)?;
        match (ours, phc.salt, phc.hash) {
            (true, Some(salt), Some(output)) => Ok(Self {
                recipe: Recipe::ours()?,
                salt,
                output,
            }),
            _ => Err(fault("the stored password hash is not one of ours")),
        }
    }

    fn decoy() -> Result<Self, Failure> {
        Ok(Self {
            recipe: Recipe::ours()?,
            salt: Salt::new(&[0; Salt::RECOMMENDED_LENGTH]).map_err(fault)?,
            output: Output::new(&[0; OUTPUT_BYTES]).map_err(fault)?,
        })
    }
}

/// None of this can happen with our parameters and our records; if it does, the log says so.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn fault(error: impl ToString) -> Failure {
    Failure::Internal(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text.to_owned()).expect("a password")
    }

    #[tokio::test]
    async fn only_the_right_password_fits_its_hash() {
        let passwords = Passwords::new();
        let stored = passwords
            .hash(password("vier worte am see"))
            .await
            .expect("a hash");
        assert!(
            stored.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            stored.0
        );
        for (typed, fits) in [("vier worte am see", true), ("vier worte am meer", false)] {
            let verified = passwords.verify(password(typed), Some(&stored)).await;
            assert_eq!(verified.expect("a turn"), fits, "{typed}");
        }
    }

    #[tokio::test]
    async fn two_hashes_of_a_password_differ() {
        let passwords = Passwords::new();
        let one = passwords
            .hash(password("vier worte am see"))
            .await
            .expect("a hash");
        let other = passwords
            .hash(password("vier worte am see"))
            .await
            .expect("a hash");
        assert_ne!(one, other);
    }

    #[tokio::test]
    async fn no_account_is_no_after_the_same_work_in_the_same_memory() {
        let passwords = Passwords::with_turns(1);
        let verified = passwords.verify(password("vier worte am see"), None).await;
        assert!(!verified.expect("a turn"));
        let decoy = Expected::decoy().expect("a decoy");
        let blocks = decoy.recipe.0.params().block_count();
        assert_eq!(blocks, MEMORY_KIB as usize);
    }

    #[tokio::test]
    async fn a_hash_that_is_not_ours_is_a_fault() {
        let passwords = Passwords::new();
        for foreign in [
            "",
            "plain",
            "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        ] {
            let verified = passwords
                .verify(
                    password("vier worte am see"),
                    Some(&PasswordHash(foreign.to_owned())),
                )
                .await;
            assert!(matches!(verified, Err(Failure::Internal(_))), "{foreign}");
        }
    }

    fn is_overloaded<T>(result: &Result<T, Failure>) -> bool {
        matches!(result, Err(Failure::Rejected(rejected))
            if matches!(rejected.rejection, Rejection::Overloaded { .. }))
    }

    #[tokio::test]
    async fn beyond_the_queue_callers_are_turned_away_and_one_who_gives_up_makes_room() {
        let passwords = Passwords::with_turns(1);
        let _at_work = passwords.turn().await.expect("the first turn");
        let mut queue: Vec<_> = (0..QUEUE).map(|_| Box::pin(passwords.turn())).collect();
        for waiting in &mut queue {
            assert!(futures::poll!(waiting).is_pending());
        }
        assert!(is_overloaded(&passwords.turn().await));

        drop(queue.pop());
        assert!(futures::poll!(Box::pin(passwords.turn())).is_pending());
    }

    #[tokio::test]
    async fn a_caller_who_gives_up_keeps_the_turn_taken_until_the_work_has_ended() {
        let passwords = Passwords::with_turns(1);
        let (started, has_started) = mpsc::channel();
        let (finish, may_finish) = mpsc::channel::<()>();
        let caller = tokio::spawn({
            let passwords = passwords.clone();
            async move {
                passwords
                    .work(move || {
                        started.send(()).map_err(fault)?;
                        may_finish.recv().map_err(fault)
                    })
                    .await
            }
        });
        task::spawn_blocking(move || has_started.recv())
            .await
            .expect("no panic")
            .expect("it started");
        caller.abort();
        assert!(caller.await.is_err_and(|error| error.is_cancelled()));

        let mut next = Box::pin(passwords.turn());
        assert!(futures::poll!(&mut next).is_pending());
        finish.send(()).expect("the work waits");
        next.await.expect("the turn is free");
    }
}
