//! A fixed address, such as a proxy or a Kubernetes Service, behind which another Redis becomes the
//! primary.

use std::time::{Duration, Instant};

use domain::RegistrationState::Confirmed;
use store::{Error, Fault, Redis, UserStore, WriteOutcome, WriteTracker};
use testkit::{Proxy, TestRedis};

use crate::world::{World, eventually, join_all, new_request, places};

/// A primary and its replica, and user-service with the fixed address of the primary.
struct Pair {
    world: World,
    standby: TestRedis,
    address: Proxy,
}

fn server(settings: &[(&str, &str)]) -> TestRedis {
    let replica = [("masteruser", testkit::ROOT), ("masterauth", "secret")];
    let builder = TestRedis::builder().password("secret");
    builder.settings(&replica).settings(settings).start()
}

async fn follow(replica: &TestRedis, primary: &TestRedis) {
    let (host, port) = (primary.address().ip(), primary.address().port());
    let command = ["REPLICAOF", &host.to_string(), &port.to_string()];
    let _: String = replica.root(&command).await;
}

impl Pair {
    async fn start() -> Self {
        let mut world = World::on(server(&[("repl-diskless-sync-delay", "0")])).await;
        let standby = server(&[]);
        follow(&standby, &world.redis).await;
        eventually("the replica is in step", async || {
            let info: String = standby.root(&["INFO", "replication"]).await;
            info.contains("master_link_status:up")
        })
        .await;
        let address = Proxy::start(world.redis.address()).await;
        let url = world.redis.url("user-service");
        let server = world.redis.address().to_string();
        let url = url.replace(&server, &address.address.to_string());
        world.user = UserStore::new(&Redis::new(&url, None).expect("a URL"));
        Self {
            world,
            standby,
            address,
        }
    }

    /// Waits until the replica has everything.
    async fn replicate(&self) {
        let offset = async |redis: &TestRedis| {
            let info: String = redis.root(&["INFO", "replication"]).await;
            let mut lines = info.lines();
            let line = lines.find(|line| line.starts_with("master_repl_offset"));
            line.expect("an offset").to_owned()
        };
        eventually("the replica has everything", async || {
            offset(&self.world.redis).await == offset(&self.standby).await
        })
        .await;
    }

    /// Swaps the roles. The connections that are open lead to the old primary.
    async fn swap(&self) {
        self.replicate().await;
        let _: String = self.standby.root(&["REPLICAOF", "NO", "ONE"]).await;
        follow(&self.world.redis, &self.standby).await;
    }

    /// The number of connections of user-service to a server.
    async fn connections(&self, redis: &TestRedis) -> usize {
        let clients: String = redis.root(&["CLIENT", "LIST"]).await;
        clients
            .lines()
            .filter(|line| line.contains("user=user-service"))
            .count()
    }
}

#[tokio::test]
async fn a_demoted_redis_fails_no_call_when_the_address_leads_to_the_new_primary() {
    let pair = Pair::start().await;
    let world = &pair.world;
    let cup = world.competition(places(1000)).await;
    let cups = join_all((0..4).map(|_| world.competition(places(1000)))).await;
    let people = world.people(100).await;
    world.user.redis().check().await.expect("healthy");
    let calls = cups
        .iter()
        .flat_map(|cup| people.iter().map(move |user| (user, cup)));
    for result in join_all(calls.map(|(user, cup)| world.register(user, cup))).await {
        result.expect("in");
    }
    assert!(pair.connections(&world.redis).await > 2, "all are in use");
    pair.swap().await;
    pair.address.redirect(pair.standby.address());

    for result in join_all(people.iter().map(|user| world.register(user, &cup))).await {
        assert_eq!(result.expect("in").state, Confirmed);
    }
    let mine = world.user.my_registration(&people[0], &cup).await;
    assert_eq!(mine.expect("a read by the new primary").state, Confirmed);
    // Each connection is replaced before it is used again.
    world.user.redis().check().await.expect("healthy");
    let by_old = world.redis.command_count("evalsha").await;
    let calls = cups
        .iter()
        .flat_map(|cup| people.iter().map(move |user| (user, cup)));
    for result in join_all(calls.map(|(user, cup)| world.withdraw(user, cup))).await {
        result.expect("withdrawn");
    }
    assert_eq!(world.redis.command_count("evalsha").await, by_old);
}

#[tokio::test]
async fn a_health_check_that_finds_a_replica_replaces_the_connections_for_calls() {
    let pair = Pair::start().await;
    let world = &pair.world;
    let cup = world.competition(places(9)).await;
    let ada = world.person().await;
    world.user.redis().check().await.expect("healthy");
    pair.swap().await;
    pair.address.redirect(pair.standby.address());
    let found = world
        .user
        .redis()
        .check()
        .await
        .map_err(|failed| failed.fault);
    assert_eq!(found, Err(Fault::Replica));
    world.user.redis().check().await.expect("healthy");
    // A read alone would not notice that it is answered by a replica.
    let by_old = world.redis.command_count("hget").await;
    let absent = world.user.my_registration(&ada, &cup).await;
    assert!(absent.is_err());
    assert_eq!(world.redis.command_count("hget").await, by_old);
}

#[tokio::test]
async fn a_lasting_replica_fails_calls_soon_and_is_connected_to_at_a_bounded_rate() {
    let pair = Pair::start().await;
    let world = &pair.world;
    let cup = world.competition(places(9)).await;
    let ada = world.person().await;
    pair.swap().await;
    let connections = async || {
        let stats: String = world.redis.root(&["INFO", "stats"]).await;
        let mut lines = stats.lines();
        let count = lines.find_map(|line| line.strip_prefix("total_connections_received:"));
        count.expect("a count").parse::<u32>().expect("a number")
    };
    let before = connections().await;
    let began_at = Instant::now();
    for _ in 0..5 {
        let calls = join_all((0..100).map(async |_| {
            let tracker = WriteTracker::default();
            let register = world.user.register(&ada, &cup, new_request());
            (tracker.follow(register).await, tracker.outcome())
        }));
        for (result, outcome) in calls.await {
            assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
            assert_eq!(outcome, WriteOutcome::NotApplied);
        }
    }
    let took = began_at.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    // Four connections for calls, one attempt in 100 ms each, and what the test itself opens.
    let most = 4 * (u32::try_from(took.as_millis()).expect("short") / 100 + 2) + 2;
    let count = connections().await - before;
    assert!(count <= most, "{count} connections in {took:?}");

    pair.address.redirect(pair.standby.address());
    world
        .register(&ada, &cup)
        .await
        .expect("the first call after the failover");
}

#[tokio::test]
async fn a_redis_that_loads_its_data_fails_calls_soon_until_it_is_ready() {
    let pair = Pair::start().await;
    let world = &pair.world;
    let cup = world.competition(places(9)).await;
    let ada = world.person().await;
    pair.replicate().await;
    // A replica that copies its primary slowly, and becomes the primary afterwards.
    let slow = server(&[("loading-process-events-interval-bytes", "1024")]);
    let fill = "for n = 1, 2000 do redis.call('SET', 'x' .. n, string.rep('x', 1000)) end";
    let _: Option<i64> = world.root(&["EVAL", fill, "0"]).await;
    let () = slow
        .root(&["CONFIG", "SET", "key-load-delay", "5000"])
        .await;
    follow(&slow, &world.redis).await;
    pair.address.redirect(slow.address());
    let url = world.redis.url("user-service");
    let server = world.redis.address().to_string();
    let url = url.replace(&server, &pair.address.address.to_string());
    let user = UserStore::new(&Redis::new(&url, None).expect("a URL"));
    eventually("it loads", async || {
        user.redis().check().await.map_err(|failed| failed.fault) == Err(Fault::Loading)
    })
    .await;
    let began_at = Instant::now();
    let result = user.register(&ada, &cup, new_request()).await;
    assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
    assert!(began_at.elapsed() < Duration::from_secs(2));
    let () = slow.root(&["CONFIG", "SET", "key-load-delay", "0"]).await;
    eventually("it has the data", async || {
        user.redis().check().await.map_err(|failed| failed.fault) == Err(Fault::Replica)
    })
    .await;
    let _: String = slow.root(&["REPLICAOF", "NO", "ONE"]).await;
    user.register(&ada, &cup, new_request()).await.expect("in");
}
