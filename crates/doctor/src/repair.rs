//! Repairs, which can be made at any time while the services run. Each changes one thing, and only
//! if it still is what was found.

use store::Redis;
use store::repair::Repairs;

use crate::{Error, Repair};

/// Repairs the data in one Redis, as a Redis user that may write what user-service writes.
pub struct Repairer {
    repairs: Repairs,
}

impl Repairer {
    /// A repairer on these connections. Opens none.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self {
            repairs: Repairs::new(redis),
        }
    }

    /// Makes a repair. Returns whether something was changed: a service may have repaired it already.
    pub async fn make(&self, repair: &Repair) -> Result<bool, Error> {
        let repairs = &self.repairs;
        Ok(match repair {
            Repair::DeleteIndexEntry {
                index,
                competition,
                value,
            } => {
                repairs
                    .delete_index_entry(index, competition, value)
                    .await?
            }
            Repair::AddToIndex { user, competition } => {
                repairs.add_to_index(user, competition).await?
            }
            Repair::AddToDirectory { user } => repairs.add_to_directory(user).await?,
            Repair::ReleaseClaim { key, value } => repairs.release_claim(key, value).await?,
            Repair::Withdraw { user, competition } => {
                repairs.withdraw_erased_user(user, competition).await?;
                true
            }
        })
    }
}
