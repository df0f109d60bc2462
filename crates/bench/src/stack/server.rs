//! A gRPC server in a child process.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use api::health::HealthCheckRequest;
use api::health::health_check_response::ServingStatus;
use api::health::health_client::HealthClient;
use tokio::time::sleep;
use tonic::transport::{Channel, Endpoint};

use super::child_process::ChildProcess;
use crate::result::Result;

const STARTUP_TIMEOUT: Duration = Duration::from_secs(10);
/// The precision with which the start-up time is measured.
const POLL_INTERVAL: Duration = Duration::from_millis(1);
/// Flow control must not stop a server because the generator reads slowly: the default window of
/// 64 KiB holds one response of `ListRegistrations`.
const RECEIVE_WINDOW: u32 = 4 * 1024 * 1024;

pub(crate) struct GrpcServer {
    pub(crate) process: ChildProcess,
    /// `http://host:port`
    pub(crate) url: String,
}

impl GrpcServer {
    /// Starts a service; returns when it is ready. The command must make it listen on this address.
    pub(super) async fn start(command: Command, address: SocketAddr, logs: &Path) -> Result<Self> {
        let mut server = Self {
            process: ChildProcess::start(command, logs)?,
            url: format!("http://{address}"),
        };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// Kills the service and starts it again. Returns the time from the start of the process until
    /// the service is ready.
    pub(crate) async fn restart(&mut self) -> Result<Duration> {
        self.process.restart()?;
        let started_at = Instant::now();
        self.wait_until_ready().await?;
        Ok(started_at.elapsed())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Opens a connection with the settings of the load generator.
    pub(crate) async fn connect(&self) -> Result<Channel> {
        connect(&self.url).await
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + STARTUP_TIMEOUT;
        while !self.is_ready().await {
            if Instant::now() > deadline || !self.process.is_running() {
                return Err(self.process.startup_error().into());
            }
            sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    async fn is_ready(&self) -> bool {
        let Ok(channel) = self.connect().await else {
            return false;
        };
        let request = HealthCheckRequest {
            service: "readiness".to_owned(),
        };
        let response = HealthClient::new(channel).check(request).await;
        response.is_ok_and(|health| health.get_ref().status() == ServingStatus::Serving)
    }
}

/// Opens a connection with the settings of the load generator.
pub(crate) async fn connect(url: &str) -> Result<Channel> {
    let endpoint = Endpoint::from_shared(url.to_owned())?
        .tcp_nodelay(true)
        .initial_stream_window_size(RECEIVE_WINDOW)
        .initial_connection_window_size(RECEIVE_WINDOW);
    Ok(endpoint.connect().await?)
}
