//! Asks one part of deep: once, however many ask.

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
    board::Board,
    names::{DEEP, Names},
    part::Checked,
};

/// The oldest answer that is given.
pub(super) const MAX_AGE: Duration = Duration::from_secs(1);
/// From one evaluation to the next: a little less than [`MAX_AGE`], so that
/// nobody has to wait while all is well.
const PERIOD: Duration = Duration::from_millis(900);
/// How long it goes on after the last question, so that who asks every second
/// or two finds a state that was watched in between.
const LINGER: Duration = Duration::from_secs(3);
/// What a part has to answer in. Leaves 100 ms of [`ANSWER_WITHIN`].
pub(super) const PART_DEADLINE: Duration = Duration::from_millis(600);
/// How long anybody waits for an answer, whatever hangs.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_millis(700);

const TIMED_OUT: &str = "no answer came in time";

/// Runs in the background while somebody asks or watches, and not otherwise.
pub(super) struct Evaluation {
    name: &'static str,
    probe: Probe,
    board: Arc<Board>,
    names: Arc<Names>,
    /// When the part was asked last: the moment of the answer.
    evaluated_at: watch::Sender<Option<Instant>>,
    /// Whether somebody asked since `is_wanted` looked last.
    asked: AtomicBool,
    running: Mutex<Option<JoinHandle<()>>>,
}

impl Evaluation {
    /// The evaluation of the part with that name.
    pub(super) fn new(
        name: &'static str,
        probe: Probe,
        board: Arc<Board>,
        names: Arc<Names>,
    ) -> Self {
        Self {
            name,
            probe,
            board,
            names,
            evaluated_at: watch::Sender::new(None),
            asked: AtomicBool::new(false),
            running: Mutex::new(None),
        }
    }

    /// Returns as soon as the part was asked at most 1 s ago: at once if it was,
    /// otherwise with the next evaluation, which all who wait share.
    ///
    /// If that does not come within 700 ms nothing is proven, and so the part is
    /// not serving.
    pub(super) async fn fresh(self: &Arc<Self>) {
        self.ask();
        if is_fresh(*self.evaluated_at.borrow()) {
            return;
        }
        let mut evaluated_at = self.evaluated_at.subscribe();
        self.start();
        let next = evaluated_at.wait_for(|at| is_fresh(*at));
        if timeout(ANSWER_WITHIN, next).await.is_err() {
            self.board.change(|facts| facts.part(self.name).doubt());
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
        let mut wanted_at = Instant::now();
        while !self.ends(&mut wanted_at) {
            let next = Instant::now() + PERIOD;
            self.evaluate(tries).await;
            sleep_until(next).await;
            tries = 1;
        }
    }

    async fn evaluate(&self, tries: u32) {
        for _ in 0..tries {
            let started = Instant::now();
            let answer = timeout(PART_DEADLINE / tries, (self.probe)()).await;
            let error = answer.unwrap_or(Err(TIMED_OUT)).err();
            let checked = Checked {
                at: SystemTime::now(),
                latency: started.elapsed(),
                error,
            };
            self.board
                .change(|facts| facts.part(self.name).record(checked));
            if error.is_none() {
                break;
            }
        }
        self.evaluated_at.send_replace(Some(Instant::now()));
    }

    /// Decided under the lock that `start` takes: who asks now either keeps this
    /// run going or starts the next one.
    fn ends(&self, wanted_at: &mut Instant) -> bool {
        let mut running = self.lock();
        if self.is_wanted() {
            *wanted_at = Instant::now();
        }
        let ends = wanted_at.elapsed() > LINGER;
        if ends {
            *running = None;
        }
        ends
    }

    fn is_wanted(&self) -> bool {
        self.asked.swap(false, SeqCst)
            || self.names.is_watched(self.name)
            || self.names.is_watched(DEEP)
            || self.board.facts().awaits(self.name)
    }

    fn lock(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fresh(evaluated_at: Option<Instant>) -> bool {
    evaluated_at.is_some_and(|at| at.elapsed() <= MAX_AGE)
}

#[cfg(test)]
mod tests;
