//! An admin who calls admin-service.

use api::admin::add_registration_request::User as Whom;
use api::admin::{
    AddRegistrationRequest, AuditEntry, CancelCompetitionRequest, DeleteCompetitionRequest,
    GetCompetitionRequest, ListAuditEntriesRequest, ListRegistrationsRequest, RegistrationEntry,
    RemoveRegistrationRequest, UpdateCompetitionRequest,
};
use api::v1::{Competition, Registration};
use prost_types::FieldMask;
use tonic::Status;

use crate::{AdminClient, User};

/// An admin with an open session.
#[derive(Clone)]
pub struct Admin {
    /// The `admin_id`.
    pub id: String,
    /// The address.
    pub email: String,
    /// The session's token.
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

    /// The service, with this admin's credential.
    #[must_use]
    pub fn calls(&self) -> AdminClient {
        self.client.clone()
    }

    /// The competition as it is now.
    pub async fn competition(&self, competition: &Competition) -> Competition {
        let request = GetCompetitionRequest {
            competition_id: competition.competition_id.clone(),
        };
        let answer = self.calls().get_competition(request).await;
        answer
            .expect("it is there")
            .into_inner()
            .competition
            .expect("a competition")
    }

    /// Changes the fields that the mask names to those of the competition, whatever its etag.
    pub async fn update(
        &self,
        mut competition: Competition,
        mask: &[&str],
    ) -> Result<Competition, Status> {
        competition.etag.clear();
        let request = UpdateCompetitionRequest {
            competition: Some(competition),
            update_mask: Some(FieldMask {
                paths: mask.iter().map(|&path| path.to_owned()).collect(),
            }),
            request_id: String::new(),
        };
        let answer = self.calls().update_competition(request).await?.into_inner();
        Ok(answer.competition.expect("a competition"))
    }

    /// Calls the competition off.
    pub async fn cancel(&self, competition: &Competition) -> Result<Competition, Status> {
        let request = CancelCompetitionRequest {
            competition_id: competition.competition_id.clone(),
            ..Default::default()
        };
        let answer = self.calls().cancel_competition(request).await?.into_inner();
        Ok(answer.competition.expect("a competition"))
    }

    /// Deletes the draft.
    pub async fn delete(&self, competition: &Competition) -> Result<(), Status> {
        let request = DeleteCompetitionRequest {
            competition_id: competition.competition_id.clone(),
            ..Default::default()
        };
        self.calls().delete_competition(request).await.map(drop)
    }

    /// Adds a user.
    pub async fn add(
        &self,
        competition: &Competition,
        user: &User,
    ) -> Result<Registration, Status> {
        self.add_with(competition, user, |_| {}).await
    }

    /// Adds a user, with more said.
    pub async fn add_with(
        &self,
        competition: &Competition,
        user: &User,
        say: impl FnOnce(&mut AddRegistrationRequest),
    ) -> Result<Registration, Status> {
        let mut request = AddRegistrationRequest {
            competition_id: competition.competition_id.clone(),
            user: Some(Whom::UserId(user.id.clone())),
            ..Default::default()
        };
        say(&mut request);
        let answer = self.calls().add_registration(request).await?.into_inner();
        Ok(registration_of(answer.entry))
    }

    /// Removes a user, without a reason.
    pub async fn remove(
        &self,
        competition: &Competition,
        user: &User,
    ) -> Result<Registration, Status> {
        self.remove_because(competition, user, "").await
    }

    /// Removes a user.
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
            request_id: String::new(),
        };
        let answer = self.calls().remove_registration(request).await?;
        Ok(registration_of(answer.into_inner().entry))
    }

    /// Who is in or waits, in the order of revision; at most 200.
    pub async fn registrations(&self, competition: &Competition) -> Vec<RegistrationEntry> {
        let request = ListRegistrationsRequest {
            competition_id: competition.competition_id.clone(),
            page_size: 200,
            ..Default::default()
        };
        let answer = self.calls().list_registrations(request).await;
        answer.expect("it is there").into_inner().entries
    }

    /// The log; at most its first 200 entries.
    pub async fn audit_entries(&self, competition: &Competition) -> Vec<AuditEntry> {
        let request = ListAuditEntriesRequest {
            competition_id: competition.competition_id.clone(),
            page_size: 200,
            ..Default::default()
        };
        let answer = self.calls().list_audit_entries(request).await;
        answer.expect("it is there").into_inner().entries
    }
}

fn registration_of(entry: Option<RegistrationEntry>) -> Registration {
    let entry = entry.expect("an entry");
    entry.registration.expect("a registration")
}
