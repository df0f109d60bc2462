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
