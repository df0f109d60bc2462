//! The peer: the same job on the stack that most people would pick, as its own README starts it. It runs
//! on the same machine, on a Redis that is set up like ours, and is asked by the same generator.
//!
//! [`http`] is the little of HTTP/1.1 that it takes. [`install`] makes a virtual environment for it.

mod http;
mod install;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use redis_server::RedisServer;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::sleep;

use self::http::{Connection, Request};
use crate::Result;
use crate::line::{ROUNDS, Row, Watched, sample};
use crate::lines::{Bench, names};
use crate::report::Report;
use crate::stack::{Program, RedisCounters, free_port};

/// The user of its Redis.
const USER: &str = "peer";
/// HTTP/1.1 has one call in flight on a connection.
const CONNECTIONS: usize = 64;
/// Enough pairs for all registrations of a run: each can be made once.
const USERS: usize = 500;
const COMPETITIONS: usize = 200;
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures the peer, or says why it is left out.
pub(crate) async fn measure(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let folder = &bench.settings.peer;
    if !folder.join("user_service.py").is_file() {
        report.leave_out(names::PEER, format!("{} is not there", folder.display()));
        return Ok(());
    }
    let python = match install::python(folder, &bench.settings.out).await {
        Ok(python) => python,
        Err(error) => {
            report.leave_out(names::PEER, error.to_string());
            return Ok(());
        }
    };
    let peer = Peer::start(bench, folder, &python).await?;
    report.rows.push(peer.registrations(bench).await?);
    let base = peer.health(bench, names::PEER_HEALTH_BASE, "/health");
    report.rows.push(base.await?);
    let deep = peer.health(bench, names::PEER_HEALTH_DEEP, "/health/full");
    report.rows.push(deep.await?);
    Ok(())
}

/// Both of its services, and their Redis.
struct Peer {
    user: Program,
    user_address: SocketAddr,
    admin_address: SocketAddr,
    counters: RedisCounters,
    redis: RedisServer,
    _admin: Program,
}

impl Peer {
    async fn start(bench: &Bench<'_>, folder: &Path, python: &Path) -> Result<Self> {
        let redis = bench.stack.another_redis(USER)?;
        let url = redis.url_for(USER).ok_or("the ACL has no peer")?;
        let address = || -> Result<SocketAddr> { Ok((Ipv4Addr::LOCALHOST, free_port()?).into()) };
        let (user_address, admin_address) = (address()?, address()?);
        let service = |name: &str, address: SocketAddr| {
            let mut command = Command::new(python);
            command
                .args(["-B", "-m", "uvicorn", &format!("{name}:app")])
                .args([
                    "--port",
                    &address.port().to_string(),
                    "--log-level",
                    "warning",
                ])
                .current_dir(folder)
                .env("REDIS_URL", &url)
                .env("USER_URL", format!("http://{user_address}"))
                .env("ADMIN_URL", format!("http://{admin_address}"));
            Program::start(command, bench.stack.folder())
        };
        let mut user = service("user_service", user_address)?;
        let mut admin = service("admin_service", admin_address)?;
        let give_up = Instant::now() + PATIENCE;
        for (program, address) in [(&mut user, user_address), (&mut admin, admin_address)] {
            while Connection::open(address).await.is_err() {
                if Instant::now() > give_up || !program.is_running() {
                    return Err(program.complaint().into());
                }
                sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(Self {
            user,
            user_address,
            admin_address,
            counters: RedisCounters::open(&redis, USER).await?,
            redis,
            _admin: admin,
        })
    }

    async fn registrations(&self, bench: &Bench<'_>) -> Result<Row> {
        let mut admin = Connection::open(self.admin_address).await?;
        for number in 0..COMPETITIONS {
            let path = format!("/competitions/c{number}");
            let body = json!({ "capacity": 1_000_000 });
            admin.call(&Request::new("PUT", &path).json(&body)).await?;
        }
        let mut user = Connection::open(self.user_address).await?;
        let mut tokens = Vec::with_capacity(USERS);
        for number in 0..USERS {
            let body = json!({ "user_id": format!("u{number}") });
            let answer = user
                .call(&Request::new("POST", "/sessions").json(&body))
                .await?;
            let answer: Value = serde_json::from_slice(&answer)?;
            tokens.push(answer["token"].as_str().unwrap_or_default().to_owned());
        }
        let tokens: Arc<[String]> = tokens.into();
        let next = Arc::<AtomicUsize>::default();
        let request = move || {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let token = &tokens[number % USERS];
            let competition = (number + number / USERS) % COMPETITIONS;
            Request::new("POST", "/registrations")
                .authorization(token)
                .json(&json!({ "competition_id": format!("c{competition}") }))
        };
        self.row(bench, names::PEER_REGISTER, request).await
    }

    async fn health(
        &self,
        bench: &Bench<'_>,
        name: &'static str,
        path: &'static str,
    ) -> Result<Row> {
        self.row(bench, name, move || Request::new("GET", path))
            .await
    }

    async fn row(
        &self,
        bench: &Bench<'_>,
        name: &'static str,
        request: impl Fn() -> Request + Clone + Send + 'static,
    ) -> Result<Row> {
        let connections = (0..CONNECTIONS).map(|_| Connection::open(self.user_address));
        let connections = try_join_all(connections).await?;
        let caller = |connection| {
            let connection = Arc::new(Mutex::new(connection));
            let request = request.clone();
            move || {
                let connection: Arc<Mutex<Connection>> = Arc::clone(&connection);
                let request = request();
                async move {
                    let answer = connection.lock().await.call(&request).await.map(drop);
                    answer.map_err(|error| error.to_string())
                }
            }
        };
        let mut callers: Vec<_> = connections.into_iter().map(caller).collect();
        let watched = Watched {
            server: Some(self.user.pid()),
            redis: self.redis.pid(),
            counters: &self.counters,
        };
        let length = bench.settings.length() / ROUNDS;
        let mut samples = Vec::new();
        for _ in 0..ROUNDS {
            let measured;
            (callers, measured) = sample(&watched, callers, length).await?;
            samples.push(measured);
        }
        Ok(Row::of(name, &samples))
    }
}
