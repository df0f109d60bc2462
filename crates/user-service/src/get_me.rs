//! `GetMe`: returns the caller.

use api::user::GetMeResponse;
use server::{Failure, UserCaller};
use store::UserStore;

use crate::me::me;

pub(crate) async fn get_me(
    store: &UserStore,
    caller: UserCaller,
) -> Result<GetMeResponse, Failure> {
    let user = me(store, &caller).await?;

    Ok(GetMeResponse {
        user: Some(user.into()),
    })
}
