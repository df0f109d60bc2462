//! Competitions, as anybody can see them.

use api::user::user_service_client::UserServiceClient;
use api::user::{
    GetCompetitionRequest, GetCompetitionResponse, ListCompetitionsRequest,
    ListCompetitionsResponse,
};
use domain::CompetitionId;

use super::{Bench, COMPETITIONS, names};
use crate::Result;
use crate::bare::{GetCompetition, ListCompetitions};
use crate::line::{Expect, Plan, Row, measure};
use crate::report::Report;
use crate::seed::Shape;

const PAGE: u16 = 50;

/// One competition after another.
pub(super) async fn get_competition(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let competitions = bench.seeder.competitions("get", COMPETITIONS, Shape::OPEN);
    let row = looking(bench, names::GET_COMPETITION, competitions.await?).await?;
    report.rows.push(row);
    Ok(())
}

/// Everybody looks at the same competition.
pub(super) async fn get_one(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let competition = bench.seeder.competitions("look", 1, Shape::OPEN);
    let row = looking(bench, names::GET_ONE, competition.await?).await?;
    report.rows.push(row);
    Ok(())
}

/// Measures looks at competitions.
async fn looking(
    bench: &Bench<'_>,
    name: &'static str,
    competitions: Vec<CompetitionId>,
) -> Result<Row> {
    let plan = Plan::<GetCompetition> {
        name,
        server: &bench.stack.user,
        in_flight: bench.in_flight(),
        expect: Expect::Answer(|answer: &GetCompetitionResponse| answer.competition.is_some()),
    };
    measure(bench, plan, |channel, number| {
        let client = UserServiceClient::new(channel);
        // Each caller goes round on a way of its own.
        let mut ids = competitions.clone().into_iter().cycle().skip(number);
        move || {
            let mut client = client.clone();
            let competition_id = ids.next().map(String::from).unwrap_or_default();
            async move {
                client
                    .get_competition(GetCompetitionRequest { competition_id })
                    .await
            }
        }
    })
    .await
}

/// The first page.
pub(super) async fn list_competitions(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    bench
        .seeder
        .competitions("list", COMPETITIONS, Shape::OPEN)
        .await?;
    report
        .rows
        .push(first_page(bench, names::LIST_COMPETITIONS).await?);
    Ok(())
}

/// Measures the first page of all competitions that there are.
pub(super) async fn first_page(bench: &Bench<'_>, name: &'static str) -> Result<Row> {
    let plan = Plan::<ListCompetitions> {
        name,
        server: &bench.stack.user,
        in_flight: bench.in_flight_large(),
        expect: Expect::Answer(|answer: &ListCompetitionsResponse| {
            answer.competitions.len() == usize::from(PAGE)
        }),
    };
    measure(bench, plan, |channel, _| {
        let client = UserServiceClient::new(channel);
        move || {
            let mut client = client.clone();
            let asked = ListCompetitionsRequest {
                page_size: PAGE.into(),
                ..ListCompetitionsRequest::default()
            };
            async move { client.list_competitions(asked).await }
        }
    })
    .await
}
