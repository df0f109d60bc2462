//! `DeleteCompetition`: deletes a draft. Its log stays.

use api::admin::{DeleteCompetitionRequest, DeleteCompetitionResponse};
use api::request::DeleteCompetition;
use server::{AdminCaller, Failure};
use store::AdminStore;

pub(crate) async fn delete_competition(
    store: &AdminStore,
    caller: AdminCaller,
    request: DeleteCompetitionRequest,
) -> Result<DeleteCompetitionResponse, Failure> {
    let DeleteCompetition {
        competition_id,
        request_id,
    } = request.try_into()?;

    store
        .delete_competition(&caller.id, &competition_id, request_id)
        .await?;

    Ok(DeleteCompetitionResponse {})
}
