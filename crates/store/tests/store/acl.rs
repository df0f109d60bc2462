//! The keys that each service may read and write as its Redis user: the table of docs/architecture.md.

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{ErrorKind, ServerErrorKind, Value, cmd};

use crate::world::World;

/// What a Redis user may do with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    Nothing,
    Read,
    /// Read, and append to a log.
    Append,
    Write,
}

use May::{Append, Nothing, Read, Write};

/// (key, admin-service, user-service, doctor)
const TABLE: &[(&str, May, May, May)] = &[
    ("c:{cup}:meta", Write, Read, Read),
    ("c:{cup}:revision", Write, Write, Read),
    ("c:{cup}:registrations", Write, Write, Read),
    ("c:{cup}:past", Write, Write, Read),
    ("c:{cup}:waitlist", Write, Write, Read),
    ("c:{cup}:log", Append, Append, Read),
    ("c:{cup}:seal", Write, Read, Read),
    ("request:{cup}:1", Write, Nothing, Read),
    ("catalogue:{00}", Write, Read, Read),
    ("catalogue:{1f}", Write, Read, Read),
    ("catalogue:{20}", Nothing, Nothing, Read),
    ("directory:{1f}", Read, Write, Read),
    ("u:{ada}:profile", Read, Write, Read),
    ("u:{ada}:credential", Nothing, Write, Read),
    ("u:{ada}:sessions", Nothing, Write, Read),
    ("u:{ada}:competitions", Nothing, Write, Read),
    ("u:{ada}:added", Write, Write, Read),
    ("u:{ada}:log", Read, Write, Read),
    ("u:{ada}:throttle", Nothing, Write, Read),
    ("u:{ada}:request:1", Nothing, Write, Read),
    ("email:{hash}", Read, Write, Read),
    ("a:{olga}:profile", Write, Nothing, Read),
    ("a:{olga}:credential", Write, Nothing, Read),
    ("a:{olga}:sessions", Write, Nothing, Read),
    ("a:{boot}", Write, Nothing, Read),
    ("a:{index}", Write, Nothing, Read),
    ("a:{owners}", Write, Nothing, Read),
    ("admin-email:{hash}", Write, Nothing, Read),
    ("installation:{key}", Write, Write, Read),
    ("something-else", Nothing, Nothing, Read),
];

/// Whether Redis lets this command through, whatever it answers then.
async fn is_let_through(connection: &mut MultiplexedConnection, command: &[&str]) -> bool {
    let mut call = cmd(command[0]);
    call.arg(&command[1..]);
    let answer: Result<Value, _> = call.query_async(connection).await;
    !matches!(answer, Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm))
}

#[tokio::test]
async fn each_redis_user_touches_what_the_table_says_and_nothing_else() {
    let world = World::new().await;
    for (n, user) in ["admin-service", "user-service", "doctor"]
        .into_iter()
        .enumerate()
    {
        let mut redis = world.connect_as(user).await;
        for (key, admin, of_user, doctor) in TABLE {
            let may = [*admin, *of_user, *doctor][n];
            let reads = is_let_through(&mut redis, &["EXISTS", key]).await;
            let appends = is_let_through(&mut redis, &["XADD", key, "*", "field", "value"]).await;
            let sets = is_let_through(&mut redis, &["APPEND", key, ""]).await;
            let deletes = is_let_through(&mut redis, &["DEL", key]).await;
            let expected = (
                may != Nothing,
                may == Append || may == Write,
                may == Write,
                may == Write,
            );
            assert_eq!(
                (reads, appends, sets, deletes),
                expected,
                "{user}: {key} is {may:?}"
            );
        }
    }
}

#[tokio::test]
async fn nobody_changes_or_deletes_an_entry_of_a_log() {
    let world = World::new().await;
    for user in ["admin-service", "user-service", "doctor"] {
        let mut redis = world.connect_as(user).await;
        for command in [
            &["XDEL", "c:{cup}:log", "1-0"][..],
            &["XTRIM", "c:{cup}:log", "MAXLEN", "0"],
            &["XSETID", "c:{cup}:log", "9-0"],
            &["RENAME", "c:{cup}:log", "c:{cup}:past"],
            &["RENAME", "c:{cup}:past", "c:{cup}:log"],
            &["COPY", "c:{cup}:past", "c:{cup}:log"],
            &["EXPIRE", "c:{cup}:log", "1"],
            &["UNLINK", "c:{cup}:log"],
        ] {
            assert!(
                !is_let_through(&mut redis, command).await,
                "{user}: {command:?}"
            );
        }
    }
}

#[tokio::test]
async fn no_service_runs_what_can_harm_the_whole() {
    let world = World::new().await;
    for user in ["admin-service", "user-service", "doctor"] {
        let mut redis = world.connect_as(user).await;
        for command in [
            &["FLUSHALL"][..],
            &["FLUSHDB"],
            &["KEYS", "*"],
            &["CONFIG", "SET", "appendonly", "no"],
            &["CONFIG", "REWRITE"],
            &["SHUTDOWN", "NOSAVE"],
            &["ACL", "LIST"],
            &["ACL", "SETUSER", "default", "on"],
            &["EVAL", "return 1", "0"],
            &["FUNCTION", "LIST"],
            &["SCRIPT", "FLUSH"],
            &["MIGRATE", "127.0.0.1", "1", "c:{cup}:past", "0", "1"],
            &["REPLICAOF", "NO", "ONE"],
            &["CLIENT", "KILL", "TYPE", "normal"],
            &["MONITOR"],
            &["SAVE"],
            &["BLPOP", "c:{cup}:past", "1"],
        ] {
            assert!(
                !is_let_through(&mut redis, command).await,
                "{user}: {command:?}"
            );
        }
    }
}

#[tokio::test]
async fn without_a_password_nobody_gets_in() {
    let world = World::new().await;
    let address = world.redis.address();
    for url in [
        format!("redis://{address}"),
        format!("redis://admin-service:wrong@{address}"),
    ] {
        let redis = store::Redis::new(&url, None).expect("a URL");
        assert!(
            matches!(redis.ping().await, Err(store::Error::LoginRefused(_))),
            "{url}"
        );
    }
}
