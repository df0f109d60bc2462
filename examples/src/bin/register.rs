//! Registers a user for a competition, and retries until the result is certain.
//!
//! ```sh
//! cargo run -p examples --bin register -- ada@example.org 'ada runs for fun' city-run
//! ```
//!
//! The service is the one in `STARTLIST_URL` (default: `http://127.0.0.1:50052`). Exits with 1 and
//! one sentence if the user cannot be registered.

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use api::user::user_service_client::UserServiceClient;
use api::user::{RegisterRequest, SignInRequest};
use api::v1::Registration;
use tokio::time::sleep;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

/// How long one attempt may take.
const DEADLINE: Duration = Duration::from_secs(2);
const MAX_ATTEMPTS: u32 = 6;
/// The delay before the second attempt. It doubles with each further attempt.
const FIRST_DELAY: Duration = Duration::from_millis(100);

type Client = UserServiceClient<Channel>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [email, password, competition] = &arguments[..] else {
        eprintln!("usage: register EMAIL PASSWORD COMPETITION");
        return ExitCode::from(64);
    };
    match run(email, password, competition).await {
        Ok(registration) => {
            println!("{}", describe(&registration));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("register: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(email: &str, password: &str, id: &str) -> Result<Registration, Box<dyn Error>> {
    let url = env::var("STARTLIST_URL").unwrap_or_else(|_| "http://127.0.0.1:50052".to_owned());
    let mut client = Client::new(Endpoint::from_shared(url)?.connect_lazy());
    let session = client
        .sign_in(SignInRequest {
            email: email.to_owned(),
            password: password.to_owned(),
        })
        .await
        .map_err(|status| explain(&status))?;
    let token = format!("Bearer {}", session.into_inner().session_token).parse()?;
    let registration = register(&mut client, &token, id).await;
    Ok(registration.map_err(|status| explain(&status))?)
}

async fn register(
    client: &mut Client,
    token: &AsciiMetadataValue,
    competition: &str,
) -> Result<Registration, Status> {
    // One id for all attempts: a repeated call returns the result of the first one, even if its
    // response was lost.
    let request_id = Uuid::new_v4().to_string();
    let mut delay = FIRST_DELAY;
    let mut attempt = 1;
    loop {
        let mut request = Request::new(RegisterRequest {
            competition_id: competition.to_owned(),
            request_id: request_id.clone(),
            ..RegisterRequest::default()
        });
        request.set_timeout(DEADLINE);
        request
            .metadata_mut()
            .insert("authorization", token.clone());
        match client.register(request).await {
            Ok(response) => {
                let registration = response.into_inner().registration;
                return registration.ok_or_else(|| Status::internal("an empty response"));
            }
            Err(status) if is_transient(&status) && attempt < MAX_ATTEMPTS => {
                // The service knows better than the client when to retry.
                sleep(retry_delay(&status).unwrap_or(delay)).await;
                delay *= 2;
                attempt += 1;
            }
            Err(status) => return Err(status),
        }
    }
}

/// Whether the same call may succeed later. Any other error is final.
fn is_transient(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled
    )
}

fn retry_delay(status: &Status) -> Option<Duration> {
    status.get_details_retry_info()?.retry_delay
}

/// The reason by which a program tells errors apart, such as `COMPETITION_FULL`, and the sentence
/// for people.
fn explain(status: &Status) -> String {
    let reason = status.get_details_error_info().map(|info| info.reason);
    let reason = reason.unwrap_or_else(|| format!("{:?}", status.code()));
    format!("{reason}: {}", status.message())
}

fn describe(registration: &Registration) -> String {
    let state = registration.state().as_str_name();
    match registration.waitlist_position {
        Some(position) => format!("{state}, position {position} in the queue"),
        None => state.to_owned(),
    }
}
