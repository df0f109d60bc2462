//! A repair, while the services run, fixes each repairable finding and changes nothing else.

use api::user::ListMyRegistrationsRequest;
use api::v1::RegistrationState;
use integration_tests::{PASSWORD, User};

use super::{System, assert_printed, assert_sound, key_of, key_of_user};

/// An index entry that is older than any running call.
const LONG_AGO: &str = "abcdefgh:1700000000000";

/// Appends the entry of an erasure to the log of an account.
async fn log_erasure(system: &System, user: &User) {
    let log = key_of_user(user, "log");
    let erased = ["XADD", &log, "1700000000000-0", "action", "erase"];
    system
        .damage(&[&erased[..], &["request", ""]].concat())
        .await;
}

#[tokio::test]
async fn a_repair_restores_the_sound_system_and_changes_nothing_else() {
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
    let exit = system.repair().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    assert_printed(
        &exit,
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
async fn a_registration_that_is_missing_in_the_index_is_added() {
    let system = System::start().await;
    let race = system.app.competition().open().await;
    let ada = system.runner("ada", &race).await;
    system
        .damage(&["DEL", &key_of_user(&ada, "competitions")])
        .await;
    let exit = system.repair().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    let repaired = format!(
        "repaired: user {}: added {} to the index",
        ada.id, race.competition_id
    );
    assert_printed(&exit, &[repaired]);
    let mut calls = ada.calls();
    let mine = calls.list_my_registrations(ListMyRegistrationsRequest::default());
    let mine = mine.await.expect("a list").into_inner().registrations;
    assert_eq!(mine.len(), 1);
}

#[tokio::test]
async fn a_registration_of_an_erased_account_is_withdrawn_and_the_next_user_promoted() {
    let system = System::start().await;
    let race = system.app.competition().capacity(1).open().await;
    let ada = system.runner("ada", &race).await;
    let ben = system.runner("ben", &race).await;
    // As if the call that erased the account had been cut off before the withdrawal.
    let claim = system.claim_of("email:*", &ada.id).await;
    system.damage(&["DEL", &claim]).await;
    for suffix in ["profile", "credential", "sessions", "competitions", "log"] {
        system.damage(&["DEL", &key_of_user(&ada, suffix)]).await;
    }
    log_erasure(&system, &ada).await;

    let exit = system.examine().await;
    assert_eq!(exit.code, Some(1), "{exit:?}");
    let orphan = format!(
        "orphan: user {}: registered for {}, but the account was erased",
        ada.id, race.competition_id
    );
    assert_printed(&exit, &[orphan]);

    let exit = system.repair().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    let repaired = format!(
        "repaired: user {}: withdrew the user from {}",
        ada.id, race.competition_id
    );
    assert_printed(&exit, &[repaired]);
    let promoted = ben.registration(&race).await.expect("a registration");
    assert_eq!(promoted.state(), RegistrationState::Confirmed);
}

#[tokio::test]
async fn a_reason_that_outlived_the_account_is_erased() {
    let system = System::start().await;
    let race = system.app.competition().open().await;
    let ada = system.runner("ada", &race).await;
    let olga = system.app.organiser().await;
    let removed = olga.remove_because(&race, &ada, "late").await;
    removed.expect("removed");
    let reasons = key_of(&race, &format!("reasons:{}", ada.id));
    let record: String = system.command(&["HGET", &reasons, "4"]).await;
    ada.delete(PASSWORD).await.expect("erased");
    assert_sound(&system.examine().await);
    // As if the call had been cut off that removed the user during the erasure.
    system.damage(&["HSET", &reasons, "4", &record]).await;
    system.damage(&["DEL", &key_of_user(&ada, "log")]).await;
    log_erasure(&system, &ada).await;

    let exit = system.examine().await;
    assert_eq!(exit.code, Some(1), "{exit:?}");
    let (user, race) = (&ada.id, &race.competition_id);
    let orphan =
        format!("orphan: user {user}: the reasons of removals from {race} outlived the account");
    assert_printed(&exit, &[orphan]);
    let exit = system.repair().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    let repaired = format!("repaired: user {user}: erased the reasons of the removals from {race}");
    assert_printed(&exit, &[repaired]);
    assert_sound(&system.examine().await);
}

#[tokio::test]
async fn a_finding_that_cannot_be_repaired_is_reported_and_left_unchanged() {
    let system = System::start().await;
    let race = system.app.competition().capacity(1).open().await;
    let ada = system.runner("ada", &race).await;
    system
        .damage(&["HDEL", &key_of(&race, "registrations"), &ada.id])
        .await;
    system.damage(&["SET", "unknown", "1"]).await;
    let damaged = system.contents().await;
    let exit = system.repair().await;
    assert_eq!(exit.code, Some(1), "{exit:?}");
    assert_printed(
        &exit,
        &[
            format!(
                "finding: competition {}: {} has no registration record, \
                 but by the log confirmed since revision 3",
                race.competition_id, ada.id
            ),
            "finding: key unknown: unknown key; no service uses it".to_owned(),
        ],
    );
    assert_eq!(system.contents().await, damaged);
}

#[tokio::test]
async fn data_that_a_running_call_may_own_is_neither_reported_nor_changed() {
    let system = System::start().await;
    let race = system.app.competition().open().await;
    let ada = system.app.new_user("ada").await;
    let ben = system.app.new_user("ben").await;
    // The index entry of a registration that is not decided yet, and claims of accounts that are
    // not complete.
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
    // The claim of an account whose erasure has not reached it.
    let cyd = system.app.new_user("cyd").await;
    cyd.delete(PASSWORD).await.expect("deleted");
    system.damage(&["SET", "email:{0a1b2c}", &cyd.id]).await;
    assert_sound(&system.repair().await);
    let owner: String = system.command(&["GET", "email:{0a1b2c}"]).await;
    assert_eq!(owner, cyd.id);
}
