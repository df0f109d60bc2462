//! Reads whole lists, page by page.

use api::admin::{
    ListCompetitionsRequest as AdminListCompetitionsRequest, ListRegistrationsRequest,
};
use api::user::{ListCompetitionsRequest, ListMyRegistrationsRequest, MyRegistration};
use api::v1::{self, Competition};
use domain::RegistrationState;
use integration_tests::{AdminClient, admin_client, user_client};
use tonic::Status;

use super::responses::entry;
use super::{Client, Request};
use crate::history::Observation;

/// The largest page that the services return.
const LARGE_PAGE: i32 = 200;
/// A page so small that most lists have several.
const SMALL_PAGE: i32 = 40;

impl Request {
    pub(super) async fn list(
        &self,
        mut client: AdminClient,
        states: &[RegistrationState],
    ) -> Result<Observation, Status> {
        let states = states.iter();
        let states = states.map(|state| v1::RegistrationState::from(*state).into());
        let is_large = self.id.as_bytes()[0].is_multiple_of(2);
        let mut request = ListRegistrationsRequest {
            competition_id: self.competition.to_string(),
            states: states.collect(),
            page_size: if is_large { LARGE_PAGE } else { SMALL_PAGE },
            page_token: String::new(),
        };
        let mut all = Vec::new();
        loop {
            let page = client
                .list_registrations(request.clone())
                .await?
                .into_inner();
            for listed in page.entries {
                match entry(Some(listed)) {
                    Observation::Registration(seen) => all.push(seen),
                    invalid => return Ok(invalid),
                }
            }
            if page.next_page_token.is_empty() {
                return Ok(Observation::Registrations(all));
            }
            request.page_token = page.next_page_token;
        }
    }
}

impl Client {
    /// All registrations of the user, with their competitions.
    pub async fn list_my_registrations(&self) -> Result<Vec<MyRegistration>, Status> {
        let token = Some(self.account.token.as_str());
        let mut client = user_client(self.user_service.clone(), token);
        let mut request = ListMyRegistrationsRequest {
            page_size: SMALL_PAGE,
            page_token: String::new(),
        };
        let mut all = Vec::new();
        loop {
            let page = client.list_my_registrations(request.clone());
            let mut page = page.await?.into_inner();
            all.append(&mut page.registrations);
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// All competitions that the caller may see.
    pub async fn list_competitions(&self) -> Result<Vec<Competition>, Status> {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let (mut page, next) = self.list_competitions_page(page_token).await?;
            all.append(&mut page);
            page_token = next;
            if page_token.is_empty() {
                return Ok(all);
            }
        }
    }

    async fn list_competitions_page(
        &self,
        page_token: String,
    ) -> Result<(Vec<Competition>, String), Status> {
        let token = Some(self.account.token.as_str());
        if self.account.is_organiser() {
            let request = AdminListCompetitionsRequest {
                page_size: SMALL_PAGE,
                page_token,
                ..Default::default()
            };
            let mut client = admin_client(self.admin_service.clone(), token);
            let page = client.list_competitions(request).await?.into_inner();
            Ok((page.competitions, page.next_page_token))
        } else {
            let request = ListCompetitionsRequest {
                page_size: SMALL_PAGE,
                page_token,
                ..Default::default()
            };
            let mut client = user_client(self.user_service.clone(), None);
            let page = client.list_competitions(request).await?.into_inner();
            Ok((page.competitions, page.next_page_token))
        }
    }
}
