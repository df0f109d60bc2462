//! The peer: the same task in Python, as a yardstick. It runs on the same machine and on a Redis with
//! the same settings, under the same load generator.
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
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use redis_server::RedisServer;
use serde_json::{Value, json};
use testkit::free_address;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::names;
use crate::context::Context;
use crate::load::{CallResult, Caller};
use crate::measure::measure_alone;
use crate::measurement::Observed;
use crate::report::Report;
use crate::result::Result;
use crate::row::ReportRow;
use crate::stack::{Program, RedisCounters, redis};

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peer");
/// The only user of its Redis, with all permissions.
const REDIS_USER: &str = "peer";
const ACL: &str = "user default off\nuser peer on #@PEER_SHA256@ +@all ~* &*";
/// HTTP/1.1 has one call in flight per connection.
const CONNECTIONS: usize = 64;
/// 100,000 pairs, more than the calls of any run. Each can be registered once.
const USERS: usize = 500;
const COMPETITIONS: usize = 200;
const STARTUP_TIMEOUT: Duration = Duration::from_secs(20);

/// Measures the peer. Leaves it out if its packages cannot be installed.
pub(super) async fn run(context: &Context<'_>, report: &mut Report) -> Result<()> {
    let python = match install() {
        Ok(python) => python,
        Err(error) => {
            report.leave_out(names::PEER, error.to_string());
            return Ok(());
        }
    };
    let peer = Peer::start(context.stack.folder(), &python).await?;
    report.add_row(peer.measure_registrations(context).await?);
    for (name, path) in [
        (names::PEER_HEALTH_BASE, "/health"),
        (names::PEER_HEALTH_DEEP, "/health/full"),
    ] {
        let request = move || http_request(Method::GET, path, None, None);
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
    user: Program,
    _admin: Program,
    redis: RedisServer,
    user_address: SocketAddr,
    admin_address: SocketAddr,
    counters: RedisCounters,
}

impl Peer {
    async fn start(folder: &Path, python: &Path) -> Result<Self> {
        let redis = redis::start(folder.join("peer-redis"), ACL, &[])?;
        let redis_url = redis::url(&redis, REDIS_USER)?;
        let (user_address, admin_address) = (free_address(), free_address());
        let service = |app: &str, address: SocketAddr| {
            let mut command = Command::new(python);
            command
                .args(["-B", "-m", "uvicorn", app, "--log-level", "warning"])
                .args(["--port", &address.port().to_string()])
                .current_dir(FOLDER)
                .env("REDIS_URL", &redis_url)
                .env("USER_URL", format!("http://{user_address}"))
                .env("ADMIN_URL", format!("http://{admin_address}"));
            Program::start(command, folder)
        };
        let mut user = service("user_service:app", user_address)?;
        wait_until_open(&mut user, user_address).await?;
        let mut admin = service("admin_service:app", admin_address)?;
        wait_until_open(&mut admin, admin_address).await?;
        Ok(Self {
            user,
            _admin: admin,
            counters: RedisCounters::connect(&redis, REDIS_USER).await?,
            redis,
            user_address,
            admin_address,
        })
    }

    async fn measure_registrations(&self, context: &Context<'_>) -> Result<ReportRow> {
        let mut admin = HttpConnection::open(self.admin_address).await?;
        for number in 0..COMPETITIONS {
            let path = format!("/competitions/c{number}");
            let body = json!({ "capacity": 1_000_000 });
            let request = http_request(Method::PUT, &path, None, Some(&body))?;
            admin.send(request).await?;
        }
        let mut user = HttpConnection::open(self.user_address).await?;
        let mut tokens = Vec::with_capacity(USERS);
        for number in 0..USERS {
            let body = json!({ "user_id": format!("u{number}") });
            let request = http_request(Method::POST, "/sessions", None, Some(&body))?;
            let session: Value = serde_json::from_slice(&user.send(request).await?)?;
            tokens.push(session["token"].as_str().unwrap_or_default().to_owned());
        }
        let tokens: Arc<[String]> = tokens.into();
        let next = Arc::<AtomicUsize>::default();
        let request = move || {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let competition = (number + number / USERS) % COMPETITIONS;
            let body = json!({ "competition_id": format!("c{competition}") });
            let token = Some(tokens[number % USERS].as_str());
            http_request(Method::POST, "/registrations", token, Some(&body))
        };
        self.measure(context, names::PEER_REGISTER, request).await
    }

    async fn measure(
        &self,
        context: &Context<'_>,
        name: &'static str,
        request: impl Fn() -> Result<HttpRequest> + Clone + Send + 'static,
    ) -> Result<ReportRow> {
        let mut callers = Vec::new();
        for _ in 0..CONNECTIONS {
            callers.push(HttpCaller {
                connection: HttpConnection::open(self.user_address).await?,
                next_request: request.clone(),
            });
        }
        let observed = Observed {
            server: Some(self.user.pid()),
            redis: self.redis.pid(),
            counters: &self.counters,
        };
        let rounds = measure_alone(context, &observed, callers).await?;
        Ok(ReportRow::new(name, &rounds))
    }
}

async fn wait_until_open(program: &mut Program, address: SocketAddr) -> Result<()> {
    let deadline = Instant::now() + STARTUP_TIMEOUT;
    while TcpStream::connect(address).await.is_err() {
        if Instant::now() > deadline || !program.is_running() {
            return Err(program.startup_error().into());
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

type HttpRequest = http::Request<Full<Bytes>>;

fn http_request(
    method: Method,
    path: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> Result<HttpRequest> {
    let mut request = http::Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "peer");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    Ok(request.body(Full::from(body))?)
}

struct HttpConnection(SendRequest<Full<Bytes>>);

impl HttpConnection {
    async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends when the sender is dropped. An error also fails the call that is in flight.
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Returns the body of the response. Fails if its status is not 200.
    async fn send(&mut self, request: HttpRequest) -> Result<Bytes> {
        self.0.ready().await?;
        let response = self.0.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if status != StatusCode::OK {
            let body = String::from_utf8_lossy(&body);
            return Err(format!("status {status}: {body}").into());
        }
        Ok(body)
    }
}

struct HttpCaller<G> {
    connection: HttpConnection,
    next_request: G,
}

impl<G: Fn() -> Result<HttpRequest> + Send + 'static> Caller for HttpCaller<G> {
    async fn call(&mut self) -> CallResult {
        let request = (self.next_request)().map_err(|error| error.to_string())?;
        let response = self.connection.send(request).await;
        response.map(drop).map_err(|error| error.to_string())
    }
}
