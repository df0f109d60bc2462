//! The peer: the same task in Python, as a yardstick. It runs on the same machine and on a Redis
//! with the same settings, under the same load generator.
//!
//! `crates/bench/peer` holds its source.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::{Method, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use redis_server::RedisServer;
use serde_json::{Value, json};
use testkit::free_address;
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_util::bytes::Bytes;

use super::names;
use crate::context::Context;
use crate::load::{CallResult, Caller};
use crate::measure::measure_alone;
use crate::measurement::Observed;
use crate::report::BenchReport;
use crate::result::Result;
use crate::row::ReportRow;
use crate::stack::{ChildProcess, CounterReader, redis};

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peer");
/// The only user of its Redis, with all permissions.
const REDIS_USER: &str = "peer";
const ACL: &str = "user default off\nuser peer on #@PEER_SHA256@ +@all ~* &*";
/// Callers, each of which keeps one connection busy: HTTP/1.1 has one call in flight per
/// connection.
const CALLERS: usize = 64;
/// 100,000 pairs, more than the calls of any run. Each can be registered once.
const USERS: usize = 500;
const COMPETITIONS: usize = 200;
const STARTUP_TIMEOUT: Duration = Duration::from_secs(20);

/// Measures the peer. Leaves it out if its packages cannot be installed.
pub(super) async fn run(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    let python = match install() {
        Ok(python) => python,
        Err(error) => {
            report.leave_out(names::PEER, &error.to_string());
            return Ok(());
        }
    };
    let peer = Peer::start(context.stack.folder(), &python).await?;
    report.add_row(peer.measure_registrations(context).await?);
    for (name, path) in [
        (names::PEER_HEALTH_BASE, "/health"),
        (names::PEER_HEALTH_DEEP, "/health/full"),
    ] {
        let url = peer.user_url.clone() + path;
        let request = move || Ok(http::Request::get(&url).body(Full::default())?);
        report.add_row(peer.measure(context, name, request).await?);
    }
    Ok(())
}

/// Installs the packages of the peer if need be. Returns the Python of the virtual environment.
fn install() -> Result<PathBuf> {
    let output = Command::new("tools/need-python")
        .arg("crates/bench/peer/requirements.txt")
        .current_dir(REPOSITORY)
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let reason = stderr.lines().last().unwrap_or("tools/need-python failed");
        return Err(format!("its packages cannot be installed: {reason}").into());
    }
    let folder = String::from_utf8(output.stdout)?;
    Ok(Path::new(folder.trim_end()).join("bin/python"))
}

/// Both services of the peer and their Redis.
struct Peer {
    // Dropped in this order: the services before Redis.
    user: ChildProcess,
    _admin: ChildProcess,
    redis: RedisServer,
    /// `http://host:port`
    user_url: String,
    admin_url: String,
    counters: CounterReader,
}

impl Peer {
    async fn start(folder: &Path, python: &Path) -> Result<Self> {
        let redis = redis::start(folder.join("peer-redis"), ACL, &[])?;
        let redis_url = redis::url(&redis, REDIS_USER)?;
        let (user_address, admin_address) = (free_address(), free_address());
        let user_url = format!("http://{user_address}");
        let admin_url = format!("http://{admin_address}");
        let service = |app: &str, address: SocketAddr| {
            let mut command = Command::new(python);
            command
                .args(["-B", "-m", "uvicorn", app, "--log-level", "warning"])
                .args(["--port", &address.port().to_string()])
                .current_dir(FOLDER)
                .env("REDIS_URL", &redis_url)
                .env("USER_URL", &user_url)
                .env("ADMIN_URL", &admin_url);
            ChildProcess::start(command, folder)
        };
        let mut user = service("user_service:app", user_address)?;
        wait_until_open(&mut user, user_address).await?;
        let mut admin = service("admin_service:app", admin_address)?;
        wait_until_open(&mut admin, admin_address).await?;
        Ok(Self {
            user,
            _admin: admin,
            counters: CounterReader::connect(&redis, REDIS_USER).await?,
            redis,
            user_url,
            admin_url,
        })
    }

    async fn measure_registrations(&self, context: &Context<'_>) -> Result<ReportRow> {
        let client = new_client();
        for number in 0..COMPETITIONS {
            let url = format!("{}/competitions/c{number}", self.admin_url);
            let body = json!({ "capacity": 1_000_000 });
            send(&client, json_request(Method::PUT, &url, "", &body)?).await?;
        }
        let sessions_url = format!("{}/sessions", self.user_url);
        let mut tokens = Vec::with_capacity(USERS);
        for number in 0..USERS {
            let body = json!({ "user_id": format!("u{number}") });
            let request = json_request(Method::POST, &sessions_url, "", &body)?;
            let session: Value = serde_json::from_slice(&send(&client, request).await?)?;
            tokens.push(session["token"].as_str().unwrap_or_default().to_owned());
        }
        let tokens: Arc<[String]> = tokens.into();
        let next = Arc::<AtomicUsize>::default();
        let url = format!("{}/registrations", self.user_url);
        let request = move || {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let competition = (number + number / USERS) % COMPETITIONS;
            let body = json!({ "competition_id": format!("c{competition}") });
            json_request(Method::POST, &url, &tokens[number % USERS], &body)
        };
        self.measure(context, names::PEER_REGISTER, request).await
    }

    async fn measure(
        &self,
        context: &Context<'_>,
        name: &'static str,
        next_request: impl Fn() -> Result<HttpRequest> + Clone + Send + 'static,
    ) -> Result<ReportRow> {
        let client = new_client();
        let caller = |_| HttpCaller {
            client: client.clone(),
            next_request: next_request.clone(),
        };
        let observed = Observed {
            server: Some(self.user.pid()),
            redis: self.redis.pid(),
            counters: &self.counters,
        };
        let callers = (0..CALLERS).map(caller).collect();
        let rounds = measure_alone(context, &observed, callers).await?;
        Ok(ReportRow::new(name, &rounds))
    }
}

async fn wait_until_open(service: &mut ChildProcess, address: SocketAddr) -> Result<()> {
    let deadline = Instant::now() + STARTUP_TIMEOUT;
    while TcpStream::connect(address).await.is_err() {
        if Instant::now() > deadline || !service.is_running() {
            return Err(service.startup_error().into());
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

type HttpClient = Client<HttpConnector, Full<Bytes>>;
type HttpRequest = http::Request<Full<Bytes>>;

fn new_client() -> HttpClient {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

fn json_request(method: Method, url: &str, token: &str, body: &Value) -> Result<HttpRequest> {
    let request = http::Request::builder()
        .method(method)
        .uri(url)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json");
    Ok(request.body(Full::from(body.to_string()))?)
}

/// Returns the body of the response. Fails if its status is not 200.
async fn send(client: &HttpClient, request: HttpRequest) -> Result<Bytes> {
    let response = client.request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if status != StatusCode::OK {
        let body = String::from_utf8_lossy(&body);
        return Err(format!("status {status}: {body}").into());
    }
    Ok(body)
}

struct HttpCaller<G> {
    client: HttpClient,
    next_request: G,
}

impl<G: Fn() -> Result<HttpRequest> + Send + 'static> Caller for HttpCaller<G> {
    async fn call(&mut self) -> CallResult {
        let request = (self.next_request)().map_err(|error| error.to_string())?;
        let response = send(&self.client, request).await;
        response.map(drop).map_err(|error| error.to_string())
    }
}
