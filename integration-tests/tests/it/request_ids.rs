//! Every change may be sent again under the same `request_id`: the reply is the same, byte for
//! byte, and the change happens once.
//!
//! The RPCs come from the contract: one whose request has a `request_id` and that has no row in
//! [`CALLS`] fails the test.

use std::collections::BTreeSet;

use api::admin::{
    AddRegistrationRequest, CreateAdminRequest, CreateCompetitionRequest, ListAdminsRequest,
    ListCompetitionsRequest, ListUsersRequest,
};
use api::user::ExportMeRequest;
use api::v1::{AdminRole, Competition};
use domain::Role;
use integration_tests::{Admin, PASSWORD, Startlist, User, assert_rejected, reason};
use prost::Message;
use tonic::Status;
use uuid::Uuid;

use crate::contract::{ADMIN, Contract, Rpc, USER};
use crate::raw;

/// The caller of an RPC.
#[derive(Debug, Clone, Copy)]
enum By {
    Anyone,
    Ada,
    Ben,
    Cleo,
    Owner,
}

/// Service, method, caller, and the field in which another request differs. Without such a field,
/// the request contains nothing but the ids of its target.
const CALLS: &[(&str, &str, By, Option<&str>)] = &[
    (USER, "SignUp", By::Anyone, Some("display_name")),
    (USER, "UpdateMe", By::Ada, Some("club")),
    (USER, "ChangePassword", By::Ben, Some("new_password")),
    (USER, "DeleteMe", By::Cleo, None),
    (USER, "Register", By::Ben, None),
    (USER, "Withdraw", By::Ada, None),
    (ADMIN, "CreateAdmin", By::Owner, Some("display_name")),
    (ADMIN, "DisableAdmin", By::Owner, None),
    (ADMIN, "CreateCompetition", By::Owner, Some("title")),
    (ADMIN, "UpdateCompetition", By::Owner, Some("title")),
    (ADMIN, "PublishCompetition", By::Owner, None),
    (ADMIN, "DeleteCompetition", By::Owner, None),
    (ADMIN, "AddRegistration", By::Owner, Some("over_capacity")),
    (ADMIN, "RemoveRegistration", By::Owner, Some("reason")),
    (ADMIN, "CancelCompetition", By::Owner, Some("reason")),
];

/// The targets of all calls.
struct World {
    contract: Contract,
    app: Startlist,
    owner: Admin,
    /// Is registered and withdraws.
    ada: User,
    /// Is not registered and registers.
    ben: User,
    /// Is deleted.
    cleo: User,
    /// Is registered and removed.
    dora: User,
    /// Is not registered and added.
    emma: User,
    /// Is disabled.
    mia: Admin,
    race: Competition,
    /// Is published.
    draft: Competition,
    /// Is deleted.
    other_draft: Competition,
}

impl World {
    async fn new() -> Self {
        let app = Startlist::start().await;
        let race = app.competition().open().await;
        let [ada, dora] = app.registered(&race, ["ada", "dora"]).await;
        let [ben, cleo, emma] = app.users(["ben", "cleo", "emma"]).await;
        Self {
            contract: Contract::read(),
            owner: app.owner().await,
            ada,
            ben,
            cleo,
            dora,
            emma,
            mia: app.new_admin("mia", Role::Viewer).await,
            race,
            draft: app.competition().draft().await,
            other_draft: app.competition().draft().await,
            app,
        }
    }

    /// A valid request, with `changed` as the value of one of its fields.
    fn request(&self, rpc: &Rpc, request_id: Uuid, changed: Option<&str>) -> Vec<u8> {
        let text = |field: &str| match field {
            field if changed == Some(field) => "something else".to_owned(),
            "request_id" => request_id.to_string(),
            "competition_id" => match rpc.method.as_str() {
                "CreateCompetition" => String::new(),
                "PublishCompetition" => self.draft.competition_id.clone(),
                "DeleteCompetition" => self.other_draft.competition_id.clone(),
                _ => self.race.competition_id.clone(),
            },
            // Fields of the user that the call cannot change.
            "user_id" | "email" if rpc.method == "UpdateMe" => String::new(),
            "user_id" if rpc.method == "RemoveRegistration" => self.dora.id.clone(),
            "user_id" => self.emma.id.clone(),
            "admin_id" => self.mia.id.clone(),
            "email" if rpc.method != "AddRegistration" => "nina@example.org".to_owned(),
            "password" | "current_password" => PASSWORD.to_owned(),
            "new_password" => "quite another password".to_owned(),
            "display_name" | "title" | "club" | "reason" => "something".to_owned(),
            _ => String::new(),
        };
        // Fields that are no texts are encoded in front: what follows is merged into them.
        let mut message = match rpc.method.as_str() {
            "CreateAdmin" => CreateAdminRequest {
                role: AdminRole::Viewer.into(),
                ..Default::default()
            }
            .encode_to_vec(),
            "CreateCompetition" => CreateCompetitionRequest {
                competition: Some(self.app.competition().message()),
                ..Default::default()
            }
            .encode_to_vec(),
            "AddRegistration" => AddRegistrationRequest {
                over_capacity: changed == Some("over_capacity"),
                ..Default::default()
            }
            .encode_to_vec(),
            _ => Vec::new(),
        };
        message.extend(self.contract.filled(&rpc.request, &text));
        message
    }

    async fn send(&self, rpc: &Rpc, by: By, message: &[u8]) -> Result<Vec<u8>, Status> {
        let channel = match rpc.service.as_str() {
            ADMIN => self.app.admin_channel(),
            _ => self.app.user_channel(),
        };
        let token = match by {
            By::Anyone => None,
            By::Ada => Some(self.ada.token.as_str()),
            By::Ben => Some(self.ben.token.as_str()),
            By::Cleo => Some(self.cleo.token.as_str()),
            By::Owner => Some(self.owner.token.as_str()),
        };
        raw::call(channel, &rpc.path, token, message.to_vec()).await
    }

    /// Everything that clients can read.
    async fn contents(&self) -> Vec<String> {
        let mut calls = self.owner.calls();
        let competitions = calls
            .list_competitions(ListCompetitionsRequest::default())
            .await;
        let users = calls.list_users(ListUsersRequest::default()).await;
        let admins = calls.list_admins(ListAdminsRequest::default()).await;
        let mut contents = vec![
            format!("{:?}", competitions.expect("a list").get_ref()),
            format!("{:?}", users.expect("a list").get_ref()),
            format!("{:?}", admins.expect("a list").get_ref()),
        ];
        for race in [&self.race, &self.draft, &self.other_draft] {
            contents.push(format!("{:?}", self.owner.audit_entries(race).await));
        }
        for user in [&self.ada, &self.ben, &self.cleo] {
            let export = user.calls().export_me(ExportMeRequest::default()).await;
            // A deleted user has none.
            contents.push(export.map_or_else(
                |_| String::new(),
                |export| format!("{:?}", export.get_ref()),
            ));
        }
        contents
    }
}

#[tokio::test]
async fn a_change_that_is_sent_again_gets_the_same_reply_and_happens_once() {
    let world = World::new().await;
    for &(service, method, by, other_field) in CALLS {
        let mut rpcs = world.contract.rpcs_of(service);
        let rpc = rpcs.find(|rpc| rpc.method == method).expect("an RPC");
        let request_id = Uuid::new_v4();
        let request = world.request(rpc, request_id, None);
        let before = world.contents().await;
        let first = world.send(rpc, by, &request).await;
        let first = first.unwrap_or_else(|status| panic!("{method}: {status:?}"));
        let after = world.contents().await;
        assert_ne!(
            after, before,
            "{method} changes something that clients can read"
        );

        let again = world.send(rpc, by, &request).await;
        let again = again.unwrap_or_else(|status| panic!("{method} again: {status:?}"));
        assert_eq!(again, first, "{method} gets the same reply");
        assert_eq!(world.contents().await, after, "{method} happens once");
        if other_field.is_some() {
            let other = world.request(rpc, request_id, other_field);
            let reply = world.send(rpc, by, &other).await;
            let refusal = assert_rejected(reply, reason::REQUEST_ID_REUSED);
            assert_eq!(refusal.wrong_fields(), ["request_id"], "{method}");
            assert_eq!(world.contents().await, after, "{method} with another body");
        }
    }
}

#[test]
fn every_rpc_with_a_request_id_has_a_row() {
    let contract = Contract::read();
    let has_request_id = |rpc: &&Rpc| {
        let fields = contract.fields_of(&rpc.request);
        fields.iter().any(|field| field == "request_id")
    };
    let rpcs = contract.rpcs.iter().filter(has_request_id);
    let rpcs: BTreeSet<_> = rpcs.map(|rpc| rpc.path.clone()).collect();
    let rows = CALLS
        .iter()
        .map(|(service, method, ..)| format!("/{service}/{method}"));
    assert_eq!(rows.collect::<BTreeSet<_>>(), rpcs);
}
