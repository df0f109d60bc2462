//! Logs at the start whether Redis can be reached, and whether it is set up as a system of record.

use std::time::Duration;

use store::Redis;
use tokio::time::sleep;
use tracing::{info, warn};

const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Asks Redis for its settings until it answers, and logs a warning for each unsafe one. The server
/// serves in the meantime.
pub(crate) async fn log_redis_setup(redis: Redis) {
    let mut was_unavailable = false;
    loop {
        match redis.setup_warnings().await {
            Ok(warnings) => {
                for warning in warnings {
                    warn!("{warning}");
                }
                if was_unavailable {
                    info!("Redis can be reached");
                }
                return;
            }
            Err(store::Error::Unavailable(detail) | store::Error::LoginRefused(detail)) => {
                if !was_unavailable {
                    warn!(
                        detail,
                        "Redis cannot be reached; calls fail with UNAVAILABLE until it is back"
                    );
                }
                was_unavailable = true;
                sleep(RETRY_INTERVAL).await;
            }
            Err(error) => {
                warn!(%error, "the settings of Redis cannot be read");
                return;
            }
        }
    }
}
