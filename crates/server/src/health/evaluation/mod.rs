//! Background checks of Redis and the peer, shared by all callers: however many ask, each
//! dependency is checked about once a second.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::name::HealthName;
use super::state::{CheckError, CheckResult, Dependency, SharedState};

/// The greatest age of a status that is returned.
pub(super) const MAX_AGE: Duration = Duration::from_secs(1);
/// The interval between two checks: slightly less than [`MAX_AGE`], so that no caller has to wait
/// while all is well.
const CHECK_INTERVAL: Duration = Duration::from_millis(900);
/// How long checks continue after the last request, so that a client that asks every second or two
/// gets a status from continuous checks.
const IDLE_TIMEOUT: Duration = Duration::from_secs(3);
/// The time for one check. Leaves 100 ms of [`RESPONSE_TIMEOUT`].
pub(super) const CHECK_TIMEOUT: Duration = Duration::from_millis(600);
/// The longest time that a caller waits for a fresh status.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_millis(700);

const TIMED_OUT: CheckError = CheckError::Down("no answer came in time");

/// Checks a dependency once.
pub type Probe = Arc<dyn Fn() -> BoxFuture<'static, Result<(), CheckError>> + Send + Sync>;

/// The evaluations of both dependencies. They are independent, so that a slow dependency does not
/// delay the other one, and asking for one does not cause checks of the other.
#[derive(Clone)]
pub(super) struct Evaluations {
    redis: Arc<Evaluation>,
    peer: Arc<Evaluation>,
}

impl Evaluations {
    pub(super) fn new(state: &Arc<SharedState>, redis: Probe, peer: Probe) -> Self {
        Self {
            redis: Arc::new(Evaluation::new(Dependency::Redis, redis, Arc::clone(state))),
            peer: Arc::new(Evaluation::new(Dependency::Peer, peer, Arc::clone(state))),
        }
    }

    /// Waits until the status of the name is at most 1 s old, and at most 700 ms. Returns at once
    /// if it is fresh or does not depend on Redis or the peer.
    pub(super) async fn refresh(&self, name: HealthName) {
        match name {
            HealthName::Redis => self.redis.refresh().await,
            HealthName::Peer => self.peer.refresh().await,
            HealthName::Deep => {
                tokio::join!(self.redis.refresh(), self.peer.refresh());
            }
            HealthName::Server
            | HealthName::Service
            | HealthName::Liveness
            | HealthName::Readiness => {}
        }
    }

    /// Starts checking both dependencies, so that the first client need not wait.
    pub(super) fn start(&self) {
        self.redis.start();
        self.peer.start();
    }
}

/// Checks one dependency in a background task while clients ask for it or watch it.
struct Evaluation {
    dependency: Dependency,
    probe: Probe,
    state: Arc<SharedState>,
    /// When the last evaluation ended.
    evaluated_at: watch::Sender<Option<Instant>>,
    /// Whether a client has asked since the task last looked.
    requested: AtomicBool,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Evaluation {
    fn new(dependency: Dependency, probe: Probe, state: Arc<SharedState>) -> Self {
        Self {
            dependency,
            probe,
            state,
            evaluated_at: watch::Sender::new(None),
            requested: AtomicBool::new(false),
            task: Mutex::new(None),
        }
    }

    /// Waits for a result that is at most 1 s old: returns at once if there is one, otherwise with
    /// the next evaluation, which all waiting callers share.
    ///
    /// If none comes within 700 ms, the dependency is set to not serving.
    async fn refresh(self: &Arc<Self>) {
        // Read before writing, so that concurrent callers do not contend for the cache line.
        if !self.requested.load(SeqCst) {
            self.requested.store(true, SeqCst);
        }
        if is_fresh(*self.evaluated_at.borrow()) {
            return;
        }
        let mut evaluated_at = self.evaluated_at.subscribe();
        self.start();
        let next = evaluated_at.wait_for(|at| is_fresh(*at));
        if timeout(RESPONSE_TIMEOUT, next).await.is_err() {
            let dependency = self.dependency;
            self.state
                .update(|state| state.dependency(dependency).no_result());
        }
    }

    /// Starts the background task unless it runs.
    fn start(self: &Arc<Self>) {
        let mut task = self.lock_task();
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            *task = Some(tokio::spawn(Arc::clone(self).run()));
        }
    }

    async fn run(self: Arc<Self>) {
        // There was no check shortly before this one that could confirm a failure, so the first
        // evaluation confirms it itself with a second attempt.
        let mut attempts = 2;
        let mut wanted_at = Instant::now();
        while !self.ends(&mut wanted_at) {
            let next = Instant::now() + CHECK_INTERVAL;
            self.evaluate(attempts).await;
            sleep_until(next).await;
            attempts = 1;
        }
    }

    async fn evaluate(&self, attempts: u32) {
        for _ in 0..attempts {
            let started = Instant::now();
            let answer = timeout(CHECK_TIMEOUT / attempts, (self.probe)()).await;
            let error = answer.unwrap_or(Err(TIMED_OUT)).err();
            let result = CheckResult {
                at: SystemTime::now(),
                latency: started.elapsed(),
                error,
            };
            self.state
                .update(|state| state.dependency(self.dependency).record(result));
            if error.is_none() {
                break;
            }
        }
        self.evaluated_at.send_replace(Some(Instant::now()));
    }

    /// Decides whether the task ends. The lock is the one that `start` takes: a client that asks
    /// now either keeps this task running or starts the next one.
    fn ends(&self, wanted_at: &mut Instant) -> bool {
        let mut task = self.lock_task();
        if self.is_wanted() {
            *wanted_at = Instant::now();
        }
        let ends = wanted_at.elapsed() > IDLE_TIMEOUT;
        if ends {
            *task = None;
        }
        ends
    }

    fn is_wanted(&self) -> bool {
        self.requested.swap(false, SeqCst)
            || self.state.is_watched(self.dependency.name())
            || self.state.is_watched(HealthName::Deep)
            || self.state.snapshot().needs_check(self.dependency)
    }

    fn lock_task(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fresh(evaluated_at: Option<Instant>) -> bool {
    evaluated_at.is_some_and(|at| at.elapsed() <= MAX_AGE)
}

#[cfg(test)]
mod tests;
