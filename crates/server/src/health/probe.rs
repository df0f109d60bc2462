//! Asks a server for its health from the command line: for Docker's
//! HEALTHCHECK, and for people.

use std::{error::Error, process::ExitCode, time::Duration};

use api::diagnostics::{
    GetHealthReportRequest, diagnostics_service_client::DiagnosticsServiceClient,
};
use tokio::time::timeout;
use tonic::{Code, Status, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::url::ServerUrl;

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

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome as u8)
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

/// Checks one name of a server. Takes no longer than `patience`, whatever hangs.
pub async fn probe(server: &ServerUrl, name: &str, patience: Duration) -> Probed {
    timeout(patience, ask(server, name))
        .await
        .unwrap_or_else(|_| Probed {
            outcome: Outcome::TimedOut,
            words: format!("no answer from {server} within {patience:?}"),
        })
}

async fn ask(server: &ServerUrl, name: &str) -> Probed {
    match check(server, name).await {
        Ok((ServingStatus::Serving, _)) => Probed {
            outcome: Outcome::Serving,
            words: format!("{} is SERVING", subject(name)),
        },
        Ok((status, channel)) => Probed {
            outcome: Outcome::NotServing,
            words: format!(
                "{} is {}{}",
                subject(name),
                status.as_str_name(),
                reason(channel, name).await.unwrap_or_default()
            ),
        },
        Err(status) => failure(server, name, &status),
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

fn subject(name: &str) -> &str {
    if name.is_empty() { "the server" } else { name }
}
