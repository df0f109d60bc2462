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
    // The session says whose it is; somebody may have ended it already.
    let found = store.admin_session(&session.token).await?;
    let (id, _) = found.ok_or(Rejection::Unauthenticated)?;
    let admin = store.get_admin(&id).await?;

    Ok(SignInResponse {
        admin: Some(admin.into()),
        session_token: session.token.expose().to_owned(),
        session_expires_at: Some(timestamp(session.expires_at)),
    })
}
