//! One Watch call: the status now, then changes only.

use std::sync::Arc;

use api::health::health_check_response::ServingStatus;
use futures::stream::{self, Stream};
use tokio::sync::watch;

use super::names::{Names, Standing};

/// What a watcher of the name is told, until the watches end.
///
/// No task and no queue stands behind it: a watcher that does not read finds
/// the newest status when it does.
pub(super) fn watch(names: Arc<Names>, name: String) -> impl Stream<Item = ServingStatus> + Send {
    let watch = Watch {
        channel: names.subscribe(&name),
        names,
        name,
        told: None,
    };
    stream::unfold(watch, |mut watch| async {
        let status = watch.next().await?;
        Some((status, watch))
    })
}

struct Watch {
    names: Arc<Names>,
    name: String,
    /// `None` while the name is unknown.
    channel: Option<watch::Receiver<Standing>>,
    told: Option<ServingStatus>,
}

impl Watch {
    /// The next status to tell, `None` at the end.
    async fn next(&mut self) -> Option<ServingStatus> {
        loop {
            // In this order: what was said before the end is still told.
            let ended = self.names.have_ended();
            let status = self.status();
            if self.told != Some(status) {
                self.told = Some(status);
                return Some(status);
            }
            if ended {
                return None;
            }
            self.wait().await?;
        }
    }

    fn status(&mut self) -> ServingStatus {
        match &mut self.channel {
            Some(channel) => channel.borrow_and_update().status,
            None => ServingStatus::ServiceUnknown,
        }
    }

    /// Waits for a change or the end.
    async fn wait(&mut self) -> Option<()> {
        let names = Arc::clone(&self.names);
        tokio::select! {
            change = self.change() => change,
            () = names.end() => Some(()),
        }
    }

    async fn change(&mut self) -> Option<()> {
        if let Some(channel) = &mut self.channel {
            return channel.changed().await.ok();
        }
        self.channel = Some(self.names.appears(&self.name).await?);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use ServingStatus::{NotServing, ServiceUnknown, Serving};
    use futures::{FutureExt, StreamExt, stream::BoxStream};

    use super::*;

    fn names() -> Arc<Names> {
        let names = Arc::new(Names::default());
        names.set("here", NotServing);
        names
    }

    fn watching(names: &Arc<Names>, name: &str) -> Pin<Box<BoxStream<'static, ServingStatus>>> {
        Box::pin(watch(Arc::clone(names), name.to_owned()).boxed())
    }

    /// What the watcher reads without waiting, ten messages at most.
    fn read(watcher: &mut BoxStream<'static, ServingStatus>) -> Vec<ServingStatus> {
        let next = || watcher.next().now_or_never().flatten();
        std::iter::from_fn(next).take(10).collect()
    }

    #[test]
    fn the_status_is_told_at_once_and_then_when_it_changes() {
        let names = names();
        let mut watcher = watching(&names, "here");
        assert_eq!(read(&mut watcher), [NotServing]);
        names.set("here", Serving);
        assert_eq!(read(&mut watcher), [Serving]);
    }

    #[test]
    fn what_has_not_changed_is_not_told() {
        let names = names();
        let mut watcher = watching(&names, "here");
        assert_eq!(read(&mut watcher), [NotServing]);
        names.set("here", NotServing);
        names.set("there", Serving);
        assert_eq!(read(&mut watcher), []);
    }

    #[test]
    fn a_slow_watcher_is_told_the_newest_only() {
        let names = names();
        let mut watcher = watching(&names, "here");
        assert_eq!(read(&mut watcher), [NotServing]);
        for status in [Serving, NotServing, Serving] {
            names.set("here", status);
        }
        assert_eq!(read(&mut watcher), [Serving]);
        for status in [NotServing, Serving] {
            names.set("here", status);
        }
        assert_eq!(
            read(&mut watcher),
            [],
            "the newest is what it was told last"
        );
    }

    #[test]
    fn an_unknown_name_is_told_as_such_until_it_appears() {
        let names = names();
        let mut watcher = watching(&names, "there");
        assert_eq!(read(&mut watcher), [ServiceUnknown]);
        names.set("elsewhere", Serving);
        assert_eq!(read(&mut watcher), []);
        names.set("there", Serving);
        assert_eq!(read(&mut watcher), [Serving]);
        names.set("there", NotServing);
        assert_eq!(read(&mut watcher), [NotServing]);
    }

    #[test]
    fn every_watch_ends_after_it_has_told_the_newest() {
        let names = names();
        names.set("steady", Serving);
        let mut watchers = ["here", "steady", "there"].map(|name| watching(&names, name));
        for watcher in &mut watchers {
            assert_eq!(read(watcher).len(), 1);
        }
        names.set("here", Serving);
        names.end_watches();
        let told = watchers.map(|watcher| watcher.collect::<Vec<_>>().now_or_never());
        assert_eq!(told, [Some(vec![Serving]), Some(vec![]), Some(vec![])]);
    }

    #[test]
    fn a_watch_that_begins_after_the_end_is_told_once() {
        let names = names();
        names.end_watches();
        let told = watching(&names, "here").collect::<Vec<_>>().now_or_never();
        assert_eq!(told, Some(vec![NotServing]));
    }
}
