//! `GetMyRegistration`: returns the caller's registration in a competition.

use api::user::{GetMyRegistrationRequest, GetMyRegistrationResponse};
use domain::CompetitionId;
use server::{Failure, UserCaller};
use store::UserStore;

pub(crate) async fn get_my_registration(
    store: &UserStore,
    caller: UserCaller,
    request: GetMyRegistrationRequest,
) -> Result<GetMyRegistrationResponse, Failure> {
    let competition = CompetitionId::try_from(request)?;

    let registration = store.my_registration(&caller.id, &competition).await?;

    Ok(GetMyRegistrationResponse {
        registration: Some(registration.into()),
    })
}
