//! A Redis and both services as processes of their own, with a network link on every connection.
//!
//! - [`Service`]: a process that can be killed, and whose clock can be moved.
//! - [`network`]: the links, which break and lose responses.
//! - [`rewrite`]: changes commands on their way to Redis.
//! - [`Accounts`], [`SignedInAccount`]: users and organisers with sessions.

mod accounts;
pub mod network;
pub mod rewrite;
mod service;

use std::collections::BTreeMap;

use doctor::{Examiner, Severity};
use domain::{CompetitionId, Password};
use integration_tests::{PASSWORD, admin_client, user_client};
use server::{HashCaller, Passwords};
use store::{AdminStore, PageRequest, Redis, UserStore};
use tempfile::TempDir;
use testkit::redis_client::aio::MultiplexedConnection;
use testkit::redis_client::{Client, FromRedisValue, cmd};
use testkit::{ROOT, TestRedis, eventually};

pub use self::accounts::{Accounts, SignedInAccount};
pub use self::service::Service;
use crate::checker::Logs;
use rewrite::Rewrite;

/// A Redis and both services. Dropping it ends all processes.
pub struct World {
    pub admin: Service,
    pub user: Service,
    pub redis: TestRedis,
    pub owner: SignedInAccount,
    pub accounts: Accounts,
}

impl World {
    /// Returns when both services listen.
    pub async fn start() -> Self {
        Self::with(&[], None).await
    }

    /// Starts with additional settings of Redis, and with changed commands.
    pub async fn with(settings: &[(&str, &str)], rewrite: Option<Rewrite>) -> Self {
        let redis = TestRedis::with_settings(settings);
        Self::on(redis, rewrite).await
    }

    /// Starts with the data of Redis in this directory.
    pub async fn with_data(folder: TempDir) -> Self {
        let redis = TestRedis::builder().data(folder).start();
        Self::on(redis, None).await
    }

    async fn on(redis: TestRedis, rewrite: Option<Rewrite>) -> Self {
        let password = Password::parse(PASSWORD.to_owned()).expect("a valid password");
        let mut admin = Service::new("admin-service", &redis, rewrite.clone()).await;
        let mut user = Service::new("user-service", &redis, rewrite).await;
        // Directly, and not through the links, which may be broken.
        let connect = |user| Redis::new(&redis.url(user), None).expect("a valid URL");
        let accounts = Accounts {
            users: UserStore::new(&connect("user-service")),
            admins: AdminStore::new(&connect("admin-service")),
            password: Passwords::new()
                .hash(HashCaller::SERVER, password)
                .await
                .expect("a hash"),
        };
        let owner = accounts.owner().await;
        admin.start().await;
        user.start().await;
        Self {
            admin,
            user,
            redis,
            owner,
            accounts,
        }
    }

    /// Returns when both services respond through their links, with data from Redis.
    pub async fn wait_until_serving(&self) {
        eventually("both services respond", async || {
            let mut users = user_client(self.user.channel(), None);
            let mut admins = admin_client(self.admin.channel(), Some(&self.owner.token));
            let by_user = users.list_competitions(api::user::ListCompetitionsRequest::default());
            let by_admin = admins.list_competitions(api::admin::ListCompetitionsRequest::default());
            by_user.await.is_ok() && by_admin.await.is_ok()
        })
        .await;
    }

    /// A connection of [`ROOT`] that opens again when it breaks.
    #[must_use]
    pub fn root_connection(&self) -> RootConnection {
        RootConnection {
            client: self.redis.client(ROOT),
            open: None,
        }
    }

    /// Reads the whole logs of these competitions.
    pub async fn logs(&self, competitions: &[CompetitionId]) -> Logs {
        let mut logs = BTreeMap::new();
        for competition in competitions {
            let mut log = Vec::new();
            let mut page = PageRequest {
                size: 200,
                after: None,
            };
            // Fails for a competition that was never created.
            while let Ok(mut read) = self.accounts.admins.audit_entries(competition, &page).await {
                log.append(&mut read.items);
                match read.next {
                    Some(next) => page.after = Some(next),
                    None => break,
                }
            }
            logs.insert(competition.clone(), log);
        }
        logs
    }

    /// Examines the data in Redis: registrations against logs, indexes, seals and the catalogue.
    /// Returns what is wrong.
    pub async fn findings(&self) -> Vec<String> {
        let redis = Redis::new(&self.redis.url("doctor"), None).expect("a valid URL");
        // The examination also compares each log with its seal.
        self.accounts.admins.seal_all().await.expect("sealed");
        let examiner = Examiner::new(&redis);
        let report = examiner.examine(|_| {}).await.expect("a report");
        // Killed calls leave orphans and leftovers behind, which are allowed.
        let findings = report.findings.iter();
        let broken = findings.filter(|finding| finding.severity == Severity::Broken);
        broken.map(ToString::to_string).collect()
    }
}

/// See [`World::root_connection`].
pub struct RootConnection {
    client: Client,
    open: Option<MultiplexedConnection>,
}

impl RootConnection {
    /// Sends a command; `None` if Redis is down or returns an error.
    pub async fn send<T: FromRedisValue>(&mut self, command: &[Vec<u8>]) -> Option<T> {
        if self.open.is_none() {
            self.open = self.client.get_multiplexed_async_connection().await.ok();
        }
        let mut call = cmd(std::str::from_utf8(&command[0]).expect("the name of a command"));
        call.arg(&command[1..]);
        let reply = call.query_async(self.open.as_mut()?).await;
        if reply.is_err() {
            self.open = None;
        }
        reply.ok()
    }
}
