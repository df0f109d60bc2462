//! What one part of an examination has seen and another one needs, in eight bytes each: so that it need not be
//! read once more for each of a million accounts. What was not seen is looked for in Redis before anything is
//! said.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Who stands in the directory.
    pub(super) directory: Ids,
    /// Who has an account.
    pub(super) users: Ids,
    /// What stands in users' indexes: the user and the competition.
    pub(super) indexed: Ids,
}

/// Hashes of ids. That one of a million stands for an id that is missing is as likely as 1 in 2^44.
#[derive(Debug, Default)]
pub(super) struct Ids(Mutex<HashSet<u64>>);

impl Ids {
    pub(super) fn extend(&self, ids: impl IntoIterator<Item = impl Hash>) {
        let hashes = ids.into_iter().map(|id| hash(&id));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(hashes);
    }

    /// Which of these were not seen.
    pub(super) fn missing<I: Hash>(&self, ids: impl IntoIterator<Item = I>) -> Vec<bool> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.into_iter()
            .map(|id| !all.contains(&hash(&id)))
            .collect()
    }
}

fn hash(id: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_seen_is_missing() {
        let ids = Ids::default();
        ids.extend([("ada", "spring-cup"), ("ben", "spring-cup")]);
        let missing = ids.missing([("ada", "spring-cup"), ("ada", "autumn-cup")]);
        assert_eq!(missing, [false, true]);
    }
}
