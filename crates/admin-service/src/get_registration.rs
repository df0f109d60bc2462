//! `GetRegistration`: returns a registration, even one that has ended.

use api::admin::{GetRegistrationRequest, GetRegistrationResponse};
use api::request::GetRegistration;
use server::Failure;
use store::AdminStore;

use crate::entry;

pub(crate) async fn get_registration(
    store: &AdminStore,
    request: GetRegistrationRequest,
) -> Result<GetRegistrationResponse, Failure> {
    let GetRegistration {
        competition_id,
        user_id,
    } = request.try_into()?;

    let entry = store.get_registration(&competition_id, &user_id).await?;

    Ok(GetRegistrationResponse {
        entry: Some(entry::to_message(entry)),
    })
}
