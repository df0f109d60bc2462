//! Damaged records, and a check that a call on them changes nothing or everything that it should.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{Pipeline, Value, cmd, from_redis_value};
use store::Error;
use testkit::ROOT;

use crate::world::World;

/// A change of the records: commands of Redis, each as its words.
pub(super) type Damage = Vec<Vec<String>>;

pub(super) fn command(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Deletes each key, or gives it a value of each type.
pub(super) fn of_every_type(keys: &[String]) -> Vec<Damage> {
    let mut damages = Vec::new();
    for key in keys {
        let delete = command(&["DEL", key]);
        damages.push(vec![delete.clone()]);
        for value in [
            &["SET", key, "odd"][..],
            &["RPUSH", key, "odd"],
            &["SADD", key, "odd"],
            &["HSET", key, "odd", "odd"],
            &["ZADD", key, "0", "odd"],
            &["XADD", key, "1-0", "odd", "odd"],
        ] {
            damages.push(vec![delete.clone(), command(value)]);
        }
    }
    damages
}

/// Deletes each of these fields of a hash, or gives it an odd value.
pub(super) fn odd_fields(key: &str, fields: &[&str]) -> Vec<Damage> {
    const ODD: [&str; 12] = [
        "",
        " ",
        "odd",
        "-1",
        "0",
        "1.5",
        "1e300",
        "nan",
        "inf",
        "0x10",
        "9999999999999999999",
        "\0é",
    ];
    let mut damages = Vec::new();
    for field in fields {
        damages.push(vec![command(&["HDEL", key, field])]);
        damages.extend(
            ODD.iter()
                .map(|odd| vec![command(&["HSET", key, field, odd])]),
        );
    }
    damages
}

/// All keys with their values, to be restored later.
pub(super) struct Snapshot(BTreeMap<String, Vec<u8>>);

impl Snapshot {
    pub(super) async fn take(redis: &mut MultiplexedConnection) -> Self {
        let keys: Vec<String> = cmd("KEYS")
            .arg("*")
            .query_async(redis)
            .await
            .expect("the keys");
        let mut dumps = Pipeline::new();
        for key in &keys {
            dumps.cmd("DUMP").arg(key);
        }
        let values: Vec<Vec<u8>> = dumps.query_async(redis).await.expect("the values");
        Self(keys.into_iter().zip(values).collect())
    }

    pub(super) async fn restore(&self, redis: &mut MultiplexedConnection) {
        let () = self
            .restore_commands()
            .query_async(redis)
            .await
            .expect("restored");
    }

    fn restore_commands(&self) -> Pipeline {
        let mut restore = Pipeline::new();
        restore.cmd("FLUSHALL").ignore();
        for (key, value) in &self.0 {
            restore.cmd("RESTORE").arg(key).arg(0).arg(value).ignore();
        }
        restore
    }
}

/// Appends commands that read these keys, and the names of all keys.
fn append_reads(pipeline: &mut Pipeline, keys: &[String]) {
    pipeline.cmd("KEYS").arg("*");
    for key in keys {
        pipeline.cmd("DUMP").arg(key);
    }
}

/// The keys that differ, without those that may hold too much and are written before a script
/// decides: the indexes, the lists, and the claims of addresses.
fn changes(keys: &[String], before: &[Value], after: &[Value]) -> Vec<String> {
    let lists = [
        "catalogue:",
        "directory:",
        "email:",
        "admin-email:",
        "a:{index}",
    ];
    let is_index = |key: &str| {
        lists.iter().any(|list| key.starts_with(list))
            || key.ends_with(":competitions")
            || key.ends_with(":added")
    };
    let names = |replies: &[Value]| -> BTreeSet<String> {
        from_redis_value(replies[0].clone()).expect("the keys")
    };
    let mut changed: BTreeSet<_> = names(before)
        .symmetric_difference(&names(after))
        .cloned()
        .collect();
    let values = before[1..].iter().zip(&after[1..]);
    changed.extend(
        keys.iter()
            .zip(values)
            .filter(|(_, (before, after))| before != after)
            .map(|(key, _)| key.clone()),
    );
    changed.retain(|key| !is_index(key));
    changed.into_iter().collect()
}

/// Whether the script refused the call. `unreadable` is an error of the store, which could not
/// decode what it read before or after the script.
fn is_refused_by_script(result: &Result<(), Error>) -> bool {
    match result {
        Ok(()) => false,
        Err(Error::Corrupt(why)) => !why.starts_with("unreadable"),
        Err(_) => true,
    }
}

/// Makes each call on records with each damage, and checks that a refused call changed nothing.
pub(super) async fn on_damaged<Call: Copy + std::fmt::Debug>(
    world: &World,
    damages: &[Damage],
    calls: &[Call],
    mut make: impl AsyncFnMut(Call) -> Result<(), Error>,
) {
    let mut redis = world.redis.connect(ROOT).await;
    let good = Snapshot::take(&mut redis).await;
    let harmed = damages.iter().flatten().map(|words| &words[1]);
    let keys: BTreeSet<_> = good.0.keys().chain(harmed).cloned().collect();
    let keys: Vec<_> = keys.into_iter().collect();
    let (mut count, mut refused) = (0, 0);
    for damage in damages {
        for call in calls {
            let mut harm = good.restore_commands();
            for words in damage {
                harm.cmd(&words[0]).arg(&words[1..]).ignore();
            }
            append_reads(&mut harm, &keys);
            let before: Vec<Value> = harm.query_async(&mut redis).await.expect("damaged");
            let result = make(*call).await;
            count += 1;
            if !is_refused_by_script(&result) {
                continue;
            }
            refused += 1;
            let mut look = Pipeline::new();
            append_reads(&mut look, &keys);
            let after: Vec<Value> = look.query_async(&mut redis).await.expect("the values");
            let changes = changes(&keys, &before, &after);
            assert!(
                changes.is_empty() || has_promoted(&mut redis, &changes).await,
                "{call:?} on {damage:?} returned {result:?} and changed {changes:?}"
            );
        }
    }
    good.restore(&mut redis).await;
    assert!(
        refused * 10 > count,
        "only {refused} of {count} calls were refused, which tests too little"
    );
}

/// Whether the newest entry of the competition's log is a promotion: a call promotes users before
/// it decides, and may be refused after that.
async fn has_promoted(redis: &mut MultiplexedConnection, changes: &[String]) -> bool {
    let is_log = |key: &&String| key.starts_with("c:") && key.ends_with(":log");
    let Some(log) = changes.iter().find(is_log) else {
        return false;
    };
    let mut newest = cmd("XREVRANGE");
    newest.arg(log).arg("+").arg("-").arg("COUNT").arg(1);
    let newest: Vec<(String, Vec<String>)> = newest.query_async(redis).await.expect("a log");
    newest.iter().any(|(_, fields)| {
        let has = |name, value| fields.chunks(2).any(|field| field == [name, value]);
        has("action", "promote") && has("after", "confirmed")
    })
}

/// Settings for tests that write much and need nothing on disk.
pub(super) const FAST: [(&str, &str); 1] = [("appendfsync", "no")];
