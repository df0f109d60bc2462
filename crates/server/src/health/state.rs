//! What the server knows about itself, Redis and the peer, and the statuses that follow from it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use api::health::health_check_response::ServingStatus;

use super::name::{HealthName, Statuses};

/// A single failure can be a lost packet or a restart, so it takes two in a row.
const FAILURES_TO_GO_DOWN: u32 = 2;

/// The phase in the life of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    #[default]
    Starting,
    Up,
    Draining,
}

/// A server that this one depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dependency {
    Redis,
    Peer,
}

impl Dependency {
    pub(super) fn name(self) -> HealthName {
        match self {
            Self::Redis => HealthName::Redis,
            Self::Peer => HealthName::Peer,
        }
    }
}

/// Why a check of a dependency failed. The sentence is fixed, so that no address, secret or text of
/// a driver can reach a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckError {
    /// The dependency serves nothing, or too little.
    Down(&'static str),
    /// The dependency does not serve everything, but enough for a part of the calls.
    Limited(&'static str),
}

impl CheckError {
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Down(sentence) | Self::Limited(sentence) => sentence,
        }
    }
}

/// The result of one check of a dependency.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckResult {
    /// When the reply came, or when the check timed out.
    pub(crate) at: SystemTime,
    pub(crate) latency: Duration,
    /// `None` if the dependency serves.
    pub(crate) error: Option<CheckError>,
}

/// What the checks of a dependency have shown. Not serving until the first success.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DependencyState {
    serving: bool,
    was_usable: bool,
    failures_in_a_row: u32,
    last: Option<CheckResult>,
}

impl DependencyState {
    /// Records a check. One success sets the dependency to serving; two failures in a row unset it.
    pub(crate) fn record(&mut self, result: CheckResult) {
        self.last = Some(result);
        self.was_usable |= !matches!(result.error, Some(CheckError::Down(_)));
        if result.error.is_none() {
            self.serving = true;
            self.failures_in_a_row = 0;
        } else {
            self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
            self.serving &= self.failures_in_a_row < FAILURES_TO_GO_DOWN;
        }
    }

    /// Sets the dependency to not serving because no check finished in time.
    pub(super) fn no_result(&mut self) {
        self.serving = false;
    }

    pub(crate) fn is_serving(&self) -> bool {
        self.serving
    }

    /// Whether the dependency has served at least a part of the calls since the start.
    pub(crate) fn was_usable(&self) -> bool {
        self.was_usable
    }

    pub(crate) fn last(&self) -> Option<CheckResult> {
        self.last
    }
}

/// Everything that the statuses depend on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HealthState {
    pub(crate) phase: Phase,
    /// Whether the work is done that comes before the first call.
    pub(crate) is_prepared: bool,
    pub(crate) redis: DependencyState,
    pub(crate) peer: DependencyState,
}

impl HealthState {
    /// A server that drains never comes back.
    pub(super) fn initialised(&mut self) {
        if self.phase == Phase::Starting {
            self.phase = Phase::Up;
        }
    }

    pub(super) fn prepared(&mut self) {
        self.is_prepared = true;
    }

    pub(super) fn drain(&mut self) {
        self.phase = Phase::Draining;
    }

    pub(super) fn dependency(&mut self, dependency: Dependency) -> &mut DependencyState {
        match dependency {
            Dependency::Redis => &mut self.redis,
            Dependency::Peer => &mut self.peer,
        }
    }

    /// Whether the dependency has to be checked even if no client asks: `readiness` waits for a usable
    /// Redis.
    pub(super) fn needs_check(&self, dependency: Dependency) -> bool {
        dependency == Dependency::Redis && self.is_up() && !self.redis.was_usable()
    }

    fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }

    fn is_serving(&self, name: HealthName) -> bool {
        match name {
            HealthName::Server | HealthName::Service => self.is_up(),
            // The reply itself proves it.
            HealthName::Liveness => true,
            // Stays SERVING when Redis fails later: Redis then fails for every replica, and taking
            // all replicas out of service would not help.
            HealthName::Readiness => self.is_up() && self.is_prepared && self.redis.was_usable(),
            HealthName::Deep => self.is_up() && self.redis.is_serving() && self.peer.is_serving(),
            HealthName::Redis => self.redis.is_serving(),
            HealthName::Peer => self.peer.is_serving(),
        }
    }
}

/// The state, and the statuses that are published from it.
pub(super) struct SharedState {
    state: Mutex<HealthState>,
    statuses: Arc<Statuses>,
}

impl SharedState {
    pub(super) fn new(statuses: Arc<Statuses>) -> Self {
        let shared = Self {
            state: Mutex::default(),
            statuses,
        };
        shared.update(|_| ());
        shared
    }

    /// Changes the state and publishes the statuses that follow from it.
    pub(super) fn update(&self, change: impl FnOnce(&mut HealthState)) {
        // The lock is kept while publishing, so that statuses are published in the order of the
        // changes.
        let mut state = self.lock();
        change(&mut state);
        for name in HealthName::ALL {
            let status = if state.is_serving(name) {
                ServingStatus::Serving
            } else {
                ServingStatus::NotServing
            };
            self.statuses.set(name, status);
        }
    }

    pub(super) fn snapshot(&self) -> HealthState {
        *self.lock()
    }

    pub(super) fn is_watched(&self, name: HealthName) -> bool {
        self.statuses.is_watched(name)
    }

    fn lock(&self) -> MutexGuard<'_, HealthState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use HealthName::{Deep, Liveness, Peer, Readiness, Redis, Server, Service};

    fn result(error: Option<&'static str>) -> CheckResult {
        CheckResult {
            at: SystemTime::UNIX_EPOCH,
            latency: Duration::ZERO,
            error: error.map(CheckError::Down),
        }
    }

    /// Returns whether a dependency is serving after these checks; `true` is a success.
    fn is_serving_after(checks: &[bool]) -> bool {
        let mut dependency = DependencyState::default();
        for &success in checks {
            dependency.record(result((!success).then_some("it failed")));
        }
        dependency.is_serving()
    }

    #[test]
    fn a_dependency_is_not_serving_until_the_first_success() {
        assert!(!is_serving_after(&[]));
        assert!(!is_serving_after(&[false]));
        assert!(is_serving_after(&[true]));
        assert!(is_serving_after(&[false, false, false, true]));
    }

    #[test]
    fn two_failures_in_a_row_take_a_dependency_down_and_one_does_not() {
        assert!(is_serving_after(&[true, false]));
        assert!(is_serving_after(&[true, false, true, false]));
        assert!(!is_serving_after(&[true, false, false]));
        assert!(!is_serving_after(&[true, false, false, false]));
    }

    #[test]
    fn a_dependency_without_a_result_in_time_is_not_serving() {
        let mut dependency = DependencyState::default();
        dependency.record(result(None));
        dependency.no_result();
        assert!(!dependency.is_serving());
        dependency.record(result(None));
        assert!(dependency.is_serving());
    }

    fn shared_state() -> SharedState {
        SharedState::new(Arc::new(Statuses::new("startlist.test.v1.TestService")))
    }

    fn serving(shared: &SharedState) -> Vec<HealthName> {
        let is_serving =
            |name: &HealthName| shared.statuses.get(*name).status == ServingStatus::Serving;
        HealthName::ALL.into_iter().filter(is_serving).collect()
    }

    #[test]
    fn only_liveness_is_serving_at_the_start() {
        assert_eq!(serving(&shared_state()), [Liveness]);
    }

    #[test]
    fn an_initialised_server_is_serving_without_redis_and_the_peer() {
        let shared = shared_state();
        shared.update(HealthState::initialised);
        assert_eq!(serving(&shared), [Server, Service, Liveness]);
    }

    #[test]
    fn readiness_waits_for_the_preparation_and_a_redis_that_serves_and_then_stays() {
        let shared = shared_state();
        shared.update(HealthState::initialised);
        shared.update(|state| state.redis.record(result(None)));
        assert_eq!(serving(&shared), [Server, Service, Liveness, Redis]);
        shared.update(HealthState::prepared);
        assert_eq!(
            serving(&shared),
            [Server, Service, Liveness, Readiness, Redis]
        );
        for _ in 0..5 {
            shared.update(|state| state.redis.record(result(Some("it failed"))));
        }
        assert_eq!(serving(&shared), [Server, Service, Liveness, Readiness]);
    }

    #[test]
    fn a_redis_that_serves_a_part_of_the_calls_suffices_for_readiness_only() {
        let shared = shared_state();
        shared.update(HealthState::initialised);
        shared.update(HealthState::prepared);
        let limited = CheckResult {
            error: Some(CheckError::Limited("it is full")),
            ..result(None)
        };
        shared.update(|state| state.redis.record(limited));
        assert_eq!(serving(&shared), [Server, Service, Liveness, Readiness]);
    }

    #[test]
    fn deep_needs_the_server_and_redis_and_the_peer() {
        for missing in [None, Some(Server), Some(Redis), Some(Peer)] {
            let error = |name| (missing == Some(name)).then_some("it failed");
            let shared = shared_state();
            shared.update(|state| {
                if missing != Some(Server) {
                    state.initialised();
                }
                state.redis.record(result(error(Redis)));
                state.peer.record(result(error(Peer)));
            });
            let deep = serving(&shared).contains(&Deep);
            assert_eq!(deep, missing.is_none(), "without {missing:?}");
        }
    }

    #[test]
    fn a_draining_server_never_serves_again() {
        let shared = shared_state();
        shared.update(|state| {
            state.initialised();
            state.prepared();
            state.redis.record(result(None));
            state.peer.record(result(None));
        });
        assert_eq!(serving(&shared), HealthName::ALL);
        shared.update(HealthState::drain);
        shared.update(HealthState::initialised);
        shared.update(|state| state.redis.record(result(None)));
        assert_eq!(serving(&shared), [Liveness, Redis, Peer]);
    }
}
