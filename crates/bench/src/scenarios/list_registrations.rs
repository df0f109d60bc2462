//! `ListRegistrations` of admin-service.

use api::admin::ListRegistrationsRequest;
use domain::CompetitionId;

use super::names;
use crate::context::Context;
use crate::measure::{MethodUnderTest, measure};
use crate::report::Report;
use crate::result::Result;
use crate::row::ReportRow;
use crate::rpc::{Expected, ListRegistrations};
use crate::seed::Limits;

const PAGE_SIZE: u16 = 200;

/// The first of two pages.
pub(super) async fn run(context: &Context<'_>, report: &mut Report) -> Result<()> {
    let competitions = context.seeder.competitions("entries", 1, Limits::NONE);
    let competition = competitions.await?.remove(0);
    let users = &context.users().await?[..2 * usize::from(PAGE_SIZE)];
    let pairs = users.iter().map(|user| (&user.id, &competition));
    context.seeder.register(pairs).await?;
    let row = first_page(context, names::LIST_REGISTRATIONS, &competition);
    report.add_row(row.await?);
    Ok(())
}

/// Measures the first page of the registrations for a competition.
pub(super) async fn first_page(
    context: &Context<'_>,
    name: &'static str,
    competition: &CompetitionId,
) -> Result<ReportRow> {
    let owner = context.owner().await?;
    let method = MethodUnderTest {
        name,
        server: &context.stack.admin,
        in_flight: context.in_flight_for_large_responses(),
        expected: Expected::<ListRegistrations>::Message(|page| {
            let is_full = page.entries.len() == usize::from(PAGE_SIZE);
            is_full && page.entries.iter().all(|entry| !entry.email.is_empty())
        }),
    };
    measure(context, method, |_| {
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
