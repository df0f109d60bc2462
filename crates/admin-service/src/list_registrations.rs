//! `ListRegistrations`: lists who is in, who waits, and who was.

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

    let found = store.list_entries(&competition_id, &states, &page).await?;

    let (entries, next_page_token) = list.answer(found, entry::shown);
    Ok(ListRegistrationsResponse {
        entries,
        next_page_token,
    })
}
