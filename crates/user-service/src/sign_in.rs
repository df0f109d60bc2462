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
    let user = store.find_user(&session.person).await?;
    // The account may have been erased since the session was opened.
    let user = user.ok_or(Rejection::Unauthenticated)?;

    Ok(SignInResponse {
        user: Some(user.into()),
        session_token: session.token.expose().to_owned(),
        session_expires_at: Some(timestamp(session.expires_at)),
    })
}
