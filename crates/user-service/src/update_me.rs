//! `UpdateMe`: changes the caller's profile.

use api::request::UpdateMe;
use api::user::{UpdateMeRequest, UpdateMeResponse};
use server::{Failure, UserCaller};
use store::UserStore;

use crate::birth_date::not_in_the_future;

pub(crate) async fn update_me(
    store: &UserStore,
    caller: UserCaller,
    request: UpdateMeRequest,
) -> Result<UpdateMeResponse, Failure> {
    let UpdateMe {
        patch,
        read_only,
        etag,
        request_id,
    } = request.try_into()?;
    not_in_the_future("user.birth_date", patch.birth_date.flatten(), store.now())?;

    let user = store
        .update_user(&caller.id, &patch, &read_only, etag.as_ref(), request_id)
        .await
        .map_err(failure)?;

    Ok(UpdateMeResponse {
        user: Some(user.into()),
    })
}

/// Whether a read-only field is to change depends on the stored user too, so the store checks it.
fn failure(error: store::Error) -> Failure {
    match error {
        store::Error::Invalid(invalid) => invalid.within("user").into(),
        error => error.into(),
    }
}
