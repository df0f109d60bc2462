//! `AddRegistration`: registers a user, even one who was removed.

use api::admin::{AddRegistrationRequest, AddRegistrationResponse};
use api::request::{AddRegistration, WhichUser};
use domain::{Rejection, UserId};
use server::{AdminCaller, Failure};
use store::AdminStore;

use crate::entry;

pub(crate) async fn add_registration(
    store: &AdminStore,
    caller: AdminCaller,
    request: AddRegistrationRequest,
) -> Result<AddRegistrationResponse, Failure> {
    let AddRegistration {
        competition_id,
        user,
        options,
        request_id,
    } = request.try_into()?;

    let user_id = find_id(user, store).await?;
    let entry = store
        .add_registration(&caller.id, &competition_id, &user_id, options, request_id)
        .await?;

    Ok(AddRegistrationResponse {
        entry: Some(entry::to_message(entry)),
    })
}

/// Returns the id of the user that the request names by id or by address.
async fn find_id(user: WhichUser, store: &AdminStore) -> Result<UserId, Failure> {
    match user {
        WhichUser::Id(id) => Ok(id),
        WhichUser::Email(email) => match store.find_user_by_email(&email).await? {
            Some(user) => Ok(user.id),
            None => Err(Rejection::UserNotFound.into()),
        },
    }
}
