//! Settings that are given and have no effect. Each is logged, so that none is ignored in silence.

use std::env;

use tracing::{info, warn};

use crate::data_dir::DataDir;
use crate::settings::Settings;

/// Variables that the services know and `startlist` does not use, with the reason.
const UNUSED: [(&str, &str); 3] = [
    (
        "STARTLIST_PEER_URL",
        "the two services of startlist are each other's peer",
    ),
    (
        "STARTLIST_HEALTH_LISTEN",
        "startlist serves health at the addresses of the services only",
    ),
    (
        "STARTLIST_REDIS_PASSWORD_FILE",
        "only startlist doctor does; write the password into --redis-url",
    ),
];

pub(crate) fn log(settings: &Settings, data: &DataDir) {
    for (variable, reason) in UNUSED {
        if env::var_os(variable).is_some() {
            warn!("{variable} is set, but startlist does not use it: {reason}");
        }
    }
    let private = data.redis();
    if settings.redis_url.is_some() && private.exists() {
        info!(
            "uses the Redis of --redis-url, and not the data of the private Redis in {}",
            private.display()
        );
    }
}
