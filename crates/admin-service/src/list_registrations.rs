//! `ListRegistrations`: lists the registrations of a competition in any state.

use api::admin::{ListRegistrationsRequest, ListRegistrationsResponse};
use api::request::ListRegistrations;
use server::{Failure, ListOf};
use store::AdminStore;

use crate::entry;

pub(crate) async fn list_registrations(
    store: &AdminStore,
    request: ListRegistrationsRequest,
) -> Result<ListRegistrationsResponse, Failure> {
    let ListRegistrations {
        competition_id,
        states,
        page,
    } = request.try_into()?;
    let list = ListOf::new("ListRegistrations", &(&competition_id, &states));
    let page = list.page(&page)?;

    let found = store
        .list_registrations(&competition_id, &states, &page)
        .await?;

    let (entries, next_page_token) = list.response(found, entry::to_message);
    Ok(ListRegistrationsResponse {
        entries,
        next_page_token,
    })
}
