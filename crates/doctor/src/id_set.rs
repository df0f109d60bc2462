//! Ids that one check has seen and another one needs, so that they need not be read again for each
//! of a million accounts. Eight bytes each. An id that is missing here is looked up in Redis before
//! it is reported.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

/// What an examination has seen.
#[derive(Debug, Default)]
pub(crate) struct IdSets {
    /// The members of the directory.
    pub(crate) directory: IdSet,
    /// The users with an account.
    pub(crate) accounts: IdSet,
    /// The entries of users' indexes: user and competition.
    pub(crate) index_entries: IdSet,
}

/// Hashes of ids. With a million ids, the hash of a missing one is in the set by chance with a
/// probability of 1 in 2^44.
#[derive(Debug, Default)]
pub(crate) struct IdSet(Mutex<HashSet<u64>>);

impl IdSet {
    pub(crate) fn extend(&self, ids: impl IntoIterator<Item = impl Hash>) {
        let hashes = ids.into_iter().map(|id| hash(&id));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(hashes);
    }

    /// Returns for each of these ids whether it is missing.
    pub(crate) fn missing<I: Hash>(&self, ids: impl IntoIterator<Item = I>) -> Vec<bool> {
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
    fn an_id_that_was_not_added_is_missing() {
        let ids = IdSet::default();
        ids.extend([("ada", "spring-cup"), ("ben", "spring-cup")]);
        let missing = ids.missing([("ada", "spring-cup"), ("ada", "autumn-cup")]);
        assert_eq!(missing, [false, true]);
    }
}
