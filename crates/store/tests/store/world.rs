//! The fixture of all tests: a Redis with a store for each service, as the Redis user of that
//! service.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use deadpool_redis::redis::{FromRedisValue, cmd};
use domain::{
    AdminId, AuditEntry, Capacity, Competition, CompetitionDetails, CompetitionId,
    CompetitionPatch, ReadOnlyCompetition, Reason, Rejected, Rejection, RequestId, Role, UserId,
};
use store::admins::NewAdmin;
use store::competitions::NewCompetition;
use store::users::NewUser;
use store::{
    AdminStore, Error, IssuedSession, Origin, PageRequest, PasswordHash, Redis, UserStore,
};
use testkit::fixtures::display_name;
use testkit::{CompetitionBuilder, ROOT, TestRedis};

pub(crate) use futures::future::join_all;
pub(crate) use testkit::eventually;
pub(crate) use testkit::fixtures::{email, profile};

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// A Redis with the stores of both services. Everything ends when it is dropped.
pub(crate) struct World {
    /// Has the Redis user of admin-service.
    pub(crate) admin: AdminStore,
    /// Has the Redis user of user-service.
    pub(crate) user: UserStore,
    /// The owner who makes the changes of competitions.
    pub(crate) organiser: AdminId,
    pub(crate) redis: TestRedis,
    people: AtomicU32,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_settings(&[]).await
    }

    /// Starts Redis with these settings in addition to those of a system of record.
    pub(crate) async fn with_settings(settings: &[(&str, &str)]) -> Self {
        let redis = TestRedis::builder()
            // So that a text can be found in the reply of DUMP.
            .settings(&[("rdbcompression", "no")])
            .settings(settings)
            .start();
        Self::on(redis).await
    }

    pub(crate) async fn on(redis: TestRedis) -> Self {
        let admin = AdminStore::new(&connections(&redis, "admin-service"));
        let (owner, secret) = (new_admin("olga", Role::Owner), password("olga"));
        let created = admin.create_admin(&creator(), &owner, &secret).await;
        Self {
            admin,
            user: UserStore::new(&connections(&redis, "user-service")),
            organiser: created.expect("an owner").id,
            redis,
            people: AtomicU32::new(0),
        }
    }

    /// The store of another process of admin-service.
    pub(crate) fn another_admin_store(&self) -> AdminStore {
        AdminStore::new(&connections(&self.redis, "admin-service"))
    }

    /// The store of another process of user-service.
    pub(crate) fn another_user_store(&self) -> UserStore {
        UserStore::new(&connections(&self.redis, "user-service"))
    }

    /// Runs a command as a Redis user who may run every command.
    pub(crate) async fn root<T: FromRedisValue>(&self, command: &[&str]) -> T {
        self.redis.root(command).await
    }

    /// Creates a published competition: see [`details`].
    pub(crate) async fn competition(&self, limits: Limits) -> CompetitionId {
        let draft = self.draft(limits).await;
        let published = self
            .admin
            .publish_competition(&self.organiser, &draft, new_request());
        published.await.expect("published").id
    }

    pub(crate) async fn draft(&self, limits: Limits) -> CompetitionId {
        let new = new_competition(details(limits));
        let created = self.admin.create_competition(&self.organiser, new);
        created.await.expect("a draft").id
    }

    /// Creates a user.
    pub(crate) async fn person(&self) -> UserId {
        let number = self.people.fetch_add(1, Ordering::Relaxed);
        self.sign_up(&format!("person-{number}")).await.0
    }

    /// Creates several users.
    pub(crate) async fn people(&self, count: usize) -> Vec<UserId> {
        // At most 200 at a time, so that no command has to wait for 0.5 s and fails.
        let mut people = Vec::with_capacity(count);
        while people.len() < count {
            let some = (count - people.len()).min(200);
            people.extend(join_all((0..some).map(|_| self.person())).await);
        }
        people
    }

    /// Creates the user `<name>@example.org`, with a session.
    pub(crate) async fn sign_up(&self, name: &str) -> (UserId, IssuedSession<UserId>) {
        let secret = password(name);
        let made = retry(async |request_id| {
            let new = NewUser {
                request_id,
                ..new_user(name)
            };
            self.user.sign_up(&new, &secret).await
        });
        let (user, session) = made.await.expect("an account");
        (user.id, session)
    }

    pub(crate) async fn register(
        &self,
        user: &UserId,
        competition: &CompetitionId,
    ) -> store::Result<domain::Registration> {
        self.user.register(user, competition, new_request()).await
    }

    pub(crate) async fn withdraw(
        &self,
        user: &UserId,
        competition: &CompetitionId,
    ) -> store::Result<domain::Registration> {
        self.user.withdraw(user, competition, new_request()).await
    }

    pub(crate) async fn remove(
        &self,
        user: &UserId,
        competition: &CompetitionId,
    ) -> store::Result<store::registrations::OrganiserRegistration> {
        self.remove_because("no licence", user, competition).await
    }

    pub(crate) async fn remove_because(
        &self,
        reason: &str,
        user: &UserId,
        competition: &CompetitionId,
    ) -> store::Result<store::registrations::OrganiserRegistration> {
        let reason = Reason::parse(reason).expect("a reason");
        let by = &self.organiser;
        self.admin
            .remove_registration(by, competition, user, &reason, new_request())
            .await
    }

    pub(crate) async fn add(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        options: domain::AddOptions,
    ) -> store::Result<store::registrations::OrganiserRegistration> {
        let by = &self.organiser;
        self.admin
            .add_registration(by, competition, user, options, new_request())
            .await
    }

    /// Updates a competition without an etag.
    pub(crate) async fn update(
        &self,
        competition: &CompetitionId,
        patch: CompetitionPatch,
    ) -> store::Result<Competition> {
        let by = &self.organiser;
        self.admin
            .update_competition(
                by,
                competition,
                &patch,
                &ReadOnlyCompetition::default(),
                None,
                new_request(),
            )
            .await
    }

    pub(crate) async fn capacity(
        &self,
        competition: &CompetitionId,
        places: i64,
    ) -> store::Result<Competition> {
        let capacity = Some(Capacity::parse(places).expect("a capacity"));
        let patch = CompetitionPatch {
            capacity: Some(capacity),
            ..CompetitionPatch::default()
        };
        self.update(competition, patch).await
    }

    pub(crate) async fn cancel(&self, competition: &CompetitionId) -> store::Result<Competition> {
        let reason = Reason::parse("storm").expect("a reason");
        self.admin
            .cancel_competition(&self.organiser, competition, &reason, new_request())
            .await
    }

    /// Erases the account of `<name>@example.org`.
    pub(crate) async fn erase(&self, name: &str, user: &UserId, session: &IssuedSession<UserId>) {
        let (checked, token) = (password(name), session.token.hash());
        let user = self.user.get_user(user).await.expect("a user");
        let erased = self.user.erase_user(&user, &checked, token, new_request());
        erased.await.expect("erased");
    }

    /// Lets time pass for one competition, by moving all its times into the past. A test cannot set
    /// the clock of Redis.
    pub(crate) async fn time_passes(&self, competition: &CompetitionId, millis: i64) {
        let meta = format!("c:{{{competition}}}:meta");
        for moment in [
            "starts_at",
            "ends_at",
            "registration_opens_at",
            "registration_closes_at",
        ] {
            let _: i64 = self
                .root(&["HINCRBY", &meta, moment, &(-millis).to_string()])
                .await;
        }
    }

    /// Returns the numbers of confirmed and of waitlisted users.
    pub(crate) async fn counts(&self, competition: &CompetitionId) -> (u32, u32) {
        let found = self
            .admin
            .get_competition(competition)
            .await
            .expect("a competition");
        (found.confirmed_count, found.waitlisted_count)
    }

    pub(crate) async fn state(
        &self,
        user: &UserId,
        competition: &CompetitionId,
    ) -> domain::RegistrationState {
        let found = self.user.my_registration(user, competition).await;
        found.expect("a registration").state
    }

    /// Reads the whole log.
    pub(crate) async fn log(&self, competition: &CompetitionId) -> Vec<AuditEntry> {
        let mut entries = Vec::new();
        let mut page = PageRequest {
            size: 200,
            after: None,
        };
        loop {
            let found = self
                .admin
                .audit_entries(competition, &page)
                .await
                .expect("a log");
            entries.extend(found.items);
            page.after = found.next;
            if page.after.is_none() {
                return entries;
            }
        }
    }

    /// Reads all keys with their values, as DUMP replies them.
    pub(crate) async fn everything(&self) -> HashMap<String, Vec<u8>> {
        let mut connection = self.redis.connect(ROOT).await;
        let keys: Vec<String> = cmd("KEYS")
            .arg("*")
            .query_async(&mut connection)
            .await
            .expect("the keys");
        let mut values = HashMap::new();
        for key in keys {
            let mut dump = cmd("DUMP");
            let value: Option<Vec<u8>> = dump
                .arg(&key)
                .query_async(&mut connection)
                .await
                .expect("a value");
            // A key may have expired meanwhile.
            values.extend(value.map(|value| (key, value)));
        }
        values
    }
}

/// The limits of a competition.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    /// `None` = no limit.
    pub(crate) places: Option<i64>,
    /// `None` = no limit.
    pub(crate) waitlist: Option<i64>,
}

/// Limits the confirmed registrations, and not the waitlist.
pub(crate) fn places(count: i64) -> Limits {
    Limits {
        places: Some(count),
        waitlist: None,
    }
}

impl Limits {
    /// Limits the waitlist too.
    pub(crate) fn waitlist(self, count: i64) -> Self {
        Self {
            waitlist: Some(count),
            ..self
        }
    }
}

/// Open for registration since a day, closes in a day, starts in a week.
pub(crate) fn details(limits: Limits) -> CompetitionDetails {
    CompetitionBuilder::new()
        .capacity(limits.places)
        .waitlist_capacity(limits.waitlist)
        .build()
}

pub(crate) fn connections(redis: &TestRedis, user: &str) -> Redis {
    Redis::new(&redis.url(user), None).expect("a valid URL")
}

pub(crate) fn new_competition(details: CompetitionDetails) -> NewCompetition {
    NewCompetition {
        id: None,
        details,
        request_id: new_request(),
    }
}

pub(crate) fn new_user(name: &str) -> NewUser {
    NewUser {
        email: email(name),
        profile: profile(name),
        request_id: new_request(),
        network: None,
    }
}

/// The network `192.0.<number>.0/24`.
pub(crate) fn network(number: u8) -> IpAddr {
    [192, 0, number, 0].into()
}

/// The network that sign-ins come from where it does not matter.
pub(crate) fn here() -> Origin {
    Origin::network(network(0))
}

/// The id that takes the place of the admin who creates the first admin.
pub(crate) fn creator() -> AdminId {
    AdminId::parse("tests").expect("an id")
}

pub(crate) fn new_admin(name: &str, role: Role) -> NewAdmin {
    NewAdmin {
        email: email(name),
        display_name: display_name(name),
        role,
        request_id: new_request(),
    }
}

/// The hash of a password. It is not a valid hash, because the store does not check passwords.
pub(crate) fn password(name: &str) -> PasswordHash {
    PasswordHash::new(format!("$argon2id$the password of {name}"))
}

pub(crate) fn new_request() -> RequestId {
    RequestId::random()
}

/// The first page.
pub(crate) fn first_page(size: usize) -> PageRequest {
    PageRequest { size, after: None }
}

/// Returns the rejection, with its metadata. Panics on any other result.
pub(crate) fn rejected<T: std::fmt::Debug>(result: store::Result<T>) -> Rejected {
    match result.expect_err("a rejection") {
        Error::Rejected(rejected) => *rejected,
        error => panic!("not a rejection: {error:?}"),
    }
}

/// Returns the rejection. Panics on any other result.
pub(crate) fn rejection<T: std::fmt::Debug>(result: store::Result<T>) -> Rejection {
    rejected(result).rejection
}

/// Repeats a call with the same request id while Redis is too busy to reply in time, as a client
/// does.
pub(crate) async fn retry<T>(
    mut call: impl AsyncFnMut(RequestId) -> store::Result<T>,
) -> store::Result<T> {
    let request = new_request();
    let is_transient = |error: &Error| matches!(error, Error::Unavailable(_) | Error::TooLate);
    testkit::retry(is_transient, async || call(request).await).await
}
