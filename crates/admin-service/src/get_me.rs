//! `GetMe`: returns the caller.

use api::admin::GetMeResponse;
use server::{AdminCaller, Failure};
use store::AdminStore;

pub(crate) async fn get_me(
    store: &AdminStore,
    caller: AdminCaller,
) -> Result<GetMeResponse, Failure> {
    let admin = store.get_admin(&caller.id).await?;

    Ok(GetMeResponse {
        admin: Some(admin.into()),
    })
}
