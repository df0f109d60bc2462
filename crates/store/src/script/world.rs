//! A small world that the scripts themselves make, a call of each of them, and a Redis to make it in.

use deadpool_redis::redis::{self, Client, Connection, Value, cmd};
use domain::{AdminId, CompetitionId, RequestId, UserId};
use redis_server::{Options, RedisServer};
use tempfile::TempDir;

use crate::keys::{Account, BOOTSTRAP, Competition, OWNERS, People, email_claim};

/// The user of the tests, who may do everything.
const ROOT: &str = "\nuser root on #@ROOT_SHA256@ ~* &* +@all\n";

/// A call of a script.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) script: &'static str,
    pub(super) keys: Vec<String>,
    pub(super) arguments: Vec<Vec<u8>>,
}

/// For a person: long arguments are cut.
impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.script)?;
        for argument in &self.arguments {
            let shown = String::from_utf8_lossy(&argument[..argument.len().min(80)]).into_owned();
            write!(f, " {shown:?}")?;
        }
        Ok(())
    }
}

fn call(script: &'static str, keys: impl Into<Vec<String>>, arguments: &[&str]) -> Call {
    Call {
        script,
        keys: keys.into(),
        arguments: arguments
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .collect(),
    }
}

/// A Redis of the test's own, which ends with this value.
pub(super) struct World {
    pub(super) redis: Connection,
    _server: RedisServer,
    _folder: TempDir,
}

/// Hashes and queues stay lists inside of Redis, whose dumps do not depend on what was read meanwhile.
const SETTINGS: [(&str, &str); 5] = [
    ("appendfsync", "no"),
    ("hash-max-listpack-entries", "50000"),
    ("hash-max-listpack-value", "4000000"),
    ("zset-max-listpack-entries", "50000"),
    ("zset-max-listpack-value", "4000000"),
];

impl World {
    /// Nothing in it.
    pub(super) fn empty() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let server = RedisServer::start(Options {
            program: std::env::var_os("STARTLIST_TEST_REDIS_SERVER").map(Into::into),
            data_dir: folder.path().to_owned(),
            acl: format!("{}{ROOT}", crate::ACL_TEMPLATE),
            settings: SETTINGS.iter().map(owned).collect(),
            ..Options::default()
        });
        let server = server.expect("a Redis");
        let client = Client::open(server.url_for("root").expect("a user")).expect("a URL");
        Self {
            redis: client.get_connection().expect("a connection"),
            _server: server,
            _folder: folder,
        }
    }

    /// With what [`beginning`] makes.
    pub(super) fn new() -> Self {
        let mut world = Self::empty();
        for call in beginning() {
            let answer = world.run(&call);
            assert!(says_yes(&call, &answer), "{call:?} answered {answer:?}");
        }
        world
    }

    /// Calls a script as it is.
    pub(super) fn run(&mut self, call: &Call) -> redis::RedisResult<Value> {
        self.run_text(text_of(call.script), call)
    }

    /// Calls this text in the place of the script.
    pub(super) fn run_text(&mut self, text: &str, call: &Call) -> redis::RedisResult<Value> {
        let mut eval = cmd("EVAL");
        eval.arg(text).arg(call.keys.len()).arg(&call.keys);
        eval.arg(&call.arguments).query(&mut self.redis)
    }
}

/// A script, whole, as Redis gets it.
pub(super) fn text_of(name: &str) -> &'static str {
    let found = super::all()
        .into_iter()
        .find(|(file, _)| file.strip_suffix(".lua") == Some(name));
    let (_, script) = found.expect("a script");
    &script.text
}

/// How a script says that it did what it was asked for. Any other answer is a refusal.
const YES: [&[u8]; 15] = [
    b"registered",
    b"ended",
    b"changed",
    b"created",
    b"opened",
    b"erased",
    b"sealed",
    b"forgotten",
    b"claimed",
    b"confirmed",
    b"released",
    b"resigned",
    b"spent",
    b"counted",
    b"unsettled",
];

/// Whether a script did something; of a batch, for anybody in it.
pub(super) fn says_yes(call: &Call, answer: &redis::RedisResult<Value>) -> bool {
    fn is_yes(answer: &Value) -> bool {
        match answer {
            Value::Array(parts) => match parts.first() {
                Some(Value::BulkString(word)) => YES.contains(&word.as_slice()),
                _ => parts.iter().any(is_yes),
            },
            _ => false,
        }
    }
    let reads_only = text_of(call.script).starts_with("#!lua flags=no-writes");
    let is_preview = call.script == "register"
        && call
            .arguments
            .first()
            .is_some_and(|mode| mode == b"preview");
    !reads_only && !is_preview && answer.as_ref().is_ok_and(is_yes)
}

fn request(number: u8) -> RequestId {
    RequestId::parse(&format!("0190b2a4-5b1c-4f7e-9d3a-2f6c8e1b7a{number:02}"))
        .expect("a request id")
}

/// The keys of a competition, with those for organisers and this number of a request.
pub(super) fn competition_keys(id: &str, number: u8) -> Vec<String> {
    let id = CompetitionId::parse(id).expect("an id");
    Competition::of(&id).for_organisers(request(number))
}

fn registration_keys(id: &str) -> Vec<String> {
    competition_keys(id, 0)[..5].to_vec()
}

fn ada() -> Account {
    Account::of_user(&UserId::parse("ada").expect("an id"))
}

fn olga() -> Account {
    Account::of_admin(&AdminId::parse("olga").expect("an id"))
}

const FAR: &str = "9999999999999";
/// Open since 1970, closes, starts and ends far ahead.
const DETAILS: [&str; 20] = [
    "title",
    "Spring Cup",
    "description",
    "",
    "venue",
    "",
    "country_code",
    "",
    "registration_opens_at",
    "1",
    "registration_closes_at",
    FAR,
    "starts_at",
    FAR,
    "ends_at",
    "99999999999999",
    "capacity",
    "2",
    "waitlist_capacity",
    "",
];

fn create_competition(id: &str, number: u8) -> Call {
    let id_of_request = request(number).to_string();
    let arguments = [
        &["olga", &id_of_request, "fingerprint", "{}", FAR],
        &DETAILS[..],
    ]
    .concat();
    call(
        "create_competition",
        competition_keys(id, number),
        &arguments,
    )
}

fn organise(script: &'static str, id: &str, number: u8, more: &[&str]) -> Call {
    let id_of_request = request(number).to_string();
    let arguments = [&["olga", &id_of_request, "fingerprint"], more].concat();
    call(script, competition_keys(id, number), &arguments)
}

fn register(users: &[&str]) -> Call {
    let requests: Vec<_> = users
        .iter()
        .map(|user| format!("first-of-{user}"))
        .collect();
    let mut arguments = vec!["register"];
    for (user, request) in users.iter().zip(&requests) {
        arguments.extend([*user, request.as_str(), FAR]);
    }
    call("register", registration_keys("cup"), &arguments)
}

fn withdraw(user: &str) -> Call {
    let request = format!("end-of-{user}");
    call(
        "withdraw",
        registration_keys("cup"),
        &[user, &request, "start"],
    )
}

fn remove(user: &str) -> Call {
    let request = format!("end-of-{user}");
    call(
        "remove",
        registration_keys("cup"),
        &[user, &request, "olga", "no licence"],
    )
}

/// An empty token = no session.
fn create_account(account: &Account, number: u8, token: &str) -> Call {
    let keys = [
        account.profile(),
        account.credential(),
        account.sessions(),
        account.log(),
        account.request(request(number)),
    ];
    let id_of_request = request(number).to_string();
    let arguments = [
        id_of_request.as_str(),
        "fingerprint",
        FAR,
        "secret",
        token,
        if token.is_empty() { "0" } else { "600000" },
        "email",
        "ada@example.org",
    ];
    call("create_account", keys, &arguments)
}

/// What makes the world: a competition with somebody in each state and two who wait, a draft, a user and
/// an admin.
pub(super) fn beginning() -> Vec<Call> {
    let claim = email_claim(People::Users, "hash");
    vec![
        create_competition("cup", 1),
        organise("publish_competition", "cup", 2, &[]),
        register(&["eve", "fay"]),
        withdraw("eve"),
        remove("fay"),
        register(&["bob", "cyd", "dan", "gus"]),
        create_competition("draft", 3),
        create_account(&ada(), 4, "token"),
        create_account(&olga(), 5, ""),
        call("claim_email", [claim.clone()], &["ada", "nonce"]),
        call("confirm_email", [claim], &["ada"]),
        call("fail_sign_in", [ada().throttle()], &["60000"]),
        call("seal", [seal()], &["", "sealed once"]),
    ]
}

fn seal() -> String {
    Competition::of(&CompetitionId::parse("cup").expect("an id")).seal()
}

/// What the services write without a script.
pub(super) fn written_plainly() -> Vec<Vec<String>> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    vec![
        words(&["HSET", &ada().competitions(), "cup", "nonce:1"]),
        words(&["HSET", &ada().added(), "cup", "nonce:2"]),
        words(&["SADD", OWNERS, "olga", "vera"]),
        words(&["SET", BOOTSTRAP, "bootstrap-hash"]),
        words(&[
            "SET",
            &email_claim(People::Users, "pending"),
            "pending:ben:nonce",
        ]),
    ]
}

/// A good call of each script, and several of those that go several ways. Each can be made on the world
/// as it begins.
#[allow(clippy::too_many_lines, reason = "a list")]
pub(super) fn calls() -> Vec<Call> {
    let cup = || registration_keys("cup");
    let update = |capacity: &'static str| {
        let mut details = DETAILS;
        details[17] = capacity;
        let more = [&["{}", "{}", "2"], &details[..]].concat();
        organise("update_competition", "cup", 11, &more)
    };
    let request_12 = request(12).to_string();
    let user_keys = |holds: &[fn(&Account) -> String]| -> Vec<String> {
        let mut keys: Vec<_> = holds.iter().map(|key| key(&ada())).collect();
        keys.push(ada().request(request(12)));
        keys
    };
    vec![
        register(&["hal"]),
        register(&["hal", "eve", "ida", "fay", "bob"]),
        register(&["cyd"]),
        call("register", cup(), &["preview", "hal", "a-request", FAR]),
        withdraw("bob"),
        withdraw("dan"),
        withdraw("eve"),
        remove("bob"),
        remove("gus"),
        remove("fay"),
        call("add", cup(), &["hal", "a-request", "olga", "0", "0", FAR]),
        call("add", cup(), &["fay", "a-request", "olga", "1", "1", FAR]),
        call("read_competition", cup(), &["dan"]),
        call("read_competition", cup(), &[]),
        call("list_registrations", cup(), &["0", "10", "100", "CWDR"]),
        create_competition("new", 10),
        create_competition("cup", 1),
        update("2"),
        update("3"),
        update("1"),
        update(""),
        organise("publish_competition", "draft", 13, &[]),
        organise("cancel_competition", "cup", 14, &["storm"]),
        organise("delete_competition", "draft", 15, &[]),
        call("promote", competition_keys("cup", 1), &["fingerprint"]),
        call("seal", [seal()], &["sealed once", "sealed twice"]),
        call("forget_entry", [ada().competitions()], &["cup", "nonce:1"]),
        call(
            "claim_email",
            [email_claim(People::Users, "new")],
            &["ben", "nonce"],
        ),
        call(
            "confirm_email",
            [email_claim(People::Users, "pending")],
            &["ben"],
        ),
        call(
            "release_email",
            [email_claim(People::Users, "hash")],
            &["ada"],
        ),
        create_account(&Account::of(People::Users, "ben"), 16, "token"),
        create_account(&ada(), 4, "token"),
        call(
            "open_session",
            [
                ada().profile(),
                ada().credential(),
                ada().sessions(),
                ada().throttle(),
                ada().log(),
            ],
            &["secret", "another token", "600000"],
        ),
        call("fail_sign_in", [ada().throttle()], &["60000"]),
        call(
            "fail_sign_in",
            [Account::of(People::Users, "ben").throttle()],
            &["60000"],
        ),
        call("end_sessions", [ada().sessions(), ada().log()], &["token"]),
        call("end_sessions", [ada().sessions(), ada().log()], &[""]),
        call(
            "change_password",
            user_keys(&[Account::credential, Account::sessions, Account::log]),
            &[&request_12, "secret", "better", "token"],
        ),
        call(
            "update_profile",
            user_keys(&[Account::profile, Account::log]),
            &[
                &request_12,
                "fingerprint",
                "1",
                "club",
                "Analytical Engines",
            ],
        ),
        call(
            "erase_user",
            user_keys(&[
                Account::profile,
                Account::credential,
                Account::sessions,
                Account::competitions,
                Account::added,
                Account::log,
                Account::throttle,
            ]),
            &[
                &request_12,
                "secret",
                "token",
                "cup",
                "nonce:1",
                "cup",
                "nonce:2",
            ],
        ),
        call(
            "disable_admin",
            [
                olga().profile(),
                olga().sessions(),
                olga().log(),
                olga().request(request(12)),
            ],
            &[&request_12, "fingerprint"],
        ),
        call("resign_owner", [OWNERS.to_owned()], &["olga", "owner"]),
        call(
            "use_bootstrap",
            [BOOTSTRAP.to_owned()],
            &["bootstrap-hash", "a-request"],
        ),
    ]
}
