//! All users register for one competition at once, without waiting for each other. Rejected calls
//! are retried as the server asks. The limits must hold exactly.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::user::user_service_client::UserServiceClient;
use api::user::{GetCompetitionRequest, RegisterRequest};
use api::v1::RegistrationState;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tonic::Code;
use tonic::transport::Channel;
use uuid::Uuid;

use super::names;
use crate::context::Context;
use crate::load::CallStats;
use crate::report::{BenchReport, Burst};
use crate::result::Result;
use crate::seed::{Credential, open_competition};
use crate::stack::usage::resident_bytes;

/// How many users there are per place, and per place on the waitlist.
const USERS_PER_PLACE: u32 = 10;
/// The delay that the server asks for.
const RETRY_DELAY: Duration = Duration::from_secs(1);
const MAX_TRIES: u32 = 60;
/// The allocator returns unused memory to the system after 10 s.
const MEMORY_SETTLING_TIME: Duration = Duration::from_secs(12);

pub(super) async fn run(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    let places = context.settings.users / USERS_PER_PLACE;
    let limited = open_competition()
        .capacity(i64::from(places))
        .waitlist_capacity(i64::from(places));
    let competitions = context.seeder.competitions("rush", 1, limited).await?;
    let competition_id = competitions[0].to_string();
    let burst = register_all(context, &competition_id).await?;

    let mut client = UserServiceClient::new(context.stack.user.connect().await?);
    let request = GetCompetitionRequest { competition_id };
    let response = client.get_competition(request).await?.into_inner();
    let stored = response.competition.unwrap_or_default();
    let counts = [stored.confirmed_count, stored.waitlisted_count].map(i64::from);
    check_limits(&burst, counts, places)?;

    add_memory(report, names::MEMORY_AFTER_BURST, context.stack.user.pid());
    sleep(MEMORY_SETTLING_TIME).await;
    add_memory(report, names::MEMORY_ADMIN, context.stack.admin.pid());
    add_memory(report, names::MEMORY_USER, context.stack.user.pid());
    report.burst = Some(burst);
    Ok(())
}

/// Starts the calls of all users as fast as the generator can, and waits for all of them.
async fn register_all(context: &Context<'_>, competition: &str) -> Result<Burst> {
    let users = context.users().await?;
    let mut clients = Vec::new();
    for _ in 0..context.settings.connections {
        clients.push(UserServiceClient::new(context.stack.user.connect().await?));
    }
    let competition: Arc<str> = competition.into();
    let started_at = Instant::now();
    let mut calls = JoinSet::new();
    for (user, client) in users.iter().zip(clients.iter().cycle()) {
        let (client, credential) = (client.clone(), user.credential.clone());
        let competition = Arc::clone(&competition);
        calls.spawn(async move {
            let called_at = Instant::now();
            let result = register(client, credential, &competition).await;
            (result, called_at.elapsed())
        });
    }
    let mut burst = Burst {
        users: users.len(),
        ..Burst::default()
    };
    let mut latencies = CallStats::new();
    while let Some(ended) = calls.join_next().await {
        let (result, latency) = ended?;
        let result = result?;
        latencies.record(&Ok(()), latency);
        burst.overloaded += result.overloaded;
        burst.unavailable += result.unavailable;
        match result.state {
            Some(RegistrationState::Confirmed) => burst.confirmed += 1,
            Some(RegistrationState::Waitlisted) => burst.waitlisted += 1,
            Some(state) => return Err(format!("a registration became {state:?}").into()),
            None => burst.refused += 1,
        }
    }
    burst.seconds = started_at.elapsed().as_secs_f64();
    burst.p50_ms = latencies.quantile_ms(0.5);
    burst.p99_ms = latencies.quantile_ms(0.99);
    burst.max_ms = latencies.quantile_ms(1.0);
    Ok(burst)
}

/// The outcome for one user, and how many calls were rejected or unanswered before.
#[derive(Default)]
struct UserResult {
    /// `None` if the registration was refused.
    state: Option<RegistrationState>,
    overloaded: u32,
    unavailable: u32,
}

async fn register(
    mut client: UserServiceClient<Channel>,
    credential: Credential,
    competition: &str,
) -> Result<UserResult> {
    let request_id = Uuid::new_v4().to_string();
    let mut result = UserResult::default();
    while result.overloaded + result.unavailable < MAX_TRIES {
        let request = credential.request(RegisterRequest {
            competition_id: competition.to_owned(),
            request_id: request_id.clone(),
            validate_only: false,
        });
        match client.register(request).await {
            Ok(response) => {
                let registration = response.into_inner().registration;
                result.state = registration.map(|registration| registration.state());
                return Ok(result);
            }
            Err(status) => match status.code() {
                Code::FailedPrecondition => return Ok(result),
                Code::ResourceExhausted => result.overloaded += 1,
                Code::Unavailable => result.unavailable += 1,
                _ => return Err(format!("a call failed: {status:?}").into()),
            },
        }
        sleep(RETRY_DELAY).await;
    }
    Err(format!("a call failed {MAX_TRIES} times").into())
}

/// Compares the responses and the stored counts with the limits.
fn check_limits(burst: &Burst, stored: [i64; 2], places: u32) -> Result<()> {
    let limit = i64::from(places);
    let told = [burst.confirmed, burst.waitlisted].map(i64::from);
    if told == [limit, limit] && stored == [limit, limit] {
        return Ok(());
    }
    Err(format!(
        "the limit is {places} confirmed and {places} waitlisted, but the responses were {told:?} \
         and {stored:?} are stored"
    )
    .into())
}

fn add_memory(report: &mut BenchReport, name: &'static str, pid: u32) {
    if let Some(bytes) = resident_bytes(pid) {
        report.add_figure(name, bytes as f64 / 1e6, "MB");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burst(confirmed: u32) -> Burst {
        Burst {
            users: 50_000,
            confirmed,
            waitlisted: 5_000,
            ..Burst::default()
        }
    }

    #[test]
    fn one_place_too_many_is_detected() {
        let places = 5_000;
        assert!(check_limits(&burst(5_000), [5_000, 5_000], places).is_ok());
        assert!(check_limits(&burst(5_001), [5_000, 5_000], places).is_err());
        assert!(check_limits(&burst(5_000), [5_001, 5_000], places).is_err());
        assert!(check_limits(&burst(5_000), [5_000, 4_999], places).is_err());
    }
}
