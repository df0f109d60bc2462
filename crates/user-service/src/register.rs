//! `Register`: registers the caller for a competition.

use api::request::Register;
use api::user::{RegisterRequest, RegisterResponse};
use server::{Failure, UserCaller};
use store::UserStore;

pub(crate) async fn register(
    store: &UserStore,
    caller: UserCaller,
    request: RegisterRequest,
) -> Result<RegisterResponse, Failure> {
    let asked = Register::try_from(request)?;
    let (me, competition, request) = (&caller.id, &asked.competition_id, asked.request_id);

    let registration = if asked.validate_only {
        store.preview_registration(me, competition, request).await?
    } else {
        store.register(me, competition, request).await?
    };

    Ok(RegisterResponse {
        registration: Some(registration.into()),
    })
}
