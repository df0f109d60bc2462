//! Logs at the start whether Redis is set up as a system of record.

use std::time::Duration;

use store::Redis;
use tokio::time::sleep;
use tracing::warn;

const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Asks Redis for its settings until it answers, and logs a warning for each unsafe one. The server
/// serves in the meantime.
pub(crate) async fn log_redis_setup(redis: Redis) {
    loop {
        match redis.setup_warnings().await {
            Ok(warnings) => {
                for warning in warnings {
                    warn!("{warning}");
                }
                return;
            }
            // The health check logs it.
            Err(store::Error::Unavailable(_) | store::Error::LoginRefused(_)) => {
                sleep(RETRY_INTERVAL).await;
            }
            Err(error) => {
                warn!(%error, "the settings of Redis cannot be read");
                return;
            }
        }
    }
}
