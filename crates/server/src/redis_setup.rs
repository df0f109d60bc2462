//! What the log says of Redis at the start: that it is not there, or that it is not set up as a system
//! of record.

use std::time::Duration;

use store::Redis;
use tokio::time::sleep;
use tracing::{info, warn};

/// How long to wait before Redis is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks at Redis until it answers, once. The server serves in the meantime.
pub(crate) async fn look_at_redis(redis: Redis) {
    let mut is_missed = false;
    loop {
        match redis.setup_warnings().await {
            Ok(warnings) => {
                for warning in warnings {
                    warn!("{warning}");
                }
                if is_missed {
                    info!("Redis is there");
                }
                return;
            }
            Err(store::Error::Unavailable(detail) | store::Error::LoginRefused(detail)) => {
                if !is_missed {
                    warn!(
                        detail,
                        "Redis cannot be reached; calls are answered with UNAVAILABLE until it is there"
                    );
                }
                is_missed = true;
                sleep(PAUSE).await;
            }
            Err(error) => {
                warn!(%error, "the settings of Redis cannot be read");
                return;
            }
        }
    }
}
