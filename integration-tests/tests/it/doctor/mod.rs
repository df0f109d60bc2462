//! `startlist doctor`: the real binary against a real Redis, while both services run.
//!
//! - [`sound`]: a sound system has no findings.
//! - [`damage`]: every kind of damage is reported.
//! - [`repair`]: what can be repaired is repaired, and nothing else is changed.
//! - [`load`]: what the services do during an examination is no finding.
//! - [`login`]: how the doctor finds Redis, and its errors.

mod damage;
mod load;
mod login;
mod repair;
mod sound;

use std::io::Write;

use api::v1::Competition;
use integration_tests::{Startlist, User};
use store::{AdminStore, Redis};
use tempfile::NamedTempFile;
use testkit::redis_client::FromRedisValue;
use testkit::{Exit, Program};

/// A running system and its doctor.
struct System {
    app: Startlist,
}

impl System {
    async fn start() -> Self {
        Self {
            app: Startlist::start().await,
        }
    }

    /// A user who is registered for a competition.
    async fn runner(&self, name: &str, race: &Competition) -> User {
        let user = self.app.new_user(name).await;
        user.register(race).await.expect("registered");
        user
    }

    async fn seal(&self) {
        let redis = Redis::new(&self.url("admin-service"), None).expect("a URL");
        AdminStore::new(&redis).seal_all().await.expect("sealed");
    }

    /// The claim that an account owns, among the keys of this pattern.
    async fn claim_of(&self, pattern: &str, id: &str) -> String {
        let claims: Vec<String> = self.command(&["KEYS", pattern]).await;
        for claim in claims {
            let owner: String = self.command(&["GET", &claim]).await;
            if owner == id {
                return claim;
            }
        }
        panic!("{id} has no claim");
    }

    /// Sends a command as a user who may do everything.
    async fn command<T: FromRedisValue>(&self, command: &[&str]) -> T {
        self.app.redis.root(command).await
    }

    async fn damage(&self, command: &[&str]) {
        let () = self.command(command).await;
    }

    fn url(&self, user: &str) -> String {
        self.app.redis.url(user)
    }

    async fn examine(&self) -> Exit {
        let url = [("STARTLIST_REDIS_URL", self.url("doctor"))];
        doctor(&["doctor"], &url).await
    }

    /// Runs the doctor with `--repair`.
    async fn repair(&self) -> Exit {
        let url = self.url("user-service");
        let (_, rest) = url.split_once("user-service:").expect("a password");
        let (password, _) = rest.split_once('@').expect("a host");
        let mut file = NamedTempFile::new().expect("a file");
        writeln!(file, "{password}").expect("written");
        let path = file.path().to_str().expect("a path").to_owned();
        let settings = [
            ("STARTLIST_REDIS_URL", self.url("doctor")),
            ("STARTLIST_REPAIR_PASSWORD_FILE", path),
        ];
        doctor(&["doctor", "--repair"], &settings).await
    }

    /// All keys and their values, as DUMP returns them.
    async fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let mut keys: Vec<String> = self.command(&["KEYS", "*"]).await;
        keys.sort();
        let mut contents = Vec::new();
        for key in keys {
            let dump = self.command(&["DUMP", &key]).await;
            contents.push((key, dump));
        }
        contents
    }
}

/// Runs the binary until it exits.
async fn doctor(arguments: &[&str], settings: &[(&str, String)]) -> Exit {
    let settings = settings.iter().map(|(name, value)| (*name, value.as_str()));
    let settings: Vec<_> = settings.collect();
    Program::start("startlist", arguments, &settings)
        .exit()
        .await
}

/// The doctor printed nothing but that all invariants hold.
#[track_caller]
fn assert_sound(exit: &Exit) {
    assert_eq!(exit.code, Some(0), "{exit:?}");
    assert!(exit.stdout.starts_with("all invariants hold: "), "{exit:?}");
    assert_eq!(exit.stdout.lines().count(), 1, "{exit:?}");
}

/// The doctor printed these lines, in any order, and a summary as the last line, and nothing else.
#[track_caller]
fn assert_printed(exit: &Exit, lines: &[String]) {
    let mut printed: Vec<_> = exit.stdout.lines().collect();
    let summary = printed.pop().expect("a summary");
    assert!(summary.contains(" in "), "{exit:?}");
    printed.sort_unstable();
    let mut lines: Vec<_> = lines.iter().map(String::as_str).collect();
    lines.sort_unstable();
    assert_eq!(printed, lines);
    assert!(!exit.stdout.contains("example.org"), "{exit:?}");
}

fn key_of(race: &Competition, suffix: &str) -> String {
    format!("c:{{{}}}:{suffix}", race.competition_id)
}

fn key_of_user(user: &User, suffix: &str) -> String {
    format!("u:{{{}}}:{suffix}", user.id)
}
