//! A cache of the competitions that were read within the last second. Each read of a cached one is
//! validated with one GET of its revision.
//!
//! Every change of a competition, its counts included, increments its revision. So a cached
//! competition is current while Redis has the same revision. That holds only for the same Redis:
//! one that was restarted or replaced may have lost the last changes and reach the same revision
//! again. So everything is forgotten once a connection had to be opened.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::{Competition, CompetitionId};

/// The lifetime of an entry. Bounds how long a manual edit without a new revision stays invisible.
const MAX_AGE: Duration = Duration::from_secs(1);
/// The most entries, and the most bytes of text in one of them: 8 MiB in total.
const MAX_ENTRIES: usize = 2_048;
const MAX_TEXT_BYTES: usize = 4_096;

/// Competitions by their ids.
#[derive(Default)]
pub(crate) struct CompetitionCache(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    by_id: HashMap<CompetitionId, CacheEntry>,
    /// The last time at which expired entries were removed.
    cleared_at: Option<Instant>,
}

struct CacheEntry {
    competition: Arc<Competition>,
    /// See [`crate::Redis::connections_opened`], before the competition was read.
    connections_opened: u64,
    read_at: Instant,
    /// Whether the competition changed between the last two reads. It is likely to change again, so
    /// that a validation would be a wasted round trip.
    changed_recently: bool,
}

impl CompetitionCache {
    /// The cached competition, if it is likely to be current.
    pub(crate) fn get(
        &self,
        id: &CompetitionId,
        connections_opened: u64,
    ) -> Option<Arc<Competition>> {
        let entries = self.lock();
        let entry = entries.by_id.get(id)?;
        (entry.is_fresh(connections_opened) && !entry.changed_recently)
            .then(|| Arc::clone(&entry.competition))
    }

    /// Caches a competition. `connections_opened` is the number from before it was read.
    pub(crate) fn put(&self, competition: &Arc<Competition>, connections_opened: u64) {
        let details = &competition.details;
        let text_bytes = details.title.as_str().len()
            + details.description.as_str().len()
            + details.venue.as_str().len();
        if text_bytes > MAX_TEXT_BYTES {
            return;
        }
        let mut entries = self.lock();
        let before = entries.by_id.get(&competition.id);
        let changed_recently = before.is_some_and(|entry| {
            entry.is_fresh(connections_opened) && entry.competition.revision != competition.revision
        });
        if before.is_none() && !entries.has_room(connections_opened) {
            return;
        }
        let entry = CacheEntry {
            competition: Arc::clone(competition),
            connections_opened,
            read_at: Instant::now(),
            changed_recently,
        };
        entries.by_id.insert(competition.id.clone(), entry);
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    /// Whether one more entry fits. Removes expired entries if need be, at most once per
    /// [`MAX_AGE`].
    fn has_room(&mut self, connections_opened: u64) -> bool {
        let is_due = self.cleared_at.is_none_or(|at| at.elapsed() >= MAX_AGE);
        if self.by_id.len() >= MAX_ENTRIES && is_due {
            self.by_id
                .retain(|_, entry| entry.is_fresh(connections_opened));
            self.cleared_at = Some(Instant::now());
        }
        self.by_id.len() < MAX_ENTRIES
    }
}

impl CacheEntry {
    fn is_fresh(&self, connections_opened: u64) -> bool {
        self.connections_opened == connections_opened && self.read_at.elapsed() < MAX_AGE
    }
}

#[cfg(test)]
mod tests {
    use domain::competition::Moments;
    use domain::{
        CompetitionDetails, CompetitionState, Description, Revision, Schedule, Timestamp, Title,
        Venue,
    };

    use super::*;

    fn competition(id: &str, revision: u64, description: &str) -> Arc<Competition> {
        let moment = |millis| Timestamp::from_millis(millis).expect("a time");
        let schedule = Schedule::parse(Moments {
            registration_opens_at: moment(1),
            registration_closes_at: moment(2),
            starts_at: moment(3),
            ends_at: moment(4),
        });
        Arc::new(Competition {
            id: CompetitionId::parse(id).expect("an id"),
            details: CompetitionDetails {
                title: Title::parse("Cup").expect("a title"),
                description: Description::parse(description).expect("a description"),
                venue: Venue::parse("Davos").expect("a venue"),
                country_code: None,
                schedule: schedule.expect("a schedule"),
                capacity: None,
                waitlist_capacity: None,
            },
            state: CompetitionState::Published,
            confirmed_count: 0,
            waitlisted_count: 0,
            revision: Revision::new(revision),
            changed_at_revision: Revision::new(1),
            created_at: moment(0),
            updated_at: moment(0),
        })
    }

    fn cup(revision: u64) -> Arc<Competition> {
        competition("cup", revision, "")
    }

    #[test]
    fn an_entry_is_forgotten_once_a_connection_was_opened() {
        let cache = CompetitionCache::default();
        let cup = cup(7);
        assert_eq!(cache.get(&cup.id, 1), None);
        cache.put(&cup, 1);
        assert_eq!(cache.get(&cup.id, 1), Some(cup.clone()));
        assert_eq!(cache.get(&cup.id, 2), None);
    }

    #[test]
    fn a_competition_that_has_just_changed_is_not_returned() {
        let cache = CompetitionCache::default();
        let id = cup(0).id.clone();
        cache.put(&cup(7), 1);
        cache.put(&cup(8), 1);
        assert_eq!(cache.get(&id, 1), None);
        cache.put(&cup(8), 1);
        assert_eq!(cache.get(&id, 1), Some(cup(8)));
    }

    #[test]
    fn long_texts_are_not_cached() {
        let cache = CompetitionCache::default();
        let long = competition("cup", 7, &"x".repeat(MAX_TEXT_BYTES));
        cache.put(&long, 1);
        assert_eq!(cache.get(&long.id, 1), None);
    }

    #[test]
    fn a_full_cache_removes_expired_entries_only() {
        let cache = CompetitionCache::default();
        let put = |number: usize, opened| {
            let one = competition(&format!("cup-{number}"), 7, "");
            cache.put(&one, opened);
            cache.get(&one.id, opened).is_some()
        };
        assert!((0..MAX_ENTRIES).all(|number| put(number, 1)));
        assert!(!put(MAX_ENTRIES, 1), "the cache is full");
        cache.lock().cleared_at = None;
        assert!(
            put(MAX_ENTRIES, 2),
            "all entries are of an earlier connection"
        );
        assert_eq!(cache.lock().by_id.len(), 1);
    }
}
