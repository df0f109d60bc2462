//! A service as a process of its own, with its links.

use std::fs::write;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use api::diagnostics::GetHealthReportRequest;
use api::diagnostics::diagnostics_service_client::DiagnosticsServiceClient;
use nix::sys::signal::Signal;
use tempfile::NamedTempFile;
use testkit::{Program, TestRedis, eventually, free_address};
use tokio::net::TcpStream;
use tonic::Request;
use tonic::transport::{Channel, Endpoint};

use super::network::{ClientLink, RedisLink};
use super::rewrite::Rewrite;

pub struct Service {
    pub to_redis: RedisLink,
    pub to_clients: ClientLink,
    name: &'static str,
    address: SocketAddr,
    redis_url: String,
    /// The file that sets the clock of a process started with [`Service::start_with_clock`].
    clock: NamedTempFile,
    program: Option<Program>,
}

impl Service {
    pub(super) async fn new(
        name: &'static str,
        redis: &TestRedis,
        rewrite: Option<Rewrite>,
    ) -> Self {
        let redis_address = redis.address();
        let to_redis = RedisLink::start(redis_address, rewrite).await;
        let redis_url = redis.url(name);
        let link_address = to_redis.proxy.address.to_string();
        let address = free_address();
        Self {
            redis_url: redis_url.replace(&redis_address.to_string(), &link_address),
            to_clients: ClientLink::start(address).await,
            to_redis,
            name,
            address,
            clock: NamedTempFile::new().expect("a temporary file"),
            program: None,
        }
    }

    /// A connection through the link. It opens at the first call, and again when it breaks.
    #[must_use]
    pub fn channel(&self) -> Channel {
        channel_to(self.to_clients.proxy.address)
    }

    /// Starts the process; returns when it listens.
    pub async fn start(&mut self) {
        self.start_with(&[]).await;
    }

    /// Starts the process with the library faketime, so that [`Service::move_clock`] works.
    pub async fn start_with_clock(&mut self, library: &str) {
        let clock = self.clock.path().to_str().expect("a valid path").to_owned();
        write(&clock, "+0").expect("a writable file");
        let environment = [
            ("LD_PRELOAD", library),
            ("FAKETIME_TIMESTAMP_FILE", &clock),
            // Seconds until the library notices a change of the file.
            ("FAKETIME_CACHE_DURATION", "1"),
            // Durations are measured correctly, as when an administrator sets the clock.
            ("DONT_FAKE_MONOTONIC", "1"),
        ];
        self.start_with(&environment).await;
    }

    async fn start_with(&mut self, environment: &[(&str, &str)]) {
        let address = self.address;
        let mut settings = vec![
            ("STARTLIST_REDIS_URL", self.redis_url.as_str()),
            ("STARTLIST_LOG", "error"),
            ("STARTLIST_LOG_FORMAT", "json"),
            // All clients share one network.
            ("STARTLIST_SIGN_UPS_PER_HOUR", "0"),
            // A few accounts make all calls.
            ("STARTLIST_CHANGES_PER_MINUTE", "0"),
        ];
        settings.extend(environment);
        let flags = ["--listen", &address.to_string()];
        self.program = Some(Program::start(self.name, &flags, &settings));
        eventually(&format!("{} listens", self.name), async || {
            TcpStream::connect(address).await.is_ok()
        })
        .await;
    }

    /// Moves the clock of the process by this many hours; returns when the process has noticed.
    pub async fn move_clock(&self, hours: i8) {
        write(self.clock.path(), format!("{hours:+}h")).expect("a writable file");
        eventually("the clock has moved", async || {
            let is_moved = |ahead: i64| (ahead - i64::from(hours) * 3_600).abs() < 600;
            // Not through the link, which may be broken.
            seconds_ahead(channel_to(self.address))
                .await
                .into_iter()
                .any(is_moved)
        })
        .await;
    }

    pub fn signal(&self, signal: Signal) {
        let program = self.program.as_ref().expect("the service is running");
        program.signal(signal);
    }

    /// Kills the process; returns when it has ended.
    pub async fn kill(&mut self) {
        if let Some(program) = self.program.take() {
            program.signal(Signal::SIGKILL);
            program.exit().await;
        }
    }
}

fn channel_to(address: SocketAddr) -> Channel {
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("a valid URL");
    endpoint.connect_timeout(CONNECT_TIMEOUT).connect_lazy()
}

/// The times in the health report of a service, in seconds ahead of the clock of this machine.
async fn seconds_ahead(channel: Channel) -> Vec<i64> {
    let mut client = DiagnosticsServiceClient::new(channel);
    let mut request = Request::new(GetHealthReportRequest { shallow: false });
    request.set_timeout(Duration::from_secs(2));
    let Ok(report) = client.get_health_report(request).await else {
        return Vec::new();
    };
    let parts = report.into_inner().server.unwrap_or_default().parts;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = i64::try_from(now.map_or(0, |now| now.as_secs())).unwrap_or(0);
    let times = parts.iter().filter_map(|part| part.checked_at);
    times.map(|at| at.seconds - now).collect()
}
