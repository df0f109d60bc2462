//! `ChangePassword`: sets a new password and ends all other sessions.

use api::request::ChangePassword;
use api::user::{ChangePasswordRequest, ChangePasswordResponse};
use domain::{Email, InvalidFields};
use server::{Failure, HashCaller, Network, UserCaller};

use crate::UserService;
use crate::me::me;

pub(crate) async fn change_password(
    service: &UserService,
    network: Network,
    caller: UserCaller,
    request: ChangePasswordRequest,
) -> Result<ChangePasswordResponse, Failure> {
    let (store, sign_ins) = (&service.store, &service.sign_ins);
    let session = caller.session.hash();
    let asked = ChangePassword::try_from(request)?;
    let email = me(store, &caller).await?.email;
    let is_known = || store.user_request_is_known(&caller.id, asked.request_id);

    if !is_known().await? {
        let changed = change(service, network, &caller, &email, &asked).await;
        // If the same request came twice at the same time, the slower one is a repetition.
        if changed.is_ok() || !is_known().await? {
            return changed;
        }
    }
    // The first request has set the new password, so a repetition is checked against it.
    sign_ins
        .confirm_repetition(network, session, &caller.id, asked.new_password)
        .await?;

    Ok(ChangePasswordResponse {})
}

async fn change(
    service: &UserService,
    network: Network,
    caller: &UserCaller,
    email: &Email,
    asked: &ChangePassword,
) -> Result<ChangePasswordResponse, Failure> {
    let (store, sign_ins, passwords) = (&service.store, &service.sign_ins, &service.passwords);
    let (id, session) = (&caller.id, caller.session.hash());
    let (current, new) = (asked.current_password.clone(), asked.new_password.clone());

    asked
        .new_password
        .check_not_email(email)
        .map_err(|weak| InvalidFields::one("new_password", &weak))?;
    let checked = sign_ins.confirm(network, session, id, current).await?;
    let new = passwords.hash(HashCaller::SignedIn(network), new).await?;
    store
        .change_password(id, &checked, &new, session, asked.request_id)
        .await?;

    Ok(ChangePasswordResponse {})
}
