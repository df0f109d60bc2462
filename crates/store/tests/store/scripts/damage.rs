//! Records that nobody of us wrote, and what a call may do to them.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{Pipeline, Value, cmd, from_redis_value};
use store::Error;

use crate::world::World;

/// What is done to the records: commands of Redis, each as its words.
pub(super) type Damage = Vec<Vec<String>>;

pub(super) fn command(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// These keys without a value, and with one of each type.
pub(super) fn of_every_type(keys: &[String]) -> Vec<Damage> {
    let mut damages = Vec::new();
    for key in keys {
        let gone = command(&["DEL", key]);
        damages.push(vec![gone.clone()]);
        for value in [
            &["SET", key, "odd"][..],
            &["RPUSH", key, "odd"],
            &["SADD", key, "odd"],
            &["HSET", key, "odd", "odd"],
            &["ZADD", key, "0", "odd"],
            &["XADD", key, "1-0", "odd", "odd"],
        ] {
            damages.push(vec![gone.clone(), command(value)]);
        }
    }
    damages
}

/// This hash without a field, and with odd values in it, for each of these fields.
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

/// All keys with their values, to come back to.
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
        let () = self.restoring().query_async(redis).await.expect("restored");
    }

    fn restoring(&self) -> Pipeline {
        let mut restore = Pipeline::new();
        restore.cmd("FLUSHALL").ignore();
        for (key, value) in &self.0 {
            restore.cmd("RESTORE").arg(key).arg(0).arg(value).ignore();
        }
        restore
    }
}

/// Adds to a pipeline the question how these keys stand, and which others there are.
fn ask(pipeline: &mut Pipeline, keys: &[String]) {
    pipeline.cmd("KEYS").arg("*");
    for key in keys {
        pipeline.cmd("DUMP").arg(key);
    }
}

/// Which keys differ, but for those that may hold too much and are written before a script decides: the
/// indexes, the lists of all, and the claims of addresses.
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
    let there = |answers: &[Value]| -> BTreeSet<String> {
        from_redis_value(answers[0].clone()).expect("the keys")
    };
    let mut changed: BTreeSet<_> = there(before)
        .symmetric_difference(&there(after))
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

/// Whether the script said no, and not the one who read its answer.
fn is_no(answer: &Result<(), Error>) -> bool {
    !matches!(answer, Ok(()) | Err(Error::Corrupt(_)))
        || matches!(answer, Err(Error::Corrupt(why)) if !why.starts_with("unreadable"))
}

/// Makes each call on records with each damage, and looks at what changed where it was told no.
pub(super) async fn on_damaged<Call: Copy + std::fmt::Debug>(
    world: &World,
    damages: &[Damage],
    calls: &[Call],
    mut make: impl AsyncFnMut(Call) -> Result<(), Error>,
) {
    let mut redis = world.connect_as("root").await;
    let good = Snapshot::take(&mut redis).await;
    let harmed = damages.iter().flatten().map(|words| &words[1]);
    let keys: BTreeSet<_> = good.0.keys().chain(harmed).cloned().collect();
    let keys: Vec<_> = keys.into_iter().collect();
    let (mut count, mut refused) = (0, 0);
    for damage in damages {
        for call in calls {
            let mut harm = good.restoring();
            for words in damage {
                harm.cmd(&words[0]).arg(&words[1..]).ignore();
            }
            ask(&mut harm, &keys);
            let before: Vec<Value> = harm.query_async(&mut redis).await.expect("damaged");
            let answer = make(*call).await;
            count += 1;
            if !is_no(&answer) {
                continue;
            }
            refused += 1;
            let mut look = Pipeline::new();
            ask(&mut look, &keys);
            let after: Vec<Value> = look.query_async(&mut redis).await.expect("the values");
            let changes = changes(&keys, &before, &after);
            assert!(
                changes.is_empty() || only_promotions(&mut redis, &changes).await,
                "{call:?} on {damage:?} answered {answer:?} and changed {changes:?}"
            );
        }
    }
    good.restore(&mut redis).await;
    assert!(
        refused * 10 > count,
        "{refused} of {count} were refused, too few to show anything"
    );
}

/// Whether all that was done since the competition was made is promoting: the entries behind the one
/// that is marked.
async fn only_promotions(redis: &mut MultiplexedConnection, changes: &[String]) -> bool {
    let Some(log) = changes
        .iter()
        .find(|key| key.ends_with(":log") && key.starts_with("c:"))
    else {
        return false;
    };
    let entries: Vec<(String, Vec<String>)> = cmd("XREVRANGE")
        .arg(log)
        .arg("+")
        .arg("-")
        .query_async(redis)
        .await
        .expect("a log");
    let new = entries
        .iter()
        .take_while(|(_, fields)| fields[11] == "confirmed" && fields[5] == "promote");
    new.count() > 0
}

/// Not on disk: what is damaged here is read back at once.
pub(super) const FAST: [(&str, &str); 1] = [("appendfsync", "no")];
