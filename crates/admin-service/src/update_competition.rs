//! `UpdateCompetition`: changes the named fields of a competition.

use api::admin::{UpdateCompetitionRequest, UpdateCompetitionResponse};
use api::request::UpdateCompetition;
use server::{AdminCaller, Failure};
use store::AdminStore;

pub(crate) async fn update_competition(
    store: &AdminStore,
    caller: AdminCaller,
    request: UpdateCompetitionRequest,
) -> Result<UpdateCompetitionResponse, Failure> {
    let UpdateCompetition {
        competition_id,
        patch,
        read_only,
        etag,
        request_id,
    } = request.try_into()?;

    let competition = store
        .update_competition(
            &caller.id,
            &competition_id,
            &patch,
            &read_only,
            etag.as_ref(),
            request_id,
        )
        .await
        .map_err(failure)?;

    Ok(UpdateCompetitionResponse {
        competition: Some(competition.into()),
    })
}

/// Whether the times are in the right order, and whether a read-only field is to change, depends on
/// the stored competition too, so the store checks it.
fn failure(error: store::Error) -> Failure {
    match error {
        store::Error::Invalid(invalid) => invalid.within("competition").into(),
        error => error.into(),
    }
}
