//! Withdraws a user whose account is erased from everything that is not over and from every
//! waitlist, and erases the reasons of the user's removals. The user's index names the competitions;
//! each competition decides alone. A call that is cut off has withdrawn the user from some of them,
//! and a repetition continues.

use domain::{RequestId, UserId};
use futures::{StreamExt, TryStreamExt, stream};

use crate::error::Result;
use crate::redis::Redis;
use crate::registrations::{IndexEntry, Registrations, UserIndex};

/// How many withdrawals of one user are sent at a time. They are pipelined, and other calls go in
/// between.
const PARALLEL_WITHDRAWALS: usize = 16;

/// Withdraws users from all competitions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct WithdrawAll {
    pub(crate) redis: Redis,
    pub(crate) index: UserIndex,
    pub(crate) registrations: Registrations,
}

impl WithdrawAll {
    /// Withdraws a user from everything that is not over, and from every waitlist. Deletes old index
    /// entries of competitions that do not exist. Returns the other entries of the index that were
    /// read, which the caller may delete.
    pub(crate) async fn run(&self, user: &UserId, request: RequestId) -> Result<Vec<IndexEntry>> {
        let read_at = self.redis.now();
        let entries = self.index.list(user).await?;
        let (mut kept, mut leftovers) = (Vec::with_capacity(entries.len()), Vec::new());
        let mut withdrawals = stream::iter(entries)
            .map(|entry| self.withdraw(user, entry, request))
            .buffered(PARALLEL_WITHDRAWALS);
        while let Some((entry, exists)) = withdrawals.try_next().await? {
            if exists {
                kept.push(entry);
            } else {
                leftovers.push(entry);
            }
        }
        let young = self.index.delete_leftovers(user, leftovers, read_at).await;
        kept.extend(young);
        Ok(kept)
    }

    /// Withdraws a user from the competition of an entry. Returns whether it exists.
    async fn withdraw(
        &self,
        user: &UserId,
        entry: IndexEntry,
        request: RequestId,
    ) -> Result<(IndexEntry, bool)> {
        let competition = &entry.competition;
        let exists = self.registrations.erase(user, competition, request).await?;
        Ok((entry, exists))
    }

    /// Withdraws a user, whose account is erased already, from what a call has entered that found
    /// the account just before the erasure, and deletes the entries of the index.
    pub(crate) async fn and_forget(&self, user: &UserId, request: RequestId) -> Result<()> {
        let entries = self.run(user, request).await?;
        self.index.delete(user, &entries).await
    }
}
