//! Tests with paused time: it advances only as far as a test sleeps.

use std::pin::pin;
use std::sync::atomic::{AtomicU32, AtomicUsize};

use api::health::health_check_response::ServingStatus;
use futures::{FutureExt, future};
use tokio::time::{advance, sleep};

use super::*;
use crate::health::HealthState;
use crate::health::name::Statuses;
use HealthName::{Deep, Liveness, Peer, Readiness, Redis};

/// A dependency whose failures and delays a test chooses.
#[derive(Clone, Default)]
struct Fake {
    calls: Arc<AtomicUsize>,
    /// How many of the next calls fail.
    failures: Arc<AtomicU32>,
    /// How long a call takes, in milliseconds.
    delay: Arc<AtomicU32>,
    panics: Arc<AtomicBool>,
}

const FOREVER: u32 = u32::MAX;

impl Fake {
    fn probe(&self) -> Probe {
        let fake = self.clone();
        Arc::new(move || fake.clone().call().boxed())
    }

    async fn call(self) -> Result<(), CheckError> {
        self.calls.fetch_add(1, SeqCst);
        assert!(!self.panics.load(SeqCst), "a panic that the test asked for");
        sleep(Duration::from_millis(self.delay.load(SeqCst).into())).await;
        let less = |failures: u32| {
            if failures == FOREVER {
                None
            } else {
                failures.checked_sub(1)
            }
        };
        match self.failures.fetch_update(SeqCst, SeqCst, less) {
            Err(0) => Ok(()),
            _ => Err(CheckError::Down("it failed")),
        }
    }

    fn fail(&self, times: u32) {
        self.failures.store(times, SeqCst);
    }

    fn hang(&self) {
        self.delay.store(FOREVER, SeqCst);
    }

    fn calls(&self) -> usize {
        self.calls.load(SeqCst)
    }
}

/// An initialised and prepared server with a fake Redis and a fake peer.
struct Server {
    redis: Fake,
    peer: Fake,
    statuses: Arc<Statuses>,
    state: Arc<SharedState>,
    evaluations: Evaluations,
}

impl Server {
    /// A server that has found Redis usable before.
    fn new() -> Self {
        let server = Self::starting();
        let limited = CheckResult {
            at: SystemTime::now(),
            latency: Duration::ZERO,
            error: Some(CheckError::Limited("it was full")),
        };
        server.state.update(|state| state.redis.record(limited));
        server
    }

    fn starting() -> Self {
        let (redis, peer) = (Fake::default(), Fake::default());
        let statuses = Arc::new(Statuses::new("test"));
        let state = Arc::new(SharedState::new(Arc::clone(&statuses)));
        let evaluations = Evaluations::new(&state, redis.probe(), peer.probe());
        state.update(HealthState::initialised);
        state.update(HealthState::prepared);
        Self {
            redis,
            peer,
            statuses,
            state,
            evaluations,
        }
    }

    /// Checks a name and returns whether it is serving.
    async fn check(&self, name: HealthName) -> bool {
        self.evaluations.refresh(name).await;
        self.is_serving(name)
    }

    fn is_serving(&self, name: HealthName) -> bool {
        self.statuses.get(name).status == ServingStatus::Serving
    }

    /// Checks deep every 10 ms and returns the results.
    async fn check_for(&self, time: Duration) -> Vec<bool> {
        let until = Instant::now() + time;
        let mut answers = Vec::new();
        while Instant::now() < until {
            answers.push(self.check(Deep).await);
            sleep(Duration::from_millis(10)).await;
        }
        answers
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_thousand_concurrent_checks_share_one_evaluation() {
    let server = Server::new();
    server.redis.delay.store(50, SeqCst);
    let answers = future::join_all((0..1000).map(|_| server.check(Deep))).await;
    assert_eq!(answers, [true; 1000]);
    assert_eq!((server.redis.calls(), server.peer.calls()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn many_checks_cost_about_one_call_a_second() {
    let server = Server::new();
    let answers = server.check_for(60 * SECOND).await;
    assert!(answers.len() > 5000 && answers.iter().all(|serving| *serving));
    let calls = (server.redis.calls(), server.peer.calls());
    assert!(
        (60..=68).contains(&calls.0) && calls.0 == calls.1,
        "{calls:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_result_is_at_most_one_second_old_even_if_a_dependency_hangs() {
    let server = Server::new();
    for step in 0..4000_u32 {
        server
            .redis
            .delay
            .store(if step / 500 % 2 == 0 { 0 } else { FOREVER }, SeqCst);
        server
            .peer
            .delay
            .store(if step / 700 % 2 == 0 { 0 } else { FOREVER }, SeqCst);
        server.check(Deep).await;
        for evaluation in [&server.evaluations.redis, &server.evaluations.peer] {
            let age = evaluation.evaluated_at.borrow().expect("asked").elapsed();
            assert!(age <= SECOND, "{age:?} in step {step}");
        }
        sleep(Duration::from_millis(7)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_dependency_does_not_delay_the_other_one() {
    let server = Server::new();
    server.peer.hang();
    let asked_at = Instant::now();
    assert!(server.check(Redis).await);
    assert_eq!(
        (asked_at.elapsed(), server.peer.calls()),
        (Duration::ZERO, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn checks_stop_some_seconds_after_the_last_request() {
    let server = Server::new();
    assert!(server.check(Deep).await);
    sleep(3600 * SECOND).await;
    assert!(server.redis.calls() <= 5 && server.peer.calls() <= 5);
    let calls = (server.redis.calls(), server.peer.calls());
    assert!(server.check(Liveness).await && server.check(Readiness).await);
    assert_eq!((server.redis.calls(), server.peer.calls()), calls);
}

#[tokio::test(start_paused = true)]
async fn a_watcher_keeps_its_evaluations_running_until_it_leaves() {
    for (name, checks_redis, checks_peer) in [
        (Deep, true, true),
        (Redis, true, false),
        (Peer, false, true),
    ] {
        let server = Server::new();
        let watcher = server.statuses.subscribe(name);
        assert!(server.check(name).await);
        sleep(60 * SECOND).await;
        for (fake, is_checked) in [(&server.redis, checks_redis), (&server.peer, checks_peer)] {
            let calls = fake.calls();
            assert!(
                if is_checked {
                    (60..=68).contains(&calls)
                } else {
                    calls == 0
                },
                "{calls}"
            );
        }

        drop(watcher);
        sleep(10 * SECOND).await;
        let calls = (server.redis.calls(), server.peer.calls());
        sleep(3600 * SECOND).await;
        assert_eq!((server.redis.calls(), server.peer.calls()), calls);
    }
}

#[tokio::test(start_paused = true)]
async fn a_watcher_of_the_server_itself_causes_no_checks() {
    let server = Server::new();
    let _watchers =
        [HealthName::Server, Liveness, Readiness].map(|name| server.statuses.subscribe(name));
    sleep(60 * SECOND).await;
    assert_eq!((server.redis.calls(), server.peer.calls()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_check_takes_less_than_700_ms_if_a_dependency_hangs() {
    for (redis_hangs, peer_hangs) in [(true, false), (false, true), (true, true)] {
        let server = Server::new();
        if redis_hangs {
            server.redis.hang();
        }
        if peer_hangs {
            server.peer.hang();
        }
        let asked_at = Instant::now();
        assert!(!server.check(Deep).await);
        assert!(
            asked_at.elapsed() < RESPONSE_TIMEOUT,
            "{:?}",
            asked_at.elapsed()
        );
        assert_eq!(server.is_serving(Redis), !redis_hangs);
        assert_eq!(server.is_serving(Peer), !peer_hangs);
    }
}

#[tokio::test(start_paused = true)]
async fn every_check_takes_less_than_700_ms_when_the_dependencies_begin_to_hang() {
    let server = Server::new();
    for step in 0..1000 {
        if step == 300 {
            server.redis.hang();
            server.peer.hang();
        }
        let asked_at = Instant::now();
        server.check(Deep).await;
        assert!(
            asked_at.elapsed() < RESPONSE_TIMEOUT,
            "{:?}",
            asked_at.elapsed()
        );
        sleep(Duration::from_millis(10)).await;
    }
    assert!(!server.is_serving(Deep));
}

#[tokio::test(start_paused = true)]
async fn one_failure_between_successes_does_not_take_deep_down() {
    let server = Server::new();
    assert!(server.check(Deep).await);
    server.redis.fail(1);
    let answers = server.check_for(5 * SECOND).await;
    assert!(answers.iter().all(|serving| *serving));
    assert_eq!(
        server.redis.failures.load(SeqCst),
        0,
        "the failure was seen"
    );
}

#[tokio::test(start_paused = true)]
async fn two_failures_take_deep_down_and_one_success_brings_it_up() {
    for dependency in [Redis, Peer] {
        let server = Server::new();
        let fake = if dependency == Redis {
            &server.redis
        } else {
            &server.peer
        };
        assert!(server.check(Deep).await);
        fake.fail(2);
        let answers = server.check_for(5 * SECOND).await;
        let changes = answers.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert_eq!(
            (answers[0], changes, answers.last()),
            (true, 2, Some(&true))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_while_no_check_ran_is_seen_by_the_first_check() {
    let server = Server::new();
    assert!(server.check(Deep).await);
    sleep(3600 * SECOND).await;
    server.redis.fail(FOREVER);
    assert!(!server.check(Deep).await);
    assert!(server.is_serving(Peer));
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_the_first_check_is_retried_at_once() {
    let server = Server::new();
    server.redis.fail(1);
    assert!(server.check(Deep).await);
    assert_eq!((server.redis.calls(), server.peer.calls()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_check_does_not_cancel_the_evaluation() {
    let server = Server::new();
    server.redis.delay.store(100, SeqCst);
    {
        let mut hasty = pin!(server.check(Deep));
        assert!(hasty.as_mut().now_or_never().is_none());
        advance(Duration::from_millis(50)).await;
    }
    assert!(server.check(Deep).await);
    assert_eq!(server.redis.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_probe_is_not_serving_and_the_next_evaluation_starts_anew() {
    let server = Server::new();
    assert!(server.check(Deep).await);
    sleep(60 * SECOND).await;
    server.redis.panics.store(true, SeqCst);
    let asked_at = Instant::now();
    assert!(!server.check(Deep).await);
    assert!(asked_at.elapsed() <= RESPONSE_TIMEOUT + Duration::from_millis(1));
    server.redis.panics.store(false, SeqCst);
    assert!(server.check(Deep).await);
}

#[tokio::test(start_paused = true)]
async fn a_starting_server_checks_redis_until_it_was_usable_once() {
    let server = Server::starting();
    server.redis.fail(FOREVER);
    server.evaluations.start();
    sleep(10 * SECOND).await;
    assert!(!server.is_serving(Readiness));
    let calls = server.redis.calls();
    assert!((10..=13).contains(&calls), "{calls}");

    server.redis.fail(0);
    sleep(2 * SECOND).await;
    assert!(server.is_serving(Readiness));
    sleep(5 * SECOND).await;
    let calls = server.redis.calls();
    sleep(3600 * SECOND).await;
    assert_eq!(server.redis.calls(), calls);
}

#[tokio::test(start_paused = true)]
async fn a_draining_server_stops_checking() {
    let server = Server::starting();
    server.redis.fail(FOREVER);
    server.evaluations.start();
    sleep(10 * SECOND).await;
    server.state.update(HealthState::drain);
    sleep(5 * SECOND).await;
    let calls = server.redis.calls();
    sleep(3600 * SECOND).await;
    assert_eq!(server.redis.calls(), calls);
}
