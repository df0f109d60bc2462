//! Calls each changing RPC of both services while its response is lost: once between the service
//! and the client, and once between Redis and the service, after one of the writes of the call. The
//! client repeats the call under the same request id. It must get the lost response, again and
//! again; the change must be made once; and the outcome in an error must be true.
//!
//! `TORTURE_ONCE` is the number of lost responses per RPC, 20 by default.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::cell::Cell;
use std::env;
use std::sync::Arc;
use std::time::Duration;

use api::admin::{CreateAdminRequest, DisableAdminRequest};
use api::user::{
    ChangePasswordRequest, DeleteMeRequest, RegisterRequest, SignUpRequest, UpdateMeRequest,
};
use api::v1::{AdminRole, User};
use domain::{AddOptions, Admin, CompetitionId, Email, RequestId, UserId};
use integration_tests::{PASSWORD, UserClient, admin_client, user_client};
use prost_types::FieldMask;
use store::PageRequest;
use testkit::{CompetitionBuilder, Random};
use tokio::time::{Instant, sleep};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use torture::client::Client;
use torture::history::Call;
use torture::world::rewrite::Rewrite;
use torture::world::{Service, SignedInAccount, World};

/// No call has more writes than this.
const MAX_WRITES: u32 = 4;
/// The store sends a write this often if its connection breaks.
const WRITE_ATTEMPTS: u32 = 3;

fn rounds() -> u32 {
    let rounds = env::var("TORTURE_ONCE").ok();
    rounds.map_or(20, |text| text.parse().expect("TORTURE_ONCE is a number"))
}

/// A request with a new request id, and a closure that sends it and returns the response as text.
macro_rules! request {
    ($client:expr => $rpc:ident $Request:ident { $($field:ident: $value:expr),* $(,)? }) => {{
        let id = RequestId::random();
        #[allow(clippy::needless_update, reason = "some requests have no other fields")]
        let request = $Request {
            request_id: id.to_string(),
            $($field: $value,)*
            ..Default::default()
        };
        let client = $client.clone();
        let send = async move || {
            let response = client.clone().$rpc(request.clone()).await?;
            Ok::<_, Status>(format!("{:?}", response.into_inner()))
        };
        (id, send)
    }};
}

/// A world with the counts of one test.
struct Stage {
    world: World,
    round: Cell<u32>,
    calls: Cell<u32>,
    /// The number of calls for which a reply of Redis was lost.
    lost_replies: Cell<u32>,
    /// The number of errors with the outcome `NOT_APPLIED`.
    not_applied: Cell<u32>,
}

impl Stage {
    async fn new() -> Self {
        // The links must know which scripts write.
        let world = World::with(&[], Some(Rewrite::nothing())).await;
        Self {
            world,
            round: Cell::new(0),
            calls: Cell::new(0),
            lost_replies: Cell::new(0),
            not_applied: Cell::new(0),
        }
    }

    fn client(&self, account: &SignedInAccount) -> Client {
        Client::new(&self.world, account.clone(), Random::new(0), Arc::default())
    }

    /// Loses a response on both links, repeats the call twice, and compares the responses. `count`
    /// reads from Redis how often the change was made.
    async fn call(
        &self,
        service: &Service,
        send: impl AsyncFn() -> Result<String, Status>,
        count: impl AsyncFn() -> usize,
    ) {
        increment(&self.calls);
        let mut responses = Vec::new();
        // The links take turns, so that each of them loses the response to a first call.
        if self.round.get().is_multiple_of(2) {
            responses.extend(self.lose_reply(service, &send, &count).await);
            lose_response(service, &send).await;
        } else {
            lose_response(service, &send).await;
            responses.extend(self.lose_reply(service, &send, &count).await);
        }
        responses.push(retry(&send).await);
        responses.push(retry(&send).await);
        assert_eq!(count().await, 1, "{responses:#?}");
        responses.dedup();
        assert_eq!(responses.len(), 1, "the responses differ: {responses:#?}");
    }

    /// Loses the reply of Redis to one of the writes of the call, each round to another one. If the
    /// call has fewer writes, loses the reply to the first.
    async fn lose_reply(
        &self,
        service: &Service,
        send: &impl AsyncFn() -> Result<String, Status>,
        count: &impl AsyncFn() -> usize,
    ) -> Option<String> {
        let write = self.round.get() / 2 % MAX_WRITES;
        let (mut response, mut lost) = self.lose_reply_to(write, service, send, count).await;
        if lost == 0 && write > 0 {
            (response, lost) = self.lose_reply_to(0, service, send, count).await;
        }
        if lost > 0 {
            increment(&self.lost_replies);
        }
        response
    }

    /// Calls while the reply to one write is lost: on every attempt, so that the service fails, or
    /// only once, so that the service repeats the write itself. Returns the response and the number
    /// of lost replies.
    async fn lose_reply_to(
        &self,
        write: u32,
        service: &Service,
        send: &impl AsyncFn() -> Result<String, Status>,
        count: &impl AsyncFn() -> usize,
    ) -> (Option<String>, u32) {
        let was_made = count().await > 0;
        let service_fails = (self.round.get() / 2 / MAX_WRITES).is_multiple_of(2);
        let losses = if service_fails { WRITE_ATTEMPTS } else { 1 };
        service.to_redis.lose_script_replies(write, losses);
        let result = loop {
            match send().await {
                // The client has not noticed yet that its connection is closed.
                Err(status) if status.get_details_error_info().is_none() => {
                    sleep(Duration::from_millis(5)).await;
                }
                result => break result,
            }
        };
        let lost = losses - service.to_redis.stop_losing_replies();
        let status = match result {
            Ok(response) => return (Some(response), lost),
            Err(status) => status,
        };
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        let info = status.get_details_error_info().expect("ErrorInfo");
        match info.metadata.get("outcome").map(String::as_str) {
            Some("UNKNOWN") => {}
            Some("NOT_APPLIED") => {
                increment(&self.not_applied);
                let is_unchanged = was_made || count().await == 0;
                assert!(
                    is_unchanged,
                    "the outcome is NOT_APPLIED, but the change was made"
                );
            }
            other => panic!("the outcome is {other:?}"),
        }
        (None, lost)
    }

    /// A call whose change is in the log of this competition.
    async fn call_logged(&self, client: &Client, competition: &CompetitionId, call: Call) {
        let service = if client.account.is_organiser() {
            &self.world.admin
        } else {
            &self.world.user
        };
        let request = client.request(competition.clone(), call);
        let send = async || {
            let observed = client.send(&request).await?;
            Ok(format!("{observed:?}"))
        };
        let count = async || self.count_entries(competition, request.id).await;
        self.call(service, send, count).await;
    }

    async fn count_entries(&self, competition: &CompetitionId, request: RequestId) -> usize {
        let logs = self.world.logs(std::slice::from_ref(competition)).await;
        let log = logs[competition].iter();
        log.filter(|entry| entry.request_id == Some(request))
            .count()
    }

    /// The number of events of this kind in the log of an account.
    async fn count_events(&self, user: &UserId, action: &str) -> usize {
        let history = self.world.accounts.users.account_history(user).await;
        let (_, events) = history.expect("an account");
        events
            .iter()
            .filter(|event| event.kind.as_str() == action)
            .count()
    }

    async fn find_user(&self, email: &str) -> Option<domain::User> {
        let email = Email::parse(email).expect("a valid address");
        let found = self.world.accounts.admins.find_user_by_email(&email).await;
        found.expect("Redis is up")
    }

    async fn list_admins(&self) -> Vec<Admin> {
        let (size, mut after, mut all) = (200, None, Vec::new());
        loop {
            let page = PageRequest { size, after };
            let page = self.world.accounts.admins.list_admins(&page).await;
            let page = page.expect("Redis is up");
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return all;
            }
        }
    }

    async fn create_competition(&self) -> CompetitionId {
        let id = CompetitionId::parse(format!("cup-{}", RequestId::random())).expect("a valid id");
        let details = Box::new(CompetitionBuilder::new().build().into());
        let owner = self.client(&self.world.owner);
        self.call_logged(&owner, &id, Call::Create(details)).await;
        id
    }

    async fn publish_competition(&self) -> CompetitionId {
        let id = self.create_competition().await;
        let owner = self.client(&self.world.owner);
        self.call_logged(&owner, &id, Call::Publish).await;
        id
    }

    /// Prints and checks how much was tested.
    fn report(&self, topic: &str, rpcs: u32) {
        let (calls, lost_replies) = (self.calls.get(), self.lost_replies.get());
        println!(
            "{topic}: {rpcs} RPCs, {calls} calls: {calls} responses lost before the client, \
             {lost_replies} replies before the service; {} errors with NOT_APPLIED",
            self.not_applied.get()
        );
        assert!(calls >= rpcs * rounds(), "too few calls: {calls}");
        // A repeated call often only reads, and a read loses no reply.
        assert!(
            lost_replies >= calls / 3,
            "too few lost replies: {lost_replies}"
        );
    }
}

fn increment(count: &Cell<u32>) {
    count.set(count.get() + 1);
}

/// Calls until the response was sent and lost.
async fn lose_response(service: &Service, send: &impl AsyncFn() -> Result<String, Status>) {
    service.to_clients.lose_next_response();
    let start = Instant::now();
    while !service.to_clients.has_lost_response() {
        // A connection that broke before may end the call without a response too.
        let lost = send().await.expect_err("the response is lost");
        wait_after(&lost, start).await;
    }
}

async fn retry(send: &impl AsyncFn() -> Result<String, Status>) -> String {
    let start = Instant::now();
    loop {
        match send().await {
            Ok(response) => return response,
            Err(status) => wait_after(&status, start).await,
        }
    }
}

/// Waits a moment after an error that does not concern the call: the client has not noticed yet
/// that its connection is closed, or a busy machine did not respond in time.
async fn wait_after(status: &Status, start: Instant) {
    const RETRY_TIME: Duration = Duration::from_secs(30);
    let is_transient = status.get_details_error_info().is_none()
        || matches!(status.code(), Code::Unavailable | Code::ResourceExhausted);
    assert!(is_transient && start.elapsed() < RETRY_TIME, "{status:?}");
    sleep(Duration::from_millis(10)).await;
}

fn mask(field: &str) -> FieldMask {
    FieldMask {
        paths: vec![field.to_owned()],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn competitions_change_once_however_often_the_response_is_lost() {
    let stage = Stage::new().await;
    let owner = stage.client(&stage.world.owner);
    for round in 0..rounds() {
        stage.round.set(round);
        let draft = stage.create_competition().await;
        stage.call_logged(&owner, &draft, Call::Delete).await;

        let cup = stage.publish_competition().await;
        let accounts = &stage.world.accounts;
        let by_id = accounts.user(&format!("by-id-{round}")).await;
        let by_email = accounts.user(&format!("by-email-{round}")).await;
        let add = |user: &SignedInAccount, email| Call::Add {
            user: user.user_id().clone(),
            email,
            options: AddOptions::default(),
        };
        let calls = [
            Call::Set("capacity", "7".to_owned()),
            add(&by_id, None),
            add(&by_email, Some(by_email.email.clone())),
            Call::Remove(by_id.user_id().clone()),
            Call::Cancel,
        ];
        for call in calls {
            stage.call_logged(&owner, &cup, call).await;
        }
    }
    stage.report("organisers", 9);
    assert_eq!(stage.world.findings().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_are_created_and_disabled_once_however_often_the_response_is_lost() {
    let stage = Stage::new().await;
    let service = &stage.world.admin;
    let admin = admin_client(service.channel(), Some(&stage.world.owner.token));
    for round in 0..rounds() {
        stage.round.set(round);
        let email = format!("admin-{round}@example.org");
        let find = async || {
            let mut admins = stage.list_admins().await;
            admins.retain(|admin| admin.email.as_str() == email);
            admins
        };
        let (_, create) = request!(admin => create_admin CreateAdminRequest {
            email: email.clone(),
            password: PASSWORD.to_owned(),
            display_name: "Vera".to_owned(),
            role: AdminRole::Viewer.into(),
        });
        stage
            .call(service, create, async || find().await.len())
            .await;
        let (_, disable) = request!(admin => disable_admin DisableAdminRequest {
            admin_id: find().await[0].id.to_string(),
        });
        let count_disabled = async || find().await.iter().filter(|admin| admin.disabled).count();
        stage.call(service, disable, count_disabled).await;
    }
    stage.report("admins", 2);
    let owner_and_created = 1 + rounds() as usize;
    assert_eq!(stage.list_admins().await.len(), owner_and_created);
}

#[tokio::test(flavor = "multi_thread")]
async fn registrations_are_made_and_ended_once_however_often_the_response_is_lost() {
    let stage = Stage::new().await;
    let mut cup = stage.publish_competition().await;
    for round in 0..rounds() {
        stage.round.set(round);
        if round > 0 && round.is_multiple_of(50) {
            // A new competition, so that reading its log stays fast.
            cup = stage.publish_competition().await;
        }
        let account = stage.world.accounts.user(&format!("runner-{round}")).await;
        let (client, id) = (stage.client(&account), account.user_id());
        for call in [Call::Register(id.clone()), Call::Withdraw(id.clone())] {
            stage.call_logged(&client, &cup, call).await;
        }
    }
    stage.report("registrations", 2);
    assert_eq!(stage.world.findings().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_made_changed_and_deleted_once_however_often_the_response_is_lost() {
    const NEW_PASSWORD: &str = "another start list of my own";
    let stage = Stage::new().await;
    let service = &stage.world.user;
    let cup = stage.publish_competition().await;
    for round in 0..rounds() {
        stage.round.set(round);
        let (id, user) = sign_up(&stage, &format!("person-{round}@example.org")).await;

        let (_, update) = request!(user => update_me UpdateMeRequest {
            user: Some(User {
                club: "Harriers".to_owned(),
                ..User::default()
            }),
            update_mask: Some(mask("club")),
        });
        let updates = async || stage.count_events(&id, "update_profile").await;
        stage.call(service, update, updates).await;

        let (_, change) = request!(user => change_password ChangePasswordRequest {
            current_password: PASSWORD.to_owned(),
            new_password: NEW_PASSWORD.to_owned(),
        });
        let changes = async || stage.count_events(&id, "change_password").await;
        stage.call(service, change, changes).await;

        delete_account(&stage, &cup, &id, &user, NEW_PASSWORD).await;
    }
    stage.report("accounts", 4);
    let first_page = PageRequest {
        size: 1,
        after: None,
    };
    let users = stage.world.accounts.admins.list_users(&first_page).await;
    assert_eq!(users.expect("Redis is up").items, []);
    assert_eq!(stage.world.findings().await, Vec::<String>::new());
}

/// Registers a user, and deletes the account, which withdraws the registration.
async fn delete_account(
    stage: &Stage,
    cup: &CompetitionId,
    id: &UserId,
    user: &UserClient,
    password: &str,
) {
    let register = RegisterRequest {
        competition_id: cup.to_string(),
        ..RegisterRequest::default()
    };
    let register = async || {
        let response = user.clone().register(register.clone()).await?;
        Ok(format!("{response:?}"))
    };
    retry(&register).await;
    let (request, delete) = request!(user => delete_me DeleteMeRequest {
        password: password.to_owned(),
    });
    let is_deleted = async || {
        let found = stage.world.accounts.users.find_user(id).await;
        usize::from(found.expect("Redis is up").is_none())
    };
    stage.call(&stage.world.user, delete, is_deleted).await;
    assert_eq!(stage.count_entries(cup, request).await, 1);
}

/// Signs a user up. Returns the user with a client.
async fn sign_up(stage: &Stage, email: &str) -> (UserId, UserClient) {
    let request = SignUpRequest {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        display_name: "Ada".to_owned(),
        request_id: RequestId::random().to_string(),
        ..SignUpRequest::default()
    };
    let client = user_client(stage.world.user.channel(), None);
    // Each response has a new session, because the server does not keep session tokens.
    let send = async || {
        let response = client.clone().sign_up(request.clone()).await?;
        Ok(format!("{:?}", response.into_inner().user))
    };
    let count = async || match stage.find_user(email).await {
        Some(user) => stage.count_events(&user.id, "sign_up").await,
        None => 0,
    };
    stage.call(&stage.world.user, send, count).await;
    let id = stage.find_user(email).await.expect("the new user").id;
    let session = stage.world.accounts.open_user_session(email).await;
    (id, user_client(stage.world.user.channel(), Some(&session)))
}
