//! `GetCompetition`: answers a competition. For users a draft does not exist.

use api::user::{GetCompetitionRequest, GetCompetitionResponse};
use domain::CompetitionId;
use server::Failure;
use store::Store;

pub(crate) async fn get_competition(
    store: &Store,
    request: GetCompetitionRequest,
) -> Result<GetCompetitionResponse, Failure> {
    let id = CompetitionId::try_from(request)?;

    let competition = store.get_public_competition(&id).await?;

    Ok(GetCompetitionResponse {
        competition: Some(competition.into()),
    })
}
