//! Every change may be sent again: it is answered as the first time, byte for byte, and happens once.
//!
//! The RPCs come from the contract: one whose request has a `request_id` and that has no row in [`calls`]
//! fails the test.

use std::collections::BTreeSet;

use api::admin::add_registration_request::User as Whom;
use api::admin::{
    AddRegistrationRequest, CancelCompetitionRequest, CreateAdminRequest, CreateCompetitionRequest,
    DeleteCompetitionRequest, DisableAdminRequest, ListAdminsRequest, ListCompetitionsRequest,
    ListUsersRequest, PublishCompetitionRequest, RemoveRegistrationRequest,
    UpdateCompetitionRequest,
};
use api::user::{
    ChangePasswordRequest, DeleteMeRequest, ExportMeRequest, RegisterRequest, SignUpRequest,
    UpdateMeRequest, WithdrawRequest,
};
use api::v1::{AdminRole, Competition, User as Profile};
use domain::Role;
use integration_tests::{Admin, PASSWORD, Startlist, User, assert_rejected, code_and_reason};
use prost::Message;
use tonic::{Code, Response, Status};
use uuid::Uuid;

use crate::contract::{ADMIN, Contract, USER};
use crate::raw;

/// A call, and another one that means something else. Both have the same request id.
struct Call {
    rpc: (&'static str, &'static str),
    /// `None` = nobody calls.
    token: Option<String>,
    message: Vec<u8>,
    /// `None` = there is nothing else that it could mean: all that it says is whom it is about.
    other_message: Option<Vec<u8>>,
}

/// Everything that the calls are about.
struct World {
    app: Startlist,
    owner: Admin,
    /// Is in the race.
    ada: User,
    /// Is in nothing.
    ben: User,
    /// Will be gone.
    cleo: User,
    mia: Admin,
    race: Competition,
    draft: Competition,
    other_draft: Competition,
}

impl World {
    async fn new() -> Self {
        let app = Startlist::start().await;
        let race = app.competition().open().await;
        let ada = app.new_user("ada").await;
        ada.register(&race).await.expect("a place");
        Self {
            owner: app.owner().await,
            ada,
            ben: app.new_user("ben").await,
            cleo: app.new_user("cleo").await,
            mia: app.new_admin("mia", Role::Viewer).await,
            race,
            draft: app.competition().draft().await,
            other_draft: app.competition().draft().await,
            app,
        }
    }

    async fn send(&self, call: &Call, message: &[u8]) -> Result<Vec<u8>, Status> {
        let (service, method) = call.rpc;
        let channel = match service {
            ADMIN => self.app.admin_channel(),
            _ => self.app.user_channel(),
        };
        let path = format!("/{service}/{method}");
        raw::call(channel, &path, call.token.as_deref(), message.to_vec()).await
    }

    /// All that can be seen: what has happened once looks the same the second time.
    async fn seen(&self) -> Vec<String> {
        let mut seen = Vec::new();
        let owner = || self.owner.calls();
        let request = ListCompetitionsRequest::default();
        let competitions = owner().list_competitions(request).await;
        seen.push(format!("{:?}", competitions.expect("a list").get_ref()));
        let users = owner().list_users(ListUsersRequest::default()).await;
        seen.push(format!("{:?}", users.expect("a list").get_ref()));
        let admins = owner().list_admins(ListAdminsRequest::default()).await;
        seen.push(format!("{:?}", admins.expect("a list").get_ref()));
        for race in [&self.race, &self.draft, &self.other_draft] {
            seen.push(format!("{:?}", self.owner.audit_entries(race).await));
        }
        for user in [&self.ada, &self.ben, &self.cleo] {
            // Of somebody who is gone there is nothing to see.
            let export = user.calls().export_me(ExportMeRequest {}).await;
            seen.push(format!("{:?}", export.ok().map(Response::into_inner)));
        }
        seen
    }
}

fn user_call<M: Message>(method: &'static str, user: &User, message: &M, other: &M) -> Call {
    Call {
        rpc: (USER, method),
        token: Some(user.token.clone()),
        message: message.encode_to_vec(),
        other_message: Some(other.encode_to_vec()),
    }
}

fn admin_call<M: Message>(method: &'static str, admin: &Admin, message: &M, other: &M) -> Call {
    Call {
        rpc: (ADMIN, method),
        token: Some(admin.token.clone()),
        message: message.encode_to_vec(),
        other_message: Some(other.encode_to_vec()),
    }
}

/// What users ask for.
fn user_calls(world: &World) -> Vec<Call> {
    let id = || Uuid::new_v4().to_string();
    let competition_id = || world.race.competition_id.clone();
    let sign_up = SignUpRequest {
        email: "dora@example.org".to_owned(),
        password: PASSWORD.to_owned(),
        display_name: "Dora".to_owned(),
        request_id: id(),
        ..Default::default()
    };
    let other_sign_up = SignUpRequest {
        display_name: "Emma".to_owned(),
        ..sign_up.clone()
    };
    let club = |club: &str, request_id: &str| UpdateMeRequest {
        user: Some(Profile {
            club: club.to_owned(),
            ..Default::default()
        }),
        update_mask: None,
        request_id: request_id.to_owned(),
    };
    let update_id = id();
    let change = ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: "quite another password".to_owned(),
        request_id: id(),
    };
    let other_change = ChangePasswordRequest {
        new_password: "and one more password".to_owned(),
        ..change.clone()
    };
    let delete = DeleteMeRequest {
        password: PASSWORD.to_owned(),
        request_id: id(),
    };
    let register = RegisterRequest {
        competition_id: competition_id(),
        request_id: id(),
        validate_only: false,
    };
    let withdraw = WithdrawRequest {
        competition_id: competition_id(),
        request_id: id(),
    };
    let withdraw_under_the_id_of_register = WithdrawRequest {
        request_id: register.request_id.clone(),
        ..withdraw.clone()
    };
    vec![
        Call {
            token: None,
            ..user_call("SignUp", &world.ada, &sign_up, &other_sign_up)
        },
        user_call(
            "UpdateMe",
            &world.ada,
            &club("one", &update_id),
            &club("two", &update_id),
        ),
        user_call("ChangePassword", &world.ben, &change, &other_change),
        Call {
            other_message: None,
            ..user_call("DeleteMe", &world.cleo, &delete, &delete)
        },
        Call {
            other_message: None,
            ..user_call("Register", &world.ben, &register, &register)
        },
        Call {
            other_message: None,
            ..user_call(
                "Withdraw",
                &world.ada,
                &withdraw,
                &withdraw_under_the_id_of_register,
            )
        },
    ]
}

/// What admins ask for.
fn admin_calls(world: &World) -> Vec<Call> {
    let id = || Uuid::new_v4().to_string();
    let (owner, race) = (&world.owner, &world.race);
    let create_admin = CreateAdminRequest {
        email: "nina@example.org".to_owned(),
        password: PASSWORD.to_owned(),
        display_name: "Nina".to_owned(),
        role: AdminRole::Viewer.into(),
        request_id: id(),
    };
    let other_admin = CreateAdminRequest {
        role: AdminRole::Owner.into(),
        ..create_admin.clone()
    };
    let disable = DisableAdminRequest {
        admin_id: world.mia.id.clone(),
        request_id: id(),
    };
    let create = CreateCompetitionRequest {
        competition: Some(world.app.competition().message()),
        competition_id: None,
        request_id: id(),
    };
    let other_create = CreateCompetitionRequest {
        competition: Some(world.app.competition().title("Night Run").message()),
        ..create.clone()
    };
    let titled = |title: &str, request_id: &str| UpdateCompetitionRequest {
        competition: Some(Competition {
            competition_id: race.competition_id.clone(),
            title: title.to_owned(),
            ..Default::default()
        }),
        update_mask: None,
        request_id: request_id.to_owned(),
    };
    let update_id = id();
    let publish = PublishCompetitionRequest {
        competition_id: world.draft.competition_id.clone(),
        request_id: id(),
    };
    let delete = DeleteCompetitionRequest {
        competition_id: world.other_draft.competition_id.clone(),
        request_id: id(),
    };
    let add = AddRegistrationRequest {
        competition_id: race.competition_id.clone(),
        user: Some(Whom::UserId(world.ben.id.clone())),
        request_id: id(),
        ..Default::default()
    };
    let other_add = AddRegistrationRequest {
        over_capacity: true,
        ..add.clone()
    };
    let remove = RemoveRegistrationRequest {
        competition_id: race.competition_id.clone(),
        user_id: world.ada.id.clone(),
        reason: "no licence".to_owned(),
        request_id: id(),
    };
    let other_remove = RemoveRegistrationRequest {
        reason: "late".to_owned(),
        ..remove.clone()
    };
    let cancel = CancelCompetitionRequest {
        competition_id: race.competition_id.clone(),
        reason: "snow".to_owned(),
        request_id: id(),
    };
    let other_cancel = CancelCompetitionRequest {
        reason: "ice".to_owned(),
        ..cancel.clone()
    };
    vec![
        admin_call("CreateAdmin", owner, &create_admin, &other_admin),
        Call {
            other_message: None,
            ..admin_call("DisableAdmin", owner, &disable, &disable)
        },
        admin_call("CreateCompetition", owner, &create, &other_create),
        admin_call(
            "UpdateCompetition",
            owner,
            &titled("one", &update_id),
            &titled("two", &update_id),
        ),
        Call {
            other_message: None,
            ..admin_call("PublishCompetition", owner, &publish, &publish)
        },
        Call {
            other_message: None,
            ..admin_call("DeleteCompetition", owner, &delete, &delete)
        },
        admin_call("AddRegistration", owner, &add, &other_add),
        admin_call("RemoveRegistration", owner, &remove, &other_remove),
        admin_call("CancelCompetition", owner, &cancel, &other_cancel),
    ]
}

#[tokio::test]
async fn every_change_that_is_sent_again_is_answered_alike_and_happens_once() {
    let contract = Contract::read();
    let changing: BTreeSet<_> = contract
        .rpcs
        .iter()
        .filter(|rpc| {
            contract
                .fields_of(&rpc.request)
                .contains(&"request_id".to_owned())
        })
        .map(|rpc| rpc.path.clone())
        .collect();
    let mut tried = BTreeSet::new();
    for calls_of in [user_calls, admin_calls] {
        let world = World::new().await;
        for call in calls_of(&world) {
            let (service, method) = call.rpc;
            tried.insert(format!("/{service}/{method}"));
            let before = world.seen().await;
            let first = world.send(&call, &call.message).await;
            let first = first.unwrap_or_else(|status| panic!("{method}: {status:?}"));
            let after = world.seen().await;
            assert_ne!(after, before, "{method} changes something that can be seen");
            let again = world.send(&call, &call.message).await;
            let again = again.unwrap_or_else(|status| panic!("{method} again: {status:?}"));
            assert_eq!(again, first, "{method} is answered alike");
            assert_eq!(world.seen().await, after, "{method} happened once");
            if let Some(other) = &call.other_message {
                let answer = world.send(&call, other).await;
                let reused = (Code::InvalidArgument, "REQUEST_ID_REUSED".to_owned());
                assert_eq!(
                    code_and_reason(&answer),
                    reused,
                    "{method} with another body"
                );
                assert_eq!(world.seen().await, after, "{method} with another body");
            }
        }
    }
    assert_eq!(tried, changing);
}

#[tokio::test]
async fn a_reused_id_is_a_wrong_field() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let id = Uuid::new_v4().to_string();
    let update = |club: &str| UpdateMeRequest {
        user: Some(Profile {
            club: club.to_owned(),
            ..Default::default()
        }),
        update_mask: None,
        request_id: id.clone(),
    };
    ada.calls().update_me(update("one")).await.expect("updated");
    let answer = ada.calls().update_me(update("two")).await;
    let refusal = assert_rejected(answer, Code::InvalidArgument, "REQUEST_ID_REUSED");
    assert_eq!(refusal.wrong_fields(), ["request_id"]);
}

#[tokio::test]
async fn two_users_may_have_the_same_id() {
    let app = Startlist::start().await;
    let race = app.competition().open().await;
    let request = RegisterRequest {
        competition_id: race.competition_id,
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    };
    for name in ["ada", "ben"] {
        let user = app.new_user(name).await;
        let answer = user
            .calls()
            .register(request.clone())
            .await
            .expect("a place")
            .into_inner();
        assert_eq!(
            answer.registration.expect("a registration").user_id,
            user.id
        );
    }
}

#[tokio::test]
async fn the_last_eight_changes_of_a_registration_are_known() {
    let app = Startlist::start().await;
    let race = app.competition().open().await;
    let ada = app.new_user("ada").await;
    let competition_id = &race.competition_id;
    let register = |request_id: Uuid| RegisterRequest {
        competition_id: competition_id.clone(),
        request_id: request_id.to_string(),
        validate_only: false,
    };
    let ids: Vec<_> = (0..4).map(|_| (Uuid::new_v4(), Uuid::new_v4())).collect();
    let mut answers = Vec::new();
    for (in_, out) in &ids {
        answers.push(
            ada.calls()
                .register(register(*in_))
                .await
                .expect("in")
                .into_inner(),
        );
        let withdraw = WithdrawRequest {
            competition_id: competition_id.clone(),
            request_id: out.to_string(),
        };
        ada.calls().withdraw(withdraw).await.expect("out");
    }
    for ((in_, _), first) in ids.iter().zip(answers) {
        let again = ada
            .calls()
            .register(register(*in_))
            .await
            .expect("the same")
            .into_inner();
        assert_eq!(again, first);
    }
}
