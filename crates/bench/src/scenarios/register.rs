//! `Register`, with four outcomes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::user::{RegisterRequest, RegisterResponse};
use api::v1::RegistrationState;
use domain::CompetitionId;
use tonic::{Code, Request};
use uuid::Uuid;

use super::names;
use crate::context::Context;
use crate::measure::measure;
use crate::report::BenchReport;
use crate::result::Result;
use crate::rpc::{ExpectedResponse, Register};
use crate::seed::{LoadUser, closed_competition, open_competition};

const COMPETITIONS: usize = 1_000;
/// More than any run reaches. Each pair of user and competition can register once, and the calls to
/// bare tonic use pairs up too.
const MAX_CALLS_PER_SECOND: usize = 100_000;

/// Confirmed registrations, spread over many competitions.
pub(super) async fn many_competitions(
    context: &Context<'_>,
    report: &mut BenchReport,
) -> Result<()> {
    let seeder = &context.seeder;
    let competitions = seeder
        .competitions("open", COMPETITIONS, open_competition())
        .await?;
    let pairs = Pairs::spread(context.users().await?, competitions);
    let before = context.counters.read().await?;
    let expected = ExpectedResponse::Message(is_confirmed);
    register(context, report, names::REGISTER, &pairs, expected).await?;
    let after = context.counters.read().await?;
    let bytes = after.bytes_per_change_since(&before);
    report.add_figure(names::MEMORY_SPREAD, bytes, "bytes");
    Ok(())
}

/// Confirmed registrations for the same competition.
pub(super) async fn one_competition(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    let (seeder, users) = (&context.seeder, context.users().await?);
    // When all users have registered for one, the next one follows.
    let count = context.max_calls(MAX_CALLS_PER_SECOND) / users.len() + 1;
    let competitions = seeder
        .competitions("one", count, open_competition())
        .await?;
    let pairs = Pairs::one_after_the_other(users, competitions);
    let expected = ExpectedResponse::Message(is_confirmed);
    register(context, report, names::REGISTER_ONE, &pairs, expected).await
}

/// Waitlisted registrations.
pub(super) async fn waitlisted(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    let (seeder, limited) = (&context.seeder, open_competition().capacity(1));
    let competitions = seeder.competitions("full", COMPETITIONS, limited).await?;
    let confirmed = seeder.users("holder", 1).await?.remove(0);
    let registrations = competitions.iter().map(|id| (&confirmed.id, id));
    seeder.register(registrations).await?;
    let pairs = Pairs::spread(context.users().await?, competitions);
    let expected =
        ExpectedResponse::Message(|response| has_state(response, RegistrationState::Waitlisted));
    register(
        context,
        report,
        names::REGISTER_WAITLISTED,
        &pairs,
        expected,
    )
    .await
}

/// Refused registrations: the window is closed.
pub(super) async fn closed(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    let seeder = &context.seeder;
    let competitions = seeder
        .competitions("closed", COMPETITIONS, closed_competition())
        .await?;
    let pairs = Pairs::spread(context.users().await?, competitions);
    let expected = ExpectedResponse::Error(Code::FailedPrecondition);
    register(context, report, names::REGISTER_CLOSED, &pairs, expected).await
}

async fn register(
    context: &Context<'_>,
    report: &mut BenchReport,
    name: &'static str,
    pairs: &Pairs,
    expected: ExpectedResponse<Register>,
) -> Result<()> {
    measure(context, report, name, expected, |_| {
        let pairs = pairs.clone();
        move || pairs.next_request()
    })
    .await
}

fn is_confirmed(response: &RegisterResponse) -> bool {
    has_state(response, RegistrationState::Confirmed)
}

fn has_state(response: &RegisterResponse, state: RegistrationState) -> bool {
    let registration = response.registration.as_ref();
    registration.is_some_and(|registration| registration.state() == state)
}

/// Pairs of a user and a competition, each used once. Clones share them.
#[derive(Clone)]
struct Pairs {
    users: Arc<[LoadUser]>,
    competitions: Arc<[CompetitionId]>,
    /// The index of the competition for a user, in each round over all users.
    competition_of: fn(user: usize, round: usize) -> usize,
    used: Arc<AtomicUsize>,
}

impl Pairs {
    /// Consecutive pairs have different competitions.
    fn spread(users: &[LoadUser], competitions: Vec<CompetitionId>) -> Self {
        Self::new(users, competitions, |user, round| user + round)
    }

    /// The pairs of a competition follow each other.
    fn one_after_the_other(users: &[LoadUser], competitions: Vec<CompetitionId>) -> Self {
        Self::new(users, competitions, |_, round| round)
    }

    fn new(
        users: &[LoadUser],
        competitions: Vec<CompetitionId>,
        competition_of: fn(usize, usize) -> usize,
    ) -> Self {
        Self {
            users: users.into(),
            competitions: competitions.into(),
            competition_of,
            used: Arc::default(),
        }
    }

    fn next_request(&self) -> Request<RegisterRequest> {
        let number = self.used.fetch_add(1, Ordering::Relaxed);
        let (round, user) = (number / self.users.len(), number % self.users.len());
        let competition = (self.competition_of)(user, round) % self.competitions.len();
        self.users[user].credential.request(RegisterRequest {
            competition_id: self.competitions[competition].to_string(),
            // Cheaper than a random one.
            request_id: Uuid::from_u128(number as u128).to_string(),
            validate_only: false,
        })
    }
}
