//! Withdraws a user whose account is erased from everything that is not over, and from every
//! waitlist. The user's index names the competitions; each competition decides alone. A call that is cut off has withdrawn the
//! user from some of them, and a repetition continues.

use domain::{RequestId, UserId};

use crate::error::Result;
use crate::registrations::{IndexEntry, Registrations, UserIndex};

/// Withdraws users from all competitions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct WithdrawAll {
    pub(crate) index: UserIndex,
    pub(crate) registrations: Registrations,
}

impl WithdrawAll {
    /// Withdraws a user from everything that is not over, and from every waitlist. Returns the
    /// entries of the index that were read, which the caller may delete.
    pub(crate) async fn run(&self, user: &UserId, request: RequestId) -> Result<Vec<IndexEntry>> {
        let entries = self.index.list(user).await?;
        for entry in &entries {
            self.registrations
                .withdraw_erased(user, &entry.competition, request)
                .await?;
        }
        Ok(entries)
    }

    /// Withdraws a user, whose account is erased already, from what a call has entered whose
    /// session was read just before the erasure, and deletes the entries of the index.
    pub(crate) async fn and_forget(&self, user: &UserId, request: RequestId) -> Result<()> {
        for entry in self.run(user, request).await? {
            self.index.delete(user, &entry).await?;
        }
        Ok(())
    }
}
