//! `PublishCompetition`: shows a draft to everybody.

use api::admin::{PublishCompetitionRequest, PublishCompetitionResponse};
use api::request::PublishCompetition;
use server::{AdminCaller, Failure};
use store::Store;

pub(crate) async fn publish_competition(
    store: &Store,
    caller: AdminCaller,
    request: PublishCompetitionRequest,
) -> Result<PublishCompetitionResponse, Failure> {
    let PublishCompetition {
        competition_id,
        request_id,
    } = request.try_into()?;

    let competition = store
        .publish_competition(&caller.id, &competition_id, request_id)
        .await?;

    Ok(PublishCompetitionResponse {
        competition: Some(competition.into()),
    })
}
