use std::sync::Arc;

use super::Probe;

/// PINGs on the connection for that purpose.
#[must_use]
pub fn redis_probe(redis: store::Redis) -> Probe {
    Arc::new(move || {
        let redis = redis.clone();
        Box::pin(async move {
            redis
                .ping()
                .await
                .map_err(|_| "Redis cannot be reached or cannot write")
        })
    })
}
