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
    let (store, sign_ins) = (&service.store, &service.sign_ins);
    let SignIn { email, password } = request.try_into()?;

    let session = sign_ins.open_session(network, &email, password).await?;
    let admin = store.get_admin(&session.person).await?;
    // The admin may have been disabled since the session was opened.
    if admin.disabled {
        return Err(Rejection::Unauthenticated.into());
    }

    Ok(SignInResponse {
        admin: Some(admin.into()),
        session_token: session.token.expose().to_owned(),
        session_expires_at: Some(timestamp(session.expires_at)),
    })
}
