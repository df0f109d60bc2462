//! Rules 9 and 10: every change is in the log, and every count is the size of a set.

use domain::RegistrationState::{Confirmed, Waitlisted, Withdrawn};
use domain::{Action, Actor, AddOptions, Change, Reason, UserId};

use crate::world::{World, new_request, places};

#[tokio::test]
async fn rule_9_the_log_has_actor_action_time_and_both_states_of_every_change() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let (ada, bob) = (world.person().await, world.person().await);
    let request = new_request();
    world.user.register(&ada, &cup, request).await.expect("in");
    world
        .add(&bob, &cup, AddOptions::default())
        .await
        .expect("queued");
    world.withdraw(&ada, &cup).await.expect("withdrawn");
    world.capacity(&cup, 2).await.expect("larger");
    world.remove(&bob, &cup).await.expect("removed");
    world.cancel(&cup).await.expect("cancelled");

    let log = world.log(&cup).await;
    let revisions: Vec<_> = log.iter().map(|entry| entry.revision.get()).collect();
    assert_eq!(revisions, (1..=9).collect::<Vec<_>>());
    assert!(log.is_sorted_by_key(|entry| entry.at));

    let by = Actor::Admin(world.organiser.clone());
    let who: Vec<_> = log
        .iter()
        .map(|entry| (entry.actor.clone(), entry.action))
        .collect();
    let expected = [
        (by.clone(), Action::Create),
        (by.clone(), Action::Publish),
        (Actor::User(ada.clone()), Action::Register),
        (by.clone(), Action::Add),
        (Actor::User(ada.clone()), Action::Withdraw),
        (Actor::Rules, Action::Promote),
        (by.clone(), Action::Update),
        (by.clone(), Action::Remove),
        (by, Action::Cancel),
    ];
    assert_eq!(who, expected);

    let registration = |user: &UserId, before, after, waitlist_position| Change::Registration {
        user_id: user.clone(),
        before,
        after,
        waitlist_position,
    };
    assert_eq!(log[2].change, registration(&ada, None, Confirmed, None));
    assert_eq!(log[2].request_id, Some(request));
    assert_eq!(log[3].change, registration(&bob, None, Waitlisted, Some(1)));
    assert_eq!(
        log[4].change,
        registration(&ada, Some(Confirmed), Withdrawn, None)
    );
    assert_eq!(
        log[5].change,
        registration(&bob, Some(Waitlisted), Confirmed, None)
    );
    assert_eq!(log[5].request_id, None);
    let Change::Competition(fields) = &log[6].change else {
        panic!("an update changes the competition");
    };
    let fields: Vec<_> = fields
        .iter()
        .map(|change| {
            (
                change.field.as_str(),
                change.before.as_str(),
                change.after.as_str(),
            )
        })
        .collect();
    assert_eq!(fields, [("capacity", "1", "2")]);
    assert_eq!(
        log[7].reason,
        Reason::parse("no licence").expect("a reason")
    );
    assert_eq!(log[8].reason, Reason::parse("storm").expect("a reason"));
}

#[tokio::test]
async fn rule_9_the_log_holds_no_personal_data_but_ids() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let (ada, _) = world.sign_up("ada-lovelace").await;
    world.register(&ada, &cup).await.expect("in");
    let log = format!("c:{{{cup}}}:log");
    let entries: Vec<(String, Vec<String>)> = world.root(&["XRANGE", &log, "-", "+"]).await;
    let text = format!("{entries:?}");
    assert!(text.contains(ada.as_str()));
    assert!(
        !text.contains("ada-lovelace") && !text.contains("example.org"),
        "{text}"
    );
}

#[tokio::test]
async fn rule_10_every_count_is_the_size_of_a_set() {
    let world = World::new().await;
    let people = world.people(6).await;
    let cup = world.competition(places(2)).await;
    for user in &people {
        world.register(user, &cup).await.expect("in");
    }
    world.withdraw(&people[0], &cup).await.expect("withdrawn");
    world.remove(&people[5], &cup).await.expect("removed");
    let held: u32 = world
        .root(&["HLEN", &format!("c:{{{cup}}}:registrations")])
        .await;
    let waiting: u32 = world
        .root(&["ZCARD", &format!("c:{{{cup}}}:waitlist")])
        .await;
    assert_eq!(world.counts(&cup).await, (held - waiting, waiting));
    assert_eq!((held, waiting), (4, 2));
    let record: Vec<String> = world.root(&["HKEYS", &format!("c:{{{cup}}}:meta")]).await;
    assert!(
        !record.iter().any(|field| field.ends_with("_count")),
        "{record:?}"
    );
}
