//! `startlist doctor`: the real binary against a real Redis, while both services serve.
//!
//! - [`sound`]: a system as it must be.
//! - [`damage`]: what somebody's hand did to it is named.
//! - [`repair`]: what can be put right is.
//! - [`load`]: what the services do meanwhile is no finding.
//! - [`ways`]: how it finds Redis, and what it says if it does not.

mod damage;
mod load;
mod repair;
mod sound;
mod ways;

use std::io::Write;

use api::user::DeleteMeRequest;
use api::v1::Competition;
use integration_tests::{PASSWORD, Startlist, User};
use store::{AdminStore, Redis};
use tempfile::NamedTempFile;
use testkit::redis_client::FromRedisValue;
use testkit::{Exit, Program};

/// A running system, its doctor, and somebody who may damage it.
struct Clinic {
    app: Startlist,
}

impl Clinic {
    async fn open() -> Self {
        Self {
            app: Startlist::start().await,
        }
    }

    /// Somebody who is registered for a competition.
    async fn runner(&self, name: &str, race: &Competition) -> User {
        let user = self.app.new_user(name).await;
        user.register(race).await.expect("registered");
        user
    }

    /// Goes on with the seals of all logs.
    async fn seal(&self) {
        let redis = Redis::new(&self.url("admin-service"), None).expect("a URL");
        AdminStore::new(&redis).seal_all().await.expect("sealed");
    }

    /// The claim by which somebody with this id has an address, among the keys of this pattern.
    async fn claim_of(&self, pattern: &str, id: &str) -> String {
        let claims: Vec<String> = self.by_hand(&["KEYS", pattern]).await;
        for claim in claims {
            let owner: String = self.by_hand(&["GET", &claim]).await;
            if owner == id {
                return claim;
            }
        }
        panic!("{id} has no claim");
    }

    /// Sends a command that no service would.
    async fn by_hand<T: FromRedisValue>(&self, command: &[&str]) -> T {
        self.app.redis.root(command).await
    }

    async fn damage(&self, command: &[&str]) {
        let () = self.by_hand(command).await;
    }

    fn url(&self, user: &str) -> String {
        self.app.redis.url(user)
    }

    /// What the doctor says.
    async fn examine(&self) -> Exit {
        let url = [("STARTLIST_REDIS_URL", self.url("doctor"))];
        doctor(&["doctor"], &url).await
    }

    /// What the doctor says after it has repaired.
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

    /// All that stands in Redis, as its own dumps.
    async fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let mut keys: Vec<String> = self.by_hand(&["KEYS", "*"]).await;
        keys.sort();
        let mut contents = Vec::new();
        for key in keys {
            let dump = self.by_hand(&["DUMP", &key]).await;
            contents.push((key, dump));
        }
        contents
    }
}

/// Runs the binary to its end.
async fn doctor(arguments: &[&str], settings: &[(&str, String)]) -> Exit {
    let settings: Vec<_> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    Program::start("startlist", arguments, &settings)
        .exit()
        .await
}

async fn delete_account(user: &User) {
    let request = DeleteMeRequest {
        password: PASSWORD.to_owned(),
        ..Default::default()
    };
    user.calls().delete_me(request).await.expect("deleted");
}

/// Everything is as it must be, and nothing else is said.
#[track_caller]
fn assert_sound(ended: &Exit) {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stdout.starts_with("all invariants hold: "),
        "{ended:?}"
    );
    assert_eq!(ended.stdout.lines().count(), 1, "{ended:?}");
}

/// These lines are said, in any order, and no other but the summary, which is the last one.
#[track_caller]
fn assert_said(ended: &Exit, lines: &[String]) {
    let mut said: Vec<_> = ended.stdout.lines().collect();
    let summary = said.pop().expect("a summary");
    assert!(summary.contains(" in "), "{ended:?}");
    said.sort_unstable();
    let mut lines: Vec<_> = lines.iter().map(String::as_str).collect();
    lines.sort_unstable();
    assert_eq!(said, lines);
    assert!(!ended.stdout.contains("example.org"), "{ended:?}");
}

/// The keys of a competition and of an account.
fn key_of(race: &Competition, holds: &str) -> String {
    format!("c:{{{}}}:{holds}", race.competition_id)
}

fn key_of_user(user: &User, holds: &str) -> String {
    format!("u:{{{}}}:{holds}", user.id)
}
