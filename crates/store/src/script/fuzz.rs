//! Every script on records and with arguments that nobody of us wrote, made by a seed. A script that says
//! no has changed nothing; one that says yes has done all of it.
//!
//! `SCRIPT_FUZZ_SECONDS` makes it longer, `SCRIPT_FUZZ_SEED` repeats it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use deadpool_redis::redis::{Cmd, Pipeline, RedisResult, Value, cmd, from_redis_value, pipe};

use super::random::Random;
use super::world::{Call, World, calls, says_yes, written_plainly};

/// All keys with their values.
#[derive(PartialEq)]
pub(super) struct Snapshot(BTreeMap<Vec<u8>, Vec<u8>>);

impl Snapshot {
    pub(super) fn take(world: &mut World) -> Self {
        let keys: Vec<Vec<u8>> = cmd("KEYS")
            .arg("*")
            .query(&mut world.redis)
            .expect("the keys");
        let mut dumps = Pipeline::new();
        for key in &keys {
            dumps.cmd("DUMP").arg(key);
        }
        let values: Vec<Option<Vec<u8>>> = dumps.query(&mut world.redis).expect("the values");
        let both = keys.into_iter().zip(values);
        Self(
            both.filter_map(|(key, value)| Some((key, value?)))
                .collect(),
        )
    }

    pub(super) fn restore(&self, world: &mut World) {
        let mut restore = pipe();
        restore.cmd("FLUSHALL").ignore();
        for (key, value) in &self.0 {
            restore.cmd("RESTORE").arg(key).arg(0).arg(value).ignore();
        }
        restore.query::<()>(&mut world.redis).expect("restored");
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

/// Sends these commands.
pub(super) fn write(world: &mut World, commands: &[Vec<String>]) {
    for words in commands {
        let mut command = cmd(&words[0]);
        let _: Value = command
            .arg(&words[1..])
            .query(&mut world.redis)
            .expect("written");
    }
}

/// A value that no service would write.
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

/// A value that is close to a good one: one of its words is odd, or it is cut.
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

/// One thing done to one key: commands, some of which Redis may refuse.
fn damage(world: &mut World, random: &mut Random, key: &str) -> Vec<Cmd> {
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
    let kind: String = kind.arg(key).query(&mut world.redis).expect("a type");
    match kind.as_str() {
        "hash" => damage_hash(world, random, key),
        "zset" => damage_queue(world, random, key),
        "stream" => damage_log(world, random, key),
        "list" => vec![command("DEL", key, &[])],
        "set" => vec![command("SADD", key, &[&odd(random)])],
        _ => {
            let good: RedisResult<Option<Vec<u8>>> = cmd("GET").arg(key).query(&mut world.redis);
            let good = good.expect("a text").unwrap_or_default();
            vec![command("SET", key, &[&damaged(random, &good)])]
        }
    }
}

fn damage_hash(world: &mut World, random: &mut Random, key: &str) -> Vec<Cmd> {
    let fields: RedisResult<Pairs> = cmd("HGETALL").arg(key).query(&mut world.redis);
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

fn damage_queue(world: &mut World, random: &mut Random, key: &str) -> Vec<Cmd> {
    let mut all = cmd("ZRANGE");
    let members: RedisResult<Vec<Vec<u8>>> = all.arg(key).arg(0).arg(-1).query(&mut world.redis);
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

fn damage_log(world: &mut World, random: &mut Random, key: &str) -> Vec<Cmd> {
    let mut all = cmd("XRANGE");
    let entries: RedisResult<Entries> = all.arg(key).arg("-").arg("+").query(&mut world.redis);
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
            // Written anew, with one entry that is not as it was.
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

/// No entry can follow it.
const LAST_ENTRY: &[u8] = b"18446744073709551615-18446744073709551615";

/// Arguments that are mostly as they were.
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

/// What a yes of a script about a competition has to have done: the log, the counter, and the records of
/// those whom the new entries name have gone on together.
struct Standing {
    revision: Option<f64>,
    log: Vec<(String, Vec<Vec<u8>>)>,
    records: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Standing {
    fn of(world: &mut World, keys: &[String]) -> RedisResult<Self> {
        let revision: Option<String> = cmd("GET").arg(&keys[0]).query(&mut world.redis)?;
        let log: Value = cmd("XRANGE")
            .arg(&keys[4])
            .arg("-")
            .arg("+")
            .query(&mut world.redis)?;
        let mut records = BTreeMap::new();
        for key in &keys[1..3] {
            let found: Pairs = cmd("HGETALL").arg(key).query(&mut world.redis)?;
            for (user, record) in found {
                // What a replay writes again may be spelled differently.
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

    /// What is wrong with what came after this.
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

/// One round of this seed. Answers whether the script said yes.
fn round(world: &mut World, good: &Snapshot, seed: u64) -> bool {
    let mut random = Random(seed);
    good.restore(world);
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
        for command in damage(world, &mut random, &key) {
            let _: RedisResult<Value> = command.query(&mut world.redis);
            done.push(show(&command));
        }
    }
    if damages == 0 || random.one_in(3) {
        spoil(&mut random, &mut call);
    }
    let about_a_competition = call.keys.len() >= 5 && call.keys[0].starts_with("c:");
    let standing = about_a_competition.then(|| Standing::of(world, &call.keys));
    let before = Snapshot::take(world);
    let answer = world.run(&call);
    let after = Snapshot::take(world);
    let yes = says_yes(&call, &answer);
    let told = || format!("seed {seed}: {call}\nafter {done:#?}\nanswered {answer:?}");
    if !yes {
        let changes = before.changes(&after);
        assert!(changes.is_empty(), "{}\nand changed {changes:?}", told());
    } else if let Some(Ok(standing)) = standing {
        let wrong = standing.compare(&Standing::of(world, &call.keys).expect("readable"));
        assert_eq!(wrong, None, "{}", told());
    }
    yes
}

/// A command for a person, at most 200 characters of it.
fn show(command: &Cmd) -> String {
    let packed = String::from_utf8_lossy(&command.get_packed_command())
        .escape_debug()
        .to_string();
    packed.chars().take(200).collect()
}

#[test]
fn scripts_on_anything_at_all_do_everything_or_nothing() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().expect(name))
    };
    let only = number("SCRIPT_FUZZ_SEED");
    let limit = Duration::from_secs(number("SCRIPT_FUZZ_SECONDS").unwrap_or(15));
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time");
    let first = only.unwrap_or(u64::from(now.subsec_nanos()) << 24);
    println!("SCRIPT_FUZZ_SEED={first}");

    let mut world = World::new();
    write(&mut world, &written_plainly());
    let good = Snapshot::take(&mut world);
    let begun = Instant::now();
    let (mut rounds, mut yes) = (0_u64, 0_u64);
    while begun.elapsed() < limit || rounds < 300 {
        yes += u64::from(round(&mut world, &good, first + rounds));
        rounds += 1;
    }
    println!("{rounds} rounds, {yes} of them ended with a yes");
    assert!(
        yes * 20 > rounds && yes * 20 < rounds * 19,
        "{yes} of {rounds} ended with a yes: too one-sided to show anything"
    );
}
