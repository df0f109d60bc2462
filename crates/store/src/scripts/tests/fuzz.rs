//! Runs every script on damaged data and with damaged arguments. A script that refuses or fails
//! must have changed nothing; a script that reports a change must have made all of it.
//!
//! `SCRIPT_FUZZ_SECONDS` makes it longer, `SCRIPT_FUZZ_SEED` repeats it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use deadpool_redis::redis::{Cmd, Pipeline, RedisResult, Value, cmd, from_redis_value, pipe};

use testkit::Random;

use super::fixture::{Call, ScriptRedis, calls, made_a_change, plain_writes};

/// All keys with their values.
#[derive(PartialEq)]
pub(super) struct Snapshot(BTreeMap<Vec<u8>, Vec<u8>>);

impl Snapshot {
    pub(super) fn take(redis: &mut ScriptRedis) -> Self {
        let keys: Vec<Vec<u8>> = cmd("KEYS")
            .arg("*")
            .query(&mut redis.connection)
            .expect("the keys");
        let mut dumps = Pipeline::new();
        for key in &keys {
            dumps.cmd("DUMP").arg(key);
        }
        let values: Vec<Option<Vec<u8>>> = dumps.query(&mut redis.connection).expect("the values");
        let both = keys.into_iter().zip(values);
        Self(
            both.filter_map(|(key, value)| Some((key, value?)))
                .collect(),
        )
    }

    pub(super) fn restore(&self, redis: &mut ScriptRedis) {
        let mut restore = pipe();
        restore.cmd("FLUSHALL").ignore();
        for (key, value) in &self.0 {
            restore.cmd("RESTORE").arg(key).arg(0).arg(value).ignore();
        }
        restore
            .query::<()>(&mut redis.connection)
            .expect("restored");
    }

    /// The keys that differ.
    fn changes(&self, after: &Self) -> Vec<String> {
        let keys: BTreeSet<_> = self.0.keys().chain(after.0.keys()).collect();
        let differs = |key: &&&Vec<u8>| self.0.get(**key) != after.0.get(**key);
        let keys = keys.iter().filter(differs);
        keys.map(|key| String::from_utf8_lossy(key).into_owned())
            .collect()
    }
}

pub(super) fn write(redis: &mut ScriptRedis, commands: &[Vec<String>]) {
    for words in commands {
        let mut command = cmd(&words[0]);
        let _: Value = command
            .arg(&words[1..])
            .query(&mut redis.connection)
            .expect("written");
    }
}

/// A value that no service writes.
fn odd(random: &mut Random) -> Vec<u8> {
    const ODD: [&[u8]; 38] = [
        b"",
        b" ",
        b"\0",
        b"a\nb",
        b"a\0b",
        b"\xff\xfe",
        b"odd",
        b"-1",
        b"-0",
        b"0",
        b"1",
        b"2",
        b"3",
        b"007",
        b"1.5",
        b"1e300",
        b"1e3",
        b"nan",
        b"inf",
        b"-inf",
        b"0x10",
        b" 7",
        b"7 ",
        b"4503599627370496",
        b"9007199254740993",
        b"9223372036854775807",
        b"9223372036854775808",
        b"18446744073709551615",
        b"99999999999999999999",
        b"pending:",
        b"pending:ada:",
        b"{",
        b"C",
        b"C 1 1 -",
        b"W 7 1 - x=7",
        b"D 9007199254740993 1e9 olga",
        b"R 0 0 - a=b=c",
        b"C 3 1 - first-of-bob=1 =2",
    ];
    match random.below(60) {
        0 => vec![b'9'; 512],
        1 => vec![b'x'; 512],
        2 => vec![b'='; 512],
        3 if random.one_in(10) => vec![b'7'; 1024 * 1024],
        _ => random.pick(&ODD).to_vec(),
    }
}

/// A value that resembles a valid one: one of its words is damaged or missing.
fn damaged(random: &mut Random, good: &[u8]) -> Vec<u8> {
    if random.one_in(2) || good.is_empty() {
        return odd(random);
    }
    let mut words: Vec<_> = good
        .split(|&byte| byte == b' ')
        .map(<[u8]>::to_vec)
        .collect();
    let at = random.below(words.len());
    match random.below(3) {
        0 => drop(words.remove(at)),
        1 => words[at] = odd(random),
        _ => words.insert(at, odd(random)),
    }
    words.join(&b' ')
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;
type Entries = Vec<(Vec<u8>, Vec<Vec<u8>>)>;

/// A command on this key.
fn command(name: &str, key: &str, words: &[&[u8]]) -> Cmd {
    let mut command = cmd(name);
    command.arg(key).arg(words);
    command
}

/// Commands that damage one key. Redis may refuse some of them.
fn damage(redis: &mut ScriptRedis, random: &mut Random, key: &str) -> Vec<Cmd> {
    if random.one_in(12) {
        return vec![command("DEL", key, &[])];
    }
    if random.one_in(12) {
        let value = odd(random);
        let (name, words): (_, Vec<&[u8]>) = match random.below(6) {
            0 => ("SET", vec![&value]),
            1 => ("RPUSH", vec![&value]),
            2 => ("SADD", vec![&value]),
            3 => ("HSET", vec![&value, &value]),
            4 => ("ZADD", vec![b"0", &value]),
            _ => ("XADD", vec![b"1-0", b"odd", &value]),
        };
        return vec![command("DEL", key, &[]), command(name, key, &words)];
    }
    let mut kind = cmd("TYPE");
    let kind: String = kind.arg(key).query(&mut redis.connection).expect("a type");
    match kind.as_str() {
        "hash" => damage_hash(redis, random, key),
        "zset" => damage_queue(redis, random, key),
        "stream" => damage_log(redis, random, key),
        "list" => vec![command("DEL", key, &[])],
        "set" => vec![command("SADD", key, &[&odd(random)])],
        _ => {
            let good: RedisResult<Option<Vec<u8>>> =
                cmd("GET").arg(key).query(&mut redis.connection);
            let good = good.expect("a text").unwrap_or_default();
            vec![command("SET", key, &[&damaged(random, &good)])]
        }
    }
}

fn damage_hash(redis: &mut ScriptRedis, random: &mut Random, key: &str) -> Vec<Cmd> {
    let fields: RedisResult<Pairs> = cmd("HGETALL").arg(key).query(&mut redis.connection);
    let (field, good) = random.pick(&fields.expect("a hash")).clone();
    let damage = match random.below(30) {
        0 => {
            let mut many = cmd("HSET");
            many.arg(key);
            for n in 0..10_000 {
                many.arg(format!("field-{n}")).arg("C 1 1 -");
            }
            many
        }
        1..4 => command("HDEL", key, &[&field]),
        4..6 => command("HSET", key, &[&odd(random), &odd(random)]),
        _ => command("HSET", key, &[&field, &damaged(random, &good)]),
    };
    vec![damage]
}

fn damage_queue(redis: &mut ScriptRedis, random: &mut Random, key: &str) -> Vec<Cmd> {
    let mut all = cmd("ZRANGE");
    let members: RedisResult<Vec<Vec<u8>>> =
        all.arg(key).arg(0).arg(-1).query(&mut redis.connection);
    let member = random.pick(&members.expect("a queue")).clone();
    let score = *random.pick::<&[u8]>(&[b"0", b"-1", b"1e300", b"inf", b"-inf", b"1.5", b"9"]);
    let damage = match random.below(3) {
        0 => command("ZREM", key, &[&member]),
        1 => command("ZADD", key, &[score, &member]),
        _ => {
            let nobody = odd(random);
            let member = *random.pick(&[&b"bob"[..], b"eve", b"fay", b"hal", &nobody]);
            command("ZADD", key, &[score, member])
        }
    };
    vec![damage]
}

fn damage_log(redis: &mut ScriptRedis, random: &mut Random, key: &str) -> Vec<Cmd> {
    let mut all = cmd("XRANGE");
    let entries: RedisResult<Entries> = all.arg(key).arg("-").arg("+").query(&mut redis.connection);
    let mut entries = entries.expect("a log");
    if entries.is_empty() {
        return vec![command("DEL", key, &[])];
    }
    match random.below(4) {
        0 => {
            let ahead: [&[u8]; 4] = [b"8-0", b"9-1", b"1000-0", LAST_ENTRY];
            let id = *random.pick(&ahead);
            vec![command("XADD", key, &[id, b"action", &odd(random)])]
        }
        1 => vec![command("XTRIM", key, &[b"MAXLEN", b"1"])],
        2 => vec![command("XDEL", key, &[&random.pick(&entries).0])],
        _ => {
            // Writes the whole log again, with one damaged entry.
            let at = random.below(entries.len());
            let fields = &mut entries[at].1;
            let field = random.below(fields.len());
            if random.one_in(2) {
                fields[field] = odd(random);
            } else {
                fields.drain(field / 2 * 2..field / 2 * 2 + 2);
            }
            let again = entries.iter().map(|(id, fields)| {
                let mut words = vec![id.as_slice()];
                words.extend(fields.iter().map(Vec::as_slice));
                command("XADD", key, &words)
            });
            std::iter::once(command("DEL", key, &[]))
                .chain(again)
                .collect()
        }
    }
}

/// The last possible id: no entry can follow it.
const LAST_ENTRY: &[u8] = b"18446744073709551615-18446744073709551615";

/// Damages some of the arguments.
fn spoil(random: &mut Random, call: &mut Call) {
    let arguments = &mut call.arguments;
    for _ in 0..=random.below(2) {
        let at = random.below(arguments.len());
        match random.below(8) {
            0 if !arguments.is_empty() => drop(arguments.remove(at)),
            1 => arguments.truncate(at),
            2 => arguments.insert(at, odd(random)),
            3 => arguments.push(odd(random)),
            _ if arguments.is_empty() => {}
            _ => arguments[at] = odd(random),
        }
    }
}

/// The parts of a competition that change together: the log, the revision, and the records of the
/// users whom the new log entries name.
struct CompetitionData {
    revision: Option<f64>,
    log: Vec<(String, Vec<Vec<u8>>)>,
    records: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl CompetitionData {
    fn of(redis: &mut ScriptRedis, keys: &[String]) -> RedisResult<Self> {
        let revision: Option<String> = cmd("GET").arg(&keys[0]).query(&mut redis.connection)?;
        let log: Value = cmd("XRANGE")
            .arg(&keys[4])
            .arg("-")
            .arg("+")
            .query(&mut redis.connection)?;
        let mut records = BTreeMap::new();
        for key in &keys[1..3] {
            let found: Pairs = cmd("HGETALL").arg(key).query(&mut redis.connection)?;
            for (user, record) in found {
                // A repetition writes a record again, perhaps in another form of the same number.
                let mut words = record.split(|&byte| byte == b' ');
                let state = words.next().unwrap_or_default().to_vec();
                let number = words
                    .next()
                    .and_then(|word| std::str::from_utf8(word).ok()?.parse::<f64>().ok());
                records.insert(user, [state, format!("{number:?}").into_bytes()].concat());
            }
        }
        Ok(Self {
            revision: revision.and_then(|text| text.parse().ok()),
            log: from_redis_value(log)?,
            records,
        })
    }

    /// Compares with the data after a change. Returns what does not fit together.
    fn compare(&self, after: &Self) -> Option<String> {
        let known: BTreeSet<_> = self.log.iter().map(|(id, _)| id).collect();
        let new: Vec<_> = after
            .log
            .iter()
            .filter(|(id, _)| !known.contains(id))
            .collect();
        let Some((last, _)) = new.last() else {
            return (self.records != after.records)
                .then(|| "records changed without the log".into());
        };
        let number: Option<f64> = last.strip_suffix("-0").and_then(|id| id.parse().ok());
        if number != after.revision {
            return Some(format!(
                "the log ends with {last}, the revision is {:?}",
                after.revision
            ));
        }
        let named: BTreeSet<_> = new.iter().filter_map(|(_, fields)| fields.get(7)).collect();
        let users: BTreeSet<_> = self.records.keys().chain(after.records.keys()).collect();
        let changed = users
            .into_iter()
            .filter(|user| self.records.get(*user) != after.records.get(*user));
        let changed: BTreeSet<_> = changed.collect();
        let mut unnamed = changed
            .symmetric_difference(&named)
            .filter(|user| !user.is_empty());
        unnamed.next().map(|user| {
            format!(
                "{} is in the log or in the records alone",
                String::from_utf8_lossy(user)
            )
        })
    }
}

/// Damages the data, calls a script and checks the result. Returns whether the script made a
/// change.
fn round(redis: &mut ScriptRedis, good: &Snapshot, seed: u64) -> bool {
    let mut random = Random::new(seed);
    good.restore(redis);
    let mut call = random.pick(&calls()).clone();
    let damages = random.below(3);
    let mut done = Vec::new();
    for _ in 0..damages {
        let key = random.pick(&call.keys).clone();
        let key = if random.one_in(4) {
            key.replace(":revision", ":meta")
        } else {
            key
        };
        for command in damage(redis, &mut random, &key) {
            let _: RedisResult<Value> = command.query(&mut redis.connection);
            done.push(show(&command));
        }
    }
    if damages == 0 || random.one_in(3) {
        spoil(&mut random, &mut call);
    }
    let about_a_competition = call.keys.len() >= 5 && call.keys[0].starts_with("c:");
    let data = about_a_competition.then(|| CompetitionData::of(redis, &call.keys));
    let before = Snapshot::take(redis);
    let reply = redis.run(&call);
    let after = Snapshot::take(redis);
    let has_changed = made_a_change(&call, &reply);
    let report = || format!("seed {seed}: {call}\nafter {done:#?}\nreplied {reply:?}");
    if !has_changed {
        let changes = before.changes(&after);
        assert!(changes.is_empty(), "{}\nand changed {changes:?}", report());
    } else if let Some(Ok(before)) = data {
        let wrong = before.compare(&CompetitionData::of(redis, &call.keys).expect("readable"));
        assert_eq!(wrong, None, "{}", report());
    }
    has_changed
}

/// Formats the first 200 characters of a command.
fn show(command: &Cmd) -> String {
    let packed = String::from_utf8_lossy(&command.get_packed_command())
        .escape_debug()
        .to_string();
    packed.chars().take(200).collect()
}

#[test]
fn scripts_change_everything_or_nothing_on_damaged_data() {
    let seconds = std::env::var("SCRIPT_FUZZ_SECONDS");
    let seconds = seconds.map_or(15, |seconds| seconds.parse().expect("a number of seconds"));
    let first = Random::from_environment("SCRIPT_FUZZ_SEED").seed();

    let mut redis = ScriptRedis::new();
    write(&mut redis, &plain_writes());
    let good = Snapshot::take(&mut redis);
    let begin = Instant::now();
    let (mut rounds, mut changes) = (0_u64, 0_u64);
    while begin.elapsed() < Duration::from_secs(seconds) || rounds < 300 {
        changes += u64::from(round(&mut redis, &good, first.wrapping_add(rounds)));
        rounds += 1;
    }
    println!("{rounds} rounds, {changes} of them made a change");
    assert!(
        changes * 20 > rounds && changes * 20 < rounds * 19,
        "{changes} of {rounds} rounds made a change: too one-sided to find anything"
    );
}
