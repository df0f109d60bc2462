//! In and out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::user::user_service_client::UserServiceClient;
use api::user::{
    GetMyRegistrationRequest, GetMyRegistrationResponse, ListMyRegistrationsRequest,
    ListMyRegistrationsResponse, RegisterRequest, RegisterResponse, WithdrawRequest,
    WithdrawResponse,
};
use api::v1::RegistrationState;
use domain::CompetitionId;
use futures::stream::{self, StreamExt, TryStreamExt};
use tonic::{Code, Request};
use uuid::Uuid;

use super::{Bench, COMPETITIONS, MEMBERS, names};
use crate::Result;
use crate::bare::{GetMyRegistration, ListMyRegistrations, Register, Withdraw};
use crate::line::{Expect, Plan, Row, measure};
use crate::report::Report;
use crate::seed::{Member, Shape};

/// Calls per second that nothing here reaches, to have enough of what can be used once only: bare calls
/// draw from the same registrations.
const MOST_PER_SECOND: usize = 100_000;
/// The same for withdrawals, of which each needs somebody who waits.
const MOST_WITHDRAWALS: usize = 22_000;

/// Everybody finds a place, in one of many competitions.
pub(super) async fn register(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let competitions = bench.seeder.competitions("open", COMPETITIONS, Shape::OPEN);
    let pairs = Pairs::spread(bench, competitions.await?).await?;
    let before = bench.counters.read().await?;
    let row = registering(bench, names::REGISTER, &pairs, Expect::Answer(is_confirmed)).await?;
    let after = bench.counters.read().await?;
    report.fact(
        names::MEMORY_SPREAD,
        after.bytes_a_change_since(&before),
        "bytes",
    );
    report.rows.push(row);
    Ok(())
}

/// Everybody finds a place in the same competition.
pub(super) async fn register_for_one(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let enough = bench.most_calls(MOST_PER_SECOND) / MEMBERS + 1;
    let competitions = bench.seeder.competitions("one", enough, Shape::OPEN);
    let pairs = Pairs::one_after_the_other(bench, competitions.await?).await?;
    let expect = Expect::Answer(is_confirmed);
    report
        .rows
        .push(registering(bench, names::REGISTER_ONE, &pairs, expect).await?);
    Ok(())
}

/// Everybody has to wait.
pub(super) async fn register_waitlisted(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let shape = Shape {
        capacity: Some(1),
        ..Shape::OPEN
    };
    let competitions = bench
        .seeder
        .competitions("full", COMPETITIONS, shape)
        .await?;
    // Somebody who is not drawn.
    let somebody = MEMBERS + READERS;
    let first = bench.seeder.members(somebody..somebody + 1).await?;
    let taken = competitions.iter().map(|one| (&first[0].id, one));
    bench.seeder.register(taken).await?;
    let pairs = Pairs::spread(bench, competitions).await?;
    let expect = Expect::Answer(|answer| has_state(answer, RegistrationState::Waitlisted));
    report
        .rows
        .push(registering(bench, names::REGISTER_WAITLISTED, &pairs, expect).await?);
    Ok(())
}

/// Everybody is too late.
pub(super) async fn register_closed(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let shape = Shape {
        is_open: false,
        ..Shape::OPEN
    };
    let competitions = bench.seeder.competitions("closed", COMPETITIONS, shape);
    let pairs = Pairs::spread(bench, competitions.await?).await?;
    let expect = Expect::Refusal(Code::FailedPrecondition);
    report
        .rows
        .push(registering(bench, names::REGISTER_CLOSED, &pairs, expect).await?);
    Ok(())
}

/// Everybody who leaves makes room for the next one.
pub(super) async fn withdraw(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    // One competition for each caller: those who leave it leave in the order of the queue, so that each
    // one has a place to give.
    let callers = bench.in_flight() * usize::from(bench.settings.connections);
    let waiting = bench.most_calls(MOST_WITHDRAWALS) / callers + 1;
    let shape = Shape {
        capacity: Some(1),
        ..Shape::OPEN
    };
    let competitions = bench.seeder.competitions("leave", callers, shape).await?;
    let members = bench.members().await?;
    let queues: Vec<_> = stream::iter(competitions.iter().enumerate())
        .map(|(number, competition)| {
            let members = members.iter().cycle().skip(number * waiting).take(waiting);
            bench.seeder.fill(competition, members.cloned().collect())
        })
        .buffered(4)
        .try_collect()
        .await?;
    let plan = Plan::<Withdraw> {
        name: names::WITHDRAW,
        server: &bench.stack.user,
        in_flight: bench.in_flight(),
        expect: Expect::Answer(|answer: &WithdrawResponse| {
            let state = answer
                .registration
                .as_ref()
                .map(api::v1::Registration::state);
            state == Some(RegistrationState::Withdrawn)
        }),
    };
    let row = measure(bench, plan, |channel, number| {
        let client = UserServiceClient::new(channel);
        let competition_id = competitions[number].to_string();
        let mut queue = queues[number].clone().into_iter();
        move || {
            let mut client = client.clone();
            let asked = WithdrawRequest {
                competition_id: competition_id.clone(),
                request_id: request_id(0),
            };
            let asked = queue.next().map(|member| member.asks(asked));
            // Without somebody who could leave, the call fails, and the report says so.
            async move {
                client
                    .withdraw(asked.unwrap_or_else(|| Request::new(WithdrawRequest::default())))
                    .await
            }
        }
    });
    report.rows.push(row.await?);
    Ok(())
}

/// One's own registration.
pub(super) async fn get_my_registration(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let competitions = bench
        .seeder
        .competitions("mine", COMPETITIONS, Shape::OPEN)
        .await?;
    let members = bench.members().await?;
    let pairs: Vec<_> = members
        .iter()
        .zip(competitions.iter().cycle())
        .take(2 * COMPETITIONS)
        .collect();
    let held = pairs
        .iter()
        .map(|(member, competition)| (&member.id, *competition));
    bench.seeder.register(held).await?;
    let plan = Plan::<GetMyRegistration> {
        name: names::GET_MY_REGISTRATION,
        server: &bench.stack.user,
        in_flight: bench.in_flight(),
        expect: Expect::Answer(|answer: &GetMyRegistrationResponse| answer.registration.is_some()),
    };
    let row = measure(bench, plan, |channel, number| {
        let client = UserServiceClient::new(channel);
        let (member, competition) = pairs[number % pairs.len()];
        let (member, competition_id) = (member.clone(), competition.to_string());
        move || {
            let mut client = client.clone();
            let competition_id = competition_id.clone();
            let asked = member.asks(GetMyRegistrationRequest { competition_id });
            async move { client.get_my_registration(asked).await }
        }
    });
    report.rows.push(row.await?);
    Ok(())
}

/// How many look at all their registrations.
const READERS: usize = 500;
/// How many registrations each of them has.
const EACH: u16 = 20;

/// All of one's own registrations.
pub(super) async fn list_my_registrations(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let competitions = bench
        .seeder
        .competitions("twenty", EACH.into(), Shape::OPEN)
        .await?;
    // Others than in all other lines: they have these registrations and no more.
    let members = bench.seeder.members(MEMBERS..MEMBERS + READERS).await?;
    let held = members.iter().flat_map(|member| {
        competitions
            .iter()
            .map(|competition| (&member.id, competition))
    });
    bench.seeder.register(held).await?;
    let plan = Plan::<ListMyRegistrations> {
        name: names::LIST_MY_REGISTRATIONS,
        server: &bench.stack.user,
        in_flight: bench.in_flight_large(),
        expect: Expect::Answer(|page: &ListMyRegistrationsResponse| {
            page.registrations.len() == usize::from(EACH)
        }),
    };
    let row = measure(bench, plan, |channel, number| {
        let client = UserServiceClient::new(channel);
        let member = members[number % members.len()].clone();
        move || {
            let mut client = client.clone();
            let asked = ListMyRegistrationsRequest {
                page_size: EACH.into(),
                ..ListMyRegistrationsRequest::default()
            };
            let asked = member.asks(asked);
            async move { client.list_my_registrations(asked).await }
        }
    });
    report.rows.push(row.await?);
    Ok(())
}

/// Measures registrations, each of which can be made once.
async fn registering(
    bench: &Bench<'_>,
    name: &'static str,
    pairs: &Pairs,
    expect: Expect<Register>,
) -> Result<Row> {
    let plan = Plan {
        name,
        server: &bench.stack.user,
        in_flight: bench.in_flight(),
        expect,
    };
    measure(bench, plan, |channel, _| {
        let client = UserServiceClient::new(channel);
        let pairs = pairs.clone();
        move || {
            let mut client = client.clone();
            let asked = pairs.next();
            async move { client.register(asked).await }
        }
    })
    .await
}

/// Who registers for what, each pair once. Clones draw from the same pairs.
#[derive(Clone)]
struct Pairs {
    members: Arc<[Member]>,
    competitions: Arc<[CompetitionId]>,
    /// Which competition a member is paired with in this round.
    pair: fn(member: usize, round: usize) -> usize,
    drawn: Arc<AtomicUsize>,
}

impl Pairs {
    /// Neighbours are in different competitions. There are as many rounds as competitions.
    async fn spread(bench: &Bench<'_>, competitions: Vec<CompetitionId>) -> Result<Self> {
        Self::new(bench, competitions, |member, round| member + round).await
    }

    /// Everybody is in the first competition, then everybody in the second one.
    async fn one_after_the_other(
        bench: &Bench<'_>,
        competitions: Vec<CompetitionId>,
    ) -> Result<Self> {
        Self::new(bench, competitions, |_, round| round).await
    }

    async fn new(
        bench: &Bench<'_>,
        competitions: Vec<CompetitionId>,
        pair: fn(usize, usize) -> usize,
    ) -> Result<Self> {
        Ok(Self {
            members: bench.members().await?.into(),
            competitions: competitions.into(),
            pair,
            drawn: Arc::default(),
        })
    }

    /// The request of the next pair.
    fn next(&self) -> Request<RegisterRequest> {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        let (round, member) = (number / self.members.len(), number % self.members.len());
        let competition = (self.pair)(member, round) % self.competitions.len();
        self.members[member].asks(RegisterRequest {
            competition_id: self.competitions[competition].to_string(),
            request_id: request_id(number),
            validate_only: false,
        })
    }
}

/// A request id, cheaply. One is kept for a user and a competition, so that it need not be another one
/// for other users.
fn request_id(number: usize) -> String {
    Uuid::from_u128(number as u128).to_string()
}

fn is_confirmed(answer: &RegisterResponse) -> bool {
    has_state(answer, RegistrationState::Confirmed)
}

fn has_state(answer: &RegisterResponse, state: RegistrationState) -> bool {
    let registration = answer.registration.as_ref();
    registration.is_some_and(|registration| registration.state() == state)
}
