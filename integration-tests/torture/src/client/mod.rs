//! A client of both services. It sends calls, sends them again under the same request id until
//! there is a response, and records what it observed.
//!
//! - `calls`: one attempt of each call.
//! - `lists`: reads whole lists, page by page.
//! - `responses`: from responses and errors to observations.

mod calls;
mod lists;
mod responses;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::{CompetitionId, RequestId, Timestamp};
use testkit::Random;
use tokio::time::{Instant, sleep};
use tonic::transport::Channel;

use crate::history::{Call, Observation, Operation};
use crate::world::{SignedInAccount, World};

/// How long most calls are retried. Within this time no registration may change 8 times, because
/// the service remembers the last 8 requests of a registration.
const RETRY_TIME: Duration = Duration::from_secs(10);
const MAX_RETRY_PAUSE: Duration = Duration::from_millis(250);
/// How long after its response a request may be repeated, for the same reason.
const REPEAT_TIME: Duration = Duration::from_secs(2);
/// The number of requests that a client remembers to repeat one of them.
const MAX_RECENT: usize = 4;

/// A client. Its account may change from call to call.
pub struct Client {
    user_service: Channel,
    admin_service: Channel,
    pub account: SignedInAccount,
    pub random: Random,
    pub recorded: Vec<Operation>,
    recent: VecDeque<Request>,
    progress: Arc<Progress>,
}

/// What the clients of one run share.
#[derive(Debug)]
pub struct Progress {
    pub start: Instant,
    completed: AtomicU64,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            completed: AtomicU64::new(0),
        }
    }
}

impl Progress {
    /// The number of completed operations.
    #[must_use]
    pub fn completed(&self) -> u64 {
        self.completed.load(Ordering::Relaxed)
    }
}

/// A call with all that its attempts have in common.
#[derive(Clone)]
pub struct Request {
    pub account: SignedInAccount,
    pub competition: CompetitionId,
    pub id: RequestId,
    pub call: Call,
    /// The time of the response.
    completed: Instant,
}

/// The result of one attempt.
#[derive(Debug)]
pub enum AttemptResult {
    Response(Observation),
    /// The service reports that nothing was changed.
    NotApplied,
    /// There was no response, or its outcome is unknown.
    Lost,
}

/// The beginning of an operation, by the monotonic clock and by the clock of the machine.
#[derive(Clone, Copy)]
pub struct Start(Instant, Timestamp);

impl Start {
    #[must_use]
    pub fn now() -> Self {
        Self(Instant::now(), now())
    }
}

impl Client {
    #[must_use]
    pub fn new(
        world: &World,
        account: SignedInAccount,
        random: Random,
        progress: Arc<Progress>,
    ) -> Self {
        Self {
            user_service: world.user.channel(),
            admin_service: world.admin.channel(),
            account,
            random,
            recorded: Vec::new(),
            recent: VecDeque::new(),
            progress,
        }
    }

    /// A new request with the current account.
    #[must_use]
    pub fn request(&self, competition: CompetitionId, call: Call) -> Request {
        Request {
            account: self.account.clone(),
            competition,
            id: RequestId::random(),
            call,
            completed: Instant::now(),
        }
    }

    /// Calls until there is a response or the retry time is over, and records the result.
    pub async fn call(&mut self, competition: &CompetitionId, call: Call) {
        let mut request = self.request(competition.clone(), call);
        let (start, observed, was_lost) = self.complete(&request).await;
        if is_repeatable(&request.call, &observed) {
            request.completed = Instant::now();
            self.recent.push_back(request.clone());
            if self.recent.len() > MAX_RECENT {
                self.recent.pop_front();
            }
        }
        self.record(&request, start, observed).was_lost = was_lost;
    }

    /// Repeats one of the requests that were completed a moment ago.
    pub async fn repeat(&mut self) {
        self.recent
            .retain(|request| request.completed.elapsed() < REPEAT_TIME);
        if self.recent.is_empty() {
            return;
        }
        let request = self.random.pick(self.recent.make_contiguous()).clone();
        self.account = request.account.clone();
        let (start, observed, was_lost) = self.complete(&request).await;
        // A failed repetition shows nothing about the first request.
        if !matches!(observed, Observation::NotApplied | Observation::Unknown) {
            let operation = self.record(&request, start, observed);
            (operation.was_lost, operation.is_repeated) = (was_lost, true);
        }
    }

    async fn complete(&mut self, request: &Request) -> (Start, Observation, bool) {
        let is_read = request.call.action().is_none();
        // Some calls are not retried, so that the outcome of a single attempt is checked too.
        let is_retried = !self.random.percent(10);
        let first = Instant::now();
        let mut start = Start::now();
        let mut was_lost = false;
        let mut pause = Duration::from_millis(10);
        let observed = loop {
            match self.attempt(request).await {
                AttemptResult::Response(observed) => break observed,
                AttemptResult::NotApplied => {}
                AttemptResult::Lost => was_lost = !is_read,
            }
            if !is_retried || first.elapsed() > RETRY_TIME {
                break if was_lost {
                    Observation::Unknown
                } else {
                    Observation::NotApplied
                };
            }
            sleep(pause).await;
            pause = (pause * 2).min(MAX_RETRY_PAUSE);
            if is_read {
                start = Start::now();
            }
        };
        self.progress.completed.fetch_add(1, Ordering::Relaxed);
        (start, observed, was_lost)
    }

    fn record(&mut self, request: &Request, start: Start, observed: Observation) -> &mut Operation {
        let since = |moment: Instant| moment.duration_since(self.progress.start);
        self.recorded.push(Operation {
            competition: request.competition.clone(),
            request: request.id,
            by: request.account.actor.clone(),
            call: request.call.clone(),
            started: since(start.0),
            ended: since(Instant::now()),
            started_at: start.1,
            ended_at: now(),
            was_lost: false,
            is_repeated: false,
            observed,
        });
        self.recorded.last_mut().expect("was pushed")
    }

    /// Records a read that was part of another one.
    pub fn record_read(
        &mut self,
        start: Start,
        competition: &CompetitionId,
        call: Call,
        observed: Observation,
    ) {
        let request = self.request(competition.clone(), call);
        self.record(&request, start, observed);
    }

    /// Counts a list as one completed operation.
    pub fn count_list(&self) {
        self.progress.completed.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether the service remembers the result. A request that changed nothing is decided anew. Two
/// values of `venue` always differ, so that setting it changes something.
fn is_repeatable(call: &Call, observed: &Observation) -> bool {
    let has_result = matches!(
        observed,
        Observation::Registration(_) | Observation::Competition(_)
    );
    let is_change = call.action().is_some();
    has_result && is_change && (call.user().is_some() || matches!(call, Call::Set("venue", _)))
}

/// The clock of the machine.
#[must_use]
pub fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = now.map_or(0, |now| now.as_millis());
    let millis = i64::try_from(millis).unwrap_or_default();
    Timestamp::from_millis(millis).unwrap_or(Timestamp::MIN)
}
