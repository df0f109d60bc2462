//! Registers a user, in two slots: first the user's index, then the competition, which decides.
//!
//! A call that is cut off in between leaves an index entry without a registration. Redis refuses
//! the decision 30 s after the index was written, so that a later reader can delete such an entry
//! safely.
//!
//! A refused call leaves no entry. Unless the competition accepted the last registration of this
//! process, it is asked first, and the index is written only for users whom it would accept. If it
//! refuses all the same, the new entry is deleted.
//!
//! Users who register for the same competition at the same time are decided by one call of the
//! script. A call costs Redis the same fixed work for one user as for a hundred, so that a
//! registration under load costs half.

use deadpool_redis::redis::Value;
use domain::{CompetitionId, Registration, Rejection, RequestId, Timestamp, UserId};

use super::withdraw_all::WithdrawAll;
use crate::batching::{Batch, Batcher};
use crate::error::{Error, Result};
use crate::redis::{Commands, ConnectionId, Effect, Redis, checked, decode, write_deadline};
use crate::registrations::{AcceptingCompetitions, IndexEntry, UserIndex};
use crate::scripts::register::{AskRegister, PendingRegistration, Register};

/// Registers users. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Registering {
    batches: Batcher<RegisterBatch>,
    withdraw_all: WithdrawAll,
}

impl Registering {
    pub(crate) fn new(redis: &Redis, withdraw_all: &WithdrawAll) -> Self {
        Self {
            batches: Batcher::new(redis, RegisterBatch::default()),
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
#[derive(Default)]
struct RegisterBatch {
    accepting: AcceptingCompetitions,
}

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
        let register = |pending| Register {
            competition,
            pending,
            deadline: write_deadline(now),
        };
        if self.accepting.contains(competition) {
            let register = register(pending);
            return self.register(redis, connection, &register, now).await;
        }
        let ask = AskRegister(register(pending));
        let (_, asked) = redis.run_after(Commands::new(), &ask, connection).await?;
        let acceptable = pending.iter().zip(&asked);
        let acceptable = acceptable.filter(|(_, reply)| reply.is_ok());
        let acceptable: Vec<_> = acceptable.map(|(pending, _)| pending.clone()).collect();
        let mut decided = Vec::new().into_iter();
        if !acceptable.is_empty() {
            let register = register(&acceptable);
            let registered = self.register(redis, connection, &register, now).await?;
            decided = registered.into_iter();
        }
        let replies = asked.into_iter().map(|reply| match reply {
            Ok(_) => decided.next().unwrap_or(Err(too_few_replies())),
            Err(refusal) => Ok(DecidedRegistration {
                registration: Err(refusal),
                has_account: true,
            }),
        });
        Ok(replies.collect())
    }
}

impl RegisterBatch {
    /// Writes the index of each user and registers them all, in one round trip.
    async fn register(
        &self,
        redis: &Redis,
        connection: ConnectionId,
        register: &Register<'_>,
        now: Timestamp,
    ) -> Result<Vec<Result<DecidedRegistration>>> {
        let pending = register.pending;
        let mut index = Commands::with_capacity(2 * pending.len() + 1);
        let entries = pending.iter().map(|PendingRegistration { user, .. }| {
            let entry = IndexEntry::of_user(register.competition, now);
            entry.write(user, &mut index);
            (user, entry)
        });
        let entries: Vec<_> = entries.collect();
        let opened = redis.connections_opened();
        let (index, decisions) = redis.run_after(index, register, connection).await?;
        // After a connection broke, a copy of the pipeline may be on its way.
        let is_only_copy = redis.connections_opened() == opened;

        let mut index = index.into_iter();
        let mut refused = Vec::new();
        let decided = decisions.into_iter().zip(&entries);
        let decided = decided.map(|(decision, (user, entry))| {
            let (written, exists) = (next_reply(&mut index), next_reply(&mut index));
            // A user whose index entry was not written gets this error, also if the registration
            // was made: a repetition writes the entry and returns what was decided.
            let is_new: bool = decode(written?)?;
            if is_only_copy && is_new && decision.as_ref().is_err_and(is_of_competition) {
                refused.push((*user, entry));
            }
            Ok(DecidedRegistration {
                registration: decision.map(|described| described.registration),
                has_account: decode(exists?)?,
            })
        });
        let decided: Vec<Result<DecidedRegistration>> = decided.collect();
        let last = decided.iter().flatten().next_back();
        if let Some(last) = last {
            let accepts = !last.registration.as_ref().is_err_and(is_of_competition);
            self.accepting.set(register.competition, accepts);
        }
        UserIndex::new(redis).delete_refused(&refused).await;
        Ok(decided)
    }
}

/// Whether the competition takes nobody, or no more users, now. Such a refusal shows that the user
/// has no current registration.
pub(super) fn is_of_competition(error: &Error) -> bool {
    let Error::Rejected(rejected) = error else {
        return false;
    };
    matches!(
        rejected.rejection,
        Rejection::CompetitionFull { .. }
            | Rejection::RegistrationNotOpenYet { .. }
            | Rejection::RegistrationClosed { .. }
            | Rejection::CompetitionCancelled
            | Rejection::CompetitionNotPublished
            | Rejection::CompetitionNotFound
    )
}

fn next_reply(replies: &mut impl Iterator<Item = Value>) -> Result<Value> {
    checked(replies.next().ok_or_else(too_few_replies)?)
}

fn too_few_replies() -> Error {
    Error::unreadable("a batch with too few replies")
}
