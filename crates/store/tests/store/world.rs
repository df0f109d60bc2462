//! A Redis of the test's own, and a store for each service on it, as that service's Redis user.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{Client, FromRedisValue, cmd};
use domain::competition::Moments;
use domain::{
    AdminId, AuditEntry, Capacity, Club, Competition, CompetitionDetails, CompetitionId,
    CompetitionPatch, Description, DisplayName, Email, Profile, Reason, Rejected, Rejection,
    RequestId, Role, Schedule, Timestamp, Title, UserId, Venue, WaitlistCapacity,
};
use redis_server::{Options, RedisServer};
use store::admins::NewAdmin;
use store::competitions::NewCompetition;
use store::users::NewUser;
use store::{AdminStore, Error, IssuedSession, PageRequest, PasswordHash, Redis, UserStore};
use tempfile::TempDir;

/// The user of the tests themselves, who may do everything.
const ROOT: &str = "\nuser root on #@ROOT_SHA256@ ~* &* +@all\n";

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// A Redis with both services' stores. It ends with this value.
pub(crate) struct World {
    /// As admin-service.
    pub(crate) admin: AdminStore,
    /// As user-service.
    pub(crate) user: UserStore,
    /// Who runs the competitions.
    pub(crate) organiser: AdminId,
    pub(crate) redis: RedisServer,
    people: AtomicU32,
    _folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_settings(&[]).await
    }

    /// With these settings of Redis beside those of a system of record.
    pub(crate) async fn with_settings(settings: &[(&str, &str)]) -> Self {
        let (redis, folder) = start_redis(settings);
        let admin = AdminStore::new(&connections(&redis, "admin-service"));
        let (owner, secret) = (new_admin("olga", Role::Owner), password("olga"));
        let made = admin.create_admin(&creator(), &owner, &secret).await;
        let organiser = made.expect("an owner").id;
        Self {
            admin,
            user: UserStore::new(&connections(&redis, "user-service")),
            organiser,
            redis,
            people: AtomicU32::new(0),
            _folder: folder,
        }
    }

    /// A connection as this Redis user, beside the stores.
    pub(crate) async fn connect_as(&self, user: &str) -> MultiplexedConnection {
        let url = self.redis.url_for(user).expect("a user");
        let client = Client::open(url).expect("a URL");
        client
            .get_multiplexed_async_connection()
            .await
            .expect("a connection")
    }

    /// The store of another process of admin-service.
    pub(crate) fn another_admin_store(&self) -> AdminStore {
        AdminStore::new(&connections(&self.redis, "admin-service"))
    }

    /// The store of another process of user-service.
    pub(crate) fn another_user_store(&self) -> UserStore {
        UserStore::new(&connections(&self.redis, "user-service"))
    }

    /// Sends a command that only the tests may send.
    pub(crate) async fn root<T: FromRedisValue>(&self, command: &[&str]) -> T {
        let mut connection = self.connect_as("root").await;
        let mut call = cmd(command[0]);
        call.arg(&command[1..]);
        call.query_async(&mut connection).await.expect("an answer")
    }

    /// How often Redis was told a command, in scripts too.
    pub(crate) async fn calls(&self, command: &str) -> u32 {
        let stats: String = self.root(&["INFO", "commandstats"]).await;
        let line = stats
            .lines()
            .find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
        let count = line.and_then(|line| line.split(',').next());
        count.map_or(0, |count| count.parse().expect("a number"))
    }

    /// A published competition, open now, that starts in a week.
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

    /// A user with an account.
    pub(crate) async fn person(&self) -> UserId {
        let number = self.people.fetch_add(1, Ordering::Relaxed);
        self.sign_up(&format!("person-{number}")).await.0
    }

    /// So many users with accounts.
    pub(crate) async fn people(&self, count: usize) -> Vec<UserId> {
        // Some hundred at a time: each of them is a pipeline of its own, and a command may take 0.5 s.
        let mut people = Vec::with_capacity(count);
        while people.len() < count {
            let some = (count - people.len()).min(200);
            people.extend(join_all((0..some).map(|_| self.person())).await);
        }
        people
    }

    /// An account with the address `<name>@example.org` and a session.
    pub(crate) async fn sign_up(&self, name: &str) -> (UserId, IssuedSession<UserId>) {
        let secret = password(name);
        let made = insist(async |request_id| {
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
        let reason = Reason::parse("no licence").expect("a reason");
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

    /// An update without an etag.
    pub(crate) async fn update(
        &self,
        competition: &CompetitionId,
        patch: CompetitionPatch,
    ) -> store::Result<Competition> {
        let by = &self.organiser;
        self.admin
            .update_competition(by, competition, &patch, None, new_request())
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

    /// Deletes the account of `<name>@example.org`.
    pub(crate) async fn erase(&self, name: &str, user: &UserId, session: &IssuedSession<UserId>) {
        let (checked, token) = (password(name), session.token.hash());
        let user = self.user.get_user(user).await.expect("a user");
        let erased = self.user.erase_user(&user, &checked, token, new_request());
        erased.await.expect("erased");
    }

    /// Lets time pass for one competition, by moving all of its moments into the past: a test cannot
    /// move the clock of Redis.
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

    /// (confirmed, waiting)
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

    /// The whole log.
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

    /// All keys with their values.
    pub(crate) async fn everything(&self) -> HashMap<String, Vec<u8>> {
        let mut connection = self.connect_as("root").await;
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
            // One that has ended meanwhile.
            values.extend(value.map(|value| (key, value)));
        }
        values
    }
}

/// What bounds a competition.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    /// `None` = no limit.
    pub(crate) places: Option<i64>,
    /// `None` = no limit.
    pub(crate) waitlist: Option<i64>,
}

/// So many places, and as many as like may wait.
pub(crate) fn places(count: i64) -> Limits {
    Limits {
        places: Some(count),
        waitlist: None,
    }
}

impl Limits {
    /// Only so many may wait.
    pub(crate) fn waitlist(self, count: i64) -> Self {
        Self {
            waitlist: Some(count),
            ..self
        }
    }
}

/// A Redis whose program the environment may choose.
pub(crate) fn start_redis(settings: &[(&str, &str)]) -> (RedisServer, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let options = Options {
        program: std::env::var_os("STARTLIST_TEST_REDIS_SERVER").map(Into::into),
        data_dir: folder.path().to_owned(),
        acl: format!("{}{ROOT}", store::ACL_TEMPLATE),
        // So that a text can be found in what DUMP answers.
        settings: [("rdbcompression", "no")]
            .iter()
            .chain(settings)
            .map(owned)
            .collect(),
        ..Options::default()
    };
    (RedisServer::start(options).expect("a Redis"), folder)
}

pub(crate) fn connections(redis: &RedisServer, user: &str) -> Redis {
    Redis::new(&redis.url_for(user).expect("a user"), None).expect("a URL")
}

/// Open since a day, closes in a day, starts in a week, lasts for a day.
pub(crate) fn details(limits: Limits) -> CompetitionDetails {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = i64::try_from(now.expect("a time").as_millis()).expect("a time");
    let at = |millis| Timestamp::from_millis(now + millis).expect("a moment");
    let moments = Moments {
        starts_at: at(7 * DAY),
        ends_at: at(8 * DAY),
        registration_opens_at: at(-DAY),
        registration_closes_at: at(DAY),
    };
    CompetitionDetails {
        title: Title::parse("Spring Cup").expect("a title"),
        description: Description::parse("").expect("a description"),
        venue: Venue::parse("Town Hall").expect("a venue"),
        country_code: None,
        schedule: Schedule::parse(moments).expect("a schedule"),
        capacity: limits
            .places
            .map(|count| Capacity::parse(count).expect("a capacity")),
        waitlist_capacity: limits
            .waitlist
            .map(|count| WaitlistCapacity::parse(count).expect("a capacity")),
    }
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
    }
}

/// Takes the place of the admin who creates the first ones.
pub(crate) fn creator() -> AdminId {
    AdminId::parse("tests").expect("an id")
}

pub(crate) fn new_admin(name: &str, role: Role) -> NewAdmin {
    NewAdmin {
        email: email(name),
        display_name: DisplayName::parse(name).expect("a name"),
        role,
        request_id: new_request(),
    }
}

pub(crate) fn profile(name: &str) -> Profile {
    Profile {
        display_name: DisplayName::parse(name).expect("a name"),
        country_code: None,
        birth_date: None,
        club: Club::parse("").expect("a club"),
    }
}

pub(crate) fn email(name: &str) -> Email {
    Email::parse(format!("{name}@example.org")).expect("an address")
}

/// The hash of a password. The store takes it as it is: checking passwords is not its business.
pub(crate) fn password(name: &str) -> PasswordHash {
    PasswordHash::new(format!("$argon2id$the password of {name}"))
}

pub(crate) fn new_request() -> RequestId {
    RequestId::random()
}

/// A page from the beginning.
pub(crate) fn first_page(size: usize) -> PageRequest {
    PageRequest { size, after: None }
}

/// Which rule said no.
pub(crate) fn rejected<T: std::fmt::Debug>(answer: store::Result<T>) -> Rejected {
    match answer.expect_err("a rule says no") {
        Error::Rejected(rejected) => *rejected,
        error => panic!("no rule, but {error:?}"),
    }
}

/// Which rule said no, without the ids.
pub(crate) fn rejection<T: std::fmt::Debug>(answer: store::Result<T>) -> Rejection {
    rejected(answer).rejection
}

/// Calls again with the same request id as long as Redis is too busy to answer in time, as a client does.
pub(crate) async fn insist<T>(
    mut call: impl AsyncFnMut(RequestId) -> store::Result<T>,
) -> store::Result<T> {
    let request = new_request();
    loop {
        match call(request).await {
            Err(Error::Unavailable(_) | Error::TooLate) => {}
            answer => return answer,
        }
    }
}

/// Waits until something has happened that cannot fail to happen.
pub(crate) async fn eventually(what: &str, mut happened: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !happened().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .expect(what);
}

/// Runs futures at the same time in this task, and answers their results in order.
pub(crate) async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    futures::future::join_all(futures).await
}
