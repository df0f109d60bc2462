//! Bugs that are planted in what the services send to Redis: the checker finds each of them within 10 s.
//! A checker that misses one is broken.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::time::Duration;

use tokio::time::{Instant, sleep};
use torture::checker::check;
use torture::clients::{Load, Plan};
use torture::proxy::Weather;
use torture::rewrite::{Command, Rewrite, is_load};
use torture::world::World;

/// How long a bug may stay unseen, from the first call on.
const LONGEST: Duration = Duration::from_secs(10);

/// What is wrong, and how it is planted.
type Mutant = (&'static str, fn(&mut Command));

const MUTANTS: &[Mutant] = &[
    ("a repeated request is decided again", |command| {
        plant(
            command,
            "if not revision then return nil end",
            "if true then return nil end",
        );
    }),
    ("the last in the queue is promoted", |command| {
        plant(
            command,
            "redis.call('ZRANGE', WAITLIST, 0, count - 1)",
            "redis.call('ZRANGE', WAITLIST, 0, count - 1, 'REV')",
        );
    }),
    (
        "a newcomer takes the place that the queue waits for",
        |command| {
            plant(command, "waited and {} or next_in_queue(competition)", "{}");
            plant(
                command,
                "if #queue == 0 then return false end",
                "if true then return false end",
            );
            plant(command, "(competition.waiting == 0 and ", "(true and ");
        },
    ),
    ("one more than there are places", |command| {
        plant(
            command,
            "competition.confirmed < competition.capacity)",
            "competition.confirmed <= competition.capacity)",
        );
    }),
    ("full, though a place is free", |command| {
        plant(
            command,
            "competition.confirmed < competition.capacity)",
            "competition.confirmed + 1 < competition.capacity)",
        );
    }),
    ("who leaves frees no place for the queue", |command| {
        plant(command, "waited and {} or next_in_queue(competition)", "{}");
    }),
    (
        "a larger capacity frees no place for the queue",
        |command| {
            plant(
                command,
                "promote(competition, queue)\nsave_revision(competition)\nreturn remember",
                "save_revision(competition)\nreturn remember",
            );
        },
    ),
    ("the index lacks a registration", |command| {
        let is_index = command
            .get(1)
            .is_some_and(|key| key.ends_with(b"}:competitions"));
        if is_index && command[0].eq_ignore_ascii_case(b"HSET") {
            *command = vec![b"PING".to_vec()];
        }
    }),
    ("a repeated request is answered otherwise", |command| {
        plant(
            command,
            "registration_reply(word, first, revision, entry.after,",
            "registration_reply(word, first, revision, 'confirmed',",
        );
    }),
    ("a promotion is not in the log", |command| {
        plant(
            command,
            "redis.call('XADD', LOG,",
            "local _ = (action == 'promote' and tostring or redis.call)('XADD', LOG,",
        );
    }),
    ("one registers twice", |command| {
        plant(
            command,
            "if current then return { 'already_registered'",
            "if false then return { 'already_registered'",
        );
    }),
    ("who was removed comes back", |command| {
        plant(command, "past.state == 'R'", "past.state == 'X'");
    }),
    ("the queue is longer than it may be", |command| {
        plant(
            command,
            "competition.waiting >= competition.waitlist_capacity",
            "competition.waiting > competition.waitlist_capacity",
        );
    }),
    ("who withdrew stays in the truth", |command| {
        plant(command, "redis.call('HDEL', REGISTRATIONS, exit.user)", "");
    }),
    ("a count is wrong", |command| {
        plant(
            command,
            "digits(redis.call('HLEN', REGISTRATIONS) - waiting)",
            "digits(redis.call('HLEN', REGISTRATIONS))",
        );
    }),
    ("a place in the queue is wrong", |command| {
        plant(
            command,
            "'waitlisted ' .. digits(competition.waiting + 1)",
            "'waitlisted ' .. digits(competition.waiting + 2)",
        );
    }),
    ("a capacity goes below those who are in", |command| {
        plant(command, "places < competition.confirmed", "places < 0");
    }),
];

/// Changes a script when it is loaded, if it holds this text.
fn plant(command: &mut Command, before: &str, after: &str) {
    if is_load(command) {
        let text = String::from_utf8_lossy(&command[2]).replace(before, after);
        command[2] = text.into_bytes();
    }
}

/// What is found wrong in a short run with lost answers, and how long it took.
async fn torture(change: fn(&mut Command)) -> (Vec<String>, Duration) {
    let world = World::with(&[], Some(Rewrite::new(change))).await;
    let began = Instant::now();
    let load = Load::begin(&world, Plan::narrow(1)).await;
    let competitions = load.competitions.clone();
    for _ in 0..12 {
        sleep(Duration::from_millis(150)).await;
        for service in [&world.user, &world.admin] {
            service.to_redis.set(Weather::AnswersLost);
            sleep(Duration::from_millis(2)).await;
            service.to_redis.set(Weather::Fair);
        }
    }
    let history = load.end().await;
    let problems = check(&history, &world.logs(&competitions).await);
    let mut found: Vec<_> = problems.iter().map(ToString::to_string).collect();
    found.extend(world.findings().await);
    (found, began.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checker_finds_every_planted_bug_and_none_where_none_is() {
    let (found, lasted) = torture(|_| {}).await;
    println!("{lasted:>8.1?}  nothing is planted");
    assert_eq!(found, Vec::<String>::new());
    let mut missed = Vec::new();
    for (bug, change) in MUTANTS {
        let (found, lasted) = torture(*change).await;
        let first = found.first().map_or("nothing", String::as_str);
        println!(
            "{lasted:>8.1?}  {bug}: {} problems, such as: {first:.200}",
            found.len()
        );
        if found.is_empty() || lasted > LONGEST {
            missed.push(bug);
        }
    }
    assert!(
        missed.is_empty(),
        "not found within {LONGEST:?}: {missed:?}"
    );
}
