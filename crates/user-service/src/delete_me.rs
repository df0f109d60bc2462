//! `DeleteMe`: withdraws the caller from all competitions that are not over, and erases the
//! account.

use api::request::DeleteMe;
use api::user::{DeleteMeRequest, DeleteMeResponse};
use server::{Failure, Network, UserCaller};

use crate::UserService;
use crate::me::me;

pub(crate) async fn delete_me(
    service: &UserService,
    network: Network,
    caller: UserCaller,
    request: DeleteMeRequest,
) -> Result<DeleteMeResponse, Failure> {
    let asked = DeleteMe::try_from(request)?;
    let (request, token) = (asked.request_id, caller.session.hash());

    let erased = erase(service, network, &caller, asked).await;
    if let Err(failure) = erased {
        // For a repetition there is no account to check the password of. Its session token and its
        // request id prove that the same caller erased the account.
        let erased_by = service.store.erased_by(&caller.id, token).await?;
        if erased_by != Some(request) {
            return Err(failure);
        }
        service.store.finish_erasure(&caller.id, request).await?;
    }

    Ok(DeleteMeResponse {})
}

async fn erase(
    service: &UserService,
    network: Network,
    caller: &UserCaller,
    asked: DeleteMe,
) -> Result<(), Failure> {
    let (store, sign_ins) = (&service.store, &service.sign_ins);
    let (request, token) = (asked.request_id, caller.session.hash());

    let user = me(store, caller).await?;
    let checked = sign_ins
        .confirm(network, token, &caller.id, asked.password)
        .await?;
    store.erase_user(&user, &checked, token, request).await?;

    Ok(())
}
