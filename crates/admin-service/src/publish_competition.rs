//! `PublishCompetition`: makes a draft visible to users.

use api::admin::{PublishCompetitionRequest, PublishCompetitionResponse};
use api::request::PublishCompetition;
use server::{AdminCaller, Failure};
use store::AdminStore;

pub(crate) async fn publish_competition(
    store: &AdminStore,
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
