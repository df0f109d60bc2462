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
