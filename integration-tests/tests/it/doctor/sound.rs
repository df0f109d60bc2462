//! A system without damage has no findings, after every kind of change.

use domain::{Email, Role};
use integration_tests::{DAY, PASSWORD, from_now};
use store::Redis;
use store::inspect::Inspector;
use store::keys::People;
use testkit::TestRedis;

use super::{System, assert_sound, doctor, key_of_user};

#[tokio::test]
async fn a_system_in_which_every_kind_of_change_was_made_has_no_findings() {
    let system = System::start().await;
    let app = &system.app;
    let olga = app.organiser().await;
    let race = app.competition().capacity(1).open().await;
    let names = ["ada", "ben", "cyd", "dan"];
    let [ada, ben, cyd, dan] = app.registered(&race, names).await;
    ada.withdraw(&race).await.expect("withdrawn");
    olga.remove(&race, &cyd).await.expect("removed");
    system.seal().await;
    ada.register(&race).await.expect("registered again");
    let moved = {
        let mut race = race.clone();
        race.starts_at = Some(from_now(40 * DAY));
        race.ends_at = Some(from_now(41 * DAY));
        race.capacity = Some(2);
        race
    };
    let mask = ["starts_at", "ends_at", "capacity"];
    olga.update(moved, &mask).await.expect("updated");
    dan.delete(PASSWORD).await.expect("deleted");
    ben.delete(PASSWORD).await.expect("deleted");

    // A competition that is over keeps the registrations of a deleted account.
    let over = app.competition().over().open().await;
    let eve = app.new_user("eve").await;
    let added = olga.add_with(&over, &eve, |request| request.ignore_window = true);
    added.await.expect("added");
    eve.delete(PASSWORD).await.expect("deleted");
    let cancelled = app.competition().open().await;
    app.registered(&cancelled, ["fay"]).await;
    olga.cancel(&cancelled).await.expect("cancelled");
    let draft = app.competition().draft().await;
    olga.delete(&draft).await.expect("deleted");
    app.competition().draft().await;

    let zoe = app.new_admin("zoe", Role::Owner).await;
    let owner = app.owner().await;
    owner.disable(&zoe.id).await.expect("disabled");

    let exit = system.examine().await;
    assert_sound(&exit);
    assert!(exit.stdout.contains(" 5 competitions, "), "{exit:?}");
    assert_eq!(exit.stderr, "", "a short examination logs nothing");
}

#[tokio::test]
async fn an_account_of_an_earlier_release_has_no_findings() {
    let system = System::start().await;
    let ada = system.app.new_user("ada").await;
    let address = "ada@bücher.example";
    let inspector = Inspector::new(&Redis::new(&system.url("doctor"), None).expect("a URL"));
    let email = Email::parse(address).expect("an address");
    let forms = inspector.email_claim_keys(People::Users, &email).await;
    let [_, former] = <[String; 2]>::try_from(forms.expect("keys")).expect("two forms");
    let claim = system.claim_of("email:*", &ada.id).await;
    system.damage(&["RENAME", &claim, &former]).await;
    let profile = key_of_user(&ada, "profile");
    let fields = ["email", address, "display_name", "\u{200B}"];
    system
        .damage(&[&["HSET", &profile][..], &fields].concat())
        .await;
    assert_sound(&system.examine().await);

    // A sign-in adds the claim of today's form.
    let spelling = "ada@xn--bcher-kva.example";
    let signed_in = system.app.sign_in(spelling, PASSWORD).await;
    signed_in.expect("signed in");
    let claims: Vec<String> = system.command(&["KEYS", "email:*"]).await;
    assert_eq!(claims.len(), 2);
    assert_sound(&system.examine().await);
}

#[tokio::test]
async fn an_empty_redis_has_no_findings() {
    let redis = TestRedis::start();
    let url = redis.url("doctor");
    assert_sound(&doctor(&["doctor"], &[("STARTLIST_REDIS_URL", url)]).await);
}
