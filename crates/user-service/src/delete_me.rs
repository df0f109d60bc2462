//! `DeleteMe`: withdraws the caller from all that is not over and erases the account.

use api::request::DeleteMe;
use api::user::{DeleteMeRequest, DeleteMeResponse};
use domain::{Password, RequestId};
use server::{Failure, Network, UserCaller};

use crate::UserService;
use crate::me::me;

pub(crate) async fn delete_me(
    service: &UserService,
    network: Network,
    caller: UserCaller,
    request: DeleteMeRequest,
) -> Result<DeleteMeResponse, Failure> {
    let DeleteMe {
        password,
        request_id,
    } = request.try_into()?;

    let erased = erase(service, network, &caller, password, request_id).await;
    if let Err(failure) = erased {
        // A repetition finds no account to check a password against: its token and its id are the proof.
        let token = caller.session.hash();
        if service.store.erased_by(&caller.id, token).await? != Some(request_id) {
            return Err(failure);
        }
    }

    Ok(DeleteMeResponse {})
}

async fn erase(
    service: &UserService,
    network: Network,
    caller: &UserCaller,
    password: Password,
    request: RequestId,
) -> Result<(), Failure> {
    let (store, token) = (&service.store, caller.session.hash());
    let email = me(store, caller).await?.email;
    let attempt = store.user_sign_in(&email);
    let checked = service.sign_ins.confirm(network, attempt, password).await?;
    Ok(store
        .erase_user(&caller.id, &checked, token, request)
        .await?)
}
