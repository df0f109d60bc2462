//! Asks a server for its health from the command line: for Docker's
//! HEALTHCHECK, and for people.

use std::{error::Error, fmt, net::SocketAddr, process, time::Duration};

use api::diagnostics::{
    GetHealthReportRequest, diagnostics_service_client::DiagnosticsServiceClient,
};
use clap::Args;
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::url::{InvalidServerUrl, ServerUrl};
use crate::config::duration;

/// The subcommand `probe`: asks a running server for its health, says one line
/// about it, and ends with 0 if it is SERVING, 1 if it is not, 2 if nobody could
/// be reached, 3 if no answer came in time
#[derive(Debug, Clone, Args)]
pub struct ProbeCommand {
    /// What to ask for: deep, readiness, liveness, redis, peer, a service's full
    /// name, or "" for the server as a whole
    #[arg(long, value_name = "NAME", default_value = "deep")]
    pub service: String,

    /// Where to ask: HOST:PORT [default: where this service would listen]
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<ServerUrl>,

    /// How long to wait for the answer
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub timeout: Duration,
}

impl ProbeCommand {
    /// Asks the server at `address`, or else the one that listens on `listen`,
    /// and ends the process.
    ///
    /// At once: the look-up of a name that does not resolve would keep the
    /// runtime from ending for many seconds.
    pub async fn run(self, listen: SocketAddr) -> ! {
        let probed = match self.address.map_or_else(|| listen.try_into(), Ok) {
            Ok(server) => probe(&server, &self.service, self.timeout).await,
            Err(InvalidServerUrl) => Probed::unreachable(listen),
        };
        println!("{}", probed.words);
        process::exit(probed.outcome.exit_code())
    }
}

/// What a probe found, and the exit code that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// SERVING.
    Serving = 0,
    /// Any other answer.
    NotServing = 1,
    /// There is no gRPC server at that address.
    Unreachable = 2,
    /// The time was up.
    TimedOut = 3,
}

impl Outcome {
    /// The exit code of the process: 0 to 3.
    #[must_use]
    pub fn exit_code(self) -> i32 {
        self as i32
    }
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// For the exit code.
    pub outcome: Outcome,
    /// One line for people, without a line end.
    pub words: String,
}

impl Probed {
    fn unreachable(server: impl fmt::Display) -> Self {
        Self {
            outcome: Outcome::Unreachable,
            words: format!("cannot connect to {server}"),
        }
    }
}

/// Checks one name of a server. Takes no longer than `patience`, whatever hangs.
pub async fn probe(server: &ServerUrl, name: &str, patience: Duration) -> Probed {
    let until = Instant::now() + patience;
    let subject = if name.is_empty() { "the server" } else { name };
    match timeout_at(until, check(server, name)).await {
        Ok(Ok((ServingStatus::Serving, _))) => Probed {
            outcome: Outcome::Serving,
            words: format!("{subject} is SERVING"),
        },
        Ok(Ok((status, channel))) => {
            let reason = timeout_at(until, reason(channel, name)).await;
            let reason = reason.ok().flatten().unwrap_or_default();
            Probed {
                outcome: Outcome::NotServing,
                words: format!("{subject} is {}{reason}", status.as_str_name()),
            }
        }
        Ok(Err(status)) => failure(server, name, &status),
        Err(_) => Probed {
            outcome: Outcome::TimedOut,
            words: format!("no answer from {server} within {patience:?}"),
        },
    }
}

async fn check(server: &ServerUrl, name: &str) -> Result<(ServingStatus, Channel), Status> {
    let channel = server.endpoint().connect().await;
    let channel = channel.map_err(|error| Status::from_error(Box::new(error)))?;
    let request = HealthCheckRequest {
        service: name.to_owned(),
    };
    let answer = HealthClient::new(channel.clone()).check(request).await?;
    Ok((answer.into_inner().status(), channel))
}

/// Why a name is not serving, if the server can tell.
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

fn failure(server: &ServerUrl, name: &str, status: &Status) -> Probed {
    // A status that the server sent has no cause on our side.
    if status.source().is_some() {
        let words = format!("cannot connect to {server}");
        return Probed {
            outcome: Outcome::Unreachable,
            words,
        };
    }
    let words = match status.code() {
        Code::NotFound => format!("{server} does not know the name {name:?}"),
        Code::Unimplemented => format!("{server} has no health service"),
        code => format!("{server} answered with an error: {code}"),
    };
    Probed {
        outcome: Outcome::NotServing,
        words,
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
    fn without_flags_it_asks_for_deep_and_waits_a_second() {
        let probe = Program::parse_from(["probe"]).probe;
        assert_eq!(probe.service, "deep");
        assert_eq!(probe.address, None);
        assert_eq!(probe.timeout, Duration::from_secs(1));
    }

    #[test]
    fn each_flag_is_taken() {
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
