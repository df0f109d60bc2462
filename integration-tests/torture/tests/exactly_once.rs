//! Each mutating RPC of both services, called in vain: it is done, and its answer is dropped, once between
//! the client and the service, and once between the service and Redis, behind one of the writes that the
//! call is made of. The client asks again under the same request id. It gets the answer that it missed,
//! again and again; nothing is done twice; and what an error says of the outcome is true.
//!
//! `TORTURE_ONCE` says how many answers of each RPC are dropped on the way to clients; 20 if it is not set.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::cell::Cell;
use std::env;
use std::fmt::Debug;
use std::time::Duration;

use api::admin::add_registration_request::User as Whom;
use api::admin::admin_service_client::AdminServiceClient;
use api::admin::{
    AddRegistrationRequest, CancelCompetitionRequest, CreateAdminRequest, CreateCompetitionRequest,
    DeleteCompetitionRequest, DisableAdminRequest, GetUserRequest, ListAdminsRequest,
    ListUsersRequest, PublishCompetitionRequest, RemoveRegistrationRequest,
    UpdateCompetitionRequest,
};
use api::user::user_service_client::UserServiceClient;
use api::user::{
    AccountAction, ChangePasswordRequest, DeleteMeRequest, ExportMeRequest, RegisterRequest,
    SignInRequest, SignUpRequest, UpdateMeRequest, WithdrawRequest,
};
use api::v1::{Admin, AdminRole, Competition, User};
use domain::{CompetitionId, RequestId};
use integration_tests::{DAY, PASSWORD, from_now};
use prost_types::FieldMask;
use tokio::time::{Instant, sleep};
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt;
use torture::ask::bearing;
use torture::rewrite::Rewrite;
use torture::world::{Service, World};

/// No call is made of more writes than this.
const MOST_WRITES: u32 = 4;
/// The store tries a write as often when its connection breaks.
const TRIES: u32 = 3;

fn rounds() -> u32 {
    let set = env::var("TORTURE_ONCE").ok();
    set.map_or(20, |text| text.parse().expect("TORTURE_ONCE is a number"))
}

struct Stage {
    world: World,
    user: UserServiceClient<Channel>,
    admin: AdminServiceClient<Channel>,
    round: Cell<u32>,
    calls: Cell<u32>,
    /// For how many calls an answer of Redis was dropped.
    dropped: Cell<u32>,
    /// How many errors said that nothing was changed.
    not_applied: Cell<u32>,
}

impl Stage {
    async fn new() -> Self {
        // Nothing is changed; but the proxy knows which commands write.
        let world = World::with(&[], Some(Rewrite::new(|_| {}))).await;
        Self {
            user: UserServiceClient::new(world.user.channel()),
            admin: AdminServiceClient::new(world.admin.channel()),
            world,
            round: Cell::new(0),
            calls: Cell::new(0),
            dropped: Cell::new(0),
            not_applied: Cell::new(0),
        }
    }

    /// Asks with answers dropped on both links, then twice more, and answers what was answered.
    /// `happened` looks beside the service whether it was done.
    async fn in_vain<T: PartialEq + Debug>(
        &self,
        service: &Service,
        ask: impl AsyncFn() -> Result<Response<T>, Status>,
        happened: impl AsyncFn() -> bool,
    ) -> T {
        self.calls.set(self.calls.get() + 1);
        let mut told = Vec::new();
        // Each link comes first in turn, and so meets the call that is not a repetition.
        if self.round.get().is_multiple_of(2) {
            told.extend(self.lose_a_write(service, &ask, &happened).await);
            lose_answer(service, &ask).await;
        } else {
            lose_answer(service, &ask).await;
            told.extend(self.lose_a_write(service, &ask, &happened).await);
        }
        told.push(answered(&ask).await);
        told.push(answered(&ask).await);
        assert!(happened().await, "it was answered, and not done");
        let is_same = told.windows(2).all(|two| two[0] == two[1]);
        assert!(is_same, "the answers differ: {told:#?}");
        told.pop().expect("at least two")
    }

    /// Loses Redis's answer to another one of the writes in each round; to the first one, where the call is
    /// not made of so many.
    async fn lose_a_write<T>(
        &self,
        service: &Service,
        ask: &impl AsyncFn() -> Result<Response<T>, Status>,
        happened: &impl AsyncFn() -> bool,
    ) -> Option<T> {
        let which = self.round.get() / 2 % MOST_WRITES;
        let (mut told, mut dropped) = self.lose_write(which, service, ask, happened).await;
        if dropped == 0 && which > 0 {
            (told, dropped) = self.lose_write(0, service, ask, happened).await;
        }
        self.dropped.set(self.dropped.get() + dropped.min(1));
        told
    }

    /// Asks while Redis's answer to one of the writes is dropped, so often that the service gives up, or
    /// once only, so that it finds out by itself. Answers how often that happened too.
    async fn lose_write<T>(
        &self,
        which: u32,
        service: &Service,
        ask: &impl AsyncFn() -> Result<Response<T>, Status>,
        happened: &impl AsyncFn() -> bool,
    ) -> (Option<T>, u32) {
        let was_done = happened().await;
        let times = if (self.round.get() / 2 / MOST_WRITES).is_multiple_of(2) {
            TRIES
        } else {
            1
        };
        service.to_redis.drop_written(which, times);
        let answer = loop {
            match ask().await {
                Err(lost) if lost.get_details_error_info().is_none() => {
                    // The client has not noticed yet that its connection is gone.
                    sleep(Duration::from_millis(5)).await;
                }
                answer => break answer,
            }
        };
        let dropped = times - service.to_redis.left_to_drop();
        let status = match answer {
            Ok(answer) => return (Some(answer.into_inner()), dropped),
            Err(status) => status,
        };
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        let info = status.get_details_error_info().expect("details");
        match info.metadata.get("outcome").map(String::as_str) {
            Some("UNKNOWN") => {}
            Some("NOT_APPLIED") => {
                self.not_applied.set(self.not_applied.get() + 1);
                assert!(
                    was_done || !happened().await,
                    "NOT_APPLIED, and it was done"
                );
            }
            other => panic!("the outcome is {other:?}"),
        }
        (None, dropped)
    }

    fn organised<T>(&self, message: T) -> Request<T> {
        bearing(&self.world.owner.token, message)
    }

    /// What the log of this competition holds of this request.
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
        let export = async || {
            let asked = bearing(token, ExportMeRequest {});
            self.user.clone().export_me(asked).await
        };
        let log = answered(&export).await.account_log;
        log.iter().filter(|entry| entry.action() == action).count()
    }

    async fn person_of(&self, user_id: &str) -> Option<User> {
        let asked = GetUserRequest {
            user_id: user_id.to_owned(),
        };
        let began = Instant::now();
        loop {
            let asked = self.organised(asked.clone());
            match self.admin.clone().get_user(asked).await {
                Ok(found) => return found.into_inner().user,
                Err(status) if status.code() == Code::NotFound => return None,
                Err(status) => wait_after(&status, began).await,
            }
        }
    }

    async fn admins(&self) -> Vec<Admin> {
        let (mut admins, mut page_token) = (Vec::new(), String::new());
        loop {
            let asked = ListAdminsRequest {
                page_size: 200,
                page_token,
            };
            let ask = async || {
                let asked = self.organised(asked.clone());
                self.admin.clone().list_admins(asked).await
            };
            let mut page = answered(&ask).await;
            admins.append(&mut page.admins);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return admins;
            }
        }
    }

    async fn draft(&self) -> Competition {
        let asked = CreateCompetitionRequest {
            competition: Some(details()),
            competition_id: Some(format!("cup-{}", request())),
            request_id: request(),
        };
        let (id, request) = (asked.competition_id.as_deref(), &asked.request_id);
        let times = async || self.times(id.expect("an id"), request).await;
        let made = self.in_vain(
            &self.world.admin,
            async || {
                let asked = self.organised(asked.clone());
                self.admin.clone().create_competition(asked).await
            },
            async || times().await == 1,
        );
        let made = made.await.competition.expect("a competition");
        assert_eq!(times().await, 1);
        made
    }

    async fn publish(&self, competition_id: &str) {
        let asked = PublishCompetitionRequest {
            competition_id: competition_id.to_owned(),
            request_id: request(),
        };
        let ask = async || {
            let asked = self.organised(asked.clone());
            self.admin.clone().publish_competition(asked).await
        };
        self.organise(competition_id, &asked.request_id, ask).await;
    }

    /// A change of a competition or of a registration by an organiser: in the log once.
    async fn organise<T: PartialEq + Debug>(
        &self,
        competition: &str,
        request: &str,
        ask: impl AsyncFn() -> Result<Response<T>, Status>,
    ) -> T {
        let happened = async || self.times(competition, request).await > 0;
        let answer = self.in_vain(&self.world.admin, ask, happened).await;
        assert_eq!(self.times(competition, request).await, 1);
        answer
    }

    /// An account, and a session of it.
    async fn sign_up(&self, email: &str) -> (User, String) {
        let asked = SignUpRequest {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            display_name: "Ada".to_owned(),
            request_id: request(),
            ..SignUpRequest::default()
        };
        // Each time with a session of its own: a token is kept nowhere, so it cannot be told again.
        let sign_up = async || {
            let answer = self.user.clone().sign_up(asked.clone()).await?;
            Ok(Response::new(answer.into_inner().user))
        };
        let is_listed = async || {
            let asked = ListUsersRequest {
                email: email.to_owned(),
                ..ListUsersRequest::default()
            };
            let list = async || {
                let asked = self.organised(asked.clone());
                self.admin.clone().list_users(asked).await
            };
            !answered(&list).await.users.is_empty()
        };
        let made = self.in_vain(&self.world.user, sign_up, is_listed).await;
        let sign_in = async || {
            let asked = SignInRequest {
                email: email.to_owned(),
                password: PASSWORD.to_owned(),
            };
            self.user.clone().sign_in(asked).await
        };
        let token = answered(&sign_in).await.session_token;
        (made.expect("a user"), token)
    }

    fn report(&self, what: &str, rpcs: u32) {
        let (calls, dropped) = (self.calls.get(), self.dropped.get());
        println!(
            "{what}: {rpcs} RPCs, {calls} calls in vain: {calls} answers were dropped before the client, \
             {dropped} before the service; {} errors said NOT_APPLIED",
            self.not_applied.get()
        );
        assert!(calls >= rpcs * rounds(), "{calls} calls are too few");
        // What was done before is often only read the second time.
        assert!(
            dropped >= calls / 3,
            "{dropped} answers of Redis are too few"
        );
    }
}

/// Asks until the answer was given and dropped.
async fn lose_answer<T: Debug>(
    service: &Service,
    ask: &impl AsyncFn() -> Result<Response<T>, Status>,
) {
    service.to_clients.drop_next_answer();
    let began = Instant::now();
    while !service.to_clients.has_dropped() {
        // A connection that broke before may end this one too, without an answer to drop.
        let lost = ask().await.expect_err("its answer is dropped");
        wait_after(&lost, began).await;
    }
}

async fn answered<T>(ask: &impl AsyncFn() -> Result<Response<T>, Status>) -> T {
    let began = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer.into_inner(),
            Err(status) => wait_after(&status, began).await,
        }
    }
}

/// Waits a moment after an error that is none of the call's: the client has not noticed yet that its
/// connection is gone, or a busy machine did not answer in time.
async fn wait_after(status: &Status, began: Instant) {
    const PATIENCE: Duration = Duration::from_secs(30);
    let is_passing = status.get_details_error_info().is_none()
        || matches!(status.code(), Code::Unavailable | Code::ResourceExhausted);
    assert!(is_passing && began.elapsed() < PATIENCE, "{status:?}");
    sleep(Duration::from_millis(10)).await;
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
        stage.round.set(round);
        let draft = stage.draft().await.competition_id;
        let asked = DeleteCompetitionRequest {
            competition_id: draft.clone(),
            request_id: request(),
        };
        let delete = async || {
            let asked = stage.organised(asked.clone());
            stage.admin.clone().delete_competition(asked).await
        };
        stage.organise(&draft, &asked.request_id, delete).await;

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
        let update = async || {
            let asked = stage.organised(asked.clone());
            stage.admin.clone().update_competition(asked).await
        };
        stage.organise(&cup, &asked.request_id, update).await;

        for by_email in [false, true] {
            let name = format!("added-{round}-{by_email}");
            let person = stage.world.accounts.person(&name).await;
            let whom = if by_email {
                Whom::Email(person.email)
            } else {
                Whom::UserId(person.id.to_string())
            };
            let asked = AddRegistrationRequest {
                competition_id: cup.clone(),
                user: Some(whom),
                request_id: request(),
                ..AddRegistrationRequest::default()
            };
            let add = async || {
                let asked = stage.organised(asked.clone());
                stage.admin.clone().add_registration(asked).await
            };
            stage.organise(&cup, &asked.request_id, add).await;
            if by_email {
                continue;
            }
            let asked = RemoveRegistrationRequest {
                competition_id: cup.clone(),
                user_id: person.id.to_string(),
                reason: "no licence".to_owned(),
                request_id: request(),
            };
            let remove = async || {
                let asked = stage.organised(asked.clone());
                stage.admin.clone().remove_registration(asked).await
            };
            stage.organise(&cup, &asked.request_id, remove).await;
        }

        let asked = CancelCompetitionRequest {
            competition_id: cup.clone(),
            reason: "storm".to_owned(),
            request_id: request(),
        };
        let cancel = async || {
            let asked = stage.organised(asked.clone());
            stage.admin.clone().cancel_competition(asked).await
        };
        stage.organise(&cup, &asked.request_id, cancel).await;
    }
    stage.report("organisers", 9);
    assert_eq!(stage.world.findings().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_runs_competitions_is_made_and_disabled_once_however_often_the_answer_is_lost() {
    let stage = Stage::new().await;
    let service = &stage.world.admin;
    let mut made_admins = Vec::new();
    for round in 0..rounds() {
        stage.round.set(round);
        let asked = CreateAdminRequest {
            email: format!("admin-{round}@example.org"),
            password: PASSWORD.to_owned(),
            display_name: "Vera".to_owned(),
            role: AdminRole::Viewer.into(),
            request_id: request(),
        };
        let find = async || {
            let admins = stage.admins().await;
            admins.into_iter().find(|admin| admin.email == asked.email)
        };
        let create = async || {
            let asked = stage.organised(asked.clone());
            stage.admin.clone().create_admin(asked).await
        };
        let made = stage.in_vain(service, create, async || find().await.is_some());
        let made = made.await.admin.expect("an admin");
        let asked = DisableAdminRequest {
            admin_id: made.admin_id.clone(),
            request_id: request(),
        };
        let disable = async || {
            let asked = stage.organised(asked.clone());
            stage.admin.clone().disable_admin(asked).await
        };
        let is_disabled = async || find().await.is_some_and(|admin| admin.disabled);
        let disabled = stage.in_vain(service, disable, is_disabled).await;
        assert!(disabled.admin.expect("an admin").disabled);
        made_admins.push(made.admin_id);
    }
    stage.report("admins", 2);
    let mut listed: Vec<_> = stage.admins().await;
    listed.retain(|admin| admin.email != "owner@example.org");
    let mut listed: Vec<_> = listed.into_iter().map(|admin| admin.admin_id).collect();
    listed.sort();
    made_admins.sort();
    assert_eq!(listed, made_admins);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_is_made_and_ended_once_however_often_the_answer_is_lost() {
    let stage = Stage::new().await;
    let service = &stage.world.user;
    let mut cup = String::new();
    for round in 0..rounds() {
        stage.round.set(round);
        if round.is_multiple_of(50) {
            // A new one, so that reading its log stays quick.
            cup = stage.draft().await.competition_id;
            stage.publish(&cup).await;
        }
        let person = stage
            .world
            .accounts
            .person(&format!("runner-{round}"))
            .await;
        let token = &person.token;
        let asked = RegisterRequest {
            competition_id: cup.clone(),
            request_id: request(),
            validate_only: false,
        };
        let times = async || stage.times(&cup, &asked.request_id).await;
        let register = async || {
            let asked = bearing(token, asked.clone());
            stage.user.clone().register(asked).await
        };
        stage
            .in_vain(service, register, async || times().await > 0)
            .await;
        assert_eq!(times().await, 1);
        let asked = WithdrawRequest {
            competition_id: cup.clone(),
            request_id: request(),
        };
        let times = async || stage.times(&cup, &asked.request_id).await;
        let withdraw = async || {
            let asked = bearing(token, asked.clone());
            stage.user.clone().withdraw(asked).await
        };
        stage
            .in_vain(service, withdraw, async || times().await > 0)
            .await;
        assert_eq!(times().await, 1);
    }
    stage.report("registrations", 2);
    assert_eq!(stage.world.findings().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_made_changed_and_deleted_once_however_often_the_answer_is_lost() {
    const NEW_PASSWORD: &str = "another start list of my own";
    let stage = Stage::new().await;
    let service = &stage.world.user;
    let cup = stage.draft().await.competition_id;
    stage.publish(&cup).await;
    for round in 0..rounds() {
        stage.round.set(round);
        let (made, token) = stage.sign_up(&format!("person-{round}@example.org")).await;
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
        let update = async || {
            let asked = bearing(&token, asked.clone());
            stage.user.clone().update_me(asked).await
        };
        let is_updated = async || {
            let found = stage.person_of(&made.user_id).await;
            found.is_some_and(|user| user.club == "Harriers")
        };
        stage.in_vain(service, update, is_updated).await;
        assert_eq!(stage.happened(&token, AccountAction::Updated).await, 1);

        let asked = ChangePasswordRequest {
            current_password: PASSWORD.to_owned(),
            new_password: NEW_PASSWORD.to_owned(),
            request_id: request(),
        };
        let change = async || {
            let asked = bearing(&token, asked.clone());
            stage.user.clone().change_password(asked).await
        };
        let changes = async || stage.happened(&token, AccountAction::PasswordChanged).await;
        stage
            .in_vain(service, change, async || changes().await > 0)
            .await;
        assert_eq!(changes().await, 1);

        let asked = RegisterRequest {
            competition_id: cup.clone(),
            request_id: request(),
            validate_only: false,
        };
        let register = async || {
            let asked = bearing(&token, asked.clone());
            stage.user.clone().register(asked).await
        };
        answered(&register).await;
        let asked = DeleteMeRequest {
            password: NEW_PASSWORD.to_owned(),
            request_id: request(),
        };
        let delete = async || {
            let asked = bearing(&token, asked.clone());
            stage.user.clone().delete_me(asked).await
        };
        let is_gone = async || stage.person_of(&made.user_id).await.is_none();
        stage.in_vain(service, delete, is_gone).await;
        assert_eq!(
            stage.times(&cup, &asked.request_id).await,
            1,
            "one withdrawal"
        );
    }
    stage.report("accounts", 4);
    let list = async || {
        let asked = stage.organised(ListUsersRequest::default());
        stage.admin.clone().list_users(asked).await
    };
    assert_eq!(answered(&list).await.users, []);
    assert_eq!(stage.world.findings().await, Vec::<String>::new());
}
