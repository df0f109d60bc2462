//! Time stands still in these tests and moves only as they say.

use std::{
    pin::pin,
    sync::atomic::{AtomicU32, AtomicUsize},
};

use futures::{FutureExt, future};
use tokio::time::{advance, sleep};

use super::*;
use crate::health::{
    board::Facts,
    deep::Deep,
    names::{LIVENESS, PEER, READINESS, REDIS},
};

/// Redis or the peer, as a test wants it.
#[derive(Clone, Default)]
struct Fake {
    calls: Arc<AtomicUsize>,
    /// How many of the next calls fail.
    failures: Arc<AtomicU32>,
    /// How long a call takes, in milliseconds.
    delay: Arc<AtomicU32>,
    panics: Arc<AtomicBool>,
}

const FOR_EVER: u32 = u32::MAX;

impl Fake {
    fn probe(&self) -> Probe {
        let fake = self.clone();
        Arc::new(move || fake.clone().call().boxed())
    }

    async fn call(self) -> Result<(), &'static str> {
        self.calls.fetch_add(1, SeqCst);
        assert!(!self.panics.load(SeqCst), "as the test wants it");
        sleep(Duration::from_millis(self.delay.load(SeqCst).into())).await;
        let less = |failures: u32| {
            if failures == FOR_EVER {
                None
            } else {
                failures.checked_sub(1)
            }
        };
        match self.failures.fetch_update(SeqCst, SeqCst, less) {
            Err(0) => Ok(()),
            _ => Err("it failed"),
        }
    }

    fn fail(&self, times: u32) {
        self.failures.store(times, SeqCst);
    }

    fn hang(&self) {
        self.delay.store(FOR_EVER, SeqCst);
    }

    fn calls(&self) -> usize {
        self.calls.load(SeqCst)
    }
}

/// A server that is up, with a Redis and a peer.
struct Server {
    redis: Fake,
    peer: Fake,
    names: Arc<Names>,
    board: Arc<Board>,
    deep: Deep,
}

impl Server {
    /// Redis has answered it before.
    fn new() -> Self {
        let server = Self::starting();
        server.board.change(|facts| facts.redis_answered = true);
        server
    }

    fn starting() -> Self {
        let (redis, peer) = (Fake::default(), Fake::default());
        let names = Arc::<Names>::default();
        let board = Arc::new(Board::new("test", Arc::clone(&names)));
        let deep = Deep::new(&board, &names, redis.probe(), peer.probe());
        board.change(Facts::initialised);
        Self {
            redis,
            peer,
            names,
            board,
            deep,
        }
    }

    /// Checks a name: whether it is serving.
    async fn check(&self, name: &str) -> bool {
        self.deep.fresh(name).await;
        self.is_serving(name)
    }

    fn is_serving(&self, name: &str) -> bool {
        let standing = self.names.get(name).expect("a known name");
        standing.status == api::health::health_check_response::ServingStatus::Serving
    }

    /// Checks deep every 10 ms; the answers.
    async fn check_for(&self, time: Duration) -> Vec<bool> {
        let until = Instant::now() + time;
        let mut answers = Vec::new();
        while Instant::now() < until {
            answers.push(self.check(DEEP).await);
            sleep(Duration::from_millis(10)).await;
        }
        answers
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_thousand_who_ask_at_once_share_one_evaluation() {
    let server = Server::new();
    server.redis.delay.store(50, SeqCst);
    let answers = future::join_all((0..1000).map(|_| server.check(DEEP))).await;
    assert_eq!(answers, [true; 1000]);
    assert_eq!((server.redis.calls(), server.peer.calls()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_checks_costs_about_one_call_a_second() {
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
async fn an_answer_is_at_most_one_second_old_whatever_hangs() {
    let server = Server::new();
    for step in 0..4000_u32 {
        server
            .redis
            .delay
            .store(if step / 500 % 2 == 0 { 0 } else { FOR_EVER }, SeqCst);
        server
            .peer
            .delay
            .store(if step / 700 % 2 == 0 { 0 } else { FOR_EVER }, SeqCst);
        server.check(DEEP).await;
        for part in [&server.deep.redis, &server.deep.peer] {
            let age = part.evaluated_at.borrow().expect("asked").elapsed();
            assert!(age <= SECOND, "{age:?} in step {step}");
        }
        sleep(Duration::from_millis(7)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_that_hangs_does_not_hold_up_the_other_one() {
    let server = Server::new();
    server.peer.hang();
    let asked_at = Instant::now();
    assert!(server.check(REDIS).await);
    assert_eq!(
        (asked_at.elapsed(), server.peer.calls()),
        (Duration::ZERO, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_once_nobody_has_asked_for_some_seconds() {
    let server = Server::new();
    assert!(server.check(DEEP).await);
    sleep(3600 * SECOND).await;
    assert!(server.redis.calls() <= 5 && server.peer.calls() <= 5);
    let calls = (server.redis.calls(), server.peer.calls());
    assert!(server.check(LIVENESS).await && server.check(READINESS).await);
    assert_eq!((server.redis.calls(), server.peer.calls()), calls);
}

#[tokio::test(start_paused = true)]
async fn a_watcher_of_a_part_keeps_the_evaluation_going_until_it_leaves() {
    for (name, redis_is_asked, peer_is_asked) in [
        (DEEP, true, true),
        (REDIS, true, false),
        (PEER, false, true),
    ] {
        let server = Server::new();
        let watcher = server.names.subscribe(name);
        assert!(server.check(name).await);
        sleep(60 * SECOND).await;
        for (fake, is_asked) in [
            (&server.redis, redis_is_asked),
            (&server.peer, peer_is_asked),
        ] {
            let calls = fake.calls();
            assert!(
                if is_asked {
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
async fn a_watcher_of_base_costs_nobody_anything() {
    let server = Server::new();
    let _watchers = ["", LIVENESS, READINESS].map(|name| server.names.subscribe(name));
    sleep(60 * SECOND).await;
    assert_eq!((server.redis.calls(), server.peer.calls()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_answer_comes_within_700_ms_whatever_hangs() {
    for (redis_hangs, peer_hangs) in [(true, false), (false, true), (true, true)] {
        let server = Server::new();
        if redis_hangs {
            server.redis.hang();
        }
        if peer_hangs {
            server.peer.hang();
        }
        let asked_at = Instant::now();
        assert!(!server.check(DEEP).await);
        assert!(
            asked_at.elapsed() < ANSWER_WITHIN,
            "{:?}",
            asked_at.elapsed()
        );
        assert_eq!(server.is_serving(REDIS), !redis_hangs);
        assert_eq!(server.is_serving(PEER), !peer_hangs);
    }
}

#[tokio::test(start_paused = true)]
async fn every_single_answer_comes_within_700_ms_when_a_part_begins_to_hang() {
    let server = Server::new();
    for step in 0..1000 {
        if step == 300 {
            server.redis.hang();
            server.peer.hang();
        }
        let asked_at = Instant::now();
        server.check(DEEP).await;
        assert!(
            asked_at.elapsed() < ANSWER_WITHIN,
            "{:?}",
            asked_at.elapsed()
        );
        sleep(Duration::from_millis(10)).await;
    }
    assert!(!server.is_serving(DEEP));
}

#[tokio::test(start_paused = true)]
async fn one_failure_while_somebody_asks_does_not_take_deep_down() {
    let server = Server::new();
    assert!(server.check(DEEP).await);
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
    for part in ["redis", "peer"] {
        let server = Server::new();
        let fake = if part == "redis" {
            &server.redis
        } else {
            &server.peer
        };
        assert!(server.check(DEEP).await);
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
async fn what_has_failed_while_nobody_asked_is_down_at_the_first_check() {
    let server = Server::new();
    assert!(server.check(DEEP).await);
    sleep(3600 * SECOND).await;
    server.redis.fail(FOR_EVER);
    assert!(!server.check(DEEP).await);
    assert!(server.is_serving(PEER));
}

#[tokio::test(start_paused = true)]
async fn one_failure_at_the_first_check_is_tried_again_at_once() {
    let server = Server::new();
    server.redis.fail(1);
    assert!(server.check(DEEP).await);
    assert_eq!((server.redis.calls(), server.peer.calls()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn who_hangs_up_takes_the_answer_from_nobody() {
    let server = Server::new();
    server.redis.delay.store(100, SeqCst);
    {
        let mut hasty = pin!(server.check(DEEP));
        assert!(hasty.as_mut().now_or_never().is_none());
        advance(Duration::from_millis(50)).await;
    }
    assert!(server.check(DEEP).await);
    assert_eq!(server.redis.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_evaluation_that_never_ends_proves_nothing_and_the_next_one_starts_anew() {
    let server = Server::new();
    assert!(server.check(DEEP).await);
    sleep(60 * SECOND).await;
    server.redis.panics.store(true, SeqCst);
    let asked_at = Instant::now();
    assert!(!server.check(DEEP).await);
    assert!(asked_at.elapsed() <= ANSWER_WITHIN + Duration::from_millis(1));
    server.redis.panics.store(false, SeqCst);
    assert!(server.check(DEEP).await);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_starts_asks_redis_until_it_has_answered_once() {
    let server = Server::starting();
    server.redis.fail(FOR_EVER);
    server.deep.start();
    sleep(10 * SECOND).await;
    assert!(!server.is_serving(READINESS));
    let calls = server.redis.calls();
    assert!((10..=13).contains(&calls), "{calls}");

    server.redis.fail(0);
    sleep(2 * SECOND).await;
    assert!(server.is_serving(READINESS));
    sleep(5 * SECOND).await;
    let calls = server.redis.calls();
    sleep(3600 * SECOND).await;
    assert_eq!(server.redis.calls(), calls);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_drains_stops_to_ask() {
    let server = Server::starting();
    server.redis.fail(FOR_EVER);
    server.deep.start();
    sleep(10 * SECOND).await;
    server.board.change(Facts::drain);
    sleep(5 * SECOND).await;
    let calls = server.redis.calls();
    sleep(3600 * SECOND).await;
    assert_eq!(server.redis.calls(), calls);
}
