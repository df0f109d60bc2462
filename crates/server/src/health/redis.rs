//! Redis, through the store.

use std::sync::Arc;

use super::Probe;

/// PINGs on the store's connection for that purpose.
#[must_use]
pub fn redis_probe(store: store::Store) -> Probe {
    Arc::new(move || {
        let store = store.clone();
        Box::pin(async move {
            store
                .ping()
                .await
                .map_err(|_| "Redis cannot be reached or cannot write")
        })
    })
}
