//! What can be put right is, while the services serve; the rest is left, and so is all that is sound.

use api::user::ListMyRegistrationsRequest;
use api::v1::RegistrationState;

use super::{Clinic, assert_said, assert_sound, delete_account, key_of, key_of_user};

/// Older than any call.
const LONG_AGO: &str = "abcdefgh:1700000000000";

#[tokio::test]
async fn what_can_be_repaired_is_and_what_is_sound_stays_as_it_was() {
    let clinic = Clinic::open().await;
    let app = &clinic.app;
    let race = app.competition().open().await;
    let other = app.competition().open().await;
    let ada = clinic.runner("ada", &race).await;
    let ben = clinic.runner("ben", &race).await;
    let sound = clinic.contents().await;

    let index = key_of_user(&ada, "competitions");
    clinic
        .damage(&["HSET", &index, &other.competition_id, LONG_AGO])
        .await;
    clinic.damage(&["SET", "email:{0a1b2c}", "nobody"]).await;
    clinic
        .damage(&["SET", "email:{ffff}", "pending:somebody:nonce"])
        .await;
    for part in 0..32 {
        let part = format!("directory:{{{part:02x}}}");
        clinic.damage(&["ZREM", &part, &ben.id]).await;
    }
    let ended = clinic.repair().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_said(
        &ended,
        &[
            format!(
                "repaired: user {}: the entry {} was taken from the index",
                ada.id, other.competition_id
            ),
            "repaired: key email:{0a1b2c}: the address was freed".to_owned(),
            "repaired: key email:{ffff}: the address was freed".to_owned(),
            format!("repaired: user {}: was entered in the directory", ben.id),
        ],
    );
    assert_eq!(clinic.contents().await, sound);
    assert_sound(&clinic.repair().await);
    assert_eq!(clinic.contents().await, sound);
}

#[tokio::test]
async fn a_registration_that_its_index_lacks_is_entered_and_the_user_finds_it() {
    let clinic = Clinic::open().await;
    let race = clinic.app.competition().open().await;
    let ada = clinic.runner("ada", &race).await;
    clinic
        .damage(&["DEL", &key_of_user(&ada, "competitions")])
        .await;
    let ended = clinic.repair().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let repaired = format!(
        "repaired: user {}: {} was entered in the index",
        ada.id, race.competition_id
    );
    assert_said(&ended, &[repaired]);
    let mut calls = ada.calls();
    let mine = calls.list_my_registrations(ListMyRegistrationsRequest::default());
    let mine = mine.await.expect("a list").into_inner().registrations;
    assert_eq!(mine.len(), 1);
}

#[tokio::test]
async fn a_place_that_an_erased_account_still_has_goes_to_the_first_in_the_queue() {
    let clinic = Clinic::open().await;
    let race = clinic.app.competition().capacity(1).open().await;
    let ada = clinic.runner("ada", &race).await;
    let ben = clinic.runner("ben", &race).await;
    // As if the call that erased it had been cut off before it gave the place up.
    let claim = clinic.claim_of("email:*", &ada.id).await;
    clinic.damage(&["DEL", &claim]).await;
    for holds in ["profile", "credential", "sessions", "competitions", "log"] {
        clinic.damage(&["DEL", &key_of_user(&ada, holds)]).await;
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
    clinic.damage(&erased).await;

    let ended = clinic.examine().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let orphan = format!(
        "orphan: user {}: is registered for {}, and the account was erased",
        ada.id, race.competition_id
    );
    assert_said(&ended, &[orphan]);

    let ended = clinic.repair().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let repaired = format!(
        "repaired: user {}: was withdrawn from {}",
        ada.id, race.competition_id
    );
    assert_said(&ended, &[repaired]);
    let promoted = ben.registration(&race).await.expect("a registration");
    assert_eq!(promoted.state(), RegistrationState::Confirmed);
}

#[tokio::test]
async fn what_cannot_be_repaired_is_left_as_it_is_and_named() {
    let clinic = Clinic::open().await;
    let race = clinic.app.competition().capacity(1).open().await;
    let ada = clinic.runner("ada", &race).await;
    clinic
        .damage(&["HDEL", &key_of(&race, "registrations"), &ada.id])
        .await;
    clinic.damage(&["SET", "somebody's", "1"]).await;
    let damaged = clinic.contents().await;
    let ended = clinic.repair().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_said(
        &ended,
        &[
            format!(
                "finding: competition {}: {} has no record, and by the log is confirmed since revision 3",
                race.competition_id, ada.id
            ),
            "finding: key somebody's: none of the services knows it".to_owned(),
        ],
    );
    assert_eq!(clinic.contents().await, damaged);
}

#[tokio::test]
async fn what_may_belong_to_a_call_that_is_under_way_is_neither_named_nor_touched() {
    let clinic = Clinic::open().await;
    let race = clinic.app.competition().open().await;
    let ada = clinic.app.new_user("ada").await;
    let ben = clinic.app.new_user("ben").await;
    // A registration whose index entry is written, and an account that is being made.
    let now: (i64, i64) = clinic.by_hand(&["TIME"]).await;
    let young = format!("abcdefgh:{}", (now.0 - 60) * 1000);
    let index = key_of_user(&ada, "competitions");
    clinic
        .damage(&["HSET", &index, &race.competition_id, &young])
        .await;
    clinic
        .damage(&["SET", "email:{ffff}", "pending:somebody:nonce", "EX", "600"])
        .await;
    let claim = clinic.claim_of("email:*", &ben.id).await;
    let pending = format!("pending:{}:nonce", ben.id);
    clinic.damage(&["SET", &claim, &pending, "EX", "600"]).await;
    // An account whose erasure has not come to its claim.
    let cyd = clinic.app.new_user("cyd").await;
    delete_account(&cyd).await;
    clinic.damage(&["SET", "email:{0a1b2c}", &cyd.id]).await;
    assert_sound(&clinic.repair().await);
    let still: String = clinic.by_hand(&["GET", "email:{0a1b2c}"]).await;
    assert_eq!(still, cyd.id);
}
