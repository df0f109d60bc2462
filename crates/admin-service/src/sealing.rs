//! The background task that seals the logs.

use std::time::Duration;

use store::AdminStore;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, warn};

/// The interval between seals. A log entry that is younger can be changed in Redis unnoticed.
const INTERVAL: Duration = Duration::from_secs(60);

/// Seals all logs periodically. Never returns.
pub(crate) async fn keep_sealing(store: AdminStore) {
    let mut period = interval(INTERVAL);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        match store.seal_all().await {
            Ok(logs) => debug!(logs, "sealed"),
            // The next interval is soon enough, and the failing calls are logged already.
            Err(
                store::Error::Unavailable(detail)
                | store::Error::LoginRefused(detail)
                | store::Error::Full(detail),
            ) => {
                debug!(detail, "logs were not sealed");
            }
            Err(error) => warn!(%error, "logs cannot be sealed"),
        }
    }
}
