//! Checks that Redis is configured as a system of record.

use std::collections::HashMap;

use deadpool_redis::redis::cmd;

use super::Redis;
use crate::error::Result;

impl Redis {
    /// Checks Redis's settings. Returns a sentence that names the setting for each that is unsafe.
    /// If there is none, a change is on disk before its caller gets the reply.
    pub async fn setup_warnings(&self) -> Result<Vec<String>> {
        let mut get = cmd("CONFIG");
        get.arg("GET")
            .arg("appendonly")
            .arg("appendfsync")
            .arg("maxmemory-policy");
        let settings: HashMap<String, String> = self.read(get).await?;
        let wanted = [
            ("appendonly", "yes", "changes are lost when redis stops"),
            (
                "appendfsync",
                "always",
                "changes of the last second can be lost",
            ),
            (
                "maxmemory-policy",
                "noeviction",
                "redis can delete records when its memory is full",
            ),
        ];
        Ok(wanted
            .into_iter()
            .filter_map(|(name, value, danger)| {
                let found = settings.get(name).map_or("unknown", String::as_str);
                (found != value).then(|| format!("redis has {name} {found}, not {value}: {danger}"))
            })
            .collect())
    }
}
