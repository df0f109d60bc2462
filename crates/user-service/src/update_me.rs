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
    let asked = UpdateMe::try_from(request)?;
    let (patch, etag, request) = (asked.patch, asked.etag.as_ref(), asked.request_id);
    not_in_the_future("user.birth_date", patch.birth_date.flatten(), store.now())?;

    let user = store.update_user(&caller.id, &patch, etag, request).await?;

    Ok(UpdateMeResponse {
        user: Some(user.into()),
    })
}
