//! `ListCompetitions`: lists competitions, including drafts.

use api::admin::{ListCompetitionsRequest, ListCompetitionsResponse};
use api::request::ListCompetitions;
use api::v1::Competition;
use server::{Failure, ListOf};
use store::{AdminStore, competitions};

pub(crate) async fn list_competitions(
    store: &AdminStore,
    request: ListCompetitionsRequest,
) -> Result<ListCompetitionsResponse, Failure> {
    let asked = ListCompetitions::try_from(request)?;
    let which = (&asked.states, asked.starts_after, asked.starts_before);
    let list = ListOf::new("ListCompetitions", &which);
    let wanted = competitions::ListCompetitions {
        page: list.page(&asked.page)?,
        states: asked.states,
        open_at: None,
        starts_after: asked.starts_after,
        starts_before: asked.starts_before,
    };

    let found = store.list_competitions(&wanted).await?;

    let (competitions, next_page_token) = list.response(found, Competition::from);
    Ok(ListCompetitionsResponse {
        competitions,
        next_page_token,
    })
}
