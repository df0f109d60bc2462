//! Competitions for tests.

use std::time::{SystemTime, UNIX_EPOCH};

use api::admin::{CreateCompetitionRequest, PublishCompetitionRequest};
use api::v1::Competition;
use prost_types::Timestamp;

use crate::Startlist;

/// A day in seconds.
pub const DAY: i64 = 24 * 60 * 60;

/// The moment in so many seconds; negative = ago. Redis runs on this machine, by the same clock.
#[must_use]
pub fn from_now(seconds: i64) -> Timestamp {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let now = i64::try_from(now.as_secs()).expect("before the end of time");
    Timestamp {
        seconds: now + seconds,
        nanos: 0,
    }
}

/// A competition that is about to be created: unlimited, starting in 30 days, and open for registration
/// since yesterday, if nothing else is said.
#[must_use]
pub struct CompetitionBuilder<'a> {
    app: &'a Startlist,
    competition: Competition,
}

impl<'a> CompetitionBuilder<'a> {
    pub(crate) fn new(app: &'a Startlist) -> Self {
        Self {
            app,
            competition: Competition {
                title: "City Run".to_owned(),
                registration_opens_at: Some(from_now(-DAY)),
                registration_closes_at: Some(from_now(29 * DAY)),
                starts_at: Some(from_now(30 * DAY)),
                ends_at: Some(from_now(31 * DAY)),
                ..Default::default()
            },
        }
    }

    /// So many can be confirmed.
    pub fn capacity(mut self, places: i32) -> Self {
        self.competition.capacity = Some(places);
        self
    }

    /// So many can wait.
    pub fn waitlist_capacity(mut self, places: i32) -> Self {
        self.competition.waitlist_capacity = Some(places);
        self
    }

    /// Nobody can wait.
    pub fn no_waitlist(self) -> Self {
        self.waitlist_capacity(0)
    }

    /// Its window opens tomorrow.
    pub fn not_open_yet(mut self) -> Self {
        self.competition.registration_opens_at = Some(from_now(DAY));
        self
    }

    /// Its window closed a moment ago.
    pub fn closed(mut self) -> Self {
        self.competition.registration_closes_at = Some(from_now(0));
        self
    }

    /// It started a moment ago.
    pub fn started(mut self) -> Self {
        self.competition.starts_at = Some(from_now(0));
        self.closed()
    }

    /// It is over since a moment ago.
    pub fn over(self) -> Self {
        let mut over = self.started();
        over.competition.registration_closes_at = Some(from_now(-2));
        over.competition.starts_at = Some(from_now(-2));
        over.competition.ends_at = Some(from_now(0));
        over
    }

    /// It starts in so many seconds; the window closes an hour before.
    pub fn starts_in(mut self, seconds: i64) -> Self {
        self.competition.registration_closes_at = Some(from_now(seconds - 60 * 60));
        self.competition.starts_at = Some(from_now(seconds));
        self.competition.ends_at = Some(from_now(seconds + DAY));
        self
    }

    /// It is called that.
    pub fn title(mut self, title: &str) -> Self {
        title.clone_into(&mut self.competition.title);
        self
    }

    /// The message as it would be sent.
    #[must_use]
    pub fn message(self) -> Competition {
        self.competition
    }

    /// Creates it, as a draft.
    pub async fn draft(self) -> Competition {
        let request = CreateCompetitionRequest {
            competition: Some(self.competition),
            ..Default::default()
        };
        let organiser = self.app.organiser().await;
        let created = organiser.calls().create_competition(request).await;
        created
            .expect("created")
            .into_inner()
            .competition
            .expect("a competition")
    }

    /// Creates and publishes it: users see it, and can register within its window.
    pub async fn open(self) -> Competition {
        let app = self.app;
        let draft = self.draft().await;
        let request = PublishCompetitionRequest {
            competition_id: draft.competition_id,
            ..Default::default()
        };
        let organiser = app.organiser().await;
        let published = organiser.calls().publish_competition(request).await;
        published
            .expect("published")
            .into_inner()
            .competition
            .expect("a competition")
    }
}
