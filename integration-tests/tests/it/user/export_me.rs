use api::user::{AccountAction, AccountLogEntry, ExportMeRequest, ExportMeResponse};
use api::v1::{RegistrationState, User as Profile};
use integration_tests::{Startlist, User, assert_rejected, is_unavailable, reason};
use testkit::retry;

async fn export(user: &User) -> ExportMeResponse {
    let reply = user.calls().export_me(ExportMeRequest::default()).await;
    reply.expect("an export").into_inner()
}

#[tokio::test]
async fn the_export_holds_everything_that_is_stored_about_the_caller() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let kept = app.competition().title("kept").open().await;
    let left = app.competition().title("left").open().await;
    ada.register(&kept).await.expect("confirmed");
    ada.register(&left).await.expect("confirmed");
    ada.withdraw(&left).await.expect("withdrawn");
    let profile = Profile {
        club: "Engines".to_owned(),
        ..Default::default()
    };
    ada.update(profile, &[]).await.expect("updated");

    let export = export(&ada).await;
    let user = export.user.expect("a user");
    assert_eq!(
        (user.user_id, user.club.as_str()),
        (ada.id.clone(), "Engines")
    );
    assert_eq!(export.sessions.len(), 1);
    let registrations = export.registrations.into_iter().map(|one| {
        let state = one.registration.expect("a registration").state();
        (one.competition.expect("a competition").title, state)
    });
    let mut registrations: Vec<_> = registrations.collect();
    registrations.sort();
    let expected = [
        ("kept".to_owned(), RegistrationState::Confirmed),
        ("left".to_owned(), RegistrationState::Withdrawn),
    ];
    assert_eq!(registrations, expected);
    let actions = export.account_log.iter().map(AccountLogEntry::action);
    let actions: Vec<_> = actions.collect();
    assert_eq!(actions, [AccountAction::SignedUp, AccountAction::Updated]);
}

/// Reads all pages. The client refuses a message above 4 MiB, which is its default.
async fn all_exports(user: &User, page_size: i32) -> Vec<ExportMeResponse> {
    let mut exports = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ExportMeRequest {
            page_size,
            page_token: std::mem::take(&mut page_token),
        };
        let page = user.calls().export_me(request).await.expect("a page");
        let page = page.into_inner();
        page_token.clone_from(&page.next_page_token);
        exports.push(page);
        if page_token.is_empty() {
            return exports;
        }
    }
}

#[tokio::test]
async fn an_export_of_many_long_texts_comes_in_pages_below_4_mib() {
    const COUNT: usize = 215;
    let app = Startlist::with(&["--changes-per-minute", "0"]).await;
    let ada = app.new_user("ada").await;
    let description = "🏆".repeat(5_000);
    for _ in 0..COUNT {
        let race = app.competition().description(&description).open().await;
        let registered = retry(is_unavailable, async || ada.register(&race).await).await;
        registered.expect("confirmed");
    }
    let exports = all_exports(&ada, 0).await;
    assert!(exports.len() > 1);
    let (first, others) = exports.split_first().expect("a page");
    assert!(first.user.is_some() && first.sessions.len() == 1 && first.account_log.len() == 1);
    for other in others {
        let account = (&other.user, &*other.sessions, &*other.account_log);
        assert_eq!(account, (&None, &[][..], &[][..]));
    }
    let ids = |exports: Vec<ExportMeResponse>| {
        let registrations = exports.into_iter().flat_map(|page| page.registrations);
        let ids = registrations.map(|one| one.registration.expect("a registration"));
        ids.map(|one| one.competition_id).collect::<Vec<_>>()
    };
    let found = ids(exports);
    assert!(found.is_sorted_by(|one, next| one < next));
    assert_eq!(found.len(), COUNT);
    let small = all_exports(&ada, 100).await;
    assert_eq!(small.len(), 3);
    assert_eq!(ids(small), found);
}

#[tokio::test]
async fn a_page_of_an_export_belongs_to_its_user() {
    let app = Startlist::start().await;
    let (ada, ben) = (app.new_user("ada").await, app.new_user("ben").await);
    for _ in 0..2 {
        let race = app.competition().open().await;
        ada.register(&race).await.expect("confirmed");
    }
    let one = ExportMeRequest {
        page_size: 1,
        ..Default::default()
    };
    let first = ada.calls().export_me(one.clone()).await.expect("a page");
    let page_token = first.into_inner().next_page_token;
    let request = ExportMeRequest { page_token, ..one };
    let refused = ben.calls().export_me(request).await;
    assert_rejected(refused, reason::INVALID_FIELDS);
}
