//! Data that the scripts themselves write, and a valid call of each script on that data.

use std::fmt;

use deadpool_redis::redis::{self, Connection, Value, cmd};
use domain::{AdminId, CompetitionId, RequestId, UserId};
use testkit::{ROOT, TestRedis};

use crate::keys::{
    AccountId, AccountKey, BOOTSTRAP, CompetitionKey, OWNERS, People, account_request, email_claim,
    for_organisers,
};

/// A call of a script.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) script: &'static str,
    pub(super) keys: Vec<String>,
    pub(super) arguments: Vec<Vec<u8>>,
}

/// Cuts long arguments.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

/// A private Redis. It ends with this value.
pub(super) struct ScriptRedis {
    pub(super) connection: Connection,
    _server: TestRedis,
}

/// Keeps hashes and sorted sets in one encoding, so that their dumps depend on their content only.
const SETTINGS: [(&str, &str); 5] = [
    ("appendfsync", "no"),
    ("hash-max-listpack-entries", "50000"),
    ("hash-max-listpack-value", "4000000"),
    ("zset-max-listpack-entries", "50000"),
    ("zset-max-listpack-value", "4000000"),
];

impl ScriptRedis {
    pub(super) fn empty() -> Self {
        let server = TestRedis::with_settings(&SETTINGS);
        let connection = server.client(ROOT).get_connection();
        Self {
            connection: connection.expect("a connection"),
            _server: server,
        }
    }

    /// Starts with the data of [`setup_calls`].
    pub(super) fn new() -> Self {
        let mut redis = Self::empty();
        for call in setup_calls() {
            let reply = redis.run(&call);
            assert!(made_a_change(&call, &reply), "{call:?} replied {reply:?}");
        }
        redis
    }

    pub(super) fn run(&mut self, call: &Call) -> redis::RedisResult<Value> {
        self.run_text(text_of(call.script), call)
    }

    /// Calls this text instead of the script.
    pub(super) fn run_text(&mut self, text: &str, call: &Call) -> redis::RedisResult<Value> {
        let mut eval = cmd("EVAL");
        eval.arg(text).arg(call.keys.len()).arg(&call.keys);
        eval.arg(&call.arguments).query(&mut self.connection)
    }
}

/// The text of a script as Redis gets it.
pub(super) fn text_of(name: &str) -> &'static str {
    let found = crate::scripts::all()
        .into_iter()
        .find(|(file, _)| file.strip_suffix(".lua") == Some(name));
    let (_, script) = found.expect("a script");
    &script.text
}

/// The words of a script that made the requested change. Any other reply is a refusal.
const CHANGED: [&[u8]; 15] = [
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
    b"reserved",
    b"unsettled",
];

/// Whether a script made a change; a batch, whether it made one for any user.
pub(super) fn made_a_change(call: &Call, reply: &redis::RedisResult<Value>) -> bool {
    fn is_change(reply: &Value) -> bool {
        match reply {
            Value::Array(parts) => match parts.first() {
                Some(Value::BulkString(word)) => CHANGED.contains(&word.as_slice()),
                _ => parts.iter().any(is_change),
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
    !reads_only && !is_preview && reply.as_ref().is_ok_and(is_change)
}

fn request(number: u8) -> RequestId {
    RequestId::parse(&format!("0190b2a4-5b1c-4f7e-9d3a-2f6c8e1b7a{number:02}"))
        .expect("a request id")
}

/// The keys of a competition, with those for organisers and this number of a request.
pub(super) fn competition_keys(id: &str, number: u8) -> Vec<String> {
    let id = CompetitionId::parse(id).expect("an id");
    for_organisers(&id, request(number))
}

fn registration_keys(id: &str) -> Vec<String> {
    competition_keys(id, 0)[..5].to_vec()
}

fn ada() -> AccountId {
    user("ada")
}

fn user(id: &str) -> AccountId {
    AccountId::User(UserId::parse(id).expect("an id"))
}

fn olga() -> AccountId {
    AccountId::Admin(AdminId::parse("olga").expect("an id"))
}

/// Keys of an account.
fn of(account: &AccountId, keys: &[AccountKey]) -> Vec<String> {
    keys.iter().map(|key| key.of(account)).collect()
}

/// The same, and the key of a request.
fn of_request(account: &AccountId, keys: &[AccountKey], number: u8) -> Vec<String> {
    let mut keys = of(account, keys);
    keys.push(account_request(account, request(number)));
    keys
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
    call("withdraw", registration_keys("cup"), &[user, &request])
}

fn erase_registration(user: &str) -> Call {
    call(
        "erase_registration",
        registration_keys("cup"),
        &[user, "a-request"],
    )
}

fn remove(user: &str) -> Call {
    let request = format!("end-of-{user}");
    call(
        "remove",
        registration_keys("cup"),
        &[
            user,
            &request,
            "olga",
            "no licence",
            "0a1b no licence",
            &format!("sha256:{}", "0".repeat(64)),
        ],
    )
}

/// An empty token = no session.
fn create_account(account: &AccountId, number: u8, token: &str) -> Call {
    use AccountKey::{Credential, Log, Networks, Profile, Sessions};
    let mut keys = of_request(account, &[Profile, Credential, Sessions, Log], number);
    keys.push(Networks.of(account));
    let id_of_request = request(number).to_string();
    let arguments = [
        id_of_request.as_str(),
        "fingerprint",
        FAR,
        "secret",
        token,
        if token.is_empty() { "0" } else { "600000" },
        if token.is_empty() { "" } else { "somewhere" },
        "600000",
        "email",
        "ada@example.org",
    ];
    call("create_account", keys, &arguments)
}

/// The calls that write the data: a competition with a user in each state and two on the waitlist,
/// a draft, a user and an admin.
pub(super) fn setup_calls() -> Vec<Call> {
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
        reserve_attempt(&ada(), AccountKey::Failures, "network"),
        reserve_attempt(&ada(), AccountKey::Confirmations, "session"),
        call("seal", [seal()], &["", "sealed once"]),
    ]
}

fn reserve_attempt(account: &AccountId, counted_in: AccountKey, kind: &str) -> Call {
    use AccountKey::{Credential, Networks, Profile};
    let arguments = [
        "somewhere",
        kind,
        "0",
        "10",
        "900000",
        "100",
        "86400000",
        "600000",
    ];
    let keys = [counted_in, Networks, Credential, Profile];
    call("reserve_attempt", of(account, &keys), &arguments)
}

fn seal() -> String {
    CompetitionKey::Seal.of(&CompetitionId::parse("cup").expect("an id"))
}

/// The commands by which the services write without a script.
pub(super) fn plain_writes() -> Vec<Vec<String>> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    vec![
        words(&[
            "HSET",
            &AccountKey::Competitions.of(&ada()),
            "cup",
            "nonce:1",
        ]),
        words(&["HSET", &AccountKey::Added.of(&ada()), "cup", "nonce:2"]),
        words(&["SADD", OWNERS, "olga", "vera"]),
        words(&["SET", BOOTSTRAP, "bootstrap-hash"]),
        words(&[
            "SET",
            &email_claim(People::Users, "pending"),
            "pending:ben:nonce",
        ]),
    ]
}

/// A valid call of each script on the data of [`setup_calls`] and [`plain_writes`], and several
/// calls of the scripts with several outcomes.
#[allow(clippy::too_many_lines, reason = "a list")]
pub(super) fn calls() -> Vec<Call> {
    use AccountKey::{
        Added, Competitions, Confirmations, Credential, Failures, Log, Networks, Profile, Sessions,
    };
    let cup = || registration_keys("cup");
    let update = |capacity: &'static str| {
        let mut details = DETAILS;
        details[17] = capacity;
        let more = [&["{}", "{}", "2"], &details[..]].concat();
        organise("update_competition", "cup", 11, &more)
    };
    let request_12 = request(12).to_string();
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
        call("remove", cup(), &["cyd", "a-request", "olga", ""]),
        erase_registration("bob"),
        erase_registration("fay"),
        call("add", cup(), &["hal", "a-request", "olga", "0", "0", FAR]),
        call("add", cup(), &["fay", "a-request", "olga", "1", "1", FAR]),
        call("read_competition", cup(), &["dan", ""]),
        call("read_competition", cup(), &["", ""]),
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
        call(
            "forget_entry",
            [AccountKey::Competitions.of(&ada())],
            &["cup", "nonce:1"],
        ),
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
        create_account(&user("ben"), 16, "token"),
        create_account(&ada(), 4, "token"),
        call(
            "open_session",
            of(
                &ada(),
                &[Profile, Credential, Sessions, Failures, Networks, Log],
            ),
            &[
                "secret",
                "another token",
                "600000",
                "somewhere",
                "others/day",
                FAR,
                "600000",
            ],
        ),
        reserve_attempt(&ada(), Failures, "network"),
        reserve_attempt(&ada(), Confirmations, "session"),
        reserve_attempt(&user("ben"), Failures, "network"),
        call(
            "release_attempt",
            [Failures.of(&ada())],
            &["somewhere", FAR, "others/day", FAR],
        ),
        call("renew_hash", [Credential.of(&ada())], &["secret", "better"]),
        call("end_sessions", of(&ada(), &[Sessions, Log]), &["token"]),
        call("end_sessions", of(&ada(), &[Sessions, Log]), &[""]),
        call(
            "change_password",
            of_request(&ada(), &[Credential, Sessions, Log], 12),
            &[&request_12, "secret", "better", "token"],
        ),
        call(
            "update_profile",
            of_request(&ada(), &[Profile, Log], 12),
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
            [
                of(
                    &ada(),
                    &[Profile, Credential, Sessions, Competitions, Added, Log],
                ),
                of(&ada(), &[Failures, Confirmations, Networks]),
            ]
            .concat(),
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
            of_request(&olga(), &[Profile, Sessions, Log], 12),
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
