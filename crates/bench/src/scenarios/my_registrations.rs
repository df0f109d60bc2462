//! `GetMyRegistration` and `ListMyRegistrations`.

use api::user::{GetMyRegistrationRequest, ListMyRegistrationsRequest};

use super::names;
use crate::context::Context;
use crate::measure::{MethodUnderTest, measure};
use crate::report::Report;
use crate::result::Result;
use crate::rpc::{Expected, GetMyRegistration, ListMyRegistrations};
use crate::seed::Limits;

/// The users and the registrations of each in `list`.
const LISTING_USERS: usize = 500;
const PAGE_SIZE: u16 = 20;

pub(super) async fn get(context: &Context<'_>, report: &mut Report) -> Result<()> {
    let competitions = context.seeder.competitions("mine", 1_000, Limits::NONE);
    let competitions = competitions.await?;
    let users = context.users().await?.iter();
    let pairs: Vec<_> = users.zip(competitions.iter().cycle()).take(2_000).collect();
    let registrations = pairs.iter().map(|(user, id)| (&user.id, *id));
    context.seeder.register(registrations).await?;
    let method = MethodUnderTest {
        name: names::GET_MY_REGISTRATION,
        server: &context.stack.user,
        in_flight: context.in_flight(),
        expected: Expected::<GetMyRegistration>::Message(|response| {
            response.registration.is_some()
        }),
    };
    let row = measure(context, method, |caller| {
        let (user, competition) = pairs[caller % pairs.len()];
        let (credential, competition_id) = (user.credential.clone(), competition.to_string());
        move || {
            let competition_id = competition_id.clone();
            credential.request(GetMyRegistrationRequest { competition_id })
        }
    });
    report.add_row(row.await?);
    Ok(())
}

pub(super) async fn list(context: &Context<'_>, report: &mut Report) -> Result<()> {
    let competitions = context
        .seeder
        .competitions("twenty", PAGE_SIZE.into(), Limits::NONE);
    let competitions = competitions.await?;
    // Users of their own, who have no other registrations.
    let users = context.seeder.users("lister", LISTING_USERS).await?;
    let registrations = users.iter().flat_map(|user| {
        competitions
            .iter()
            .map(|competition| (&user.id, competition))
    });
    context.seeder.register(registrations).await?;
    let method = MethodUnderTest {
        name: names::LIST_MY_REGISTRATIONS,
        server: &context.stack.user,
        in_flight: context.in_flight_for_large_responses(),
        expected: Expected::<ListMyRegistrations>::Message(|page| {
            page.registrations.len() == usize::from(PAGE_SIZE)
        }),
    };
    let row = measure(context, method, |caller| {
        let credential = users[caller % users.len()].credential.clone();
        move || {
            credential.request(ListMyRegistrationsRequest {
                page_size: PAGE_SIZE.into(),
                ..ListMyRegistrationsRequest::default()
            })
        }
    });
    report.add_row(row.await?);
    Ok(())
}
