//! Each mutating RPC of both services, called in vain: the service does what it is asked, its answer is
//! dropped, and the client asks again under the same request id. It gets the answer that it missed, again
//! and again, and nothing is done twice.
//!
//! `TORTURE_ONCE` says how many answers of each RPC are dropped; 20 if it is not set.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::env;
use std::future::Future;
use std::time::Duration;

use api::admin::add_registration_request::User as Whom;
use api::admin::admin_service_client::AdminServiceClient;
use api::admin::{
    AddRegistrationRequest, CancelCompetitionRequest, CreateAdminRequest, CreateCompetitionRequest,
    DeleteCompetitionRequest, DisableAdminRequest, ListAdminsRequest, ListUsersRequest,
    PublishCompetitionRequest, RemoveRegistrationRequest, UpdateCompetitionRequest,
};
use api::user::user_service_client::UserServiceClient;
use api::user::{
    AccountAction, ChangePasswordRequest, DeleteMeRequest, ExportMeRequest, RegisterRequest,
    SignInRequest, SignUpRequest, UpdateMeRequest, WithdrawRequest,
};
use api::v1::{AdminRole, Competition, User};
use domain::{CompetitionId, RequestId};
use integration_tests::{DAY, PASSWORD, from_now};
use prost_types::FieldMask;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tonic_types::StatusExt;
use torture::ask::bearing;
use torture::proxy::Proxy;
use torture::world::{Person, World};

fn rounds() -> u32 {
    let set = env::var("TORTURE_ONCE").ok();
    set.map_or(20, |text| text.parse().expect("TORTURE_ONCE is a number"))
}

/// Asks with the answer dropped, then twice more, and answers what was answered.
async fn in_vain<T, F>(link: &Proxy, mut ask: impl FnMut() -> F) -> T
where
    T: PartialEq + std::fmt::Debug,
    F: Future<Output = Result<Response<T>, Status>>,
{
    link.drop_next_answer();
    while !link.has_dropped() {
        // A connection that broke before may end this one too, without an answer to drop.
        let lost = ask().await.expect_err("its answer is dropped");
        assert!(lost.get_details_error_info().is_none(), "{lost:?}");
    }
    let first = answered(&mut ask).await;
    let again = answered(&mut ask).await;
    assert_eq!(first, again, "the answer differs");
    first
}

async fn answered<T, F>(ask: &mut impl FnMut() -> F) -> T
where
    F: Future<Output = Result<Response<T>, Status>>,
{
    let mut tries = 0;
    loop {
        tries += 1;
        match ask().await {
            Ok(answer) => return answer.into_inner(),
            // The client has not noticed yet that its connection is gone.
            Err(lost) if lost.get_details_error_info().is_none() && tries < 50 => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(status) => panic!("{status:?}"),
        }
    }
}

struct Stage {
    world: World,
    user: UserServiceClient<Channel>,
    admin: AdminServiceClient<Channel>,
}

impl Stage {
    async fn new() -> Self {
        let world = World::start().await;
        Self {
            user: UserServiceClient::new(world.user.channel()),
            admin: AdminServiceClient::new(world.admin.channel()),
            world,
        }
    }

    fn organised<T>(&self, message: T) -> Request<T> {
        bearing(&self.world.organiser, message)
    }

    fn users(&self) -> &Proxy {
        &self.world.user.to_clients
    }

    fn admins(&self) -> &Proxy {
        &self.world.admin.to_clients
    }

    /// How often the log of this competition holds this request.
    async fn times(&self, competition: &str, request: &str) -> usize {
        let id = CompetitionId::parse(competition).expect("an id");
        let logs = self.world.logs(std::slice::from_ref(&id)).await;
        let request = RequestId::parse(request).expect("a request id");
        let log = logs[&id].iter();
        log.filter(|entry| entry.request_id == Some(request))
            .count()
    }

    /// How often this happened to an account.
    async fn happened(&self, token: &str, action: AccountAction) -> usize {
        let mut user = self.user.clone();
        let export = user.export_me(bearing(token, ExportMeRequest {})).await;
        let log = export.expect("an export").into_inner().account_log;
        log.iter().filter(|entry| entry.action() == action).count()
    }

    async fn draft(&self) -> Competition {
        let request_id = request();
        let asked = CreateCompetitionRequest {
            competition: Some(details()),
            competition_id: None,
            request_id: request_id.clone(),
        };
        let answer = in_vain(self.admins(), || {
            let (mut admin, asked) = (self.admin.clone(), self.organised(asked.clone()));
            async move { admin.create_competition(asked).await }
        });
        let made = answer.await.competition.expect("a competition");
        assert_eq!(self.times(&made.competition_id, &request_id).await, 1);
        made
    }

    async fn publish(&self, competition_id: &str) {
        let asked = PublishCompetitionRequest {
            competition_id: competition_id.to_owned(),
            request_id: request(),
        };
        in_vain(self.admins(), || {
            let (mut admin, asked) = (self.admin.clone(), self.organised(asked.clone()));
            async move { admin.publish_competition(asked).await }
        })
        .await;
        assert_eq!(self.times(competition_id, &asked.request_id).await, 1);
    }
}

fn request() -> String {
    RequestId::random().to_string()
}

fn details() -> Competition {
    Competition {
        title: "Cup".to_owned(),
        registration_opens_at: Some(from_now(-DAY)),
        registration_closes_at: Some(from_now(29 * DAY)),
        starts_at: Some(from_now(30 * DAY)),
        ends_at: Some(from_now(31 * DAY)),
        ..Competition::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_organiser_does_is_done_once_however_often_the_answer_is_lost() {
    let stage = Stage::new().await;
    for round in 0..rounds() {
        let draft = stage.draft().await.competition_id;
        let asked = DeleteCompetitionRequest {
            competition_id: draft.clone(),
            request_id: request(),
        };
        in_vain(stage.admins(), || {
            let (mut admin, asked) = (stage.admin.clone(), stage.organised(asked.clone()));
            async move { admin.delete_competition(asked).await }
        })
        .await;
        assert_eq!(stage.times(&draft, &asked.request_id).await, 1);

        let cup = stage.draft().await.competition_id;
        stage.publish(&cup).await;
        let asked = UpdateCompetitionRequest {
            competition: Some(Competition {
                competition_id: cup.clone(),
                capacity: Some(7),
                ..Competition::default()
            }),
            update_mask: Some(FieldMask {
                paths: vec!["capacity".to_owned()],
            }),
            request_id: request(),
        };
        in_vain(stage.admins(), || {
            let (mut admin, asked) = (stage.admin.clone(), stage.organised(asked.clone()));
            async move { admin.update_competition(asked).await }
        })
        .await;
        assert_eq!(stage.times(&cup, &asked.request_id).await, 1);

        let person = stage.world.person(&format!("added-{round}")).await;
        let asked = AddRegistrationRequest {
            competition_id: cup.clone(),
            user: Some(Whom::UserId(person.id.to_string())),
            request_id: request(),
            ..AddRegistrationRequest::default()
        };
        in_vain(stage.admins(), || {
            let (mut admin, asked) = (stage.admin.clone(), stage.organised(asked.clone()));
            async move { admin.add_registration(asked).await }
        })
        .await;
        assert_eq!(stage.times(&cup, &asked.request_id).await, 1);

        let asked = RemoveRegistrationRequest {
            competition_id: cup.clone(),
            user_id: person.id.to_string(),
            reason: "no licence".to_owned(),
            request_id: request(),
        };
        in_vain(stage.admins(), || {
            let (mut admin, asked) = (stage.admin.clone(), stage.organised(asked.clone()));
            async move { admin.remove_registration(asked).await }
        })
        .await;
        assert_eq!(stage.times(&cup, &asked.request_id).await, 1);

        let asked = CancelCompetitionRequest {
            competition_id: cup.clone(),
            reason: "storm".to_owned(),
            request_id: request(),
        };
        in_vain(stage.admins(), || {
            let (mut admin, asked) = (stage.admin.clone(), stage.organised(asked.clone()));
            async move { admin.cancel_competition(asked).await }
        })
        .await;
        assert_eq!(stage.times(&cup, &asked.request_id).await, 1);
    }
    assert_eq!(stage.world.findings().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_runs_competitions_is_made_and_disabled_once_however_often_the_answer_is_lost() {
    let stage = Stage::new().await;
    for round in 0..rounds() {
        let asked = CreateAdminRequest {
            email: format!("admin-{round}@example.org"),
            password: PASSWORD.to_owned(),
            display_name: "Vera".to_owned(),
            role: AdminRole::Viewer.into(),
            request_id: request(),
        };
        let made = in_vain(stage.admins(), || {
            let (mut admin, asked) = (stage.admin.clone(), stage.organised(asked.clone()));
            async move { admin.create_admin(asked).await }
        });
        let made = made.await.admin.expect("an admin");
        let asked = DisableAdminRequest {
            admin_id: made.admin_id,
            request_id: request(),
        };
        let disabled = in_vain(stage.admins(), || {
            let (mut admin, asked) = (stage.admin.clone(), stage.organised(asked.clone()));
            async move { admin.disable_admin(asked).await }
        });
        assert!(disabled.await.admin.expect("an admin").disabled);
    }
    let mut admin = stage.admin.clone();
    let (mut count, mut page_token) = (0, String::new());
    loop {
        let asked = ListAdminsRequest {
            page_size: 200,
            page_token,
        };
        let page = admin.list_admins(stage.organised(asked)).await;
        let page = page.expect("a page").into_inner();
        count += page.admins.len();
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(
        count,
        1 + rounds() as usize,
        "the owner and one of each round"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_is_made_and_ended_once_however_often_the_answer_is_lost() {
    let stage = Stage::new().await;
    let cup = stage.draft().await.competition_id;
    stage.publish(&cup).await;
    for round in 0..rounds() {
        let Person { token, .. } = stage.world.person(&format!("runner-{round}")).await;
        let asked = RegisterRequest {
            competition_id: cup.clone(),
            request_id: request(),
            validate_only: false,
        };
        in_vain(stage.users(), || {
            let (mut user, asked) = (stage.user.clone(), bearing(&token, asked.clone()));
            async move { user.register(asked).await }
        })
        .await;
        assert_eq!(stage.times(&cup, &asked.request_id).await, 1);
        let asked = WithdrawRequest {
            competition_id: cup.clone(),
            request_id: request(),
        };
        in_vain(stage.users(), || {
            let (mut user, asked) = (stage.user.clone(), bearing(&token, asked.clone()));
            async move { user.withdraw(asked).await }
        })
        .await;
        assert_eq!(stage.times(&cup, &asked.request_id).await, 1);
    }
    assert_eq!(stage.world.findings().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_made_changed_and_deleted_once_however_often_the_answer_is_lost() {
    const NEW_PASSWORD: &str = "another start list of my own";
    let stage = Stage::new().await;
    for round in 0..rounds() {
        let asked = SignUpRequest {
            email: format!("person-{round}@example.org"),
            password: PASSWORD.to_owned(),
            display_name: "Ada".to_owned(),
            request_id: request(),
            ..SignUpRequest::default()
        };
        // Each time with a session of its own: a token is kept nowhere, so it cannot be told again.
        let made = in_vain(stage.users(), || {
            let (mut user, asked) = (stage.user.clone(), asked.clone());
            async move {
                let answer = user.sign_up(asked).await?.into_inner();
                Ok(Response::new(answer.user))
            }
        });
        let made = made.await.expect("a user");
        let mut user = stage.user.clone();
        let signed_in = user.sign_in(SignInRequest {
            email: made.email.clone(),
            password: PASSWORD.to_owned(),
        });
        let token = signed_in
            .await
            .expect("a session")
            .into_inner()
            .session_token;
        assert_eq!(stage.happened(&token, AccountAction::SignedUp).await, 1);

        let asked = UpdateMeRequest {
            user: Some(User {
                club: "Harriers".to_owned(),
                ..User::default()
            }),
            update_mask: Some(FieldMask {
                paths: vec!["club".to_owned()],
            }),
            request_id: request(),
        };
        in_vain(stage.users(), || {
            let (mut user, asked) = (stage.user.clone(), bearing(&token, asked.clone()));
            async move { user.update_me(asked).await }
        })
        .await;
        assert_eq!(stage.happened(&token, AccountAction::Updated).await, 1);

        let asked = ChangePasswordRequest {
            current_password: PASSWORD.to_owned(),
            new_password: NEW_PASSWORD.to_owned(),
            request_id: request(),
        };
        in_vain(stage.users(), || {
            let (mut user, asked) = (stage.user.clone(), bearing(&token, asked.clone()));
            async move { user.change_password(asked).await }
        })
        .await;
        let changes = stage.happened(&token, AccountAction::PasswordChanged);
        assert_eq!(changes.await, 1);

        let asked = DeleteMeRequest {
            password: NEW_PASSWORD.to_owned(),
            request_id: request(),
        };
        in_vain(stage.users(), || {
            let (mut user, asked) = (stage.user.clone(), bearing(&token, asked.clone()));
            async move { user.delete_me(asked).await }
        })
        .await;
    }
    let mut admin = stage.admin.clone();
    let left = admin.list_users(stage.organised(ListUsersRequest::default()));
    assert_eq!(left.await.expect("a page").into_inner().users, []);
}
