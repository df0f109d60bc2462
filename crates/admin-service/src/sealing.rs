//! Goes on with the seals of the logs, beside the calls.

use std::time::Duration;

use store::AdminStore;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, warn};

/// How often: what is younger than this may be changed unseen by who can write to Redis.
const PERIOD: Duration = Duration::from_secs(60);

/// Seals all logs from time to time, for ever.
pub(crate) async fn keep_sealing(store: AdminStore) {
    let mut period = interval(PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        match store.seal_all().await {
            Ok(logs) => debug!(logs, "sealed"),
            // Redis is away: the next time is soon enough, and the calls say it already.
            Err(store::Error::Unavailable(detail) | store::Error::LoginRefused(detail)) => {
                debug!(detail, "logs were not sealed")
            }
            Err(error) => warn!(%error, "logs cannot be sealed"),
        }
    }
}
