//! The command-line client, for Docker's HEALTHCHECK and for people.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::process;
use std::time::Duration;

use api::diagnostics::GetHealthReportRequest;
use api::diagnostics::diagnostics_service_client::DiagnosticsServiceClient;
use clap::Args;
use tokio::time::{Instant, timeout_at};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::config::duration;
use crate::url::{InvalidServerUrl, ServerUrl};

/// Asks a running server for its health and prints one line
///
/// Exit codes: 0 if it is SERVING, 1 if it is not, 2 if the server cannot be reached, 3 if no
/// answer came in time.
#[derive(Debug, Clone, Args)]
pub struct ProbeCommand {
    /// The name to ask for: deep, readiness, liveness, redis, peer, a service's full name, or ""
    /// for the server as a whole
    #[arg(long, value_name = "NAME", default_value = "deep")]
    pub service: String,

    /// The server to ask: HOST:PORT [default: the address that this service would listen on]
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<ServerUrl>,

    /// How long to wait for the answer
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub timeout: Duration,
}

impl ProbeCommand {
    /// Asks the server at `address`, or else the one that listens on `listen`, prints the result
    /// and ends the process.
    pub async fn run(self, listen: SocketAddr) -> ! {
        let report = match self.address.map_or_else(|| listen.try_into(), Ok) {
            Ok(server) => probe(&server, &self.service, self.timeout).await,
            Err(InvalidServerUrl) => ProbeReport::unreachable(listen),
        };
        println!("{}", report.message);
        // Exit without shutting the runtime down, which would wait many seconds for the DNS lookup
        // of a name that does not resolve.
        process::exit(report.outcome.exit_code())
    }
}

/// The outcome of a probe, with its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeOutcome {
    Serving = 0,
    /// Any other status, or an error.
    NotServing = 1,
    /// No gRPC server listens there.
    Unreachable = 2,
    TimedOut = 3,
}

impl ProbeOutcome {
    /// Returns the exit code of the process: 0 to 3.
    #[must_use]
    pub fn exit_code(self) -> i32 {
        self as i32
    }
}

/// The result of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeReport {
    pub outcome: ProbeOutcome,
    /// One line for people, without a line end.
    pub message: String,
}

impl ProbeReport {
    fn unreachable(server: impl fmt::Display) -> Self {
        Self {
            outcome: ProbeOutcome::Unreachable,
            message: format!("cannot connect to {server}"),
        }
    }
}

/// Checks one name of a server. Takes no longer than `timeout`, even if the server hangs.
pub async fn probe(server: &ServerUrl, name: &str, timeout: Duration) -> ProbeReport {
    let until = Instant::now() + timeout;
    let subject = if name.is_empty() { "the server" } else { name };
    match timeout_at(until, check(server, name)).await {
        Ok(Ok((ServingStatus::Serving, _))) => ProbeReport {
            outcome: ProbeOutcome::Serving,
            message: format!("{subject} is SERVING"),
        },
        Ok(Ok((status, channel))) => {
            let reason = timeout_at(until, reason(channel, name)).await;
            let reason = reason.ok().flatten().unwrap_or_default();
            ProbeReport {
                outcome: ProbeOutcome::NotServing,
                message: format!("{subject} is {}{reason}", status.as_str_name()),
            }
        }
        Ok(Err(status)) => failure(server, name, &status),
        Err(_) => ProbeReport {
            outcome: ProbeOutcome::TimedOut,
            message: format!("no answer from {server} within {timeout:?}"),
        },
    }
}

async fn check(server: &ServerUrl, name: &str) -> Result<(ServingStatus, Channel), Status> {
    let channel = server.endpoint().connect().await;
    let channel = channel.map_err(|error| Status::from_error(Box::new(error)))?;
    let request = HealthCheckRequest {
        service: name.to_owned(),
    };
    let response = HealthClient::new(channel.clone()).check(request).await?;
    Ok((response.into_inner().status(), channel))
}

/// Returns why a name is not serving, if the server reports a reason.
async fn reason(channel: Channel, name: &str) -> Option<String> {
    let request = GetHealthReportRequest { shallow: false };
    let report = DiagnosticsServiceClient::new(channel)
        .get_health_report(request)
        .await
        .ok()?;
    let parts = report.into_inner().server?.parts;
    let error = parts.into_iter().find(|part| part.name == name)?.error;
    (!error.is_empty()).then(|| format!(": {error}"))
}

fn failure(server: &ServerUrl, name: &str, status: &Status) -> ProbeReport {
    // Only a status that was made on this side has a source.
    if status.source().is_some() {
        let message = format!("cannot connect to {server}");
        return ProbeReport {
            outcome: ProbeOutcome::Unreachable,
            message,
        };
    }
    let message = match status.code() {
        Code::NotFound => format!("{server} does not know the name {name:?}"),
        Code::Unimplemented => format!("{server} has no health service"),
        code => format!("{server} answered with an error: {code}"),
    };
    ProbeReport {
        outcome: ProbeOutcome::NotServing,
        message,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        probe: ProbeCommand,
    }

    #[test]
    fn the_defaults_are_deep_and_one_second() {
        let probe = Program::parse_from(["probe"]).probe;
        assert_eq!(probe.service, "deep");
        assert_eq!(probe.address, None);
        assert_eq!(probe.timeout, Duration::from_secs(1));
    }

    #[test]
    fn every_flag_is_used() {
        let flags = [
            "probe",
            "--service",
            "",
            "--address",
            "peer:1",
            "--timeout",
            "250ms",
        ];
        let probe = Program::parse_from(flags).probe;
        assert_eq!(probe.service, "");
        assert_eq!(probe.address, Some("peer:1".parse().unwrap()));
        assert_eq!(probe.timeout, Duration::from_millis(250));
    }
}
