//! `DisableAdmin`: disables an admin's account.

use api::admin::{DisableAdminRequest, DisableAdminResponse};
use api::request::DisableAdmin;
use server::{AdminCaller, Failure};
use store::AdminStore;

pub(crate) async fn disable_admin(
    store: &AdminStore,
    caller: AdminCaller,
    request: DisableAdminRequest,
) -> Result<DisableAdminResponse, Failure> {
    let DisableAdmin {
        admin_id,
        request_id,
    } = request.try_into()?;

    let admin = store
        .disable_admin(&caller.id, &admin_id, request_id)
        .await?;

    Ok(DisableAdminResponse {
        admin: Some(admin.into()),
    })
}
