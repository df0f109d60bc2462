//! What an organiser looks at.

use api::admin::admin_service_client::AdminServiceClient;
use api::admin::{ListRegistrationsRequest, ListRegistrationsResponse};
use domain::CompetitionId;

use super::{Bench, names};
use crate::Result;
use crate::bare::ListRegistrations;
use crate::line::{Expect, Plan, Row, measure};
use crate::report::Report;
use crate::seed::{Shape, ask_as};

const PAGE: u16 = 200;

/// The first page of a competition that has some more.
pub(super) async fn list_registrations(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let competitions = bench.seeder.competitions("entries", 1, Shape::OPEN).await?;
    let members = &bench.members().await?[..2 * usize::from(PAGE)];
    let pairs = members.iter().map(|member| (&member.id, &competitions[0]));
    bench.seeder.register(pairs).await?;
    let row = first_page(bench, names::LIST_REGISTRATIONS, &competitions[0]);
    report.rows.push(row.await?);
    Ok(())
}

/// Measures the first page of the registrations for a competition.
pub(super) async fn first_page(
    bench: &Bench<'_>,
    name: &'static str,
    competition: &CompetitionId,
) -> Result<Row> {
    let owner = bench.owner().await?;
    let plan = Plan::<ListRegistrations> {
        name,
        server: &bench.stack.admin,
        in_flight: bench.in_flight_large(),
        expect: Expect::Answer(|page: &ListRegistrationsResponse| {
            let is_whole = page.entries.len() == usize::from(PAGE);
            is_whole && page.entries.iter().all(|entry| !entry.email.is_empty())
        }),
    };
    measure(bench, plan, |channel, _| {
        let client = AdminServiceClient::new(channel);
        let (owner, competition) = (owner.clone(), competition.clone());
        move || {
            let mut client = client.clone();
            let asked = ListRegistrationsRequest {
                competition_id: competition.to_string(),
                page_size: PAGE.into(),
                ..ListRegistrationsRequest::default()
            };
            let asked = ask_as(&owner, asked);
            async move { client.list_registrations(asked).await }
        }
    })
    .await
}
