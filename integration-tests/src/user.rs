//! A user who calls user-service.

use api::user::{
    DeleteMeRequest, GetMeRequest, GetMyRegistrationRequest, RegisterRequest, UpdateMeRequest,
    WithdrawRequest,
};
use api::v1::{Competition, Registration, User as Profile};
use prost_types::FieldMask;
use tonic::Status;

use crate::UserClient;

/// A user with an account and an open session.
#[derive(Clone)]
pub struct User {
    pub id: String,
    pub email: String,
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

    /// A client with this user's credential.
    #[must_use]
    pub fn calls(&self) -> UserClient {
        self.client.clone()
    }

    /// Reads the user's own profile. Succeeds if and only if the session is open.
    pub async fn me(&self) -> Result<Profile, Status> {
        let reply = self.calls().get_me(GetMeRequest {}).await?.into_inner();
        Ok(reply.user.expect("a user"))
    }

    /// Changes the fields of the profile that the mask names; without a mask, those that are set.
    pub async fn update(&self, profile: Profile, mask: &[&str]) -> Result<Profile, Status> {
        let request = UpdateMeRequest {
            user: Some(profile),
            update_mask: Some(mask_of(mask)),
            ..Default::default()
        };
        let reply = self.calls().update_me(request).await?.into_inner();
        Ok(reply.user.expect("a user"))
    }

    pub async fn delete(&self, password: &str) -> Result<(), Status> {
        let request = DeleteMeRequest {
            password: password.to_owned(),
            ..Default::default()
        };
        self.calls().delete_me(request).await.map(drop)
    }

    pub async fn register(&self, competition: &Competition) -> Result<Registration, Status> {
        let request = RegisterRequest {
            competition_id: competition.competition_id.clone(),
            ..Default::default()
        };
        let reply = self.calls().register(request).await?.into_inner();
        Ok(reply.registration.expect("a registration"))
    }

    pub async fn withdraw(&self, competition: &Competition) -> Result<Registration, Status> {
        let request = WithdrawRequest {
            competition_id: competition.competition_id.clone(),
            ..Default::default()
        };
        let reply = self.calls().withdraw(request).await?.into_inner();
        Ok(reply.registration.expect("a registration"))
    }

    /// Reads the user's registration.
    pub async fn registration(&self, competition: &Competition) -> Result<Registration, Status> {
        let request = GetMyRegistrationRequest {
            competition_id: competition.competition_id.clone(),
        };
        let reply = self.calls().get_my_registration(request).await?;
        Ok(reply.into_inner().registration.expect("a registration"))
    }
}

pub(crate) fn mask_of(paths: &[&str]) -> FieldMask {
    FieldMask {
        paths: paths.iter().map(|&path| path.to_owned()).collect(),
    }
}
