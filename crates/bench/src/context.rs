//! The context of a scenario: the running stack, the settings, and the accounts for the load.

use std::time::{Duration, Instant};

use api::admin::SignInRequest;
use api::admin::admin_service_client::AdminServiceClient;
use tokio::sync::OnceCell;
use tokio::time::sleep;
use tonic::Code;

use crate::measurement::Observed;
use crate::result::Result;
use crate::seed::{Credential, LoadUser, Seeder};
use crate::settings::Settings;
use crate::stack::{CounterReader, GrpcServer, OWNER_EMAIL, OWNER_PASSWORD, Stack};

/// A user of Redis's ACL who may read its counters.
const COUNTERS_USER: &str = "doctor";
const SIGN_IN_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Context<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) stack: Stack,
    pub(crate) counters: CounterReader,
    pub(crate) seeder: Seeder,
    users: OnceCell<Vec<LoadUser>>,
    owner: OnceCell<Credential>,
}

impl<'a> Context<'a> {
    /// Starts Redis and the services.
    pub(crate) async fn start(settings: &'a Settings) -> Result<Self> {
        let stack = Stack::start(settings).await?;
        Ok(Self {
            settings,
            counters: CounterReader::connect(&stack.redis, COUNTERS_USER).await?,
            seeder: Seeder::new(&stack.redis).await?,
            stack,
            users: OnceCell::new(),
            owner: OnceCell::new(),
        })
    }
}

impl Context<'_> {
    /// Users with an account and a session. The first call creates them.
    pub(crate) async fn users(&self) -> Result<&[LoadUser]> {
        let create = || async {
            let count = self.settings.users as usize;
            eprintln!("  creating {count} accounts");
            self.seeder.users("member", count).await
        };
        Ok(self.users.get_or_try_init(create).await?)
    }

    /// The credential of the owner for admin-service.
    pub(crate) async fn owner(&self) -> Result<&Credential> {
        self.owner.get_or_try_init(|| self.sign_owner_in()).await
    }

    async fn sign_owner_in(&self) -> Result<Credential> {
        let mut client = AdminServiceClient::new(self.stack.admin.connect().await?);
        let deadline = Instant::now() + SIGN_IN_TIMEOUT;
        loop {
            let request = SignInRequest {
                email: OWNER_EMAIL.to_owned(),
                password: OWNER_PASSWORD.to_owned(),
            };
            match client.sign_in(request).await {
                Ok(session) => return Credential::new(&session.get_ref().session_token),
                // The service creates the owner after it has become ready.
                Err(status)
                    if status.code() == Code::Unauthenticated && Instant::now() < deadline =>
                {
                    sleep(Duration::from_millis(10)).await;
                }
                Err(status) => return Err(status.into()),
            }
        }
    }

    /// The processes to observe while calls go to this server.
    pub(crate) fn observe(&self, server: Option<&GrpcServer>) -> Observed<'_> {
        Observed {
            server: server.map(GrpcServer::pid),
            redis: self.stack.redis.pid(),
            counters: &self.counters,
        }
    }

    /// The most calls that a scenario makes at this throughput, warm-ups included.
    pub(crate) fn max_calls(&self, calls_per_second: usize) -> usize {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let seconds = self.settings.seconds.ceil() as usize + 3;
        calls_per_second * seconds
    }
}
