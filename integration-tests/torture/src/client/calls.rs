//! One attempt of each call.

use std::time::Duration;

use api::admin::add_registration_request::User as NamedUser;
use api::admin::{
    AddRegistrationRequest, CancelCompetitionRequest, CreateCompetitionRequest,
    DeleteCompetitionRequest, GetCompetitionRequest as AdminGetCompetitionRequest,
    GetRegistrationRequest, PublishCompetitionRequest, RemoveRegistrationRequest,
    UpdateCompetitionRequest,
};
use api::user::{
    DeleteMeRequest, GetCompetitionRequest, GetMyRegistrationRequest, RegisterRequest,
    WithdrawRequest,
};
use api::v1::Competition;
use integration_tests::{AdminClient, PASSWORD, UserClient, admin_client, user_client};
use prost_types::FieldMask;
use tokio::time::timeout;
use tonic::Status;

use super::responses::{competition, created, entry, error, own_registration};
use super::{AttemptResult, Client, Request};
use crate::history::{Call, Observation};

const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);

impl Client {
    /// Sends a request once, and judges the result.
    pub async fn attempt(&self, request: &Request) -> AttemptResult {
        match timeout(ATTEMPT_TIMEOUT, self.send(request)).await {
            Ok(Ok(observed)) => AttemptResult::Response(observed),
            Ok(Err(status)) => error(&status),
            Err(_) => AttemptResult::Lost,
        }
    }

    /// Sends a request once.
    pub async fn send(&self, request: &Request) -> Result<Observation, Status> {
        let token = Some(request.account.token.as_str());
        if !request.account.is_organiser() {
            let client = user_client(self.user_service.clone(), token);
            return request.send_as_user(client).await;
        }
        let client = admin_client(self.admin_service.clone(), token);
        match &request.call {
            Call::ReadRegistration(_) | Call::ReadCompetition | Call::List(_) => {
                request.read_as_organiser(client).await
            }
            Call::Add { .. } | Call::Remove(_) => request.change_registration(client).await,
            _ => request.change_competition(client).await,
        }
    }
}

impl Request {
    async fn send_as_user(&self, mut client: UserClient) -> Result<Observation, Status> {
        let (competition_id, request_id) = (self.competition.to_string(), self.id.to_string());
        Ok(match &self.call {
            Call::Register(_) | Call::Preview(_) => {
                let request = RegisterRequest {
                    competition_id,
                    request_id,
                    validate_only: matches!(self.call, Call::Preview(_)),
                };
                own_registration(client.register(request).await?.into_inner().registration)
            }
            Call::Withdraw(_) => {
                let request = WithdrawRequest {
                    competition_id,
                    request_id,
                };
                own_registration(client.withdraw(request).await?.into_inner().registration)
            }
            Call::Erase(_) => {
                let request = DeleteMeRequest {
                    password: PASSWORD.to_owned(),
                    request_id,
                };
                client.delete_me(request).await?;
                Observation::Done
            }
            Call::ReadRegistration(_) => {
                let request = GetMyRegistrationRequest { competition_id };
                let response = client.get_my_registration(request).await?;
                own_registration(response.into_inner().registration)
            }
            Call::ReadCompetition => {
                let request = GetCompetitionRequest { competition_id };
                let response = client.get_competition(request).await?;
                competition(response.into_inner().competition)
            }
            call => panic!("{call:?} is not a call of a user"),
        })
    }

    async fn read_as_organiser(&self, mut client: AdminClient) -> Result<Observation, Status> {
        let competition_id = self.competition.to_string();
        match &self.call {
            Call::ReadRegistration(user) => {
                let request = GetRegistrationRequest {
                    competition_id,
                    user_id: user.to_string(),
                };
                let response = client.get_registration(request).await?;
                Ok(entry(response.into_inner().entry))
            }
            Call::ReadCompetition => {
                let request = AdminGetCompetitionRequest { competition_id };
                let response = client.get_competition(request).await?;
                Ok(competition(response.into_inner().competition))
            }
            Call::List(states) => self.list(client, states).await,
            call => panic!("{call:?} is not a read"),
        }
    }

    async fn change_registration(&self, mut client: AdminClient) -> Result<Observation, Status> {
        let (competition_id, request_id) = (self.competition.to_string(), self.id.to_string());
        let response = match &self.call {
            Call::Add {
                user,
                email,
                options,
            } => {
                let user = match email {
                    Some(email) => NamedUser::Email(email.clone()),
                    None => NamedUser::UserId(user.to_string()),
                };
                let request = AddRegistrationRequest {
                    competition_id,
                    user: Some(user),
                    ignore_window: options.ignore_window,
                    over_capacity: options.over_capacity,
                    request_id,
                };
                client.add_registration(request).await?.into_inner().entry
            }
            Call::Remove(user) => {
                let request = RemoveRegistrationRequest {
                    competition_id,
                    user_id: user.to_string(),
                    reason: self.call.reason(self.id),
                    request_id,
                };
                client
                    .remove_registration(request)
                    .await?
                    .into_inner()
                    .entry
            }
            call => panic!("{call:?} does not change a registration"),
        };
        Ok(entry(response))
    }

    async fn change_competition(&self, mut client: AdminClient) -> Result<Observation, Status> {
        let (competition_id, request_id) = (self.competition.to_string(), self.id.to_string());
        let changed = match &self.call {
            Call::Create(details) => return self.create(client, details).await,
            Call::Set(field, value) => {
                let request = self.update(field, value);
                client
                    .update_competition(request)
                    .await?
                    .into_inner()
                    .competition
            }
            Call::Publish => {
                let request = PublishCompetitionRequest {
                    competition_id,
                    request_id,
                };
                client
                    .publish_competition(request)
                    .await?
                    .into_inner()
                    .competition
            }
            Call::Cancel => {
                let request = CancelCompetitionRequest {
                    competition_id,
                    reason: self.call.reason(self.id),
                    request_id,
                };
                client
                    .cancel_competition(request)
                    .await?
                    .into_inner()
                    .competition
            }
            Call::Delete => {
                let request = DeleteCompetitionRequest {
                    competition_id,
                    request_id,
                };
                client.delete_competition(request).await?;
                return Ok(Observation::Done);
            }
            call => panic!("{call:?} does not change a competition"),
        };
        Ok(competition(changed))
    }

    async fn create(
        &self,
        mut client: AdminClient,
        details: &Competition,
    ) -> Result<Observation, Status> {
        let request = CreateCompetitionRequest {
            competition: Some(details.clone()),
            competition_id: Some(self.competition.to_string()),
            request_id: self.id.to_string(),
        };
        let response = client.create_competition(request).await?;
        Ok(created(details, response.into_inner().competition))
    }

    fn update(&self, field: &str, value: &str) -> UpdateCompetitionRequest {
        let mut competition = Competition {
            competition_id: self.competition.to_string(),
            ..Competition::default()
        };
        match field {
            "capacity" => competition.capacity = value.parse().ok(),
            "waitlist_capacity" => competition.waitlist_capacity = value.parse().ok(),
            "venue" => value.clone_into(&mut competition.venue),
            field => panic!("no client sets {field}"),
        }
        UpdateCompetitionRequest {
            competition: Some(competition),
            update_mask: Some(FieldMask {
                paths: vec![field.to_owned()],
            }),
            request_id: self.id.to_string(),
        }
    }
}
