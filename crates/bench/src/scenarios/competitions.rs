//! `GetCompetition` and `ListCompetitions`.

use api::user::{GetCompetitionRequest, ListCompetitionsRequest};
use domain::CompetitionId;
use tonic::Request;

use super::names;
use crate::context::Context;
use crate::measure::measure;
use crate::report::BenchReport;
use crate::result::Result;
use crate::rpc::{ExpectedResponse, GetCompetition, ListCompetitions};
use crate::seed::open_competition;

const PAGE_SIZE: u16 = 50;

/// All competitions in turn.
pub(super) async fn get_many(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    let seeder = &context.seeder;
    let competitions = seeder
        .competitions("get", 1_000, open_competition())
        .await?;
    get(context, report, names::GET_COMPETITION, competitions).await
}

/// The same competition each time.
pub(super) async fn get_same(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    let seeder = &context.seeder;
    let competitions = seeder.competitions("look", 1, open_competition()).await?;
    get(context, report, names::GET_SAME_COMPETITION, competitions).await
}

async fn get(
    context: &Context<'_>,
    report: &mut BenchReport,
    name: &'static str,
    competitions: Vec<CompetitionId>,
) -> Result<()> {
    let expected = ExpectedResponse::<GetCompetition>::Message(|found| found.competition.is_some());
    measure(context, report, name, expected, |caller| {
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
pub(super) async fn list(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    let seeder = &context.seeder;
    seeder
        .competitions("list", 1_000, open_competition())
        .await?;
    first_page(context, report, names::LIST_COMPETITIONS).await
}

/// Measures the first page of all competitions.
pub(super) async fn first_page(
    context: &Context<'_>,
    report: &mut BenchReport,
    name: &'static str,
) -> Result<()> {
    let expected = ExpectedResponse::<ListCompetitions>::Message(|page| {
        page.competitions.len() == usize::from(PAGE_SIZE)
    });
    let request = || {
        Request::new(ListCompetitionsRequest {
            page_size: PAGE_SIZE.into(),
            ..ListCompetitionsRequest::default()
        })
    };
    measure(context, report, name, expected, |_| request).await
}
