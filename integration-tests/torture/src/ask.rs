//! One try of one call: the request goes out, and what comes back is put into words of the history.

use std::time::Duration;

use api::admin::add_registration_request::User as Whom;
use api::admin::admin_service_client::AdminServiceClient;
use api::admin::{
    AddRegistrationRequest, CreateCompetitionRequest, GetRegistrationRequest,
    PublishCompetitionRequest, RemoveRegistrationRequest, UpdateCompetitionRequest,
};
use api::user::user_service_client::UserServiceClient;
use api::user::{
    GetCompetitionRequest, GetMyRegistrationRequest, RegisterRequest, WithdrawRequest,
};
use api::v1::{Competition, Registration};
use domain::{Action, CompetitionId, RegistrationState, RequestId, Revision};
use prost_types::FieldMask;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt;

use crate::history::{Answer, Call};
use crate::world::{Person, World};

/// How long one try may take.
const TRY: Duration = Duration::from_secs(3);

/// Who asks, and on which connections.
#[derive(Clone)]
pub struct Asker {
    user: UserServiceClient<Channel>,
    admin: AdminServiceClient<Channel>,
    organiser: String,
}

/// What became of one try.
#[derive(Debug)]
pub enum Try {
    /// It was answered.
    Answered(Answer),
    /// The service says that nothing was changed.
    NotApplied,
    /// Nobody knows.
    Lost,
}

/// What a call says beside its kind.
#[derive(Debug, Clone, Default)]
pub struct Says {
    /// The session of the user who calls, for a user's call.
    pub token: String,
    /// What an organiser creates.
    pub details: Competition,
}

impl Says {
    /// What a user's call says.
    #[must_use]
    pub fn by(person: &Person) -> Self {
        Self {
            token: person.token.clone(),
            ..Self::default()
        }
    }
}

impl Asker {
    /// Asks on connections of its own.
    #[must_use]
    pub fn new(world: &World) -> Self {
        Self {
            user: UserServiceClient::new(world.user.channel()),
            admin: AdminServiceClient::new(world.admin.channel()),
            organiser: world.organiser.clone(),
        }
    }

    /// Tries once.
    pub async fn ask(
        &self,
        competition: &CompetitionId,
        request: RequestId,
        call: &Call,
        says: &Says,
    ) -> Try {
        match timeout(TRY, self.send(competition, request, call, says)).await {
            Ok(Ok(answer)) => Try::Answered(answer),
            Ok(Err(status)) => read_status(&status),
            Err(_) => Try::Lost,
        }
    }

    #[allow(clippy::too_many_lines, reason = "one row per RPC: a table")]
    async fn send(
        &self,
        competition: &CompetitionId,
        request: RequestId,
        call: &Call,
        says: &Says,
    ) -> Result<Answer, Status> {
        let (mut user, mut admin) = (self.user.clone(), self.admin.clone());
        let (competition_id, request_id) = (competition.to_string(), request.to_string());
        let by_organiser = says.token.is_empty();
        match call {
            Call::Register(_) => {
                let asked = RegisterRequest {
                    competition_id,
                    request_id,
                    validate_only: false,
                };
                let answer = user.register(bearing(&says.token, asked)).await?;
                registration(answer.into_inner().registration)
            }
            Call::Withdraw(_) => {
                let asked = WithdrawRequest {
                    competition_id,
                    request_id,
                };
                let answer = user.withdraw(bearing(&says.token, asked)).await?;
                registration(answer.into_inner().registration)
            }
            Call::ReadRegistration(_) if !by_organiser => {
                let asked = GetMyRegistrationRequest { competition_id };
                let answer = user
                    .get_my_registration(bearing(&says.token, asked))
                    .await?;
                registration(answer.into_inner().registration)
            }
            Call::ReadRegistration(of) => {
                let asked = GetRegistrationRequest {
                    competition_id,
                    user_id: of.to_string(),
                };
                let answer = admin.get_registration(self.organised(asked)).await?;
                registration(
                    answer
                        .into_inner()
                        .entry
                        .and_then(|entry| entry.registration),
                )
            }
            Call::ReadCompetition => {
                let asked = GetCompetitionRequest { competition_id };
                let answer = user.get_competition(asked).await?;
                seen(answer.into_inner().competition)
            }
            Call::Add(whom, door) => {
                let asked = AddRegistrationRequest {
                    competition_id,
                    user: Some(Whom::UserId(whom.to_string())),
                    ignore_window: door.ignore_window,
                    over_capacity: door.over_capacity,
                    request_id,
                };
                let answer = admin.add_registration(self.organised(asked)).await?;
                registration(
                    answer
                        .into_inner()
                        .entry
                        .and_then(|entry| entry.registration),
                )
            }
            Call::Remove(whom) => {
                let asked = RemoveRegistrationRequest {
                    competition_id,
                    user_id: whom.to_string(),
                    reason: "torture".to_owned(),
                    request_id,
                };
                let answer = admin.remove_registration(self.organised(asked)).await?;
                registration(
                    answer
                        .into_inner()
                        .entry
                        .and_then(|entry| entry.registration),
                )
            }
            Call::Change(Action::Create) => {
                let asked = CreateCompetitionRequest {
                    competition: Some(says.details.clone()),
                    competition_id: Some(competition_id),
                    request_id,
                };
                let answer = admin.create_competition(self.organised(asked)).await?;
                seen(answer.into_inner().competition)
            }
            Call::Change(Action::Publish) => {
                let asked = PublishCompetitionRequest {
                    competition_id,
                    request_id,
                };
                let answer = admin.publish_competition(self.organised(asked)).await?;
                seen(answer.into_inner().competition)
            }
            Call::Change(action) => panic!("nobody asks for {action:?} in this way"),
            Call::SetCapacity(places) => {
                let asked = UpdateCompetitionRequest {
                    competition: Some(Competition {
                        competition_id,
                        capacity: i32::try_from(*places).ok(),
                        ..Competition::default()
                    }),
                    update_mask: Some(FieldMask {
                        paths: vec!["capacity".to_owned()],
                    }),
                    request_id,
                };
                let answer = admin.update_competition(self.organised(asked)).await?;
                seen(answer.into_inner().competition)
            }
        }
    }

    fn organised<T>(&self, message: T) -> Request<T> {
        bearing(&self.organiser, message)
    }
}

/// A request with a credential.
pub fn bearing<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value = format!("Bearer {token}").parse();
    let metadata = request.metadata_mut();
    metadata.insert("authorization", value.expect("a token is ASCII"));
    request
}

/// What a refusal says.
pub fn read_status(status: &Status) -> Try {
    // Without details it is not the service that speaks, but the connection to it.
    let Some(info) = status.get_details_error_info() else {
        return Try::Lost;
    };
    match info.metadata.get("outcome").map(String::as_str) {
        Some("NOT_APPLIED") => return Try::NotApplied,
        Some(_) => return Try::Lost,
        None => {}
    }
    if info.reason == "OVERLOADED" {
        return Try::NotApplied;
    }
    let revision = info.metadata.get("revision");
    let revision = revision.and_then(|revision| revision.parse().ok());
    Try::Answered(Answer::Refused {
        reason: info.reason,
        revision: revision.map(Revision),
    })
}

fn registration(answer: Option<Registration>) -> Result<Answer, Status> {
    use api::v1::RegistrationState as Said;
    let answer = answer.ok_or_else(|| Status::internal("no registration"))?;
    let state = match answer.state() {
        Said::Confirmed => RegistrationState::Confirmed,
        Said::Waitlisted => RegistrationState::Waitlisted,
        Said::Withdrawn => RegistrationState::Withdrawn,
        Said::Removed => RegistrationState::Removed,
        Said::Unspecified => return Err(Status::internal("no state")),
    };
    Ok(Answer::Registration {
        state,
        revision: Revision(u64::try_from(answer.revision).unwrap_or_default()),
        position: answer
            .waitlist_position
            .and_then(|position| u32::try_from(position).ok()),
    })
}

fn seen(answer: Option<Competition>) -> Result<Answer, Status> {
    let answer = answer.ok_or_else(|| Status::internal("no competition"))?;
    Ok(Answer::Competition {
        revision: Revision(u64::try_from(answer.revision).unwrap_or_default()),
        confirmed: usize::try_from(answer.confirmed_count).unwrap_or(usize::MAX),
        waitlisted: usize::try_from(answer.waitlisted_count).unwrap_or(usize::MAX),
    })
}
