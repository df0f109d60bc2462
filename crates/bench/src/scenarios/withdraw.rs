//! `Withdraw`: each withdrawal promotes the first user on the waitlist.

use api::user::WithdrawRequest;
use api::v1::RegistrationState;
use futures::stream::{self, StreamExt, TryStreamExt};
use tonic::Request;
use uuid::Uuid;

use super::names;
use crate::context::Context;
use crate::measure::measure;
use crate::report::BenchReport;
use crate::result::Result;
use crate::rpc::{ExpectedResponse, Withdraw};
use crate::seed::open_competition;

/// More than any run reaches; each call needs a registration of its own.
const MAX_CALLS_PER_SECOND: usize = 22_000;
/// How many competitions are filled at the same time.
const CONCURRENCY: usize = 4;

pub(super) async fn run(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    // One competition with one place per caller. Its users withdraw in the order of the waitlist,
    // so that each of them is confirmed when it is its turn.
    let settings = context.settings;
    let callers = usize::from(settings.in_flight) * usize::from(settings.connections);
    let per_caller = context.max_calls(MAX_CALLS_PER_SECOND) / callers + 1;
    let limited = open_competition().capacity(1);
    let seeder = &context.seeder;
    let competitions = seeder.competitions("leave", callers, limited).await?;
    let users = context.users().await?;
    let queues: Vec<_> = stream::iter(competitions.iter().enumerate())
        .map(|(number, competition)| {
            let queue = users.iter().cycle().skip(number * per_caller);
            seeder.fill(competition, queue.take(per_caller).cloned().collect())
        })
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    let expected = ExpectedResponse::<Withdraw>::Message(|response| {
        let registration = response.registration.as_ref();
        registration.is_some_and(|one| one.state() == RegistrationState::Withdrawn)
    });
    measure(context, report, names::WITHDRAW, expected, |caller| {
        let competition_id = competitions[caller].to_string();
        let mut queue = queues[caller].clone().into_iter();
        move || {
            let message = WithdrawRequest {
                competition_id: competition_id.clone(),
                request_id: Uuid::nil().to_string(),
            };
            match queue.next() {
                Some(user) => user.credential.request(message),
                // All users have withdrawn. The call fails, and the report counts it.
                None => Request::new(message),
            }
        }
    })
    .await
}
