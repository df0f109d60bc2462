//! `Withdraw`: ends the caller's registration.

use api::request::Withdraw;
use api::user::{WithdrawRequest, WithdrawResponse};
use server::{Failure, UserCaller};
use store::UserStore;

pub(crate) async fn withdraw(
    store: &UserStore,
    caller: UserCaller,
    request: WithdrawRequest,
) -> Result<WithdrawResponse, Failure> {
    let asked = Withdraw::try_from(request)?;
    let (me, competition, request) = (&caller.id, &asked.competition_id, asked.request_id);

    let registration = store.withdraw(me, competition, request).await?;

    Ok(WithdrawResponse {
        registration: Some(registration.into()),
    })
}
