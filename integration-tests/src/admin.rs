//! An admin who calls admin-service.

use api::admin::add_registration_request::User as AddedUser;
use api::admin::{
    AddRegistrationRequest, AuditEntry, CancelCompetitionRequest, CreateCompetitionRequest,
    DeleteCompetitionRequest, DisableAdminRequest, GetCompetitionRequest, GetMeRequest,
    ListAuditEntriesRequest, ListRegistrationsRequest, PublishCompetitionRequest,
    RegistrationEntry, RemoveRegistrationRequest, UpdateCompetitionRequest,
};
use api::v1::{Admin as Account, Competition, Registration};
use tonic::Status;

use crate::user::mask_of;
use crate::{AdminClient, User};

/// An admin with an open session.
#[derive(Clone)]
pub struct Admin {
    pub id: String,
    pub email: String,
    pub token: String,
    client: AdminClient,
}

impl Admin {
    pub(crate) fn new(id: String, email: String, token: String, client: AdminClient) -> Self {
        Self {
            id,
            email,
            token,
            client,
        }
    }

    /// A client with this admin's credential.
    #[must_use]
    pub fn calls(&self) -> AdminClient {
        self.client.clone()
    }

    /// Reads the admin's own account. Succeeds if and only if the session is open.
    pub async fn me(&self) -> Result<Account, Status> {
        let reply = self.calls().get_me(GetMeRequest {}).await?.into_inner();
        Ok(reply.admin.expect("an admin"))
    }

    /// Disables the admin with this id.
    pub async fn disable(&self, admin_id: &str) -> Result<Account, Status> {
        let request = DisableAdminRequest {
            admin_id: admin_id.to_owned(),
            ..Default::default()
        };
        let reply = self.calls().disable_admin(request).await?.into_inner();
        Ok(reply.admin.expect("an admin"))
    }

    /// Creates a draft, with this id or one that the server makes.
    pub async fn create(
        &self,
        competition: Competition,
        id: Option<&str>,
    ) -> Result<Competition, Status> {
        let request = CreateCompetitionRequest {
            competition: Some(competition),
            competition_id: id.map(str::to_owned),
            ..Default::default()
        };
        let reply = self.calls().create_competition(request).await?.into_inner();
        Ok(reply.competition.expect("a competition"))
    }

    pub async fn publish(&self, competition: &Competition) -> Result<Competition, Status> {
        let request = PublishCompetitionRequest {
            competition_id: competition.competition_id.clone(),
            ..Default::default()
        };
        let reply = self.calls().publish_competition(request).await?;
        Ok(reply.into_inner().competition.expect("a competition"))
    }

    pub async fn competition(&self, competition: &Competition) -> Competition {
        let request = GetCompetitionRequest {
            competition_id: competition.competition_id.clone(),
        };
        let reply = self.calls().get_competition(request).await;
        let reply = reply.expect("the competition exists").into_inner();
        reply.competition.expect("a competition")
    }

    /// Changes the fields that the mask names to those of `competition`, whatever its etag; without
    /// a mask, those that are set.
    pub async fn update(
        &self,
        mut competition: Competition,
        mask: &[&str],
    ) -> Result<Competition, Status> {
        competition.etag.clear();
        let request = UpdateCompetitionRequest {
            competition: Some(competition),
            update_mask: Some(mask_of(mask)),
            ..Default::default()
        };
        let reply = self.calls().update_competition(request).await?.into_inner();
        Ok(reply.competition.expect("a competition"))
    }

    /// Cancels the competition without a reason.
    pub async fn cancel(&self, competition: &Competition) -> Result<Competition, Status> {
        self.cancel_because(competition, "").await
    }

    pub async fn cancel_because(
        &self,
        competition: &Competition,
        reason: &str,
    ) -> Result<Competition, Status> {
        let request = CancelCompetitionRequest {
            competition_id: competition.competition_id.clone(),
            reason: reason.to_owned(),
            ..Default::default()
        };
        let reply = self.calls().cancel_competition(request).await?.into_inner();
        Ok(reply.competition.expect("a competition"))
    }

    pub async fn delete(&self, competition: &Competition) -> Result<(), Status> {
        let request = DeleteCompetitionRequest {
            competition_id: competition.competition_id.clone(),
            ..Default::default()
        };
        self.calls().delete_competition(request).await.map(drop)
    }

    pub async fn add(
        &self,
        competition: &Competition,
        user: &User,
    ) -> Result<Registration, Status> {
        self.add_with(competition, user, |_| {}).await
    }

    /// Adds a user, after a change of the request.
    pub async fn add_with(
        &self,
        competition: &Competition,
        user: &User,
        change: impl FnOnce(&mut AddRegistrationRequest),
    ) -> Result<Registration, Status> {
        let mut request = AddRegistrationRequest {
            competition_id: competition.competition_id.clone(),
            user: Some(AddedUser::UserId(user.id.clone())),
            ..Default::default()
        };
        change(&mut request);
        let reply = self.calls().add_registration(request).await?.into_inner();
        Ok(registration_of(reply.entry))
    }

    /// Removes a user without a reason.
    pub async fn remove(
        &self,
        competition: &Competition,
        user: &User,
    ) -> Result<Registration, Status> {
        self.remove_because(competition, user, "").await
    }

    pub async fn remove_because(
        &self,
        competition: &Competition,
        user: &User,
        reason: &str,
    ) -> Result<Registration, Status> {
        let request = RemoveRegistrationRequest {
            competition_id: competition.competition_id.clone(),
            user_id: user.id.clone(),
            reason: reason.to_owned(),
            ..Default::default()
        };
        let reply = self.calls().remove_registration(request).await?;
        Ok(registration_of(reply.into_inner().entry))
    }

    /// The first 200 confirmed and waiting registrations, in the order of revision.
    pub async fn registrations(&self, competition: &Competition) -> Vec<RegistrationEntry> {
        let request = ListRegistrationsRequest {
            competition_id: competition.competition_id.clone(),
            page_size: 200,
            ..Default::default()
        };
        let reply = self.calls().list_registrations(request).await;
        reply.expect("the competition exists").into_inner().entries
    }

    /// The first 200 entries of the log.
    pub async fn audit_entries(&self, competition: &Competition) -> Vec<AuditEntry> {
        let request = ListAuditEntriesRequest {
            competition_id: competition.competition_id.clone(),
            page_size: 200,
            ..Default::default()
        };
        let reply = self.calls().list_audit_entries(request).await;
        reply.expect("the competition exists").into_inner().entries
    }
}

fn registration_of(entry: Option<RegistrationEntry>) -> Registration {
    let registration = entry.expect("an entry").registration;
    registration.expect("a registration")
}
