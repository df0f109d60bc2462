//! `RemoveRegistration`: ends a user's registration. Only an organiser can add it again.

use api::admin::{RemoveRegistrationRequest, RemoveRegistrationResponse};
use api::request::RemoveRegistration;
use server::{AdminCaller, Failure};
use store::AdminStore;

use crate::entry;

pub(crate) async fn remove_registration(
    store: &AdminStore,
    caller: AdminCaller,
    request: RemoveRegistrationRequest,
) -> Result<RemoveRegistrationResponse, Failure> {
    let RemoveRegistration {
        competition_id,
        user_id,
        reason,
        request_id,
    } = request.try_into()?;

    let entry = store
        .remove_registration(&caller.id, &competition_id, &user_id, &reason, request_id)
        .await?;

    Ok(RemoveRegistrationResponse {
        entry: Some(entry::to_message(entry)),
    })
}
