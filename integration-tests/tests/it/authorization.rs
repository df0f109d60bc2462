//! Who may call what: every RPC of both services, tried by everybody.
//!
//! The RPCs come from the contract. One without a row in [`ROWS`] fails the tests, and so does a row
//! without an RPC.

use std::collections::{BTreeMap, BTreeSet};

use api::admin;
use api::admin::DisableAdminRequest;
use api::user::{
    DeleteMeRequest, ExportMeRequest, ExportMeResponse, SignInRequest, SignOutRequest,
};
use domain::Role;
use integration_tests::{PASSWORD, Startlist, User, assert_rejected, code_and_reason};
use tonic::Code;
use tonic::transport::Channel;

use crate::contract::{ADMIN, Contract, Rpc, USER};
use crate::raw;

/// Who may call an RPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    /// Everybody, with a good credential, a bad one, or none.
    Anyone,
    /// A user. No admin.
    User,
    /// An admin of this role or of one that includes it. No user.
    Admin(Role),
}

/// Written down by hand from the contract, and not taken from the services' own tables.
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

/// Whose credential it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Nobodys,
    Users,
    Admins(Role),
}

/// Everybody who could try: what they are called here, whose credential they have, and the credential.
async fn everybody(app: &Startlist) -> Vec<(&'static str, Whose, Option<String>)> {
    let user = app.new_user("ada").await;
    let signed_out = app.new_user("ben").await;
    let request = SignOutRequest::default();
    signed_out
        .calls()
        .sign_out(request)
        .await
        .expect("signed out");
    let deleted = app.new_user("cleo").await;
    let request = SignInRequest {
        email: deleted.email.clone(),
        password: PASSWORD.to_owned(),
    };
    let other_session = app.user_service().sign_in(request).await;
    let other_session = other_session.expect("signed in").into_inner();
    let request = DeleteMeRequest {
        password: PASSWORD.to_owned(),
        ..Default::default()
    };
    deleted.calls().delete_me(request).await.expect("deleted");

    let owner = app.owner().await;
    let admin_signed_out = app.new_admin("dora", Role::Owner).await;
    let request = admin::SignOutRequest::default();
    admin_signed_out
        .calls()
        .sign_out(request)
        .await
        .expect("signed out");
    let disabled = app.new_admin("emma", Role::Owner).await;
    let request = DisableAdminRequest {
        admin_id: disabled.id.clone(),
        ..Default::default()
    };
    owner
        .calls()
        .disable_admin(request)
        .await
        .expect("disabled");

    let (organiser, viewer) = (app.organiser().await, app.viewer().await);
    let mut tampered = user.token.clone();
    tampered.replace_range(
        10..11,
        if tampered.as_bytes()[10] == b'0' {
            "1"
        } else {
            "0"
        },
    );
    vec![
        ("nobody", Whose::Nobodys, None),
        (
            "a made-up token",
            Whose::Nobodys,
            Some("let-me-in".to_owned()),
        ),
        ("a tampered token", Whose::Nobodys, Some(tampered)),
        ("a user", Whose::Users, Some(user.token)),
        (
            "a user who signed out",
            Whose::Nobodys,
            Some(signed_out.token),
        ),
        ("a viewer", Whose::Admins(Role::Viewer), Some(viewer.token)),
        (
            "an organiser",
            Whose::Admins(Role::Organiser),
            Some(organiser.token),
        ),
        ("an owner", Whose::Admins(Role::Owner), Some(owner.token)),
        (
            "an owner who signed out",
            Whose::Nobodys,
            Some(admin_signed_out.token),
        ),
        ("a disabled owner", Whose::Nobodys, Some(disabled.token)),
        (
            "a user whose account was deleted",
            Whose::Nobodys,
            Some(other_session.session_token),
        ),
    ]
}

/// How a call ends that brings bytes that are no message.
fn expected(may: May, whose: Whose) -> (Code, &'static str) {
    match (may, whose) {
        (May::Anyone, _) | (May::User, Whose::Users) => MALFORMED,
        (May::Admin(least), Whose::Admins(role)) if role >= least => MALFORMED,
        (May::Admin(_), Whose::Admins(_)) => (Code::PermissionDenied, "PERMISSION_DENIED"),
        _ => (Code::Unauthenticated, "UNAUTHENTICATED"),
    }
}

/// Who reads this was let in.
const MALFORMED: (Code, &str) = (Code::InvalidArgument, "MALFORMED_MESSAGE");

fn channel_to(app: &Startlist, rpc: &Rpc) -> Channel {
    match rpc.service.as_str() {
        ADMIN => app.admin_channel(),
        _ => app.user_channel(),
    }
}

#[test]
fn every_rpc_of_the_contract_has_a_row_and_every_row_an_rpc() {
    let contract = Contract::read();
    let rpcs: BTreeSet<_> = contract.rpcs.iter().map(|rpc| rpc.path.clone()).collect();
    let rows: BTreeSet<_> = ROWS
        .iter()
        .map(|(service, method, _)| format!("/{service}/{method}"))
        .collect();
    assert_eq!(rows, rpcs);
    assert_eq!(rows.len(), ROWS.len(), "a row stands there twice");
}

#[tokio::test]
async fn every_rpc_lets_in_whom_the_contract_names_and_nobody_else() {
    let app = Startlist::start().await;
    let everybody = everybody(&app).await;
    let rows: BTreeMap<_, _> = ROWS
        .iter()
        .map(|(service, method, may)| ((*service, *method), *may))
        .collect();

    let mut sentences = BTreeSet::new();
    for rpc in Contract::read().rpcs {
        let may = rows[&(rpc.service.as_str(), rpc.method.as_str())];
        for (name, whose, token) in &everybody {
            // Bytes that are no message are looked at behind the door: so it shows who gets in, and
            // nothing is changed.
            let call = raw::call(
                channel_to(&app, &rpc),
                &rpc.path,
                token.as_deref(),
                vec![0xff],
            );
            let answer = call.await;
            let (code, reason) = expected(may, *whose);
            let who = format!("{name} calls {}", rpc.path);
            assert_eq!(code_and_reason(&answer), (code, reason.to_owned()), "{who}");
            if code == Code::Unauthenticated {
                sentences.insert(assert_rejected(answer, code, reason).message);
            }
        }
    }
    assert_eq!(
        sentences.len(),
        1,
        "one sentence for all causes: {sentences:?}"
    );
}

#[test]
fn no_request_of_user_service_names_another_person() {
    let contract = Contract::read();
    let names_somebody = |path: &String| {
        let field = path.rsplit('.').next().unwrap_or_default();
        ["user_id", "admin_id", "email", "session_token"].contains(&field)
    };
    let found: Vec<_> = contract
        .rpcs_of(USER)
        .flat_map(|rpc| {
            let fields = contract.fields_of(&rpc.request).into_iter();
            fields
                .filter(names_somebody)
                .map(|path| format!("{} {path}", rpc.method))
        })
        .collect();
    // The first two are how one says who one is. Of the user in UpdateMe only what one wrote about oneself
    // is looked at, as the next test shows.
    assert_eq!(
        found,
        [
            "SignUp email",
            "SignIn email",
            "UpdateMe user.user_id",
            "UpdateMe user.email"
        ]
    );
}

#[tokio::test]
async fn another_user_gets_nowhere_near_ones_account_and_entries() {
    let app = Startlist::start().await;
    let race = app.competition().open().await;
    let ada = app.new_user("ada").await;
    ada.register(&race).await.expect("a place");
    let before = everything_about(&ada).await;

    let contract = Contract::read();
    for (number, rpc) in contract.rpcs_of(USER).enumerate() {
        // Somebody new each time: DeleteMe and SignOut work, on the one who calls.
        let ben = app.new_user(&format!("ben-{number}")).await;
        let message = contract.filled(&rpc.request, &|field| match field {
            "competition_id" => race.competition_id.clone(),
            "user_id" => ada.id.clone(),
            "email" => ada.email.clone(),
            // Who knows the password is no other user.
            "password" if rpc.method == "SignIn" => PASSWORD.to_uppercase(),
            "password" | "current_password" => PASSWORD.to_owned(),
            "new_password" => "quite another one".to_owned(),
            "display_name" => "Ben".to_owned(),
            _ => String::new(),
        });
        let answer = raw::call(app.user_channel(), &rpc.path, Some(&ben.token), message).await;
        let told = answer.unwrap_or_else(|status| status.details().to_vec());
        for secret in [&ada.id, &ada.email] {
            let is_told = told
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!is_told, "{} tells {secret}", rpc.path);
        }
    }
    assert_eq!(everything_about(&ada).await, before);
}

/// All that is held about a user, without the competitions, in which others may register.
async fn everything_about(user: &User) -> ExportMeResponse {
    let export = user.calls().export_me(ExportMeRequest {}).await;
    let mut export = export.expect("an export").into_inner();
    for registration in &mut export.registrations {
        registration.competition = None;
    }
    export
}
