//! `SignIn`: starts a session.

use api::admin::{SignInRequest, SignInResponse};
use api::convert::timestamp;
use api::request::SignIn;
use domain::Rejection;
use server::{Failure, Network};

use crate::AdminService;

pub(crate) async fn sign_in(
    service: &AdminService,
    network: Network,
    request: SignInRequest,
) -> Result<SignInResponse, Failure> {
    let AdminService {
        store, sign_ins, ..
    } = service;
    let SignIn { email, password } = request.try_into()?;

    let session = sign_ins
        .open_session(network, store.admin_sign_in(&email), password)
        .await?;
    // Whose it is, says the session.
    let (admin, _) = store
        .admin_session(&session.token)
        .await?
        .ok_or(Rejection::Unauthenticated)?;
    let admin = store.get_admin(&admin).await?;

    Ok(SignInResponse {
        admin: Some(admin.into()),
        session_token: session.token.expose().to_owned(),
        session_expires_at: Some(timestamp(session.expires_at)),
    })
}
