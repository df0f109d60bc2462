//! `GetCompetition`: returns a competition in any state.

use api::admin::{GetCompetitionRequest, GetCompetitionResponse};
use domain::CompetitionId;
use server::Failure;
use store::AdminStore;

pub(crate) async fn get_competition(
    store: &AdminStore,
    request: GetCompetitionRequest,
) -> Result<GetCompetitionResponse, Failure> {
    let id = CompetitionId::try_from(request)?;

    let competition = store.get_competition(&id).await?;

    Ok(GetCompetitionResponse {
        competition: Some(competition.into()),
    })
}
