//! Asks Redis and the peer: once, however many ask.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, SystemTime},
};

use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};

use super::{
    Probe,
    board::{Board, Facts, Phase},
    names::{DEEP, Names, PEER, REDIS},
    part::{Checked, Part},
};

/// The oldest answer that is given.
pub(super) const MAX_AGE: Duration = Duration::from_secs(1);
/// From one evaluation to the next: a little less than [`MAX_AGE`], so that
/// nobody has to wait while all is well.
const PERIOD: Duration = Duration::from_millis(900);
/// What a part has to answer in. Leaves 100 ms of [`ANSWER_WITHIN`].
pub(super) const PART_DEADLINE: Duration = Duration::from_millis(600);
/// How long anybody waits for an answer, whatever hangs.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_millis(700);

const TIMED_OUT: &str = "it did not answer in time";

/// Runs in the background while somebody asks or watches, and not otherwise.
pub(super) struct Evaluation {
    redis: Probe,
    peer: Probe,
    board: Arc<Board>,
    names: Arc<Names>,
    /// When the last evaluation came to its end.
    evaluated_at: watch::Sender<Option<Instant>>,
    /// Whether somebody asked since the last evaluation began.
    asked: AtomicBool,
    running: Mutex<Option<JoinHandle<()>>>,
}

impl Evaluation {
    pub(super) fn new(board: Arc<Board>, names: Arc<Names>, redis: Probe, peer: Probe) -> Self {
        Self {
            redis,
            peer,
            board,
            names,
            evaluated_at: watch::Sender::new(None),
            asked: AtomicBool::new(false),
            running: Mutex::new(None),
        }
    }

    /// Returns as soon as the names are at most 1 s old: at once if they are,
    /// otherwise with the next evaluation, which all who wait share.
    ///
    /// If that does not come within 700 ms nothing is proven, and so `redis`,
    /// `peer` and `deep` are not serving.
    pub(super) async fn fresh(self: &Arc<Self>) {
        self.ask();
        if is_fresh(*self.evaluated_at.borrow()) {
            return;
        }
        let mut evaluated_at = self.evaluated_at.subscribe();
        Self::start(self);
        let next = evaluated_at.wait_for(|at| is_fresh(*at));
        if timeout(ANSWER_WITHIN, next).await.is_err() {
            self.board.change(|facts| {
                facts.redis.doubt();
                facts.peer.doubt();
            });
        }
    }

    /// Starts to evaluate, unless that goes on already.
    pub(super) fn start(self: &Arc<Self>) {
        let mut running = self.lock();
        if running.as_ref().is_none_or(JoinHandle::is_finished) {
            *running = Some(tokio::spawn(Arc::clone(self).run()));
        }
    }

    /// Reads first: a thousand who ask should not fight for the cache line.
    fn ask(&self) {
        if !self.asked.load(SeqCst) {
            self.asked.store(true, SeqCst);
        }
    }

    async fn run(self: Arc<Self>) {
        // Nobody has asked for a while, so there is no check before this one to
        // confirm a failure: it is confirmed at once.
        let mut tries = 2;
        loop {
            let next = Instant::now() + PERIOD;
            self.asked.store(false, SeqCst);
            self.evaluate(tries).await;
            sleep_until(next).await;
            if self.ends() {
                return;
            }
            tries = 1;
        }
    }

    /// Both parts at the same time, each with its own deadline.
    async fn evaluate(&self, tries: u32) {
        tokio::join!(
            self.check(&self.redis, tries, |facts| &mut facts.redis),
            self.check(&self.peer, tries, |facts| &mut facts.peer),
        );
        self.evaluated_at.send_replace(Some(Instant::now()));
    }

    async fn check(&self, probe: &Probe, tries: u32, part: fn(&mut Facts) -> &mut Part) {
        for _ in 0..tries {
            let started = Instant::now();
            let answer = timeout(PART_DEADLINE / tries, probe()).await;
            let error = answer.unwrap_or(Err(TIMED_OUT)).err();
            let checked = Checked {
                at: SystemTime::now(),
                latency: started.elapsed(),
                error,
            };
            self.board.change(|facts| part(facts).record(checked));
            if error.is_none() {
                return;
            }
        }
    }

    /// Whether this was the last round. Decided under the lock that `start`
    /// takes: who asks now either keeps this round going or starts the next.
    fn ends(&self) -> bool {
        let mut running = self.lock();
        let ends = !self.is_wanted();
        if ends {
            *running = None;
        }
        ends
    }

    fn is_wanted(&self) -> bool {
        let facts = self.board.facts();
        let readiness_waits = facts.phase == Phase::Up && !facts.redis_answered;
        let is_watched = || {
            [DEEP, REDIS, PEER]
                .iter()
                .any(|name| self.names.is_watched(name))
        };
        readiness_waits || self.asked.load(SeqCst) || is_watched()
    }

    fn lock(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fresh(evaluated_at: Option<Instant>) -> bool {
    evaluated_at.is_some_and(|at| at.elapsed() <= MAX_AGE)
}
