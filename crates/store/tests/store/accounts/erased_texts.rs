//! What an erasure takes: every text that somebody entered about the user.

use std::fs;

use domain::{
    AddOptions, Club, CompetitionId, ProfilePatch, ReadOnlyUser, Reason, Rejection, RequestId,
    UserId,
};
use testkit::eventually;

use crate::world::{DAY, World, first_page, new_request, places, rejection};

/// A text that nothing else contains.
const MARK: &str = "q7x-mark";

/// The keys whose names or values hold the text.
async fn marked_keys(world: &World) -> Vec<String> {
    let holds = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(MARK);
    let everything = world.everything().await.into_iter();
    let marked = everything.filter(|(key, value)| holds(key.as_bytes()) || holds(value));
    marked.map(|(key, _)| key).collect()
}

/// The texts of the reasons in the log of a competition.
async fn logged_reasons(world: &World, cup: &CompetitionId) -> Vec<String> {
    let log = world.admin.audit_entries(cup, &first_page(200)).await;
    let reasons = log
        .expect("a log")
        .items
        .into_iter()
        .map(|entry| entry.reason);
    let reasons = reasons.filter(|reason| *reason != Reason::default());
    reasons.map(String::from).collect()
}

async fn update(world: &World, user: &UserId, patch: &ProfilePatch, request: RequestId) {
    let fixed = ReadOnlyUser::default();
    let updated = world.user.update_user(user, patch, &fixed, None, request);
    updated.await.expect("updated");
}

fn reasons_key(cup: &CompetitionId, user: &UserId) -> String {
    format!("c:{{{cup}}}:reasons:{user}")
}

/// Rewrites the append-only file, as Redis does when it has grown, and returns its content.
async fn rewritten_file(world: &World) -> Vec<u8> {
    let _: String = world.root(&["BGREWRITEAOF"]).await;
    eventually("rewritten", async || {
        let info: String = world.root(&["INFO", "persistence"]).await;
        let is_idle = |name: &str| info.contains(&format!("{name}:0"));
        is_idle("aof_rewrite_in_progress") && is_idle("aof_rewrite_scheduled")
    })
    .await;
    let files = fs::read_dir(world.redis.data_dir().join("appendonlydir")).expect("a folder");
    let files = files.map(|file| fs::read(file.expect("a file").path()).expect("readable"));
    files.collect::<Vec<_>>().concat()
}

#[tokio::test]
async fn an_erasure_takes_each_text_about_the_user_from_the_keys_and_the_file() {
    let world = World::new().await;
    let (ada, session) = world.sign_up(MARK).await;
    let patch = ProfilePatch {
        club: Club::parse(format!("{MARK} club")).ok(),
        ..ProfilePatch::default()
    };
    update(&world, &ada, &patch, new_request()).await;
    let [open, over, cancelled, added] = [
        world.competition(places(5)).await,
        world.competition(places(5)).await,
        world.competition(places(5)).await,
        world.competition(places(5)).await,
    ];
    for cup in [&open, &over, &cancelled] {
        world.register(&ada, cup).await.expect("in");
    }
    let options = AddOptions::default();
    world.add(&ada, &added, options).await.expect("added");
    let cups = [open, over, cancelled, added];
    for cup in &cups {
        let reason = format!("{MARK} removed");
        let removed = world.remove_because(&reason, &ada, cup).await;
        let removed = removed.expect("removed").registration;
        assert_eq!(removed.removal_reason.as_str(), reason);
    }
    // A removal that an addition follows.
    world.add(&ada, &cups[0], options).await.expect("added");
    world.time_passes(&cups[1], 900 * DAY).await;
    world.cancel(&cups[2]).await.expect("cancelled");
    let marked = marked_keys(&world).await;
    for cup in &cups {
        assert!(marked.contains(&reasons_key(cup, &ada)), "{marked:?}");
        assert!(!marked.contains(&format!("c:{{{cup}}}:log")), "{marked:?}");
    }
    let file = rewritten_file(&world).await;
    assert!(String::from_utf8_lossy(&file).contains(MARK));

    world.erase(MARK, &ada, &session).await;

    assert_eq!(marked_keys(&world).await, [""; 0]);
    let file = rewritten_file(&world).await;
    assert!(!String::from_utf8_lossy(&file).contains(MARK));
    for cup in &cups {
        assert!(!logged_reasons(&world, cup).await.concat().contains(MARK));
        let found = world.admin.get_registration(cup, &ada).await;
        let found = found.expect("an entry").registration;
        assert_eq!(found.removal_reason, Reason::default());
    }
}

#[tokio::test]
async fn the_log_shows_the_reason_of_each_removal_until_the_account_is_erased() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let cup = world.competition(places(5)).await;
    for reason in ["late", "", "rude"] {
        let options = AddOptions::default();
        world.add(&ada, &cup, options).await.expect("added");
        let removed = world.remove_because(reason, &ada, &cup).await;
        removed.expect("removed");
    }
    assert_eq!(logged_reasons(&world, &cup).await, ["late", "rude"]);
    let mine = world.user.my_registration(&ada, &cup).await;
    assert_eq!(mine.expect("mine").removal_reason.as_str(), "rude");
    world.erase("ada", &ada, &session).await;
    assert_eq!(logged_reasons(&world, &cup).await, [""; 0]);
}

#[tokio::test]
async fn a_removal_is_repeated_also_after_its_reason_was_erased() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let cup = world.competition(places(5)).await;
    world.register(&ada, &cup).await.expect("in");
    let (by, request) = (&world.organiser, new_request());
    let (admin, rude) = (&world.admin, Reason::parse("rude").expect("a reason"));
    let first = admin.remove_registration(by, &cup, &ada, &rude, request);
    let first = first.await.expect("removed").registration;
    world.erase("ada", &ada, &session).await;
    let again = admin.remove_registration(by, &cup, &ada, &rude, request);
    let again = again.await.expect("the first response").registration;
    assert_eq!(again.revision, first.revision);
    assert_eq!(again.removal_reason, Reason::default());
}

#[tokio::test]
async fn the_reason_of_a_removal_after_the_erasure_is_not_kept() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let cup = world.competition(places(5)).await;
    world.register(&ada, &cup).await.expect("in");
    world.time_passes(&cup, 900 * DAY).await;
    world.erase("ada", &ada, &session).await;
    let reason = format!("{MARK} removed");
    let removed = world.remove_because(&reason, &ada, &cup).await;
    let removed = removed.expect("removed").registration;
    assert_eq!(removed.removal_reason, Reason::default());
    assert_eq!(marked_keys(&world).await, [""; 0]);
}

#[tokio::test]
async fn a_repetition_erases_a_reason_that_was_given_during_the_erasure() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let cup = world.competition(places(5)).await;
    world.erase("ada", &ada, &session).await;
    // As if the erasure had been cut off before it looked at the competition a second time.
    let index = format!("u:{{{ada}}}:competitions");
    let _: i64 = world.root(&["HSET", &index, cup.as_str(), "nonce:1"]).await;
    let reasons = reasons_key(&cup, &ada);
    let reason = format!("0a1b {MARK} removed");
    let _: i64 = world.root(&["HSET", &reasons, "3", &reason]).await;
    let finished = world.user.finish_erasure(&ada, new_request()).await;
    finished.expect("finished");
    assert_eq!(marked_keys(&world).await, [""; 0]);
    let left: i64 = world.root(&["EXISTS", &index]).await;
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_removal_from_before_the_hashes_keeps_its_reason() {
    let world = World::new().await;
    let (ada, _) = world.sign_up("ada").await;
    let cup = world.competition(places(5)).await;
    world.register(&ada, &cup).await.expect("in");
    let request = new_request();
    let key = |suffix: &str| format!("c:{{{cup}}}:{suffix}");
    let (log, past, request_text) = (key("log"), key("past"), request.to_string());
    let entry = [
        "XADD",
        &log,
        "4-0",
        "at",
        "1700000000000",
        "actor",
        "admin:olga",
        "action",
        "remove",
        "user",
        ada.as_str(),
        "before",
        "confirmed",
        "after",
        "removed",
        "request",
        &request_text,
        "note",
        "rude",
    ];
    let _: String = world.root(&entry).await;
    let _: String = world.root(&["SET", &key("revision"), "4"]).await;
    let record = format!("R 4 1700000000000 - {request}=4");
    let _: i64 = world.root(&["HSET", &past, ada.as_str(), &record]).await;
    let _: i64 = world
        .root(&["HDEL", &key("registrations"), ada.as_str()])
        .await;

    assert_eq!(logged_reasons(&world, &cup).await, ["rude"]);
    let mine = world.user.my_registration(&ada, &cup).await;
    assert_eq!(mine.expect("mine").removal_reason.as_str(), "rude");
    let by = &world.organiser;
    let repeat = async |reason: &str| {
        let reason = Reason::parse(reason).expect("a reason");
        let admin = &world.admin;
        admin
            .remove_registration(by, &cup, &ada, &reason, request)
            .await
    };
    let repeated = repeat("rude").await.expect("the first response");
    assert_eq!(repeated.registration.removal_reason.as_str(), "rude");
    assert_eq!(rejection(repeat("late").await), Rejection::RequestIdReused);
}

#[tokio::test]
async fn the_first_replies_are_kept_as_long_as_the_log_names_them() {
    const FILL: &str = "for _ = 1, 1000 do redis.call('XADD', KEYS[1], '*', 'action', 'sign_in', \
                        'request', '') end";
    let world = World::new().await;
    let (ada, session) = world.sign_up(MARK).await;
    let change = async |club: &str| {
        let patch = ProfilePatch {
            club: Club::parse(club).ok(),
            ..ProfilePatch::default()
        };
        let request = new_request();
        update(&world, &ada, &patch, request).await;
        format!("u:{{{ada}}}:request:{request}")
    };
    let first = change("first").await;
    let log = format!("u:{{{ada}}}:log");
    let _: () = world.root(&["EVAL", FILL, "1", &log]).await;
    let second = change("second").await;
    let kept: [i64; 2] = [
        world.root(&["EXISTS", &first]).await,
        world.root(&["EXISTS", &second]).await,
    ];
    assert_eq!(kept, [0, 1]);
    assert_eq!(world.root::<i64>(&["XLEN", &log]).await, 1000);
    world.erase(MARK, &ada, &session).await;
    assert_eq!(marked_keys(&world).await, [""; 0]);
}
