//! Writes the users and the competitions of the load with the store, as the services write them.

use domain::{
    AdminId, BirthDate, Club, CompetitionId, CountryCode, DisplayName, Email, Password, Profile,
    RequestId, SessionToken, UserId,
};
use futures::stream::{self, StreamExt, TryStreamExt};
use redis_server::RedisServer;
use server::{HashCaller, Passwords};
use store::competitions::NewCompetition;
use store::users::NewUser;
use store::{AdminStore, PasswordHash, Redis, UserStore};
use testkit::CompetitionBuilder;
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};

use crate::result::Result;
use crate::stack::redis;

/// How many writes are in flight.
const CONCURRENCY: usize = 128;
/// How often a write is tried if Redis is unavailable. Each attempt has the same request id, so
/// that the write takes effect once.
const MAX_TRIES: usize = 20;
/// In milliseconds, as the builder of competitions takes them.
const HOUR: i64 = 60 * 60 * 1_000;
const MONTH: i64 = 30 * 24 * HOUR;
/// The password of every user.
pub(crate) const PASSWORD: &str = "vier worte am see";

pub(crate) struct Seeder {
    /// With the permissions of user-service.
    users: UserStore,
    /// With the permissions of admin-service.
    admins: AdminStore,
    /// One hash for all users: hashing takes some 20 ms.
    password: PasswordHash,
    admin: AdminId,
}

/// A user with an account and a session.
#[derive(Debug, Clone)]
pub(crate) struct LoadUser {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) token: SessionToken,
    pub(crate) credential: Credential,
}

/// The value of `authorization` for a session.
#[derive(Debug, Clone)]
pub(crate) struct Credential(MetadataValue<Ascii>);

impl Credential {
    pub(crate) fn new(token: &str) -> Result<Self> {
        Ok(Self(MetadataValue::try_from(format!("Bearer {token}"))?))
    }

    /// A request with this credential.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.0.clone());
        request
    }
}

impl Seeder {
    pub(crate) async fn new(redis: &RedisServer) -> Result<Self> {
        let connect = |user| -> Result<Redis> { Ok(Redis::new(&redis::url(redis, user)?, None)?) };
        let password = Password::parse(PASSWORD.to_owned())?;
        let hash = Passwords::new().hash(HashCaller::SERVER, password).await;
        Ok(Self {
            users: UserStore::new(&connect("user-service")?),
            admins: AdminStore::new(&connect("admin-service")?),
            password: hash.map_err(|error| error.to_string())?,
            admin: AdminId::parse("bench")?,
        })
    }

    /// Creates `count` users with sessions. `kind` keeps their e-mail addresses apart from others.
    pub(crate) async fn users(&self, kind: &str, count: usize) -> Result<Vec<LoadUser>> {
        stream::iter(0..count)
            .map(|number| self.user(kind, number))
            .buffered(CONCURRENCY)
            .try_collect()
            .await
    }

    async fn user(&self, kind: &str, number: usize) -> Result<LoadUser> {
        let new = NewUser {
            email: Email::parse(format!("{kind}-{number}@example.org"))?,
            profile: Profile {
                display_name: DisplayName::parse(format!("Member Number {number}"))?,
                country_code: Some(CountryCode::parse("CH")?),
                birth_date: Some(BirthDate::parse(1990, 5, 17)?),
                club: Club::parse("Ski Club Davos")?,
            },
            request_id: RequestId::random(),
            network: None,
        };
        let (user, session) = retry(|| self.users.sign_up(&new, &self.password)).await?;
        Ok(LoadUser {
            id: user.id,
            email: new.email.as_str().to_owned(),
            credential: Credential::new(session.token.expose())?,
            token: session.token,
        })
    }

    /// Creates `count` published competitions with these details and sealed logs. Their ids are
    /// `kind` and five digits.
    pub(crate) async fn competitions(
        &self,
        kind: &str,
        count: usize,
        details: CompetitionBuilder,
    ) -> Result<Vec<CompetitionId>> {
        stream::iter(0..count)
            .map(|number| self.competition(format!("{kind}-{number:05}"), details.clone()))
            .buffered(CONCURRENCY)
            .try_collect()
            .await
    }

    async fn competition(&self, id: String, details: CompetitionBuilder) -> Result<CompetitionId> {
        let id = CompetitionId::parse(id)?;
        let details = details.title(format!("Spring Marathon {id}"));
        let new = NewCompetition {
            id: Some(id.clone()),
            details: details.build(),
            request_id: RequestId::random(),
        };
        let admins = &self.admins;
        retry(|| admins.create_competition(&self.admin, new.clone())).await?;
        let request = RequestId::random();
        retry(|| admins.publish_competition(&self.admin, &id, request)).await?;
        // Otherwise admin-service seals all of them later, while something else is measured.
        retry(|| admins.seal_log(&id)).await?;
        Ok(id)
    }

    /// Registers each user for the competition beside it.
    pub(crate) async fn register(
        &self,
        pairs: impl Iterator<Item = (&UserId, &CompetitionId)>,
    ) -> Result<()> {
        stream::iter(pairs)
            .map(Ok)
            .try_for_each_concurrent(CONCURRENCY, async |(user, competition)| {
                let request = RequestId::random();
                retry(|| self.users.register(user, competition, request)).await?;
                Ok(())
            })
            .await
    }

    /// Registers these users for one competition. Returns them in the order of their registrations.
    pub(crate) async fn fill(
        &self,
        competition: &CompetitionId,
        users: Vec<LoadUser>,
    ) -> Result<Vec<LoadUser>> {
        let mut registered: Vec<_> = stream::iter(users)
            .map(async |user| -> Result<_> {
                let request = RequestId::random();
                let register = || self.users.register(&user.id, competition, request);
                let registration = retry(register).await?;
                Ok((registration.revision, user))
            })
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        registered.sort_by_key(|(revision, _)| *revision);
        Ok(registered.into_iter().map(|(_, user)| user).collect())
    }
}

/// Repeats a write while Redis is unavailable, as it can be on a busy machine.
async fn retry<T, F>(mut write: impl FnMut() -> F) -> store::Result<T>
where
    F: Future<Output = store::Result<T>>,
{
    for _ in 1..MAX_TRIES {
        match write().await {
            Err(store::Error::Unavailable(_)) => {}
            result => return result,
        }
    }
    write().await
}

/// A competition of typical size that is open for registration and has no limits.
pub(crate) fn open_competition() -> CompetitionBuilder {
    let description = "At each kilometre there is water, fruit and a doctor.\n".repeat(7);
    CompetitionBuilder::new()
        .description(description)
        .venue("Davos, Congress Centre, Talstrasse 49a")
        .country_code("CH")
        .window(-2 * HOUR, MONTH)
        .held(MONTH, MONTH + 8 * HOUR)
}

/// A competition whose registration closed an hour ago.
pub(crate) fn closed_competition() -> CompetitionBuilder {
    open_competition().window(-2 * HOUR, -HOUR)
}
