//! Whether Redis is set up as a system of record.

use std::collections::HashMap;

use deadpool_redis::redis::cmd;

use crate::Store;
use crate::error::Result;
use crate::reply::decode;

impl Store {
    /// What is wrong with Redis's settings: a sentence for each that names the setting. Empty = an
    /// answer that a client has read is on disk.
    pub async fn setup_warnings(&self) -> Result<Vec<String>> {
        let mut get = cmd("CONFIG");
        get.arg("GET")
            .arg("appendonly")
            .arg("appendfsync")
            .arg("maxmemory-policy");
        let settings: HashMap<String, String> = decode(self.redis.command(get).await?)?;
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
                "records can be thrown away when memory is short",
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
