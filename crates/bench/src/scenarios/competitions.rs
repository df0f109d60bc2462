//! `GetCompetition` and `ListCompetitions`.

use api::user::{GetCompetitionRequest, ListCompetitionsRequest};
use domain::CompetitionId;
use tonic::Request;

use super::names;
use crate::context::Context;
use crate::measure::{MethodUnderTest, measure};
use crate::report::Report;
use crate::result::Result;
use crate::row::ReportRow;
use crate::rpc::{Expected, GetCompetition, ListCompetitions};
use crate::seed::Limits;

const PAGE_SIZE: u16 = 50;

/// All competitions in turn.
pub(super) async fn get_many(context: &Context<'_>, report: &mut Report) -> Result<()> {
    let competitions = context.seeder.competitions("get", 1_000, Limits::NONE);
    let row = get(context, names::GET_COMPETITION, competitions.await?);
    report.add_row(row.await?);
    Ok(())
}

/// The same competition each time.
pub(super) async fn get_same(context: &Context<'_>, report: &mut Report) -> Result<()> {
    let competitions = context.seeder.competitions("look", 1, Limits::NONE);
    let row = get(context, names::GET_SAME_COMPETITION, competitions.await?);
    report.add_row(row.await?);
    Ok(())
}

async fn get(
    context: &Context<'_>,
    name: &'static str,
    competitions: Vec<CompetitionId>,
) -> Result<ReportRow> {
    let method = MethodUnderTest {
        name,
        server: &context.stack.user,
        in_flight: context.in_flight(),
        expected: Expected::<GetCompetition>::Message(|response| response.competition.is_some()),
    };
    measure(context, method, |caller| {
        // Each caller begins at another competition.
        let mut ids = competitions.clone().into_iter().cycle().skip(caller);
        move || {
            let competition_id = ids.next().map(String::from).unwrap_or_default();
            Request::new(GetCompetitionRequest { competition_id })
        }
    })
    .await
}

/// The first page.
pub(super) async fn list(context: &Context<'_>, report: &mut Report) -> Result<()> {
    let competitions = context.seeder.competitions("list", 1_000, Limits::NONE);
    competitions.await?;
    report.add_row(first_page(context, names::LIST_COMPETITIONS).await?);
    Ok(())
}

/// Measures the first page of all competitions.
pub(super) async fn first_page(context: &Context<'_>, name: &'static str) -> Result<ReportRow> {
    let method = MethodUnderTest {
        name,
        server: &context.stack.user,
        in_flight: context.in_flight_for_large_responses(),
        expected: Expected::<ListCompetitions>::Message(|page| {
            page.competitions.len() == usize::from(PAGE_SIZE)
        }),
    };
    let request = || {
        Request::new(ListCompetitionsRequest {
            page_size: PAGE_SIZE.into(),
            ..ListCompetitionsRequest::default()
        })
    };
    measure(context, method, |_| request).await
}
