//! Everybody comes in the same moment: nobody waits until another one is answered, and who is turned away
//! for the load comes back when told to. The limit has to hold to the last place.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::user::user_service_client::UserServiceClient;
use api::user::{GetCompetitionRequest, RegisterRequest};
use api::v1::RegistrationState;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tonic::{Code, Status};
use uuid::Uuid;

use super::{Bench, names};
use crate::Result;
use crate::report::Report;
use crate::seed::{Member, Shape};
use crate::stack::usage::resident_bytes;

const PLACES: u32 = 5_000;
/// As many may wait. All others hear that it is full.
const WAITING: u32 = 5_000;
/// How long who is turned away waits before the next try, as the server asks for.
const COME_BACK: Duration = Duration::from_secs(1);
/// After so long the allocator has given back what is not used any more: its default is 10 s.
const MEMORY_SETTLES: Duration = Duration::from_secs(12);
/// After so many tries a caller gives up, and the run has failed.
const MOST_TRIES: u32 = 60;

/// How a rush went.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct History {
    /// Left out of the report, which has the picture of them.
    #[serde(skip)]
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) people: usize,
    /// How often somebody was turned away for the load, and came back.
    pub(crate) turned_away: u32,
    /// How often somebody heard that Redis did not answer in time, and asked again with the same request id.
    pub(crate) unanswered: u32,
    /// How many attempts ended in each way.
    pub(crate) counts: BTreeMap<Ending, usize>,
    /// From the first call to the last answer.
    pub(crate) seconds: f64,
}

/// One person's way in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    /// When the first call was made, in seconds since the rush began.
    pub(crate) called_at: f64,
    /// When the last answer came.
    pub(crate) answered_at: f64,
    /// How often the person was turned away first, for the load.
    pub(crate) turned_away: u32,
    /// How often the person heard first that Redis did not answer.
    pub(crate) unanswered: u32,
    pub(crate) ending: Ending,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ending {
    Confirmed,
    Waitlisted,
    Full,
}

/// Lets all members register at once, as fast as the generator can send.
pub(super) async fn rush(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let shape = Shape {
        capacity: Some(PLACES),
        waitlist_capacity: Some(WAITING),
        is_open: true,
    };
    let competition = bench
        .seeder
        .competitions("rush", 1, shape)
        .await?
        .remove(0)
        .to_string();
    let members = bench.members().await?;
    let mut clients = Vec::new();
    for _ in 0..bench.settings.connections {
        clients.push(UserServiceClient::new(bench.stack.user.connect().await?));
    }
    let competition_id: Arc<str> = competition.as_str().into();
    let began_at = Instant::now();
    let mut calls = JoinSet::new();
    for (member, client) in members.iter().zip(clients.iter().cycle()) {
        let register = register(
            client.clone(),
            member.clone(),
            Arc::clone(&competition_id),
            began_at,
        );
        calls.spawn(register);
    }
    let mut attempts = Vec::with_capacity(members.len());
    while let Some(ended) = calls.join_next().await {
        attempts.push(ended??);
    }
    let mut client = UserServiceClient::new(bench.stack.user.connect().await?);
    let asked = GetCompetitionRequest {
        competition_id: competition,
    };
    let held = client
        .get_competition(asked)
        .await?
        .into_inner()
        .competition;
    let held = held.ok_or("there is no competition in the answer")?;
    let history = History::of(attempts);
    history.check((held.confirmed_count, held.waitlisted_count))?;

    if let Some(bytes) = resident_bytes(bench.stack.user.pid()) {
        report.fact(names::MEMORY_AT_ONCE, bytes as f64 / 1e6, "MB");
    }
    sleep(MEMORY_SETTLES).await;
    for (name, server) in [
        (names::MEMORY_ADMIN, &bench.stack.admin),
        (names::MEMORY_USER, &bench.stack.user),
    ] {
        if let Some(bytes) = resident_bytes(server.pid()) {
            report.fact(name, bytes as f64 / 1e6, "MB");
        }
    }
    report.rush = Some(history);
    Ok(())
}

type Client = UserServiceClient<tonic::transport::Channel>;

async fn register(
    mut client: Client,
    member: Member,
    competition: Arc<str>,
    began_at: Instant,
) -> Result<Attempt> {
    let called_at = began_at.elapsed().as_secs_f64();
    let request_id = Uuid::new_v4().to_string();
    let (mut turned_away, mut unanswered) = (0, 0);
    while turned_away + unanswered < MOST_TRIES {
        let asked = member.asks(RegisterRequest {
            competition_id: competition.to_string(),
            request_id: request_id.clone(),
            validate_only: false,
        });
        let ending = match client.register(asked).await {
            Ok(answer) => match answer
                .get_ref()
                .registration
                .as_ref()
                .map(api::v1::Registration::state)
            {
                Some(RegistrationState::Confirmed) => Ending::Confirmed,
                Some(RegistrationState::Waitlisted) => Ending::Waitlisted,
                state => return Err(format!("in the rush somebody became {state:?}").into()),
            },
            Err(status) if status.code() == Code::FailedPrecondition => Ending::Full,
            Err(status) if status.code() == Code::ResourceExhausted => {
                turned_away += 1;
                sleep(COME_BACK).await;
                continue;
            }
            Err(status) if status.code() == Code::Unavailable => {
                unanswered += 1;
                sleep(COME_BACK).await;
                continue;
            }
            Err(status) => return Err(failed(&status)),
        };
        return Ok(Attempt {
            called_at,
            answered_at: began_at.elapsed().as_secs_f64(),
            turned_away,
            unanswered,
            ending,
        });
    }
    Err(format!("in the rush somebody tried {MOST_TRIES} times").into())
}

fn failed(status: &Status) -> Box<dyn std::error::Error + Send + Sync> {
    format!(
        "in the rush a call failed: {:?}: {} {status:?}",
        status.code(),
        status.message()
    )
    .into()
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Confirmed => "confirmed",
            Self::Waitlisted => "waitlisted",
            Self::Full => "refused",
        })
    }
}

impl History {
    pub(crate) fn of(attempts: Vec<Attempt>) -> Self {
        let mut counts = BTreeMap::new();
        for attempt in &attempts {
            *counts.entry(attempt.ending).or_default() += 1;
        }
        let last = attempts.iter().map(|attempt| attempt.answered_at);
        Self {
            people: attempts.len(),
            turned_away: attempts.iter().map(|attempt| attempt.turned_away).sum(),
            unanswered: attempts.iter().map(|attempt| attempt.unanswered).sum(),
            seconds: last.fold(0.0, f64::max),
            counts,
            attempts,
        }
    }

    /// What people were told, and what stands, is the limit to the last place.
    fn check(&self, held: (i32, i32)) -> Result<()> {
        let told = |ending| self.counts.get(&ending).copied().unwrap_or_default();
        let told = (told(Ending::Confirmed), told(Ending::Waitlisted));
        let limit = (PLACES as usize, WAITING as usize);
        if told == limit && held == (PLACES.cast_signed(), WAITING.cast_signed()) {
            return Ok(());
        }
        Err(format!(
            "the rush broke the limit: {limit:?} places and waiting, {told:?} were told so, {held:?} stand"
        )
        .into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(confirmed: usize) -> History {
        let attempt = |number| Attempt {
            called_at: 0.0,
            answered_at: 1.5,
            turned_away: 1,
            unanswered: 0,
            ending: match number {
                n if n < confirmed => Ending::Confirmed,
                n if n < 10_000 => Ending::Waitlisted,
                _ => Ending::Full,
            },
        };
        History::of((0..12_000).map(attempt).collect())
    }

    #[test]
    fn one_place_too_many_is_noticed() {
        assert!(history(5_000).check((5_000, 5_000)).is_ok());
        assert!(history(5_001).check((5_000, 5_000)).is_err());
        assert!(history(5_000).check((5_001, 5_000)).is_err());
        assert!(history(5_000).check((5_000, 4_999)).is_err());
    }

    #[test]
    fn a_history_adds_up() {
        let history = history(5_000);
        assert_eq!(history.counts[&Ending::Full], 2_000);
        assert_eq!(history.turned_away, 12_000);
        assert!((history.seconds - 1.5).abs() < f64::EPSILON);
    }
}
