//! The details of a competition.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::competition::Moments;
use domain::{
    Capacity, CompetitionDetails, CountryCode, Description, Schedule, Timestamp, Title, Venue,
    WaitlistCapacity,
};

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// Builds [`CompetitionDetails`]: without limits, open for registration since a day, closing in a
/// day, starting in a week and lasting one day, unless the test says otherwise.
///
/// All moments are in milliseconds from now; negative ones are in the past.
#[derive(Debug, Clone)]
#[must_use]
pub struct CompetitionBuilder {
    title: String,
    description: String,
    venue: String,
    country_code: Option<String>,
    now: i64,
    opens_at: i64,
    closes_at: i64,
    starts_at: i64,
    ends_at: i64,
    capacity: Option<i64>,
    waitlist_capacity: Option<i64>,
}

impl Default for CompetitionBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl CompetitionBuilder {
    /// Begins with the defaults.
    pub fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.expect("a clock after 1970").as_millis();
        Self {
            title: "Spring Cup".to_owned(),
            description: String::new(),
            venue: "Town Hall".to_owned(),
            country_code: None,
            now: i64::try_from(now).expect("a valid time"),
            opens_at: -DAY_MILLIS,
            closes_at: DAY_MILLIS,
            starts_at: 7 * DAY_MILLIS,
            ends_at: 8 * DAY_MILLIS,
            capacity: None,
            waitlist_capacity: None,
        }
    }

    /// Counts all moments from this one, in milliseconds since 1970, instead of from now.
    pub fn now(mut self, millis: i64) -> Self {
        self.now = millis;
        self
    }

    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets the description, which is empty otherwise.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    pub fn venue(mut self, venue: impl Into<String>) -> Self {
        self.venue = venue.into();
        self
    }

    pub fn country_code(mut self, code: impl Into<String>) -> Self {
        self.country_code = Some(code.into());
        self
    }

    pub fn window(mut self, opens_at: i64, closes_at: i64) -> Self {
        (self.opens_at, self.closes_at) = (opens_at, closes_at);
        self
    }

    pub fn held(mut self, starts_at: i64, ends_at: i64) -> Self {
        (self.starts_at, self.ends_at) = (starts_at, ends_at);
        self
    }

    /// Limits the confirmed registrations; `None` = no limit.
    pub fn capacity(mut self, count: impl Into<Option<i64>>) -> Self {
        self.capacity = count.into();
        self
    }

    /// Limits the waitlist; `None` = no limit.
    pub fn waitlist_capacity(mut self, count: impl Into<Option<i64>>) -> Self {
        self.waitlist_capacity = count.into();
        self
    }

    /// The details. Panics if they break a rule of the domain.
    #[must_use]
    pub fn build(self) -> CompetitionDetails {
        let at = |millis| Timestamp::from_millis(self.now + millis).expect("a valid moment");
        let moments = Moments {
            starts_at: at(self.starts_at),
            ends_at: at(self.ends_at),
            registration_opens_at: at(self.opens_at),
            registration_closes_at: at(self.closes_at),
        };
        CompetitionDetails {
            title: Title::parse(self.title).expect("a valid title"),
            description: Description::parse(self.description).expect("a valid description"),
            venue: Venue::parse(self.venue).expect("a valid venue"),
            country_code: self
                .country_code
                .map(|code| CountryCode::parse(&code).expect("a valid country")),
            schedule: Schedule::parse(moments).expect("moments in order"),
            capacity: self
                .capacity
                .map(|count| Capacity::parse(count).expect("a valid capacity")),
            waitlist_capacity: self
                .waitlist_capacity
                .map(|count| WaitlistCapacity::parse(count).expect("a valid capacity")),
        }
    }
}
