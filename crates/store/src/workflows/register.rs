//! Registers a user, in two slots: first the user's index, then the competition, which decides.
//!
//! A call that is cut off in between leaves an index entry without a registration. Redis refuses
//! the decision 30 s after the index was written, so that a later reader can delete such an entry
//! safely.
//!
//! Users who register for the same competition at the same time are decided by one call of the
//! script. A call costs Redis the same fixed work for one user as for a hundred, so that a
//! registration under load costs half.

use deadpool_redis::redis::Cmd;
use domain::{CompetitionId, Registration, Rejection, RequestId, UserId};

use super::withdraw_all::WithdrawAll;
use crate::batching::{Batch, Batcher};
use crate::error::{Error, Result};
use crate::keys::AccountKey;
use crate::redis::{Commands, ConnectionId, Effect, Redis, checked, decode, write_deadline};
use crate::registrations::UserIndex;
use crate::scripts::register::{PendingRegistration, Register};

/// Registers users. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Registering {
    batches: Batcher<RegisterBatch>,
    withdraw_all: WithdrawAll,
}

impl Registering {
    pub(crate) fn new(redis: &Redis, withdraw_all: &WithdrawAll) -> Self {
        Self {
            batches: Batcher::new(redis, RegisterBatch),
            withdraw_all: withdraw_all.clone(),
        }
    }

    /// Registers a user: confirmed, or waitlisted if no place is free.
    pub(crate) async fn register(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<Registration> {
        let pending = PendingRegistration {
            user: user.clone(),
            request,
        };
        let decided = self.batches.submit(competition, pending).await?;
        if !decided.has_account {
            // The account was erased since the session was read. Nobody else would give up the
            // place.
            self.withdraw_all
                .and_forget(user, RequestId::random())
                .await?;
            return Err(Rejection::Unauthenticated.into());
        }
        decided.registration
    }
}

/// Users who register for one competition together.
struct RegisterBatch;

/// The decision about one user.
struct DecidedRegistration {
    registration: Result<Registration>,
    /// Whether the account existed after its index was written.
    has_account: bool,
}

impl Batch for RegisterBatch {
    type Key = CompetitionId;
    type Item = PendingRegistration;
    type Reply = DecidedRegistration;

    const EFFECT: Effect = Effect::Decide;
    const MAX_WORKERS: usize = 2;
    /// About 3 ms of Redis's time.
    const MAX_ITEMS: usize = 128;

    async fn run(
        &self,
        redis: &Redis,
        connection: ConnectionId,
        competition: &CompetitionId,
        pending: &[PendingRegistration],
    ) -> Result<Vec<Result<DecidedRegistration>>> {
        let now = redis.current_time().await?;
        let mut index = Commands::with_capacity(2 * pending.len() + 1);
        for PendingRegistration { user, .. } in pending {
            index.push(UserIndex::add_command(user, competition, now));
            // After the index entry: an erasure that this does not see finds the entry.
            index.push(Cmd::exists(AccountKey::Profile.of_user(user)));
        }
        let register = Register {
            competition,
            pending,
            deadline: write_deadline(now),
        };
        let (index, decisions) = redis.run_after(index, &register, connection).await?;
        let mut index = index.into_iter();
        let mut next = || {
            let reply = index.next();
            checked(reply.ok_or_else(|| Error::unreadable("a batch with too few replies"))?)
        };
        let decided = decisions.into_iter().map(|decision| {
            let (written, exists) = (next(), next());
            // A user whose index entry was not written gets this error, also if the registration
            // was made: a repetition writes the entry and returns what was decided.
            written?;
            Ok(DecidedRegistration {
                registration: decision.map(|described| described.registration),
                has_account: decode(exists?)?,
            })
        });
        Ok(decided.collect())
    }
}
