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
    let (store, sign_ins) = (&service.store, &service.sign_ins);
    let SignIn { email, password } = request.try_into()?;

    let session = sign_ins.open_session(network, &email, password).await?;
    // The session says whose it is; somebody may have ended it already.
    let id = store.user_session(&session.token).await?;
    let id = id.ok_or(Rejection::Unauthenticated)?;
    let user = store.get_user(&id).await?;

    Ok(SignInResponse {
        user: Some(user.into()),
        session_token: session.token.expose().to_owned(),
        session_expires_at: Some(timestamp(session.expires_at)),
    })
}
