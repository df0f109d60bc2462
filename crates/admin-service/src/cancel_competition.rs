//! `CancelCompetition`: ends registration for good and keeps the records.

use api::admin::{CancelCompetitionRequest, CancelCompetitionResponse};
use api::request::CancelCompetition;
use server::{AdminCaller, Failure};
use store::AdminStore;

pub(crate) async fn cancel_competition(
    store: &AdminStore,
    caller: AdminCaller,
    request: CancelCompetitionRequest,
) -> Result<CancelCompetitionResponse, Failure> {
    let CancelCompetition {
        competition_id,
        reason,
        request_id,
    } = request.try_into()?;

    let competition = store
        .cancel_competition(&caller.id, &competition_id, &reason, request_id)
        .await?;

    Ok(CancelCompetitionResponse {
        competition: Some(competition.into()),
    })
}
