//! From what is known to what each name says.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::health::health_check_response::ServingStatus;

use super::{
    names::{BASE, DEEP, LIVENESS, Names, PEER, READINESS, REDIS},
    part::Part,
};

/// Where the server is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    #[default]
    Starting,
    Up,
    Draining,
}

/// All that is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) phase: Phase,
    pub(crate) redis_answered: bool,
    pub(crate) redis: Part,
    pub(crate) peer: Part,
}

impl Facts {
    /// A server that drains never comes back.
    pub(super) fn initialised(&mut self) {
        if self.phase == Phase::Starting {
            self.phase = Phase::Up;
        }
    }

    pub(super) fn drain(&mut self) {
        self.phase = Phase::Draining;
    }

    /// The part with that name.
    pub(super) fn part(&mut self, name: &str) -> &mut Part {
        if name == REDIS {
            &mut self.redis
        } else {
            &mut self.peer
        }
    }

    /// Whether the part has to be asked although nobody asks for it: readiness
    /// waits for the first answer of Redis.
    pub(super) fn awaits(&self, name: &str) -> bool {
        name == REDIS && self.base() && !self.redis_answered
    }

    fn base(&self) -> bool {
        self.phase == Phase::Up
    }

    /// Closed until Redis was seen once, open afterwards: a Redis that is gone
    /// is gone for every replica, and taking them all out helps nobody.
    fn readiness(&self) -> bool {
        self.base() && self.redis_answered
    }

    fn deep(&self) -> bool {
        self.base() && self.redis.is_serving() && self.peer.is_serving()
    }
}

/// The facts, and the names that follow them.
pub(super) struct Board {
    service: &'static str,
    facts: Mutex<Facts>,
    names: Arc<Names>,
}

impl Board {
    pub(super) fn new(service: &'static str, names: Arc<Names>) -> Self {
        let board = Self {
            service,
            facts: Mutex::default(),
            names,
        };
        board.change(|_| ());
        board
    }

    /// Changes the facts and says what follows from them.
    pub(super) fn change(&self, change: impl FnOnce(&mut Facts)) {
        // Held while the names are told, so that the last fact has the last word.
        let mut facts = self.lock();
        change(&mut facts);
        facts.redis_answered |= facts.redis.is_serving();
        for (name, serving) in self.verdicts(&facts) {
            self.names.set(name, status(serving));
        }
    }

    pub(super) fn facts(&self) -> Facts {
        *self.lock()
    }

    fn verdicts(&self, facts: &Facts) -> [(&'static str, bool); 7] {
        [
            (BASE, facts.base()),
            (self.service, facts.base()),
            // Whoever gets an answer has the proof.
            (LIVENESS, true),
            (READINESS, facts.readiness()),
            (DEEP, facts.deep()),
            (REDIS, facts.redis.is_serving()),
            (PEER, facts.peer.is_serving()),
        ]
    }

    fn lock(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn status(serving: bool) -> ServingStatus {
    if serving {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::health::part::Checked;

    const SERVICE: &str = "startlist.test.v1.TestService";

    fn board() -> Board {
        Board::new(SERVICE, Arc::default())
    }

    /// The names that are SERVING.
    fn serving(board: &Board) -> Vec<String> {
        let names = board.names.list().into_iter();
        names
            .filter(|(_, status)| *status == ServingStatus::Serving)
            .map(|(name, _)| name)
            .collect()
    }

    fn check(part: &mut Part, error: Option<&'static str>) {
        part.record(Checked {
            at: SystemTime::UNIX_EPOCH,
            latency: Duration::ZERO,
            error,
        });
    }

    #[test]
    fn a_server_knows_seven_names_and_only_liveness_is_serving_at_the_start() {
        let board = board();
        let names: Vec<_> = board
            .names
            .list()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(
            names,
            [BASE, DEEP, LIVENESS, PEER, READINESS, REDIS, SERVICE]
        );
        assert_eq!(serving(&board), [LIVENESS]);
    }

    #[test]
    fn base_is_up_when_the_server_is_initialised_whatever_redis_and_the_peer_do() {
        let board = board();
        board.change(Facts::initialised);
        assert_eq!(serving(&board), [BASE, LIVENESS, SERVICE]);
    }

    #[test]
    fn readiness_fails_closed_until_redis_answered_once_and_open_afterwards() {
        let board = board();
        board.change(Facts::initialised);
        board.change(|facts| check(&mut facts.redis, None));
        assert_eq!(serving(&board), [BASE, LIVENESS, READINESS, REDIS, SERVICE]);
        for _ in 0..5 {
            board.change(|facts| check(&mut facts.redis, Some("gone")));
        }
        assert_eq!(serving(&board), [BASE, LIVENESS, READINESS, SERVICE]);
    }

    #[test]
    fn readiness_does_not_ask_for_the_peer() {
        let board = board();
        board.change(Facts::initialised);
        board.change(|facts| facts.redis_answered = true);
        assert_eq!(serving(&board), [BASE, LIVENESS, READINESS, SERVICE]);
    }

    #[test]
    fn deep_needs_base_and_redis_and_the_peer() {
        for missing in [None, Some(BASE), Some(REDIS), Some(PEER)] {
            let board = board();
            board.change(|facts| {
                if missing != Some(BASE) {
                    facts.initialised();
                }
                check(&mut facts.redis, (missing == Some(REDIS)).then_some("gone"));
                check(&mut facts.peer, (missing == Some(PEER)).then_some("gone"));
            });
            let deep = serving(&board).contains(&DEEP.to_owned());
            assert_eq!(deep, missing.is_none(), "without {missing:?}");
        }
    }

    #[test]
    fn a_server_that_drains_is_alive_and_nothing_else_and_never_comes_back() {
        let board = board();
        board.change(|facts| {
            facts.initialised();
            check(&mut facts.redis, None);
            check(&mut facts.peer, None);
        });
        assert_eq!(serving(&board).len(), 7);
        board.change(Facts::drain);
        board.change(Facts::initialised);
        board.change(|facts| check(&mut facts.redis, None));
        assert_eq!(serving(&board), [LIVENESS, PEER, REDIS]);
    }
}
