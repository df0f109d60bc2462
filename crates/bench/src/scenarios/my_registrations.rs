//! `GetMyRegistration` and `ListMyRegistrations`.

use api::user::{GetMyRegistrationRequest, ListMyRegistrationsRequest};

use super::names;
use crate::context::Context;
use crate::measure::measure;
use crate::report::BenchReport;
use crate::result::Result;
use crate::rpc::{ExpectedResponse, GetMyRegistration, ListMyRegistrations};
use crate::seed::open_competition;

/// The users of `list`, and the registrations of each.
const LISTING_USERS: usize = 500;
const PAGE_SIZE: u16 = 20;

pub(super) async fn get(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    let seeder = &context.seeder;
    let competitions = seeder
        .competitions("mine", 1_000, open_competition())
        .await?;
    let users = context.users().await?.iter();
    let pairs: Vec<_> = users.zip(competitions.iter().cycle()).take(2_000).collect();
    let registrations = pairs.iter().map(|(user, id)| (&user.id, *id));
    seeder.register(registrations).await?;
    let name = names::GET_MY_REGISTRATION;
    let expected =
        ExpectedResponse::<GetMyRegistration>::Message(|found| found.registration.is_some());
    measure(context, report, name, expected, |caller| {
        let (user, competition) = pairs[caller % pairs.len()];
        let (credential, competition_id) = (user.credential.clone(), competition.to_string());
        move || {
            let competition_id = competition_id.clone();
            credential.request(GetMyRegistrationRequest { competition_id })
        }
    })
    .await
}

pub(super) async fn list(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    let (seeder, count) = (&context.seeder, usize::from(PAGE_SIZE));
    let competitions = seeder
        .competitions("twenty", count, open_competition())
        .await?;
    // Users of their own, who have no other registrations.
    let users = seeder.users("lister", LISTING_USERS).await?;
    for competition in &competitions {
        let registrations = users.iter().map(|user| (&user.id, competition));
        seeder.register(registrations).await?;
    }
    let name = names::LIST_MY_REGISTRATIONS;
    let expected = ExpectedResponse::<ListMyRegistrations>::Message(|page| {
        page.registrations.len() == usize::from(PAGE_SIZE)
    });
    measure(context, report, name, expected, |caller| {
        let credential = users[caller % users.len()].credential.clone();
        move || {
            credential.request(ListMyRegistrationsRequest {
                page_size: PAGE_SIZE.into(),
                ..ListMyRegistrationsRequest::default()
            })
        }
    })
    .await
}
