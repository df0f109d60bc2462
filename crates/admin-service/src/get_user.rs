//! `GetUser`: returns a user.

use api::admin::{GetUserRequest, GetUserResponse};
use domain::UserId;
use server::Failure;
use store::AdminStore;

pub(crate) async fn get_user(
    store: &AdminStore,
    request: GetUserRequest,
) -> Result<GetUserResponse, Failure> {
    let id = UserId::try_from(request)?;

    let user = store.get_user(&id).await?;

    Ok(GetUserResponse {
        user: Some(user.into()),
    })
}
