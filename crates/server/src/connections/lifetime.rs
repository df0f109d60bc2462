//! When a connection ends although both sides are well: the rules of grpc-go's server.
//!
//! - A client that has not greeted in time is disconnected.
//! - A connection without an open stream is sent away with GOAWAY after the idle limit.
//! - A connection is sent away with GOAWAY at its maximum age, so that clients find servers that
//!   came later. The age differs by up to 10 % per connection, so that connections that began
//!   together do not end together.
//! - After GOAWAY it is closed with its last stream, or after the grace period.

use std::time::Duration;

use tokio::time::Instant;

use super::activity::Activity;

/// The time for a client to send its greeting: the header of the PROXY protocol, if its proxy sends
/// one, the preface of HTTP/2 and SETTINGS. They come with the first packets; this is enough for a
/// bad mobile network.
pub(super) const GREETING_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection without an open stream may be silent after GOAWAY. An honest client closes
/// it within a round trip.
const GOAWAY_TIMEOUT: Duration = Duration::from_secs(5);

/// Far enough, and no overflow.
const NEVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The limits of the life of a connection; `None` = no limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ages {
    pub(crate) max_idle: Option<Duration>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) grace: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct Lifetime {
    max_idle: Duration,
    grace: Duration,
    greeted_until: Instant,
    ages_out_at: Instant,
    goaway: Option<Goaway>,
}

#[derive(Debug)]
struct Goaway {
    sent_at: Instant,
    seen_at: Instant,
    progress: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Check again then.
    Wait(Instant),
    /// Send GOAWAY, then check again.
    Goaway,
    /// Close the connection. The text is the reason, for the log.
    Close(&'static str),
}

impl Lifetime {
    /// `random` spreads the maximum age.
    pub(super) fn new(ages: Ages, accepted_at: Instant, random: u64) -> Self {
        let max_age = ages.max_age.map_or(NEVER, |age| spread(age, random));
        Self {
            max_idle: ages.max_idle.unwrap_or(NEVER),
            grace: ages.grace.unwrap_or(NEVER),
            greeted_until: accepted_at + GREETING_TIMEOUT,
            ages_out_at: accepted_at + max_age,
            goaway: None,
        }
    }

    /// Notes that GOAWAY is sent.
    pub(super) fn goaway(&mut self, now: Instant, activity: &Activity) {
        self.goaway.get_or_insert(Goaway {
            sent_at: now,
            seen_at: now,
            progress: activity.progress(),
        });
    }

    pub(super) fn check(&mut self, now: Instant, activity: &Activity) -> Step {
        if !activity.has_greeted() {
            return if now < self.greeted_until {
                Step::Wait(self.greeted_until)
            } else {
                Step::Close("no greeting")
            };
        }
        if let Some(goaway) = &mut self.goaway {
            return goaway.check(now, activity, self.grace);
        }
        let idle_since = activity.idle_since();
        let idle_until = idle_since.unwrap_or(now) + self.max_idle;
        let goaway_at = self.ages_out_at.min(idle_until);
        if now < goaway_at {
            return Step::Wait(goaway_at);
        }
        self.goaway(now, activity);
        Step::Goaway
    }
}

impl Goaway {
    fn check(&mut self, now: Instant, activity: &Activity, grace: Duration) -> Step {
        let closes_at = self.sent_at + grace;
        if now >= closes_at {
            return Step::Close("the grace period is over");
        }
        // A response that the client still receives makes progress, although its stream ended.
        let progress = activity.progress();
        let is_silent = activity.idle_since().is_some() && progress == self.progress;
        if is_silent && now >= self.seen_at + GOAWAY_TIMEOUT {
            return Step::Close("silent after GOAWAY");
        }
        if !is_silent {
            self.seen_at = now;
            self.progress = progress;
        }
        Step::Wait(closes_at.min(self.seen_at + GOAWAY_TIMEOUT))
    }
}

/// Returns 90 % to 110 % of the age.
fn spread(age: Duration, random: u64) -> Duration {
    let width = age / 5;
    let part = width.as_nanos() * u128::from(random >> 32) / u128::from(u32::MAX);
    age * 9 / 10 + Duration::from_nanos(u64::try_from(part).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::activity::OpenStream;
    use super::*;

    const IDLE: Duration = Duration::from_secs(300);
    const AGE: Duration = Duration::from_secs(1800);
    const GRACE: Duration = Duration::from_secs(60);
    /// Leaves the age as it is.
    const MIDDLE: u64 = u64::MAX / 2 + 1;

    fn limits() -> Ages {
        Ages {
            max_idle: Some(IDLE),
            max_age: Some(AGE),
            grace: Some(GRACE),
        }
    }

    fn greeted(now: Instant) -> Arc<Activity> {
        let activity = Activity::new(now);
        activity.greet();
        Arc::new(activity)
    }

    #[test]
    fn a_client_has_5_seconds_for_its_greeting() {
        let start = Instant::now();
        let activity = Activity::new(start);
        let mut lifetime = Lifetime::new(limits(), start, MIDDLE);
        let end = start + Duration::from_secs(5);
        assert_eq!(lifetime.check(start, &activity), Step::Wait(end));
        assert!(matches!(lifetime.check(end, &activity), Step::Close(_)));
    }

    #[test]
    fn an_idle_connection_is_sent_away_and_then_closed() {
        let start = Instant::now();
        let activity = greeted(start);
        let mut lifetime = Lifetime::new(limits(), start, MIDDLE);
        assert_eq!(lifetime.check(start, &activity), Step::Wait(start + IDLE));
        let end = start + IDLE;
        assert_eq!(lifetime.check(end, &activity), Step::Goaway);
        let closed_at = end + GOAWAY_TIMEOUT;
        assert_eq!(lifetime.check(end, &activity), Step::Wait(closed_at));
        let closed = lifetime.check(closed_at, &activity);
        assert_eq!(closed, Step::Close("silent after GOAWAY"));
    }

    #[test]
    fn a_connection_with_an_open_stream_is_not_idle() {
        let start = Instant::now();
        let activity = greeted(start);
        let _stream = OpenStream::new(&activity);
        let mut lifetime = Lifetime::new(limits(), start, MIDDLE);
        let next = start + IDLE;
        assert_eq!(lifetime.check(next, &activity), Step::Wait(next + IDLE));
    }

    #[test]
    fn at_its_maximum_age_a_connection_gets_the_grace_period_for_its_streams() {
        let start = Instant::now();
        let activity = greeted(start);
        let _stream = OpenStream::new(&activity);
        let mut lifetime = Lifetime::new(limits(), start, 0);
        let mut now = start + AGE * 9 / 10;
        assert_eq!(lifetime.check(now, &activity), Step::Goaway);
        let closes_at = now + GRACE;
        while let Step::Wait(next) = lifetime.check(now, &activity) {
            assert!(next > now);
            now = next;
        }
        assert_eq!(now, closes_at);
    }

    #[test]
    fn a_response_that_is_still_received_after_goaway_is_not_cut_off() {
        let start = Instant::now();
        let activity = greeted(start);
        let mut lifetime = Lifetime::new(limits(), start, MIDDLE);
        lifetime.goaway(start, &activity);
        activity.progressed();
        let later = start + GOAWAY_TIMEOUT;
        let next = lifetime.check(later, &activity);
        assert_eq!(next, Step::Wait(later + GOAWAY_TIMEOUT));
    }

    #[test]
    fn the_maximum_age_is_spread_by_10_percent() {
        for (random, percent) in [(0, 90), (MIDDLE, 100), (u64::MAX, 110)] {
            assert_eq!(spread(AGE, random).as_secs(), AGE.as_secs() * percent / 100);
        }
    }

    #[test]
    fn without_limits_a_connection_lives_on() {
        let start = Instant::now();
        let activity = greeted(start);
        let none = Ages {
            max_idle: None,
            max_age: None,
            grace: None,
        };
        let mut lifetime = Lifetime::new(none, start, MIDDLE);
        let later = start + Duration::from_secs(86_400 * 30);
        assert!(matches!(lifetime.check(later, &activity), Step::Wait(_)));
    }
}
