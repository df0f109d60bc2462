//! `ListRegistrations` of admin-service.

use api::admin::ListRegistrationsRequest;
use domain::CompetitionId;

use super::names;
use crate::context::Context;
use crate::measure::measure;
use crate::report::BenchReport;
use crate::result::Result;
use crate::rpc::{ExpectedResponse, ListRegistrations};
use crate::seed::open_competition;

const PAGE_SIZE: u16 = 200;

/// The first of two pages.
pub(super) async fn run(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    let seeder = &context.seeder;
    let competitions = seeder
        .competitions("entries", 1, open_competition())
        .await?;
    let users = &context.users().await?[..2 * usize::from(PAGE_SIZE)];
    let pairs = users.iter().map(|user| (&user.id, &competitions[0]));
    seeder.register(pairs).await?;
    first_page(context, report, names::LIST_REGISTRATIONS, &competitions[0]).await
}

/// Measures the first page of the registrations for a competition.
pub(super) async fn first_page(
    context: &Context<'_>,
    report: &mut BenchReport,
    name: &'static str,
    competition: &CompetitionId,
) -> Result<()> {
    let owner = context.owner().await?;
    let expected = ExpectedResponse::<ListRegistrations>::Message(|page| {
        let is_full = page.entries.len() == usize::from(PAGE_SIZE);
        is_full && page.entries.iter().all(|entry| !entry.email.is_empty())
    });
    measure(context, report, name, expected, |_| {
        let (owner, competition) = (owner.clone(), competition.clone());
        move || {
            owner.request(ListRegistrationsRequest {
                competition_id: competition.to_string(),
                page_size: PAGE_SIZE.into(),
                ..ListRegistrationsRequest::default()
            })
        }
    })
    .await
}
