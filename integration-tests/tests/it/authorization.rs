//! Access: every RPC of both services, called by every kind of caller.
//!
//! The RPCs come from the contract. An RPC without a row in [`ROWS`] fails the tests, and so does a
//! row without an RPC.

use std::collections::{BTreeMap, BTreeSet};

use api::admin;
use api::user::{ExportMeRequest, ExportMeResponse, SignOutRequest};
use domain::Role;
use integration_tests::{
    PASSWORD, Reason, Startlist, User, assert_rejected, code_and_reason, reason,
};

use crate::contract::{ADMIN, Contract, USER};
use crate::raw;

/// The callers that an RPC admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    /// Everybody, with a valid credential, an invalid one, or none.
    Anyone,
    /// Users, but no admins.
    User,
    /// Admins with this role or one that includes it, but no users.
    Admin(Role),
}

/// Written by hand from the contract, and not taken from the access tables of the services.
const ROWS: &[(&str, &str, May)] = &[
    (USER, "SignUp", May::Anyone),
    (USER, "SignIn", May::Anyone),
    (USER, "SignOut", May::User),
    (USER, "GetMe", May::User),
    (USER, "UpdateMe", May::User),
    (USER, "ChangePassword", May::User),
    (USER, "ExportMe", May::User),
    (USER, "DeleteMe", May::User),
    (USER, "ListCompetitions", May::Anyone),
    (USER, "GetCompetition", May::Anyone),
    (USER, "Register", May::User),
    (USER, "Withdraw", May::User),
    (USER, "GetMyRegistration", May::User),
    (USER, "ListMyRegistrations", May::User),
    (ADMIN, "SignIn", May::Anyone),
    (ADMIN, "SignOut", May::Admin(Role::Viewer)),
    (ADMIN, "GetMe", May::Admin(Role::Viewer)),
    (ADMIN, "CreateAdmin", May::Admin(Role::Owner)),
    (ADMIN, "ListAdmins", May::Admin(Role::Owner)),
    (ADMIN, "DisableAdmin", May::Admin(Role::Owner)),
    (ADMIN, "CreateCompetition", May::Admin(Role::Organiser)),
    (ADMIN, "GetCompetition", May::Admin(Role::Viewer)),
    (ADMIN, "ListCompetitions", May::Admin(Role::Viewer)),
    (ADMIN, "UpdateCompetition", May::Admin(Role::Organiser)),
    (ADMIN, "PublishCompetition", May::Admin(Role::Organiser)),
    (ADMIN, "CancelCompetition", May::Admin(Role::Organiser)),
    (ADMIN, "DeleteCompetition", May::Admin(Role::Organiser)),
    (ADMIN, "ListRegistrations", May::Admin(Role::Viewer)),
    (ADMIN, "GetRegistration", May::Admin(Role::Viewer)),
    (ADMIN, "AddRegistration", May::Admin(Role::Organiser)),
    (ADMIN, "RemoveRegistration", May::Admin(Role::Organiser)),
    (ADMIN, "ListUsers", May::Admin(Role::Viewer)),
    (ADMIN, "GetUser", May::Admin(Role::Viewer)),
    (ADMIN, "ListAuditEntries", May::Admin(Role::Viewer)),
];

/// The owner of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Nobody,
    User,
    Admin(Role),
}

/// Every kind of caller: a description, the owner of the credential, and the credential.
async fn callers(app: &Startlist) -> Vec<(&'static str, Owner, Option<String>)> {
    let [user, signed_out, deleted] = app.users(["ada", "ben", "cleo"]).await;
    let request = SignOutRequest::default();
    signed_out
        .calls()
        .sign_out(request)
        .await
        .expect("signed out");
    let other_session = app.sign_in(&deleted.email, PASSWORD).await;
    let other_session = other_session.expect("signed in").session_token;
    deleted.delete(PASSWORD).await.expect("deleted");

    let owner = app.owner().await;
    let admin_signed_out = app.new_admin("dora", Role::Owner).await;
    let request = admin::SignOutRequest::default();
    let reply = admin_signed_out.calls().sign_out(request).await;
    reply.expect("signed out");
    let disabled = app.new_admin("emma", Role::Owner).await;
    owner.disable(&disabled.id).await.expect("disabled");
    let (organiser, viewer) = (app.organiser().await, app.viewer().await);
    let changed = if user.token.as_bytes()[10] == b'0' {
        "1"
    } else {
        "0"
    };
    let mut tampered = user.token.clone();
    tampered.replace_range(10..11, changed);
    [
        ("no credential", Owner::Nobody, None),
        (
            "a forged token",
            Owner::Nobody,
            Some("let-me-in".to_owned()),
        ),
        ("a tampered token", Owner::Nobody, Some(tampered)),
        ("a user", Owner::User, Some(user.token)),
        (
            "a user who signed out",
            Owner::Nobody,
            Some(signed_out.token),
        ),
        (
            "a user with a deleted account",
            Owner::Nobody,
            Some(other_session),
        ),
        ("a viewer", Owner::Admin(Role::Viewer), Some(viewer.token)),
        (
            "an organiser",
            Owner::Admin(Role::Organiser),
            Some(organiser.token),
        ),
        ("an owner", Owner::Admin(Role::Owner), Some(owner.token)),
        (
            "an owner who signed out",
            Owner::Nobody,
            Some(admin_signed_out.token),
        ),
        ("a disabled owner", Owner::Nobody, Some(disabled.token)),
    ]
    .into()
}

/// How a call with a malformed message ends.
fn expected(may: May, owner: Owner) -> Reason {
    match (may, owner) {
        (May::Anyone, _) | (May::User, Owner::User) => reason::MALFORMED_MESSAGE,
        (May::Admin(least), Owner::Admin(role)) if role >= least => reason::MALFORMED_MESSAGE,
        (May::Admin(_), Owner::Admin(_)) => reason::PERMISSION_DENIED,
        _ => reason::UNAUTHENTICATED,
    }
}

#[test]
fn every_rpc_of_the_contract_has_a_row_and_every_row_an_rpc() {
    let contract = Contract::read();
    let rpcs: BTreeSet<_> = contract.rpcs.iter().map(|rpc| rpc.path.clone()).collect();
    let rows = ROWS
        .iter()
        .map(|(service, method, _)| format!("/{service}/{method}"));
    let rows: BTreeSet<_> = rows.collect();
    assert_eq!(rows, rpcs);
    assert_eq!(rows.len(), ROWS.len(), "a row is there twice");
}

#[tokio::test]
async fn every_rpc_admits_the_callers_of_the_contract_and_no_others() {
    let app = Startlist::start().await;
    let callers = callers(&app).await;
    let rows = ROWS
        .iter()
        .map(|(service, method, may)| ((*service, *method), *may));
    let rows: BTreeMap<_, _> = rows.collect();

    let mut sentences = BTreeSet::new();
    for rpc in Contract::read().rpcs {
        let may = rows[&(rpc.service.as_str(), rpc.method.as_str())];
        let channel = match rpc.service.as_str() {
            ADMIN => app.admin_channel(),
            _ => app.user_channel(),
        };
        for (caller, owner, token) in &callers {
            // The message is decoded only after the access check. A malformed one shows whether the
            // caller was admitted, and changes nothing.
            let malformed = vec![0xff];
            let reply = raw::call(channel.clone(), &rpc.path, token.as_deref(), malformed).await;
            let expected = expected(may, *owner);
            let found = code_and_reason(&reply);
            let case = format!("{caller} calls {}", rpc.path);
            assert_eq!(found, (expected.code, expected.name.to_owned()), "{case}");
            if expected == reason::UNAUTHENTICATED {
                sentences.insert(assert_rejected(reply, expected).message);
            }
        }
    }
    assert_eq!(sentences.len(), 1, "all causes look alike: {sentences:?}");
}

#[test]
fn no_request_of_user_service_names_another_person() {
    let contract = Contract::read();
    let names_a_person = |path: &String| {
        let field = path.rsplit('.').next().unwrap_or_default();
        ["user_id", "admin_id", "email", "session_token"].contains(&field)
    };
    let mut found = Vec::new();
    for rpc in contract.rpcs_of(USER) {
        let fields = contract
            .fields_of(&rpc.request)
            .into_iter()
            .filter(names_a_person);
        found.extend(fields.map(|path| format!("{} {path}", rpc.method)));
    }
    // The first two identify the caller. In UpdateMe the fields are read-only and so ignored, as
    // the next test shows.
    let expected = [
        "SignUp email",
        "SignIn email",
        "UpdateMe user.user_id",
        "UpdateMe user.email",
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_user_can_neither_read_nor_change_what_belongs_to_another_user() {
    let app = Startlist::start().await;
    let race = app.competition().open().await;
    let [ada] = app.registered(&race, ["ada"]).await;
    let before = export(&ada).await;

    let contract = Contract::read();
    for (number, rpc) in contract.rpcs_of(USER).enumerate() {
        // A new user each time, because DeleteMe and SignOut succeed for the caller.
        let ben = app.new_user(&format!("ben-{number}")).await;
        let message = contract.filled(&rpc.request, &|field| match field {
            "competition_id" => race.competition_id.clone(),
            "user_id" => ada.id.clone(),
            "email" => ada.email.clone(),
            // The right password would prove that the caller is Ada.
            "password" if rpc.method == "SignIn" => PASSWORD.to_uppercase(),
            "password" | "current_password" => PASSWORD.to_owned(),
            "new_password" => "quite another one".to_owned(),
            "display_name" => "Ben".to_owned(),
            _ => String::new(),
        });
        let reply = raw::call(app.user_channel(), &rpc.path, Some(&ben.token), message).await;
        let reply = reply.unwrap_or_else(|status| status.details().to_vec());
        for text in [&ada.id, &ada.email] {
            let mut parts = reply.windows(text.len());
            let is_in_reply = parts.any(|part| part == text.as_bytes());
            assert!(!is_in_reply, "{} returns {text}", rpc.path);
        }
    }
    assert_eq!(export(&ada).await, before);
}

/// Everything that is stored about a user, without the competitions, which change with other users.
async fn export(user: &User) -> ExportMeResponse {
    let export = user.calls().export_me(ExportMeRequest::default()).await;
    let mut export = export.expect("an export").into_inner();
    for registration in &mut export.registrations {
        registration.competition = None;
    }
    export
}
