//! Prints each change of a service's health until the program is stopped.
//!
//! ```sh
//! cargo run -p examples --bin watch_health -- http://127.0.0.1:50052 deep
//! ```
//!
//! `docs/health.md` lists the names that can be watched.

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use tokio::time::sleep;
use tonic::transport::{Channel, Endpoint, Error};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// The delay before a new stream is opened.
const RECONNECT_DELAY: Duration = Duration::from_secs(1);
/// Detects a dead connection: no traffic passes while the status does not change.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let url = arguments
        .next()
        .unwrap_or_else(|| "http://127.0.0.1:50052".to_owned());
    let service = arguments.next().unwrap_or_else(|| "deep".to_owned());
    let mut client = match connect(url) {
        Ok(client) => client,
        Err(error) => {
            eprintln!("watch_health: {error}");
            return ExitCode::from(64);
        }
    };
    loop {
        // A stream ends when the service drains or the connection breaks.
        match watch(&mut client, &service).await {
            Err(status) if status.code() == Code::Unimplemented => {
                eprintln!("watch_health: the server has no health service");
                return ExitCode::FAILURE;
            }
            Err(status) => println!("UNKNOWN: {}", status.message()),
            Ok(()) => println!("UNKNOWN: the server ended the stream"),
        }
        sleep(RECONNECT_DELAY).await;
    }
}

fn connect(url: String) -> Result<HealthClient<Channel>, Error> {
    let endpoint = Endpoint::from_shared(url)?
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_while_idle(true);
    Ok(HealthClient::new(endpoint.connect_lazy()))
}

async fn watch(client: &mut HealthClient<Channel>, service: &str) -> Result<(), Status> {
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    let mut changes = client.watch(request).await?.into_inner();
    while let Some(change) = changes.message().await? {
        println!("{}", change.status().as_str_name());
    }
    Ok(())
}
