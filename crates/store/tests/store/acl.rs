//! The permissions of each Redis user: the table of docs/architecture.md, on Redis and on Valkey.

use std::collections::BTreeMap;
use std::env;

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{ErrorKind, RedisError, ServerErrorKind, Value, cmd};
use testkit::TestRedis;

const USERS: [&str; 3] = ["admin-service", "user-service", "doctor"];
const SERVICES: [&str; 2] = ["admin-service", "user-service"];

/// What a Redis user may do with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    Nothing,
    Read,
    /// Read, and append to a log.
    Append,
    /// Read, and delete the whole key.
    Erase,
    Write,
}

use May::{Append, Erase, Nothing, Read, Write};

/// (key, permissions of admin-service, user-service and doctor)
const TABLE: &[(&str, [May; 3])] = &[
    ("c:{cup}:meta", [Write, Read, Read]),
    ("c:{cup}:revision", [Write, Write, Read]),
    ("c:{cup}:registrations", [Write, Write, Read]),
    ("c:{cup}:past", [Write, Write, Read]),
    ("c:{cup}:waitlist", [Write, Write, Read]),
    ("c:{cup}:log", [Append, Append, Read]),
    ("c:{cup}:seal", [Write, Read, Read]),
    ("c:{cup}:reasons:ada", [Write, Erase, Read]),
    ("request:{cup}:1", [Write, Nothing, Read]),
    ("catalogue:{00}", [Write, Read, Read]),
    ("catalogue:{1f}", [Write, Read, Read]),
    ("catalogue:{20}", [Nothing, Nothing, Read]),
    ("directory:{1f}", [Read, Write, Read]),
    ("u:{ada}:profile", [Read, Write, Read]),
    ("u:{ada}:credential", [Nothing, Write, Read]),
    ("u:{ada}:sessions", [Nothing, Write, Read]),
    ("u:{ada}:competitions", [Nothing, Write, Read]),
    ("u:{ada}:added", [Write, Write, Read]),
    ("u:{ada}:log", [Read, Write, Read]),
    ("u:{ada}:failures", [Nothing, Write, Read]),
    ("u:{ada}:confirmations", [Nothing, Write, Read]),
    ("u:{ada}:networks", [Nothing, Write, Read]),
    ("u:{ada}:request:1", [Nothing, Write, Read]),
    ("email:{hash}", [Read, Write, Read]),
    ("a:{olga}:profile", [Write, Nothing, Read]),
    ("a:{olga}:credential", [Write, Nothing, Read]),
    ("a:{olga}:sessions", [Write, Nothing, Read]),
    ("a:{olga}:failures", [Write, Nothing, Read]),
    ("a:{olga}:confirmations", [Write, Nothing, Read]),
    ("a:{olga}:networks", [Write, Nothing, Read]),
    ("a:{olga}:log", [Write, Nothing, Read]),
    ("a:{boot}", [Write, Nothing, Read]),
    ("a:{index}", [Write, Nothing, Read]),
    ("a:{owners}", [Write, Nothing, Read]),
    ("admin-email:{hash}", [Write, Nothing, Read]),
    ("installation:{key}", [Write, Write, Read]),
    ("installation:{other}", [Nothing, Nothing, Read]),
    ("unknown", [Nothing, Nothing, Read]),
];

/// A Redis, and a Valkey where `tools/test` has installed one.
fn servers() -> Vec<TestRedis> {
    let mut servers = vec![TestRedis::start()];
    if env::var_os("STARTLIST_TEST_VALKEY_SERVER").is_some() {
        servers.push(TestRedis::builder().valkey().start());
    }
    servers
}

/// Whether the ACL permits a command; its reply, or an error of another kind, does not matter.
async fn permits(connection: &mut MultiplexedConnection, command: &[&str]) -> bool {
    let mut call = cmd(command[0]);
    call.arg(&command[1..]);
    let reply: Result<Value, _> = call.query_async(connection).await;
    !matches!(reply, Err(error) if is_refusal(&error))
}

/// Whether the ACL refused a command, or one that a script ran.
fn is_refusal(error: &RedisError) -> bool {
    const IN_A_SCRIPT: [&str; 3] = [
        "ACL failure",
        "can't access at least one of the keys",
        "can't run this command",
    ];
    let text = error.to_string();
    error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm)
        || IN_A_SCRIPT.iter().any(|refusal| text.contains(refusal))
}

#[tokio::test]
async fn each_redis_user_has_the_permissions_of_the_table() {
    for server in servers() {
        for (index, user) in USERS.into_iter().enumerate() {
            let mut redis = server.connect(user).await;
            for (key, permissions) in TABLE {
                let may = permissions[index];
                let found = [
                    permits(&mut redis, &["EXISTS", key]).await,
                    permits(&mut redis, &["XADD", key, "*", "field", "value"]).await,
                    permits(&mut redis, &["APPEND", key, ""]).await,
                    permits(&mut redis, &["DEL", key]).await,
                ];
                let writes = may == Write;
                let erases = writes || may == Erase;
                let expected = [may != Nothing, may == Append || writes, writes, erases];
                assert_eq!(found, expected, "{user}: {key} is {may:?}");
            }
        }
    }
}

#[tokio::test]
async fn no_user_changes_or_deletes_an_entry_of_a_log() {
    const COMMANDS: [&str; 8] = [
        "XDEL c:{cup}:log 1-0",
        "XTRIM c:{cup}:log MAXLEN 0",
        "XSETID c:{cup}:log 9-0",
        "RENAME c:{cup}:log c:{cup}:past",
        "RENAME c:{cup}:past c:{cup}:log",
        "COPY c:{cup}:past c:{cup}:log",
        "EXPIRE c:{cup}:log 1",
        "UNLINK c:{cup}:log",
    ];
    for server in servers() {
        for user in USERS {
            assert_refused(&server, user, &COMMANDS).await;
        }
    }
}

#[tokio::test]
async fn no_user_runs_a_command_that_can_harm_the_whole_system() {
    const COMMANDS: [&str; 26] = [
        "FLUSHALL",
        "FLUSHDB",
        "KEYS *",
        "CONFIG SET appendonly no",
        "CONFIG REWRITE",
        "SHUTDOWN NOSAVE",
        "ACL LIST",
        "ACL SETUSER default on",
        "EVAL return(1) 0",
        "FUNCTION FLUSH",
        "FCALL rule 0",
        "SCRIPT FLUSH",
        "MIGRATE 127.0.0.1 1 c:{cup}:past 0 1",
        "REPLICAOF NO ONE",
        "CLIENT KILL TYPE normal",
        "CLIENT LIST",
        "MONITOR",
        "SAVE",
        "BGSAVE",
        "BGREWRITEAOF",
        "SWAPDB 0 1",
        "MODULE LIST",
        "SLOWLOG GET",
        "PUBLISH channel text",
        "SUBSCRIBE channel",
        "BLPOP c:{cup}:past 1",
    ];
    const REFUSED_TO_SERVICES: [&str; 6] = [
        "SCAN 0",
        "RANDOMKEY",
        "SYNC",
        "XREAD BLOCK 1 STREAMS c:{cup}:log 0",
        "GET c:{cup}:unknown",
        "SET c:{cup}:unknown text",
    ];
    const PERMITTED: [&str; 8] = [
        "PING",
        "TIME",
        "INFO server",
        "CONFIG GET appendonly",
        "SELECT 0",
        "CLIENT ID",
        "CLIENT SETNAME probe",
        "COMMAND COUNT",
    ];
    for server in servers() {
        for user in USERS {
            assert_refused(&server, user, &COMMANDS).await;
            assert_permitted(&server, user, &PERMITTED).await;
        }
        for user in SERVICES {
            assert_refused(&server, user, &REFUSED_TO_SERVICES).await;
            assert_permitted(&server, user, &["MULTI", "EXEC", "WAIT 0 1"]).await;
        }
        assert_permitted(&server, "doctor", &["SCAN 0"]).await;
    }
}

async fn assert_refused(server: &TestRedis, user: &str, commands: &[&str]) {
    let mut redis = server.connect(user).await;
    for command in commands {
        let words: Vec<_> = command.split(' ').collect();
        assert!(!permits(&mut redis, &words).await, "{user}: {command}");
    }
}

async fn assert_permitted(server: &TestRedis, user: &str, commands: &[&str]) {
    let mut redis = server.connect(user).await;
    for command in commands {
        let words: Vec<_> = command.split(' ').collect();
        assert!(permits(&mut redis, &words).await, "{user}: {command}");
    }
}

/// Writes in all keys of a registration, and reads one that is not among its KEYS.
const REGISTER: &str = "#!lua
    redis.call('HGET', 'c:{cup}:meta', 'title')
    local revision = redis.call('INCR', KEYS[1])
    redis.call('HSET', KEYS[2], 'ada', revision)
    redis.call('ZADD', KEYS[3], revision, 'ada')
    redis.call('XADD', KEYS[4], revision .. '-0', 'action', 'register')";
const REGISTER_KEYS: [&str; 4] = [
    "c:{cup}:revision",
    "c:{cup}:registrations",
    "c:{cup}:waitlist",
    "c:{cup}:log",
];
const READ_LOG: &str = "#!lua flags=no-writes\nreturn redis.call('XRANGE', KEYS[1], '-', '+')";
const ERASE_LOG: &str = "#!lua\nreturn redis.call('DEL', KEYS[1])";
const TRIM_LOG: &str = "#!lua\nreturn redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)";
const WRITE_META: &str = "#!lua\nreturn redis.call('SET', 'c:{cup}:meta', 'text')";

#[tokio::test]
async fn scripts_have_the_permissions_of_their_caller() {
    let (revision, meta, log) = (["c:{cup}:revision"], ["c:{cup}:meta"], ["c:{cup}:log"]);
    for mut server in servers() {
        for user in USERS {
            let is_service = user != "doctor";
            let is_admin = user == "admin-service";
            for (command, script, keys, is_permitted) in [
                ("EVALSHA", REGISTER, &REGISTER_KEYS[..], is_service),
                ("EVALSHA_RO", READ_LOG, &log, true),
                ("EVALSHA", ERASE_LOG, &log, false),
                ("EVALSHA", TRIM_LOG, &log, false),
                ("EVALSHA", WRITE_META, &revision, is_admin),
                ("EVALSHA", WRITE_META, &meta, is_admin),
            ] {
                let mut redis = server.connect(user).await;
                let mut load = cmd("SCRIPT");
                let load = load.arg("LOAD").arg(script);
                let hash: String = load.query_async(&mut redis).await.expect("loaded");
                let count = keys.len().to_string();
                let call = [&[command, &hash, &count], keys].concat();
                let found = permits(&mut redis, &call).await;
                assert_eq!(found, is_permitted, "{user}: {script} with {keys:?}");
            }
        }
        // Redis replays its file as the user `default`, whose permissions must suffice for the
        // scripts.
        let before = contents(&server).await;
        assert_eq!(before.len(), REGISTER_KEYS.len() + 1);
        server.kill();
        server.restart().expect("restarted");
        assert_eq!(contents(&server).await, before);
    }
}

/// All keys with their values.
async fn contents(server: &TestRedis) -> BTreeMap<String, Vec<u8>> {
    let mut contents = BTreeMap::new();
    for key in server.root::<Vec<String>>(&["KEYS", "*"]).await {
        let value = server.root(&["DUMP", &key]).await;
        contents.insert(key, value);
    }
    contents
}

#[tokio::test]
async fn without_a_password_nothing_is_permitted() {
    for server in servers() {
        let address = server.address();
        for login in ["", "admin-service:wrong@", "default:default@"] {
            let url = format!("redis://{login}{address}");
            let redis = store::Redis::new(&url, None).expect("a URL");
            let reply = redis.check().await.map_err(|failed| failed.fault);
            assert!(
                matches!(reply, Err(store::Fault::LoginRefused)),
                "{url}: {reply:?}"
            );
        }
    }
}
