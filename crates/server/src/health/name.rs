//! The names that clients can ask for, and the latest status of each.

use std::time::SystemTime;

use api::health::health_check_response::ServingStatus;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A name that clients can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HealthName {
    /// `""`: the server listens and does not drain.
    Server,
    /// The full name of the gRPC service, with the same status as [`HealthName::Server`].
    Service,
    /// The process runs.
    Liveness,
    /// The server can take calls.
    Readiness,
    /// The server, Redis and the peer are up.
    Deep,
    Redis,
    Peer,
}

impl HealthName {
    /// All names, in the order of the declaration, which [`Statuses`] relies on.
    pub(crate) const ALL: [Self; 7] = [
        Self::Server,
        Self::Service,
        Self::Liveness,
        Self::Readiness,
        Self::Deep,
        Self::Redis,
        Self::Peer,
    ];

    /// The name on the wire.
    pub(crate) fn text(self, service: &'static str) -> &'static str {
        match self {
            Self::Server => "",
            Self::Service => service,
            Self::Liveness => "liveness",
            Self::Readiness => "readiness",
            Self::Deep => "deep",
            Self::Redis => "redis",
            Self::Peer => "peer",
        }
    }
}

/// A status, and since when it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatusSince {
    pub(crate) status: ServingStatus,
    pub(crate) since: SystemTime,
}

/// The latest status of each name. A watch channel keeps only the latest value, so that a slow
/// watcher needs no queue.
pub(super) struct Statuses {
    service: &'static str,
    channels: [watch::Sender<StatusSince>; 7],
    ended: CancellationToken,
}

impl Statuses {
    /// All names are `NOT_SERVING`.
    pub(super) fn new(service: &'static str) -> Self {
        let initial = StatusSince {
            status: ServingStatus::NotServing,
            since: SystemTime::now(),
        };
        Self {
            service,
            channels: HealthName::ALL.map(|_| watch::Sender::new(initial)),
            ended: CancellationToken::new(),
        }
    }

    /// Returns the name that a client asks for; `None` if there is no such name.
    pub(super) fn find(&self, text: &str) -> Option<HealthName> {
        let mut names = HealthName::ALL.into_iter();
        names.find(|name| name.text(self.service) == text)
    }

    /// Sets a status, and wakes the watchers if it differs from the previous one.
    pub(super) fn set(&self, name: HealthName, status: ServingStatus) {
        self.channel(name).send_if_modified(|last| {
            let changes = last.status != status;
            if changes {
                let since = SystemTime::now();
                *last = StatusSince { status, since };
            }
            changes
        });
    }

    pub(super) fn get(&self, name: HealthName) -> StatusSince {
        *self.channel(name).borrow()
    }

    /// Returns all names with their statuses.
    pub(super) fn list(&self) -> [(&'static str, ServingStatus); 7] {
        HealthName::ALL.map(|name| (name.text(self.service), self.get(name).status))
    }

    pub(super) fn subscribe(&self, name: HealthName) -> watch::Receiver<StatusSince> {
        self.channel(name).subscribe()
    }

    pub(super) fn is_watched(&self, name: HealthName) -> bool {
        self.channel(name).receiver_count() > 0
    }

    /// Ends every watch after it has sent its latest status, including watches that begin later.
    pub(super) fn end_watches(&self) {
        self.ended.cancel();
    }

    pub(super) fn watches_have_ended(&self) -> bool {
        self.ended.is_cancelled()
    }

    /// Waits for [`Statuses::end_watches`].
    pub(super) async fn watches_end(&self) {
        self.ended.cancelled().await;
    }

    fn channel(&self, name: HealthName) -> &watch::Sender<StatusSince> {
        &self.channels[name as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    const SERVICE: &str = "startlist.test.v1.TestService";

    #[test]
    fn every_name_is_found_and_has_a_channel_of_its_own() {
        let statuses = Statuses::new(SERVICE);
        for name in HealthName::ALL {
            assert_eq!(statuses.find(name.text(SERVICE)), Some(name));
            statuses.set(name, ServingStatus::Serving);
            let serving = statuses.list().map(|(_, status)| status);
            let count = serving.iter().filter(|s| **s == ServingStatus::Serving);
            assert_eq!(count.count(), name as usize + 1, "{name:?}");
        }
        assert_eq!(statuses.find("DEEP"), None);
    }

    #[test]
    fn since_is_the_time_of_the_last_change() {
        let statuses = Statuses::new(SERVICE);
        let first = statuses.get(HealthName::Redis);
        // Longer than the resolution of the clock.
        thread::sleep(Duration::from_millis(2));
        statuses.set(HealthName::Redis, ServingStatus::NotServing);
        assert_eq!(statuses.get(HealthName::Redis).since, first.since);
        statuses.set(HealthName::Redis, ServingStatus::Serving);
        assert!(statuses.get(HealthName::Redis).since > first.since);
    }

    #[test]
    fn a_name_is_watched_while_a_receiver_exists() {
        let statuses = Statuses::new(SERVICE);
        assert!(!statuses.is_watched(HealthName::Deep));
        let watcher = statuses.subscribe(HealthName::Deep);
        assert!(statuses.is_watched(HealthName::Deep));
        assert!(!statuses.is_watched(HealthName::Redis));
        drop(watcher);
        assert!(!statuses.is_watched(HealthName::Deep));
    }
}
