//! Reading competitions.

use domain::{CompetitionId, CompetitionState, Timestamp};

use super::field::{choices, optional_time};
use super::page::RequestedPage;
use crate::{admin, user, v1};

/// The filters of a list of competitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListCompetitions {
    /// The states to list, each once; never empty. A user never lists drafts.
    pub states: Vec<CompetitionState>,
    /// Lists only competitions whose window is open now.
    pub open_only: bool,
    /// Inclusive.
    pub starts_after: Option<Timestamp>,
    /// Exclusive.
    pub starts_before: Option<Timestamp>,
    pub page: RequestedPage,
}

const ALL: [CompetitionState; 3] = [
    CompetitionState::Draft,
    CompetitionState::Published,
    CompetitionState::Cancelled,
];

parse! {
    admin::ListCompetitionsRequest as request => ListCompetitions {
        states: states(&request.states),
        starts_after: optional_time(request.starts_after),
        starts_before: optional_time(request.starts_before),
        page as "page_size": RequestedPage::parse(request.page_size, request.page_token);
        open_only: false,
    }
}

/// Returns the named states; all if none is named.
fn states(named: &[i32]) -> Result<Vec<CompetitionState>, &'static str> {
    if named.is_empty() {
        return Ok(ALL.to_vec());
    }
    choices(named, &ALL, |state| {
        v1::CompetitionState::from(state).into()
    })
}

parse! {
    user::ListCompetitionsRequest as request => ListCompetitions {
        starts_after: optional_time(request.starts_after),
        starts_before: optional_time(request.starts_before),
        page as "page_size": RequestedPage::parse(request.page_size, request.page_token);
        states: vec![CompetitionState::Published, CompetitionState::Cancelled],
        open_only: request.open_only,
    }
}

parse! {
    admin::GetCompetitionRequest as request =>
        CompetitionId from "competition_id": Self::parse(request.competition_id)
}

parse! {
    user::GetCompetitionRequest as request =>
        CompetitionId from "competition_id": Self::parse(request.competition_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::paths;

    #[test]
    fn an_admin_lists_all_states_by_default() {
        let list = ListCompetitions::try_from(admin::ListCompetitionsRequest::default());
        assert_eq!(list.expect("a list").states, ALL);
    }

    #[test]
    fn a_user_never_lists_drafts() {
        for open_only in [false, true] {
            let request = user::ListCompetitionsRequest {
                open_only,
                ..Default::default()
            };
            let list = ListCompetitions::try_from(request).expect("a list");
            assert!(!list.states.contains(&CompetitionState::Draft));
            assert_eq!(list.open_only, open_only);
        }
    }

    #[test]
    fn every_invalid_field_of_a_list_is_reported() {
        let before_1970 = prost_types::Timestamp {
            seconds: -1,
            nanos: 0,
        };
        let request = admin::ListCompetitionsRequest {
            page_size: -1,
            states: vec![v1::CompetitionState::Unspecified.into()],
            starts_after: Some(before_1970),
            starts_before: Some(before_1970),
            ..Default::default()
        };
        let error = ListCompetitions::try_from(request).expect_err("refused");
        assert_eq!(
            paths(&error),
            ["states", "starts_after", "starts_before", "page_size"]
        );
    }

    #[test]
    fn a_competition_is_read_by_a_valid_id() {
        let competition_id = "Spring Cup".to_owned();
        let request = user::GetCompetitionRequest { competition_id };
        let error = CompetitionId::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["competition_id"]);
    }
}
