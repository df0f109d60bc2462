//! `SignOut`: ends the session, or all sessions of the caller.

use api::admin::{SignOutRequest, SignOutResponse};
use server::{AdminCaller, Failure};
use store::AdminStore;

pub(crate) async fn sign_out(
    store: &AdminStore,
    caller: AdminCaller,
    request: SignOutRequest,
) -> Result<SignOutResponse, Failure> {
    let only = (!request.all_sessions).then(|| caller.session.hash());

    store.end_admin_sessions(&caller.id, only).await?;

    Ok(SignOutResponse {})
}
