//! `GetCompetition`: returns a competition. For users a draft does not exist.

use api::user::{GetCompetitionRequest, GetCompetitionResponse};
use domain::CompetitionId;
use server::Failure;
use store::UserStore;

pub(crate) async fn get_competition(
    store: &UserStore,
    request: GetCompetitionRequest,
) -> Result<GetCompetitionResponse, Failure> {
    let id = CompetitionId::try_from(request)?;

    let competition = store.get_public_competition(&id).await?;

    Ok(GetCompetitionResponse {
        competition: Some(competition.into()),
    })
}
