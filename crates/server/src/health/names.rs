//! The names that can be asked for, each with its newest status.

use std::{borrow::Cow, collections::BTreeMap, time::SystemTime};

use api::health::health_check_response::ServingStatus;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The base of the server.
pub(crate) const BASE: &str = "";
/// The process, and nothing else.
pub(crate) const LIVENESS: &str = "liveness";
/// Whether calls can be sent here.
pub(crate) const READINESS: &str = "readiness";
/// Base, Redis and the peer.
pub(crate) const DEEP: &str = "deep";
/// One part of deep.
pub(crate) const REDIS: &str = "redis";
/// One part of deep.
pub(crate) const PEER: &str = "peer";

/// A status and since when it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) status: ServingStatus,
    pub(crate) since: SystemTime,
}

type Channels = BTreeMap<Cow<'static, str>, watch::Sender<Standing>>;

/// From name to a channel that holds its newest standing, so that a slow
/// watcher gets the newest and costs nobody anything. The map is in a channel
/// too, for those who wait for a name to appear. A name never goes away.
#[derive(Default)]
pub(super) struct Names {
    channels: watch::Sender<Channels>,
    ended: CancellationToken,
}

impl Names {
    /// Says a status. Watchers are woken if it differs from the one before.
    pub(super) fn set(&self, name: impl Into<Cow<'static, str>>, status: ServingStatus) {
        let name = name.into();
        let standing = Standing {
            status,
            since: SystemTime::now(),
        };
        let is_known = match self.channels.borrow().get(&name) {
            Some(channel) => {
                channel.send_if_modified(|last| {
                    let changes = last.status != status;
                    if changes {
                        *last = standing;
                    }
                    changes
                });
                true
            }
            None => false,
        };
        if !is_known {
            self.channels.send_modify(|channels| {
                channels.insert(name, watch::Sender::new(standing));
            });
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<Standing> {
        self.channels
            .borrow()
            .get(name)
            .map(|channel| *channel.borrow())
    }

    /// All names with their status, in the order of the alphabet.
    pub(super) fn list(&self) -> Vec<(String, ServingStatus)> {
        let channels = self.channels.borrow();
        let status = |channel: &watch::Sender<Standing>| channel.borrow().status;
        channels
            .iter()
            .map(|(name, channel)| (name.to_string(), status(channel)))
            .collect()
    }

    /// The changes of one name; `None` for an unknown one.
    pub(super) fn subscribe(&self, name: &str) -> Option<watch::Receiver<Standing>> {
        self.channels
            .borrow()
            .get(name)
            .map(watch::Sender::subscribe)
    }

    /// Waits until the name appears. `None` if that cannot happen any more.
    pub(super) async fn appears(&self, name: &str) -> Option<watch::Receiver<Standing>> {
        let mut channels = self.channels.subscribe();
        let channels = channels
            .wait_for(|channels| channels.contains_key(name))
            .await
            .ok()?;
        channels.get(name).map(watch::Sender::subscribe)
    }

    /// Whether somebody watches the name.
    pub(super) fn is_watched(&self, name: &str) -> bool {
        self.channels
            .borrow()
            .get(name)
            .is_some_and(|channel| channel.receiver_count() > 0)
    }

    /// Ends every watch, also those that begin later, after it has told its
    /// newest status.
    pub(super) fn end_watches(&self) {
        self.ended.cancel();
    }

    /// Whether watches end now.
    pub(super) fn have_ended(&self) -> bool {
        self.ended.is_cancelled()
    }

    /// Waits for [`Names::end_watches`].
    pub(super) async fn end(&self) {
        self.ended.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ServingStatus::{NotServing, Serving};

    use super::*;

    /// Longer than the clock's resolution.
    fn a_moment_passes() {
        std::thread::sleep(Duration::from_millis(2));
    }

    #[test]
    fn a_status_stands_since_it_was_first_said() {
        let names = Names::default();
        names.set("name", NotServing);
        let first = names.get("name").unwrap();
        a_moment_passes();
        names.set("name", NotServing);
        assert_eq!(names.get("name").unwrap().since, first.since);
        names.set("name", Serving);
        assert!(names.get("name").unwrap().since > first.since);
    }

    #[test]
    fn a_name_is_watched_as_long_as_somebody_holds_its_changes() {
        let names = Names::default();
        names.set("name", NotServing);
        assert!(!names.is_watched("name"));
        let watcher = names.subscribe("name");
        assert!(names.is_watched("name"));
        drop(watcher);
        assert!(!names.is_watched("name") && !names.is_watched("another"));
    }

    #[test]
    fn a_name_that_nobody_said_is_unknown() {
        let names = Names::default();
        assert!(names.get("name").is_none() && names.subscribe("name").is_none());
    }
}
