//! `CreateCompetition`: creates a draft.

use api::admin::{CreateCompetitionRequest, CreateCompetitionResponse};
use api::request::CreateCompetition;
use server::{AdminCaller, Failure};
use store::AdminStore;
use store::competitions::NewCompetition;

pub(crate) async fn create_competition(
    store: &AdminStore,
    caller: AdminCaller,
    request: CreateCompetitionRequest,
) -> Result<CreateCompetitionResponse, Failure> {
    let asked = CreateCompetition::try_from(request)?;
    let new = NewCompetition {
        id: asked.competition_id,
        details: asked.details,
        request_id: asked.request_id,
    };

    let competition = store.create_competition(&caller.id, new).await?;

    Ok(CreateCompetitionResponse {
        competition: Some(competition.into()),
    })
}
