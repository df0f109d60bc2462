//! The competitions that accept registrations, as far as this process knows.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::CompetitionId;

/// The most competitions, of some 100 bytes each. A competition that is forgotten costs the next
/// registration one round trip.
const MAX_COMPETITIONS: usize = 4_096;

/// The competitions that accepted the last registration of this process.
#[derive(Default)]
pub(crate) struct AcceptingCompetitions(Mutex<HashSet<CompetitionId>>);

impl AcceptingCompetitions {
    pub(crate) fn contains(&self, id: &CompetitionId) -> bool {
        self.lock().contains(id)
    }

    /// Remembers whether a competition has accepted a registration or refused one.
    pub(crate) fn set(&self, id: &CompetitionId, accepts: bool) {
        let mut accepting = self.lock();
        if !accepts {
            accepting.remove(id);
        } else if !accepting.contains(id) {
            if accepting.len() >= MAX_COMPETITIONS {
                accepting.clear();
            }
            accepting.insert(id.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<CompetitionId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> CompetitionId {
        CompetitionId::parse(format!("cup-{number}")).expect("an id")
    }

    #[test]
    fn a_competition_is_known_until_it_refuses() {
        let accepting = AcceptingCompetitions::default();
        assert!(!accepting.contains(&id(1)));
        accepting.set(&id(1), true);
        assert!(accepting.contains(&id(1)));
        accepting.set(&id(1), false);
        assert!(!accepting.contains(&id(1)));
    }

    #[test]
    fn the_set_does_not_grow_without_bound() {
        let accepting = AcceptingCompetitions::default();
        for number in 0..=MAX_COMPETITIONS {
            accepting.set(&id(number), true);
        }
        assert!(accepting.contains(&id(MAX_COMPETITIONS)));
        assert!(accepting.lock().len() <= MAX_COMPETITIONS);
    }
}
