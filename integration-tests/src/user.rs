//! A user who calls user-service.

use api::user::{GetMyRegistrationRequest, RegisterRequest, WithdrawRequest};
use api::v1::{Competition, Registration};
use tonic::Status;

use crate::UserClient;

/// A user with an account and an open session.
#[derive(Clone)]
pub struct User {
    /// The `user_id`.
    pub id: String,
    /// The address.
    pub email: String,
    /// The session's token.
    pub token: String,
    client: UserClient,
}

impl User {
    pub(crate) fn new(id: String, email: String, token: String, client: UserClient) -> Self {
        Self {
            id,
            email,
            token,
            client,
        }
    }

    /// The service, with this user's credential.
    #[must_use]
    pub fn calls(&self) -> UserClient {
        self.client.clone()
    }

    /// Registers, once.
    pub async fn register(&self, competition: &Competition) -> Result<Registration, Status> {
        let request = RegisterRequest {
            competition_id: competition.competition_id.clone(),
            ..Default::default()
        };
        let answer = self.calls().register(request).await?.into_inner();
        Ok(answer.registration.expect("a registration"))
    }

    /// Withdraws, once.
    pub async fn withdraw(&self, competition: &Competition) -> Result<Registration, Status> {
        let request = WithdrawRequest {
            competition_id: competition.competition_id.clone(),
            ..Default::default()
        };
        let answer = self.calls().withdraw(request).await?.into_inner();
        Ok(answer.registration.expect("a registration"))
    }

    /// The user's registration as it is now.
    pub async fn registration(&self, competition: &Competition) -> Result<Registration, Status> {
        let request = GetMyRegistrationRequest {
            competition_id: competition.competition_id.clone(),
        };
        let answer = self
            .calls()
            .get_my_registration(request)
            .await?
            .into_inner();
        Ok(answer.registration.expect("a registration"))
    }
}
