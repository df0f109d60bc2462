//! `SignUp`: creates an account and signs in.

use api::convert::timestamp;
use api::request::SignUp;
use api::user::{SignUpRequest, SignUpResponse};
use domain::Rejection;
use server::{Failure, HashCaller, Network};
use store::users::NewUser;
use tokio::time::Instant;

use crate::UserService;
use crate::birth_date::not_in_the_future;

pub(crate) async fn sign_up(
    service: &UserService,
    network: Network,
    request: SignUpRequest,
) -> Result<SignUpResponse, Failure> {
    let (store, sign_ins) = (&service.store, &service.sign_ins);
    let asked = SignUp::try_from(request)?;
    not_in_the_future("birth_date", asked.profile.birth_date, store.now())?;
    let password = asked.password;
    let new = NewUser {
        email: asked.email,
        profile: asked.profile,
        request_id: asked.request_id,
        network: Some(network.address()),
    };

    let counted = match service.sign_ups.reserve(network, Instant::now()) {
        Ok(counted) => Some(counted),
        // A repetition creates no account.
        Err(_) if store.sign_up_is_repetition(&new).await? => None,
        Err(retry_after) => return Err(Rejection::TooManySignUps { retry_after }.into()),
    };
    let caller = HashCaller::NewAccount(network);
    let hash = service.passwords.hash(caller, password.clone()).await?;
    let (user, session) = store.sign_up(&new, &hash).await?;
    // Each hash has its own salt. A different stored hash is that of an earlier call with the same
    // request id, whose response is only for a caller with the same password.
    if store.user_credential(&user.id).await? != hash {
        sign_ins
            .confirm_sign_up(network, &user.email, password)
            .await?;
    } else if let Some(counted) = counted {
        counted.keep();
    }

    Ok(SignUpResponse {
        user: Some(user.into()),
        session_token: session.token.expose().to_owned(),
        session_expires_at: Some(timestamp(session.expires_at)),
    })
}
