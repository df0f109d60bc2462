//! What can be put right is, while the services serve; the rest is left, and so is all that is sound.

use api::user::ListMyRegistrationsRequest;
use api::v1::RegistrationState;

use super::{System, assert_printed, assert_sound, delete_account, key_of, key_of_user};

/// Older than any call.
const LONG_AGO: &str = "abcdefgh:1700000000000";

#[tokio::test]
async fn what_can_be_repaired_is_and_what_is_sound_stays_as_it_was() {
    let system = System::start().await;
    let app = &system.app;
    let race = app.competition().open().await;
    let other = app.competition().open().await;
    let ada = system.runner("ada", &race).await;
    let ben = system.runner("ben", &race).await;
    let sound = system.contents().await;

    let index = key_of_user(&ada, "competitions");
    system
        .damage(&["HSET", &index, &other.competition_id, LONG_AGO])
        .await;
    system.damage(&["SET", "email:{0a1b2c}", "nobody"]).await;
    system
        .damage(&["SET", "email:{ffff}", "pending:somebody:nonce"])
        .await;
    for part in 0..32 {
        let part = format!("directory:{{{part:02x}}}");
        system.damage(&["ZREM", &part, &ben.id]).await;
    }
    let ended = system.repair().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_printed(
        &ended,
        &[
            format!(
                "repaired: user {}: deleted the index entry for {}",
                ada.id, other.competition_id
            ),
            "repaired: key email:{0a1b2c}: released the e-mail address".to_owned(),
            "repaired: key email:{ffff}: released the e-mail address".to_owned(),
            format!("repaired: user {}: added the user to the directory", ben.id),
        ],
    );
    assert_eq!(system.contents().await, sound);
    assert_sound(&system.repair().await);
    assert_eq!(system.contents().await, sound);
}

#[tokio::test]
async fn a_registration_that_its_index_lacks_is_entered_and_the_user_finds_it() {
    let system = System::start().await;
    let race = system.app.competition().open().await;
    let ada = system.runner("ada", &race).await;
    system
        .damage(&["DEL", &key_of_user(&ada, "competitions")])
        .await;
    let ended = system.repair().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let repaired = format!(
        "repaired: user {}: added {} to the index",
        ada.id, race.competition_id
    );
    assert_printed(&ended, &[repaired]);
    let mut calls = ada.calls();
    let mine = calls.list_my_registrations(ListMyRegistrationsRequest::default());
    let mine = mine.await.expect("a list").into_inner().registrations;
    assert_eq!(mine.len(), 1);
}

#[tokio::test]
async fn a_place_that_an_erased_account_still_has_goes_to_the_first_in_the_queue() {
    let system = System::start().await;
    let race = system.app.competition().capacity(1).open().await;
    let ada = system.runner("ada", &race).await;
    let ben = system.runner("ben", &race).await;
    // As if the call that erased it had been cut off before it gave the place up.
    let claim = system.claim_of("email:*", &ada.id).await;
    system.damage(&["DEL", &claim]).await;
    for holds in ["profile", "credential", "sessions", "competitions", "log"] {
        system.damage(&["DEL", &key_of_user(&ada, holds)]).await;
    }
    let log = key_of_user(&ada, "log");
    let erased = [
        "XADD",
        &log,
        "1700000000000-0",
        "action",
        "erase",
        "request",
        "",
    ];
    system.damage(&erased).await;

    let ended = system.examine().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let orphan = format!(
        "orphan: user {}: registered for {}, but the account was erased",
        ada.id, race.competition_id
    );
    assert_printed(&ended, &[orphan]);

    let ended = system.repair().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let repaired = format!(
        "repaired: user {}: withdrew the user from {}",
        ada.id, race.competition_id
    );
    assert_printed(&ended, &[repaired]);
    let promoted = ben.registration(&race).await.expect("a registration");
    assert_eq!(promoted.state(), RegistrationState::Confirmed);
}

#[tokio::test]
async fn what_cannot_be_repaired_is_left_as_it_is_and_named() {
    let system = System::start().await;
    let race = system.app.competition().capacity(1).open().await;
    let ada = system.runner("ada", &race).await;
    system
        .damage(&["HDEL", &key_of(&race, "registrations"), &ada.id])
        .await;
    system.damage(&["SET", "somebody's", "1"]).await;
    let damaged = system.contents().await;
    let ended = system.repair().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_printed(
        &ended,
        &[
            format!(
                "finding: competition {}: {} has no registration record, but by the log confirmed since revision 3",
                race.competition_id, ada.id
            ),
            "finding: key somebody's: unknown key; no service uses it".to_owned(),
        ],
    );
    assert_eq!(system.contents().await, damaged);
}

#[tokio::test]
async fn what_may_belong_to_a_call_that_is_under_way_is_neither_named_nor_touched() {
    let system = System::start().await;
    let race = system.app.competition().open().await;
    let ada = system.app.new_user("ada").await;
    let ben = system.app.new_user("ben").await;
    // A registration whose index entry is written, and an account that is being made.
    let now: (i64, i64) = system.command(&["TIME"]).await;
    let young = format!("abcdefgh:{}", (now.0 - 60) * 1000);
    let index = key_of_user(&ada, "competitions");
    system
        .damage(&["HSET", &index, &race.competition_id, &young])
        .await;
    system
        .damage(&["SET", "email:{ffff}", "pending:somebody:nonce", "EX", "600"])
        .await;
    let claim = system.claim_of("email:*", &ben.id).await;
    let pending = format!("pending:{}:nonce", ben.id);
    system.damage(&["SET", &claim, &pending, "EX", "600"]).await;
    // An account whose erasure has not come to its claim.
    let cyd = system.app.new_user("cyd").await;
    delete_account(&cyd).await;
    system.damage(&["SET", "email:{0a1b2c}", &cyd.id]).await;
    assert_sound(&system.repair().await);
    let still: String = system.command(&["GET", "email:{0a1b2c}"]).await;
    assert_eq!(still, cyd.id);
}
