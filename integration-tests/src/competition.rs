//! Competitions for tests.

use std::time::{SystemTime, UNIX_EPOCH};

use api::v1::Competition;
use prost_types::Timestamp;
use testkit::retry;
use tonic::{Code, Status};

use crate::Startlist;

/// A day in seconds.
pub const DAY: i64 = 24 * 60 * 60;

/// The moment in so many seconds; negative ones are in the past. Redis has the same clock.
#[must_use]
pub fn from_now(seconds: i64) -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("a clock after 1970").as_secs();
    Timestamp {
        seconds: i64::try_from(now).expect("a valid time") + seconds,
        nanos: 0,
    }
}

/// A competition to be created: without limits, open for registration since yesterday and starting
/// in 30 days, unless the test says otherwise.
#[must_use]
pub struct CompetitionSetup<'a> {
    app: &'a Startlist,
    competition: Competition,
}

impl<'a> CompetitionSetup<'a> {
    pub(crate) fn new(app: &'a Startlist) -> Self {
        let competition = Competition {
            title: "City Run".to_owned(),
            registration_opens_at: Some(from_now(-DAY)),
            registration_closes_at: Some(from_now(29 * DAY)),
            starts_at: Some(from_now(30 * DAY)),
            ends_at: Some(from_now(31 * DAY)),
            ..Default::default()
        };
        Self { app, competition }
    }

    pub fn title(mut self, title: &str) -> Self {
        title.clone_into(&mut self.competition.title);
        self
    }

    pub fn description(mut self, description: &str) -> Self {
        description.clone_into(&mut self.competition.description);
        self
    }

    /// Limits the confirmed registrations.
    pub fn capacity(mut self, count: i32) -> Self {
        self.competition.capacity = Some(count);
        self
    }

    pub fn waitlist_capacity(mut self, count: i32) -> Self {
        self.competition.waitlist_capacity = Some(count);
        self
    }

    pub fn no_waitlist(self) -> Self {
        self.waitlist_capacity(0)
    }

    /// Opens for registration tomorrow.
    pub fn not_open_yet(mut self) -> Self {
        self.competition.registration_opens_at = Some(from_now(DAY));
        self
    }

    /// Has just closed for registration.
    pub fn closed(mut self) -> Self {
        self.competition.registration_closes_at = Some(from_now(0));
        self
    }

    pub fn started(mut self) -> Self {
        self.competition.starts_at = Some(from_now(0));
        self.closed()
    }

    pub fn over(self) -> Self {
        let mut over = self.started();
        over.competition.registration_closes_at = Some(from_now(-2));
        over.competition.starts_at = Some(from_now(-2));
        over.competition.ends_at = Some(from_now(0));
        over
    }

    /// Starts in so many seconds, and closes for registration an hour earlier.
    pub fn starts_in(mut self, seconds: i64) -> Self {
        self.competition.registration_closes_at = Some(from_now(seconds - 60 * 60));
        self.competition.starts_at = Some(from_now(seconds));
        self.competition.ends_at = Some(from_now(seconds + DAY));
        self
    }

    /// The message that would be sent.
    #[must_use]
    pub fn message(self) -> Competition {
        self.competition
    }

    /// Creates it as a draft.
    pub async fn draft(self) -> Competition {
        let organiser = self.app.organiser().await;
        let draft = organiser.create(self.competition, None).await;
        draft.expect("created")
    }

    /// Creates and publishes it. Repeats a call that Redis was too busy for.
    pub async fn open(self) -> Competition {
        let organiser = self.app.organiser().await;
        let create = async || organiser.create(self.competition.clone(), None).await;
        let draft = retry(is_unavailable, create).await.expect("created");
        let published = retry(is_unavailable, async || organiser.publish(&draft).await).await;
        published.expect("published")
    }
}

/// Whether Redis was too busy or not reachable.
#[must_use]
pub fn is_unavailable(status: &Status) -> bool {
    status.code() == Code::Unavailable
}
