//! `ListMyRegistrations`: lists the caller's registrations, each with its competition.

use api::request::RequestedPage;
use api::user::{ListMyRegistrationsRequest, ListMyRegistrationsResponse, MyRegistration};
use server::{Failure, ListOf, UserCaller};
use store::UserStore;

pub(crate) async fn list_my_registrations(
    store: &UserStore,
    caller: UserCaller,
    request: ListMyRegistrationsRequest,
) -> Result<ListMyRegistrationsResponse, Failure> {
    let asked = RequestedPage::try_from(request)?;
    let list = ListOf::new("ListMyRegistrations", &caller.id);
    let page = list.page(&asked)?;

    let found = store.my_registrations(&caller.id, &page).await?;

    let (registrations, next_page_token) = list.response(found, |(mine, competition)| {
        MyRegistration::new(mine, competition)
    });
    Ok(ListMyRegistrationsResponse {
        registrations,
        next_page_token,
    })
}
