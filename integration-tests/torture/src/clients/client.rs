//! How one client asks, and writes down what came out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::{CompetitionId, RequestId, Timestamp};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::Stage;
use crate::ask::{Asker, Says, Try, Who};
use crate::history::{Answer, Call, Operation};
use crate::random::Random;
use crate::world::Person;

/// How long most clients try. In that time nobody else may change the same registration 8 times: then the
/// service would have forgotten the request.
const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// How long after its answer a request may be repeated, for the same reason.
const REPEATED_WITHIN: Duration = Duration::from_secs(2);
/// How many answered requests a client remembers, to repeat one of them.
const MOST_REMEMBERED: usize = 4;

/// One client.
pub(super) struct Client {
    pub(super) asker: Asker,
    pub(super) who: Who,
    pub(super) random: Random,
    pub(super) people: Vec<Person>,
    pub(super) stage: Arc<Stage>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) seen: Vec<Operation>,
    pub(super) answered: VecDeque<Answered>,
}

/// A change that was answered, and may be asked for again.
#[derive(Clone)]
pub(super) struct Answered {
    at: Instant,
    pub(super) who: Who,
    competition: CompetitionId,
    request: RequestId,
    call: Call,
    says: Says,
}

impl Client {
    pub(super) fn is_over(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits, at most until the load ends.
    pub(super) async fn wait(&mut self, how_long: Duration) {
        let _ = timeout(how_long, self.stop.wait_for(|is_over| *is_over)).await;
    }

    pub(super) fn pick_competition(&mut self) -> CompetitionId {
        self.random.pick(&self.stage.current()).clone()
    }

    /// Asks until an answer comes or patience ends, and writes down what came out.
    pub(super) async fn see_through(&mut self, competition: CompetitionId, call: Call, says: Says) {
        let asked = Answered {
            at: Instant::now(),
            who: self.who.clone(),
            competition,
            request: RequestId::random(),
            call,
            says,
        };
        self.see(asked, false).await;
    }

    /// Asks for something again that was answered a moment ago.
    pub(super) async fn repeat(&mut self) {
        self.answered
            .retain(|answered| answered.at.elapsed() < REPEATED_WITHIN);
        if self.answered.is_empty() {
            return;
        }
        let answered: Vec<_> = self.answered.iter().cloned().collect();
        let one = self.random.pick(&answered).clone();
        self.who = one.who.clone();
        self.see(one, true).await;
    }

    async fn see(&mut self, mut asked: Answered, is_repeated: bool) {
        let is_read = asked.call.action().is_none();
        let first = Instant::now();
        let (mut started, mut asked_at) = (first, now());
        // Some never ask again: then what the service says of that one try has to be true.
        let patience = if self.random.percent(10) {
            Duration::ZERO
        } else {
            PATIENCE
        };
        let mut was_lost = false;
        let mut pause = Duration::from_millis(10);
        let answer = loop {
            let Answered {
                who,
                competition,
                request,
                call,
                says,
                ..
            } = &asked;
            match self.asker.ask(who, competition, *request, call, says).await {
                Try::Answered(answer) => break answer,
                Try::NotApplied => {}
                Try::Lost => was_lost = !is_read,
            }
            if first.elapsed() > patience {
                break if was_lost {
                    Answer::Unknown
                } else {
                    Answer::NotApplied
                };
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            if is_read {
                (started, asked_at) = (Instant::now(), now());
            }
        };
        self.stage.done.fetch_add(1, Ordering::Relaxed);
        let is_done = matches!(answer, Answer::Registration(_) | Answer::Competition(_));
        // That a change was not made this time says nothing of the first time.
        let is_told = !(is_repeated && matches!(answer, Answer::NotApplied | Answer::Unknown));
        if is_told {
            self.note(&asked, (started, asked_at), was_lost, is_repeated, answer);
        }
        // What changed nothing is not kept, and so is decided afresh. A venue is always another one.
        let is_kept =
            is_done && (asked.call.user().is_some() || matches!(asked.call, Call::Set("venue", _)));
        if is_kept && !is_read && !is_repeated {
            asked.at = Instant::now();
            self.answered.push_back(asked);
            if self.answered.len() > MOST_REMEMBERED {
                self.answered.pop_front();
            }
        }
    }

    fn note(
        &mut self,
        asked: &Answered,
        (started, asked_at): (Instant, Timestamp),
        was_lost: bool,
        is_repeated: bool,
        answer: Answer,
    ) {
        let since = |moment: Instant| moment.duration_since(self.stage.began);
        self.seen.push(Operation {
            competition: asked.competition.clone(),
            request: asked.request,
            by: asked.who.actor.clone(),
            call: asked.call.clone(),
            started: since(started),
            ended: since(Instant::now()),
            asked_at,
            told_at: now(),
            was_lost,
            is_repeated,
            answer,
        });
    }

    /// Notes a reading that was part of another one.
    pub(super) fn note_read(
        &mut self,
        began: (Instant, Timestamp),
        competition: &CompetitionId,
        call: Call,
        answer: Answer,
    ) {
        let asked = Answered {
            at: began.0,
            who: self.who.clone(),
            competition: competition.clone(),
            request: RequestId::random(),
            call,
            says: Says::default(),
        };
        self.note(&asked, began, false, false, answer);
    }
}

/// What the clock of the machine shows.
pub(super) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = now.map_or(0, |now| now.as_millis());
    let millis = i64::try_from(millis).unwrap_or_default();
    Timestamp::from_millis(millis).unwrap_or(Timestamp::MIN)
}
