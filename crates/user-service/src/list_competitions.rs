//! `ListCompetitions`: lists published and cancelled competitions.

use api::request::ListCompetitions;
use api::user::{ListCompetitionsRequest, ListCompetitionsResponse};
use api::v1::Competition;
use server::{Failure, ListOf};
use store::UserStore;
use store::competitions;

pub(crate) async fn list_competitions(
    store: &UserStore,
    request: ListCompetitionsRequest,
) -> Result<ListCompetitionsResponse, Failure> {
    let asked = ListCompetitions::try_from(request)?;
    let which = (asked.open_only, asked.starts_after, asked.starts_before);
    let list = ListOf::new("ListCompetitions", &which);
    let wanted = competitions::ListCompetitions {
        states: asked.states,
        open_at: asked.open_only.then(|| store.now()),
        starts_after: asked.starts_after,
        starts_before: asked.starts_before,
        page: list.page(&asked.page)?,
    };

    let found = store.list_competitions(&wanted).await?;

    let (competitions, next_page_token) = list.response(found, Competition::from);
    Ok(ListCompetitionsResponse {
        competitions,
        next_page_token,
    })
}
