//! One try of one call: the request goes out, and what comes back is put into words of the history.

use std::collections::BTreeMap;
use std::time::Duration;

use api::admin::add_registration_request::User as Whom;
use api::admin::admin_service_client::AdminServiceClient;
use api::admin::{
    AddRegistrationRequest, CancelCompetitionRequest, CreateCompetitionRequest,
    DeleteCompetitionRequest, GetCompetitionRequest as GetCompetitionAsOrganiserRequest,
    GetRegistrationRequest, ListCompetitionsRequest as ListCompetitionsAsOrganiserRequest,
    ListRegistrationsRequest, PublishCompetitionRequest, RegistrationEntry,
    RemoveRegistrationRequest, UpdateCompetitionRequest,
};
use api::user::user_service_client::UserServiceClient;
use api::user::{
    DeleteMeRequest, GetCompetitionRequest, GetMyRegistrationRequest, ListCompetitionsRequest,
    ListMyRegistrationsRequest, MyRegistration, RegisterRequest, WithdrawRequest,
};
use api::v1::{self, Competition};
use domain::{Action, Actor, AdminId, CompetitionId, RegistrationState, RequestId, Revision};
use integration_tests::PASSWORD;
use prost_types::FieldMask;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt;

use crate::history::{Answer, Call, Held, reason};
use crate::world::{Person, World};

/// How long one try may take.
const TRY: Duration = Duration::from_secs(3);
/// What each page of a list holds at most, which is all that the service gives.
const LARGE_PAGE: i32 = 200;
/// So few that most lists have many pages.
const SMALL_PAGE: i32 = 40;

/// Who asks.
#[derive(Debug, Clone)]
pub struct Who {
    /// As the log names them.
    pub actor: Actor,
    /// The session's token.
    pub token: String,
}

impl From<&Person> for Who {
    fn from(person: &Person) -> Self {
        Self {
            actor: Actor::User(person.id.clone()),
            token: person.token.clone(),
        }
    }
}

impl Who {
    /// An organiser.
    #[must_use]
    pub fn organiser(id: AdminId, token: String) -> Self {
        Self {
            actor: Actor::Admin(id),
            token,
        }
    }

    /// Whether it is an organiser, and so asks admin-service.
    #[must_use]
    pub fn is_organiser(&self) -> bool {
        matches!(self.actor, Actor::Admin(_))
    }
}

/// The connections on which somebody asks.
#[derive(Clone)]
pub struct Asker {
    user: UserServiceClient<Channel>,
    admin: AdminServiceClient<Channel>,
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
    /// What an organiser creates.
    pub details: Competition,
    /// The address of the user whom an organiser adds; empty = the organiser names the id.
    pub email: String,
}

impl Asker {
    /// Asks on connections of its own.
    #[must_use]
    pub fn new(world: &World) -> Self {
        Self {
            user: UserServiceClient::new(world.user.channel()),
            admin: AdminServiceClient::new(world.admin.channel()),
        }
    }

    /// Tries once.
    pub async fn ask(
        &self,
        who: &Who,
        competition: &CompetitionId,
        request: RequestId,
        call: &Call,
        says: &Says,
    ) -> Try {
        let sent = async {
            if who.is_organiser() {
                self.send_as_organiser(who, competition, request, call, says)
                    .await
            } else {
                self.send_as_user(who, competition, request, call).await
            }
        };
        match timeout(TRY, sent).await {
            Ok(Ok(answer)) => Try::Answered(answer),
            Ok(Err(status)) => read_status(&status),
            Err(_) => Try::Lost,
        }
    }

    async fn send_as_user(
        &self,
        who: &Who,
        competition: &CompetitionId,
        request: RequestId,
        call: &Call,
    ) -> Result<Answer, Status> {
        let mut user = self.user.clone();
        let (competition_id, request_id) = (competition.to_string(), request.to_string());
        match call {
            Call::Register(_) | Call::Preview(_) => {
                let asked = RegisterRequest {
                    competition_id,
                    request_id,
                    validate_only: matches!(call, Call::Preview(_)),
                };
                let answer = user.register(bearing(&who.token, asked)).await?;
                Ok(own(answer.into_inner().registration))
            }
            Call::Withdraw(_) => {
                let asked = WithdrawRequest {
                    competition_id,
                    request_id,
                };
                let answer = user.withdraw(bearing(&who.token, asked)).await?;
                Ok(own(answer.into_inner().registration))
            }
            Call::Erase(_) => {
                let asked = DeleteMeRequest {
                    password: PASSWORD.to_owned(),
                    request_id,
                };
                user.delete_me(bearing(&who.token, asked)).await?;
                Ok(Answer::Done)
            }
            Call::ReadRegistration(_) => {
                let asked = GetMyRegistrationRequest { competition_id };
                let answer = user.get_my_registration(bearing(&who.token, asked)).await?;
                Ok(own(answer.into_inner().registration))
            }
            Call::ReadCompetition => {
                let asked = GetCompetitionRequest { competition_id };
                let answer = user.get_competition(asked).await?;
                Ok(seen(answer.into_inner().competition))
            }
            call => panic!("no user asks for {call:?}"),
        }
    }

    #[allow(clippy::too_many_lines, reason = "one row per RPC: a table")]
    async fn send_as_organiser(
        &self,
        who: &Who,
        competition: &CompetitionId,
        request: RequestId,
        call: &Call,
        says: &Says,
    ) -> Result<Answer, Status> {
        let mut admin = self.admin.clone();
        let (competition_id, request_id) = (competition.to_string(), request.to_string());
        let reason = reason(call, request);
        match call {
            Call::ReadRegistration(of) => {
                let asked = GetRegistrationRequest {
                    competition_id,
                    user_id: of.to_string(),
                };
                let answer = admin.get_registration(bearing(&who.token, asked)).await?;
                Ok(entry(answer.into_inner().entry))
            }
            Call::ReadCompetition => {
                let asked = GetCompetitionAsOrganiserRequest { competition_id };
                let answer = admin.get_competition(bearing(&who.token, asked)).await?;
                Ok(seen(answer.into_inner().competition))
            }
            Call::List(states) => self.list(who, competition, states, request).await,
            Call::Add(whom, options) => {
                let user = if says.email.is_empty() {
                    Whom::UserId(whom.to_string())
                } else {
                    Whom::Email(says.email.clone())
                };
                let asked = AddRegistrationRequest {
                    competition_id,
                    user: Some(user),
                    ignore_window: options.ignore_window,
                    over_capacity: options.over_capacity,
                    request_id,
                };
                let answer = admin.add_registration(bearing(&who.token, asked)).await?;
                Ok(entry(answer.into_inner().entry))
            }
            Call::Remove(whom) => {
                let asked = RemoveRegistrationRequest {
                    competition_id,
                    user_id: whom.to_string(),
                    reason,
                    request_id,
                };
                let answer = admin
                    .remove_registration(bearing(&who.token, asked))
                    .await?;
                Ok(entry(answer.into_inner().entry))
            }
            Call::Change(Action::Create) => {
                let asked = CreateCompetitionRequest {
                    competition: Some(says.details.clone()),
                    competition_id: Some(competition_id),
                    request_id,
                };
                let answer = admin.create_competition(bearing(&who.token, asked)).await?;
                Ok(made(&says.details, answer.into_inner().competition))
            }
            Call::Change(Action::Publish) => {
                let asked = PublishCompetitionRequest {
                    competition_id,
                    request_id,
                };
                let answer = admin
                    .publish_competition(bearing(&who.token, asked))
                    .await?;
                Ok(seen(answer.into_inner().competition))
            }
            Call::Change(Action::Cancel) => {
                let asked = CancelCompetitionRequest {
                    competition_id,
                    reason,
                    request_id,
                };
                let answer = admin.cancel_competition(bearing(&who.token, asked)).await?;
                Ok(seen(answer.into_inner().competition))
            }
            Call::Change(Action::Delete) => {
                let asked = DeleteCompetitionRequest {
                    competition_id,
                    request_id,
                };
                admin.delete_competition(bearing(&who.token, asked)).await?;
                Ok(Answer::Done)
            }
            Call::Set(field, value) => {
                let number = value.parse().ok();
                let asked = UpdateCompetitionRequest {
                    competition: Some(match *field {
                        "capacity" => Competition {
                            competition_id,
                            capacity: number,
                            ..Competition::default()
                        },
                        "waitlist_capacity" => Competition {
                            competition_id,
                            waitlist_capacity: number,
                            ..Competition::default()
                        },
                        "venue" => Competition {
                            competition_id,
                            venue: value.clone(),
                            ..Competition::default()
                        },
                        field => panic!("nobody sets {field}"),
                    }),
                    update_mask: Some(FieldMask {
                        paths: vec![(*field).to_owned()],
                    }),
                    request_id,
                };
                let answer = admin.update_competition(bearing(&who.token, asked)).await?;
                Ok(seen(answer.into_inner().competition))
            }
            call => panic!("no organiser asks for {call:?}"),
        }
    }

    /// The pages of a list of registrations, one after the other.
    async fn list(
        &self,
        who: &Who,
        competition: &CompetitionId,
        states: &[RegistrationState],
        request: RequestId,
    ) -> Result<Answer, Status> {
        let mut admin = self.admin.clone();
        let mut asked = ListRegistrationsRequest {
            competition_id: competition.to_string(),
            states: states
                .iter()
                .map(|state| v1::RegistrationState::from(*state).into())
                .collect(),
            page_size: if request.as_bytes()[0].is_multiple_of(2) {
                LARGE_PAGE
            } else {
                SMALL_PAGE
            },
            page_token: String::new(),
        };
        let mut all = Vec::new();
        loop {
            let page = admin.list_registrations(bearing(&who.token, asked.clone()));
            let page = page.await?.into_inner();
            for said in page.entries {
                match entry(Some(said)) {
                    Answer::Registration(held) => all.push(held),
                    nonsense => return Ok(nonsense),
                }
            }
            if page.next_page_token.is_empty() {
                return Ok(Answer::Registrations(all));
            }
            asked.page_token = page.next_page_token;
        }
    }

    /// All registrations of a user, with their competitions.
    pub async fn my_registrations(&self, who: &Who) -> Result<Vec<MyRegistration>, Status> {
        let mut user = self.user.clone();
        let mut asked = ListMyRegistrationsRequest {
            page_size: SMALL_PAGE,
            page_token: String::new(),
        };
        let mut all = Vec::new();
        loop {
            let page = user.list_my_registrations(bearing(&who.token, asked.clone()));
            let mut page = page.await?.into_inner();
            all.append(&mut page.registrations);
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            asked.page_token = page.next_page_token;
        }
    }

    /// All competitions that there are for this one.
    pub async fn catalogue(&self, who: &Who) -> Result<Vec<Competition>, Status> {
        let (mut user, mut admin) = (self.user.clone(), self.admin.clone());
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let (mut page, next) = if who.is_organiser() {
                let asked = ListCompetitionsAsOrganiserRequest {
                    page_size: SMALL_PAGE,
                    page_token,
                    ..Default::default()
                };
                let page = admin.list_competitions(bearing(&who.token, asked)).await?;
                let page = page.into_inner();
                (page.competitions, page.next_page_token)
            } else {
                let asked = ListCompetitionsRequest {
                    page_size: SMALL_PAGE,
                    page_token,
                    ..Default::default()
                };
                let page = user.list_competitions(asked).await?.into_inner();
                (page.competitions, page.next_page_token)
            };
            all.append(&mut page);
            page_token = next;
            if page_token.is_empty() {
                return Ok(all);
            }
        }
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
    let mut facts: BTreeMap<_, _> = info.metadata.into_iter().collect();
    let revision = facts.remove("revision");
    let revision = revision.and_then(|revision| revision.parse().ok());
    Try::Answered(Answer::Refused {
        reason: info.reason,
        revision: revision.map(Revision::new),
        facts,
    })
}

/// A user's own registration.
fn own(registration: Option<v1::Registration>) -> Answer {
    held(registration, None)
}

/// What an organiser sees.
fn entry(entry: Option<RegistrationEntry>) -> Answer {
    let Some(entry) = entry else {
        return Answer::Nonsense("an answer without an entry".to_owned());
    };
    // All people of the torture are called as their address begins; of an erased account nothing is left.
    let is_erased = entry.email.is_empty() && entry.display_name.is_empty();
    if !is_erased && entry.email != format!("{}@example.org", entry.display_name) {
        return Answer::Nonsense(format!("nobody is this: {entry:?}"));
    }
    held(entry.registration, Some(entry.added_by))
}

fn held(registration: Option<v1::Registration>, added_by: Option<String>) -> Answer {
    match registration {
        Some(registration) => Answer::Registration(Held {
            registration,
            added_by,
        }),
        None => Answer::Nonsense("an answer without a registration".to_owned()),
    }
}

fn seen(competition: Option<Competition>) -> Answer {
    match competition {
        Some(competition) => Answer::Competition(Box::new(competition)),
        None => Answer::Nonsense("an answer without a competition".to_owned()),
    }
}

/// What was created is what was asked for, beside what the server adds.
fn made(asked: &Competition, competition: Option<Competition>) -> Answer {
    let answer = seen(competition);
    if let Answer::Competition(made) = &answer {
        let said = Competition {
            competition_id: String::new(),
            state: 0,
            revision: 0,
            created_at: None,
            updated_at: None,
            etag: String::new(),
            ..(**made).clone()
        };
        if said != *asked {
            return Answer::Nonsense(format!("{asked:?} was asked for, {made:?} was made"));
        }
    }
    answer
}
