//! `SignIn`: starts a session.

use api::convert::timestamp;
use api::request::SignIn;
use api::user::{SignInRequest, SignInResponse};
use domain::Rejection;
use server::{Failure, Network};

use crate::UserService;

pub(crate) async fn sign_in(
    service: &UserService,
    network: Network,
    request: SignInRequest,
) -> Result<SignInResponse, Failure> {
    let store = &service.store;
    let SignIn { email, password } = request.try_into()?;

    let attempt = store.user_sign_in(&email);
    let open = service.sign_ins.open_session(network, attempt, password);
    let session = open.await?;
    // The session says whose it is; somebody may have ended it already.
    let user = store.user_session(&session.token).await?;
    let user = store
        .get_user(&user.ok_or(Rejection::Unauthenticated)?)
        .await?;

    Ok(SignInResponse {
        user: Some(user.into()),
        session_token: session.token.expose().to_owned(),
        session_expires_at: Some(timestamp(session.expires_at)),
    })
}
