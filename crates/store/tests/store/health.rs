//! The health check of the store: what it finds, and what it costs.

use std::fs;

use store::{Error, Fault, Redis, WriteOutcome, WriteTracker};
use testkit::{ROOT, RoundTrips, TestRedis};

use crate::world::{World, eventually, new_request, places};

fn servers() -> [TestRedis; 2] {
    [TestRedis::start(), TestRedis::builder().valkey().start()]
}

async fn fault(redis: &Redis) -> Option<Fault> {
    redis.check().await.err().map(|failed| failed.fault)
}

/// Makes the next snapshot fail, which Redis takes for a disk that fails.
async fn break_disk(redis: &TestRedis) {
    fs::create_dir_all(redis.data_dir().join("dump.rdb/in-the-way")).expect("a folder");
    let () = redis.root(&["CONFIG", "SET", "save", "3600 1"]).await;
    let _: String = redis.root(&["BGSAVE"]).await;
    eventually("the snapshot fails", async || {
        let info: String = redis.root(&["INFO", "persistence"]).await;
        info.contains("rdb_last_bgsave_status:err")
    })
    .await;
}

#[tokio::test]
async fn each_state_in_which_redis_takes_no_writes_has_a_fault_of_its_own() {
    const NOWHERE: &[&str] = &["REPLICAOF", "127.0.0.1", "1"];
    for redis in servers() {
        let world = World::on(redis).await;
        let cup = world.competition(places(9)).await;
        let ada = world.person().await;
        let checks = world.user.redis();
        assert_eq!(fault(checks).await, None);
        let set = async |name: &str, value: &str| {
            let () = world.root(&["CONFIG", "SET", name, value]).await;
        };
        let assert_fault = async |expected: Fault| {
            assert_eq!(fault(checks).await, Some(expected));
            let tracker = WriteTracker::default();
            let register = world.user.register(&ada, &cup, new_request());
            let result = tracker.follow(register).await;
            let is_as_expected = match expected {
                Fault::Full => matches!(result, Err(Error::Full(_))),
                _ => matches!(result, Err(Error::Unavailable(_))),
            };
            assert!(is_as_expected, "{expected:?}: {result:?}");
            assert_eq!(tracker.outcome(), WriteOutcome::NotApplied, "{expected:?}");
        };

        set("maxmemory", "1").await;
        assert_fault(Fault::Full).await;
        set("maxmemory", "0").await;
        set("min-replicas-to-write", "1").await;
        assert_fault(Fault::TooFewReplicas).await;
        set("min-replicas-to-write", "0").await;
        break_disk(&world.redis).await;
        assert_fault(Fault::DiskFailed).await;
        set("save", "").await;
        assert_eq!(fault(checks).await, None);
        let _: String = world.root(NOWHERE).await;
        assert_fault(Fault::Replica).await;
        set("replica-serve-stale-data", "no").await;
        assert_fault(Fault::PrimaryLost).await;
        set("replica-serve-stale-data", "yes").await;
        set("replica-read-only", "no").await;
        assert_eq!(
            fault(checks).await,
            Some(Fault::Replica),
            "it can be written to"
        );
        let _: String = world.root(&["REPLICAOF", "NO", "ONE"]).await;
        assert_eq!(fault(checks).await, None);
        world.register(&ada, &cup).await.expect("in");
    }
}

#[tokio::test]
async fn a_redis_that_refuses_the_login_or_is_away_has_a_fault_too() {
    for redis in servers() {
        let mut world = World::on(redis).await;
        let checks = world.user.redis().clone();
        assert_eq!(fault(&checks).await, None);
        world.redis.freeze().expect("frozen");
        assert_eq!(fault(&checks).await, Some(Fault::TimedOut));
        world.redis.thaw().expect("thawed");
        eventually("Redis replies", async || fault(&checks).await.is_none()).await;
        let () = world.root(&["ACL", "SETUSER", "user-service", "off"]).await;
        let kill = ["CLIENT", "KILL", "USER", "user-service"];
        let _: i64 = world.root(&kill).await;
        eventually("the login is refused", async || {
            fault(&checks).await == Some(Fault::LoginRefused)
        })
        .await;
        let () = world.root(&["ACL", "SETUSER", "user-service", "on"]).await;
        assert_eq!(fault(&checks).await, None);
        world.redis.kill();
        eventually("Redis is away", async || {
            fault(&checks).await == Some(Fault::Unreachable)
        })
        .await;
    }
}

#[tokio::test]
async fn a_health_check_takes_one_round_trip_and_writes_nothing() {
    for redis in servers() {
        let trips = RoundTrips::start(redis.address()).await;
        let address = redis.address().to_string();
        let url = redis.url("user-service");
        let url = url.replace(&address, &trips.address.to_string());
        let checks = Redis::new(&url, None).expect("a URL");
        assert_eq!(fault(&checks).await, None);
        // Redis sends its replicas what it appends to the file.
        let size = || appended(&redis);
        let before = size();
        for _ in 0..3 {
            let (found, count) = trips.count(fault(&checks)).await;
            assert_eq!((found, count), (None, 1));
        }
        assert_eq!(size(), before);
        let mut connection = redis.connect(ROOT).await;
        let set = testkit::redis_client::cmd("SET")
            .arg("key")
            .arg("value")
            .to_owned();
        let () = set.query_async(&mut connection).await.expect("written");
        assert!(size() > before, "a write would show");
    }
}

/// The size of the append-only files in bytes.
fn appended(redis: &TestRedis) -> u64 {
    let files = fs::read_dir(redis.data_dir().join("appendonlydir")).expect("a folder");
    files
        .map(|file| file.expect("a file").metadata().expect("a size").len())
        .sum()
}
