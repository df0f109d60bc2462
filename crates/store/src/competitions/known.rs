//! Competitions as they were read a moment ago, so that a look at one that stands as it stood costs Redis
//! one small command.
//!
//! Every change of a competition counts its revision up, its counts included. So what was read at a revision
//! is true for as long as Redis says this revision; nothing is ever told that Redis was not asked about.
//! A revision says so much only while Redis stays the same: one that was restarted or replaced may have lost
//! the last changes and count to the same number again. So nothing is known any more once a connection had
//! to be opened.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::{Competition, CompetitionId};

/// How long a competition is known: who repairs a record by hand, without a revision, sees it so soon.
const MAX_AGE: Duration = Duration::from_secs(1);
/// How many are known at most, and how long the texts of one may be, in bytes: 8 MiB together.
const MOST: usize = 2_048;
const MOST_TEXT: usize = 4_096;

/// The competitions that are known.
#[derive(Default)]
pub(crate) struct Known(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    all: HashMap<CompetitionId, Seen>,
    /// When those were last thrown out that are not fresh any more.
    cleared_at: Option<Instant>,
}

/// A competition as it was read.
struct Seen {
    competition: Arc<Competition>,
    /// How many connections had been opened before it was read.
    opened: u64,
    at: Instant,
    /// Whether it changed since it was read before: then it is likely to have changed again.
    is_restless: bool,
}

impl Known {
    /// The competition, if it is likely to stand as it stood.
    pub(crate) fn recall(&self, id: &CompetitionId, opened: u64) -> Option<Arc<Competition>> {
        let kept = self.lock();
        let seen = kept.all.get(id)?;
        (seen.is_fresh(opened) && !seen.is_restless).then(|| Arc::clone(&seen.competition))
    }

    /// Takes note of a competition that was asked for when so many connections had been opened.
    pub(crate) fn note(&self, competition: &Arc<Competition>, opened: u64) {
        let details = &competition.details;
        let text = details.title.as_str().len()
            + details.description.as_str().len()
            + details.venue.as_str().len();
        if text > MOST_TEXT {
            return;
        }
        let mut kept = self.lock();
        let before = kept.all.get(&competition.id);
        let is_restless = before.is_some_and(|seen| {
            seen.is_fresh(opened) && seen.competition.revision != competition.revision
        });
        if before.is_none() && !kept.has_room(opened) {
            return;
        }
        let seen = Seen {
            competition: Arc::clone(competition),
            opened,
            at: Instant::now(),
            is_restless,
        };
        kept.all.insert(competition.id.clone(), seen);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Whether one more fits. Makes room if need be, now and then.
    fn has_room(&mut self, opened: u64) -> bool {
        let is_due = self.cleared_at.is_none_or(|at| at.elapsed() >= MAX_AGE);
        if self.all.len() >= MOST && is_due {
            self.all.retain(|_, seen| seen.is_fresh(opened));
            self.cleared_at = Some(Instant::now());
        }
        self.all.len() < MOST
    }
}

impl Seen {
    fn is_fresh(&self, opened: u64) -> bool {
        self.opened == opened && self.at.elapsed() < MAX_AGE
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
    fn what_was_read_is_known_until_a_connection_had_to_be_opened() {
        let known = Known::default();
        let cup = cup(7);
        assert_eq!(known.recall(&cup.id, 1), None);
        known.note(&cup, 1);
        assert_eq!(known.recall(&cup.id, 1), Some(cup.clone()));
        assert_eq!(known.recall(&cup.id, 2), None);
    }

    #[test]
    fn what_has_just_changed_is_read_whole_until_it_stands() {
        let known = Known::default();
        let id = cup(0).id.clone();
        known.note(&cup(7), 1);
        known.note(&cup(8), 1);
        assert_eq!(known.recall(&id, 1), None);
        known.note(&cup(8), 1);
        assert_eq!(known.recall(&id, 1), Some(cup(8)));
    }

    #[test]
    fn long_texts_are_not_kept() {
        let known = Known::default();
        let long = competition("cup", 7, &"x".repeat(MOST_TEXT));
        known.note(&long, 1);
        assert_eq!(known.recall(&long.id, 1), None);
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for_and_those_that_are_not_fresh_make_room() {
        let known = Known::default();
        let note = |number: usize, opened| {
            let one = competition(&format!("cup-{number}"), 7, "");
            known.note(&one, opened);
            known.recall(&one.id, opened).is_some()
        };
        assert!((0..MOST).all(|number| note(number, 1)));
        assert!(!note(MOST, 1), "all places are taken");
        known.lock().cleared_at = None;
        assert!(
            note(MOST, 2),
            "all that was read before is not known any more"
        );
        assert_eq!(known.lock().all.len(), 1);
    }
}
