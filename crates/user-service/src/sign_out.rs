//! `SignOut`: ends the session, or all sessions of the caller.

use api::user::{SignOutRequest, SignOutResponse};
use server::{Failure, UserCaller};
use store::UserStore;

pub(crate) async fn sign_out(
    store: &UserStore,
    caller: UserCaller,
    request: SignOutRequest,
) -> Result<SignOutResponse, Failure> {
    let only = (!request.all_sessions).then(|| caller.session.hash());

    store.end_user_sessions(&caller.id, only).await?;

    Ok(SignOutResponse {})
}
