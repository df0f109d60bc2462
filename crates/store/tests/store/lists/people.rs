//! Lists of users, of admins, and of a user's registrations.

use std::collections::BTreeSet;

use domain::RegistrationState::Withdrawn;
use domain::{AddOptions, CompetitionId, Rejection, Role, UserId};

use super::{all_pages, nothing};
use crate::world::{DAY, HOUR, World, first_page, new_admin, password, places, rejection};

#[tokio::test]
async fn users_are_listed_in_the_order_of_their_ids_also_if_one_is_erased_meanwhile() {
    let world = World::new().await;
    let mut people: Vec<UserId> = world.people(150).await;
    let (leaver, session) = world.sign_up("leaver").await;
    people.sort();
    let read = async |page| world.admin.list_users(&page).await.expect("a page");
    let found = all_pages(200, read, nothing).await;
    assert_eq!(found.len(), 151);
    let between = async |number| {
        if number == 1 {
            world.erase("leaver", &leaver, &session).await;
        }
    };
    let found = all_pages(20, read, between).await;
    let mut found: Vec<_> = found.into_iter().map(|user| user.id).collect();
    assert!(found.is_sorted());
    found.retain(|id| *id != leaver);
    assert_eq!(found, people);
}

#[tokio::test]
async fn admins_are_listed_in_the_order_of_their_ids() {
    let world = World::new().await;
    for n in 0..12 {
        let (new, secret) = (
            new_admin(&format!("admin-{n}"), Role::Viewer),
            password("admin"),
        );
        let created = world
            .admin
            .create_admin(&world.organiser, &new, &secret)
            .await;
        created.expect("an admin");
    }
    let read = async |page| world.admin.list_admins(&page).await.expect("a page");
    for size in [1, 5, 13, 200] {
        let found = all_pages(size, read, nothing).await;
        assert_eq!(found.len(), 13);
        assert!(found.is_sorted_by_key(|admin| admin.id.clone()));
    }
}

#[tokio::test]
async fn a_users_registrations_are_listed_with_their_competitions() {
    let world = World::new().await;
    let ada = world.person().await;
    let mut cups = BTreeSet::new();
    for n in 0..9 {
        let cup = world.competition(places(1)).await;
        match n % 3 {
            0 => drop(world.add(&ada, &cup, domain::AddOptions::default()).await),
            _ => drop(world.register(&ada, &cup).await),
        }
        if n % 3 == 2 {
            world.withdraw(&ada, &cup).await.expect("withdrawn");
        }
        cups.insert(cup);
    }
    for size in [1, 4, 9, 200] {
        let read = async |page| {
            let page = world.user.my_registrations(&ada, &page).await;
            page.expect("a page")
        };
        let found = all_pages(size, read, nothing).await;
        let mut pairs = found.iter();
        assert!(pairs.all(|(registration, cup)| registration.competition_id == cup.id));
        assert!(found.iter().map(|(_, cup)| &cup.id).eq(cups.iter()));
        let states = found.iter().map(|(registration, _)| registration.state);
        let withdrawn = states.filter(|state| *state == Withdrawn).count();
        assert_eq!(withdrawn, 3, "past registrations are listed too");
    }
}

#[tokio::test]
async fn an_index_entry_without_a_registration_is_skipped_and_deleted_once_it_is_old() {
    let world = World::new().await;
    let ada = world.person().await;
    let cup = world.competition(places(1)).await;
    world.register(&ada, &cup).await.expect("in");
    let index = format!("u:{{{ada}}}:competitions");
    let now = world.user.now().as_millis();
    let (new, old) = (format!("nonce:{now}"), format!("nonce:{}", now - HOUR));
    for (id, value) in [("gone", &old), (cup.as_str(), &old), ("recent", &new)] {
        let _: i64 = world.root(&["HSET", &index, id, value]).await;
    }
    let page = world.user.my_registrations(&ada, &first_page(10)).await;
    assert_eq!(page.expect("a page").items.len(), 1);
    let kept: Vec<String> = world.root(&["HKEYS", &index]).await;
    let kept: BTreeSet<_> = kept.iter().map(String::as_str).collect();
    // An old entry is kept if it has a registration, and a recent one because it may still get one.
    assert_eq!(kept, BTreeSet::from([cup.as_str(), "recent"]));
}

#[tokio::test]
async fn a_page_of_a_large_index_skips_leftovers_and_deletes_old_ones() {
    let world = World::new().await;
    let ada = world.person().await;
    let (mut cups, now) = (BTreeSet::new(), world.user.now().as_millis());
    for _ in 0..3 {
        let cup = world.competition(places(1)).await;
        world.register(&ada, &cup).await.expect("in");
        cups.insert(cup);
    }
    let index = format!("u:{{{ada}}}:competitions");
    let old = format!("nonce:{}", now - HOUR);
    let leftovers = (0..2_000).flat_map(|n| [format!("gone-{n}"), old.clone()]);
    let leftovers: Vec<_> = leftovers.collect();
    let mut fill = vec!["HSET", &index];
    fill.extend(leftovers.iter().map(String::as_str));
    let _: i64 = world.root(&fill).await;
    let read = async |page| world.user.my_registrations(&ada, &page).await;
    let found = all_pages(100, async |page| read(page).await.expect("a page"), nothing).await;
    let found: BTreeSet<_> = found.into_iter().map(|(_, cup)| cup.id).collect();
    assert_eq!(found, cups);
    let kept: i64 = world.root(&["HLEN", &index]).await;
    assert_eq!(kept, 3);
}

#[tokio::test]
async fn a_refused_registration_leaves_no_index_entry() {
    let world = World::new().await;
    let (ada, other) = (world.person().await, world.person().await);
    let gone = CompetitionId::parse("gone").expect("an id");
    let draft = world.draft(places(1)).await;
    let cancelled = world.competition(places(1)).await;
    world.cancel(&cancelled).await.expect("cancelled");
    let (early, late) = (
        world.competition(places(1)).await,
        world.competition(places(1)).await,
    );
    world.time_passes(&early, -2 * DAY).await;
    world.time_passes(&late, DAY).await;
    let full = world.competition(places(1).waitlist(0)).await;
    world.register(&other, &full).await.expect("in");
    for competition in [&gone, &draft, &cancelled, &early, &late, &full] {
        for _ in 0..2 {
            let refused = world.register(&ada, competition).await;
            assert!(refused.is_err(), "{competition}");
            let refused = world.add(&ada, competition, AddOptions::default()).await;
            assert!(refused.is_err(), "{competition}");
        }
    }
    for index in ["competitions", "added"] {
        let key = format!("u:{{{ada}}}:{index}");
        let kept: i64 = world.root(&["HLEN", &key]).await;
        assert_eq!(kept, 0, "{key}");
    }
}

#[tokio::test]
async fn an_addition_of_a_user_who_does_not_exist_writes_nothing() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let nobody = UserId::parse("nobody").expect("an id");
    let refused = world.add(&nobody, &cup, AddOptions::default()).await;
    assert_eq!(rejection(refused), Rejection::UserNotFound);
    let keys: Vec<String> = world.root(&["KEYS", "u:{nobody}:*"]).await;
    assert_eq!(keys, Vec::<String>::new());
}
