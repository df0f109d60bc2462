//! Competitions: finding them.

use domain::{CompetitionId, CompetitionState, InvalidFields, Timestamp};

use super::field::{choices, moment, only};
use super::page::Page;
use crate::{admin, user, v1};

/// Which competitions to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListCompetitions {
    /// In which states, each once; never empty. A user never asks for drafts.
    pub states: Vec<CompetitionState>,
    /// Only those that one can register for now.
    pub open_only: bool,
    /// Only those that start at this moment or later.
    pub starts_after: Option<Timestamp>,
    /// Only those that start before this moment.
    pub starts_before: Option<Timestamp>,
    /// Which part of the list.
    pub page: Page,
}

const ALL: [CompetitionState; 3] = [
    CompetitionState::Draft,
    CompetitionState::Published,
    CompetitionState::Cancelled,
];

impl TryFrom<admin::ListCompetitionsRequest> for ListCompetitions {
    type Error = InvalidFields;

    fn try_from(request: admin::ListCompetitionsRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let states = invalid.check("states", states(&request.states));
        let starts_after = request.starts_after.map(moment).transpose();
        let starts_after = invalid.check("starts_after", starts_after);
        let starts_before = request.starts_before.map(moment).transpose();
        let starts_before = invalid.check("starts_before", starts_before);
        let page = Page::parse(request.page_size, request.page_token);
        let page = invalid.check(Page::FIELD, page);
        invalid.finish(|| {
            Some(Self {
                states: states?,
                open_only: false,
                starts_after: starts_after?,
                starts_before: starts_before?,
                page: page?,
            })
        })
    }
}

/// The states that were named; all if none was.
fn states(named: &[i32]) -> Result<Vec<CompetitionState>, &'static str> {
    if named.is_empty() {
        return Ok(ALL.to_vec());
    }
    choices(named, &ALL, |state| {
        v1::CompetitionState::from(state).into()
    })
}

impl TryFrom<user::ListCompetitionsRequest> for ListCompetitions {
    type Error = InvalidFields;

    fn try_from(request: user::ListCompetitionsRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let starts_after = request.starts_after.map(moment).transpose();
        let starts_after = invalid.check("starts_after", starts_after);
        let starts_before = request.starts_before.map(moment).transpose();
        let starts_before = invalid.check("starts_before", starts_before);
        let page = Page::parse(request.page_size, request.page_token);
        let page = invalid.check(Page::FIELD, page);
        invalid.finish(|| {
            Some(Self {
                states: vec![CompetitionState::Published, CompetitionState::Cancelled],
                open_only: request.open_only,
                starts_after: starts_after?,
                starts_before: starts_before?,
                page: page?,
            })
        })
    }
}

impl TryFrom<admin::GetCompetitionRequest> for CompetitionId {
    type Error = InvalidFields;

    fn try_from(request: admin::GetCompetitionRequest) -> Result<Self, InvalidFields> {
        only("competition_id", Self::parse(request.competition_id))
    }
}

impl TryFrom<user::GetCompetitionRequest> for CompetitionId {
    type Error = InvalidFields;

    fn try_from(request: user::GetCompetitionRequest) -> Result<Self, InvalidFields> {
        only("competition_id", Self::parse(request.competition_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::paths;

    #[test]
    fn an_admin_who_names_no_state_means_all() {
        let list = ListCompetitions::try_from(admin::ListCompetitionsRequest::default());
        assert_eq!(list.expect("a list").states, ALL);
    }

    #[test]
    fn a_user_never_asks_for_drafts() {
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
    fn every_wrong_field_of_a_list_is_named() {
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
    fn a_competition_is_found_by_a_real_id() {
        let competition_id = "Spring Cup".to_owned();
        let request = user::GetCompetitionRequest { competition_id };
        let error = CompetitionId::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["competition_id"]);
    }
}
