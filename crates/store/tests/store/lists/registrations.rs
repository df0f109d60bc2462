//! Lists of registrations and of log entries.

use std::collections::{HashMap, HashSet};

use domain::RegistrationState::{Confirmed, Removed, Waitlisted, Withdrawn};
use store::registrations::OrganiserRegistration;
use store::{Listed, PageRequest};

use super::{all_pages, nothing};
use crate::world::{World, first_page, places};

#[tokio::test]
async fn registrations_are_listed_once_each_in_the_order_of_revision() {
    let world = World::new().await;
    let cup = world.competition(places(10)).await;
    let people = world.people(60).await;
    for round in 0..6 {
        for (n, user) in people.iter().enumerate() {
            // A call that does not fit the state of the user is refused.
            match (n + round) % 3 {
                0 => drop(world.register(user, &cup).await),
                1 if round == 5 && n % 4 == 0 => drop(world.remove(user, &cup).await),
                1 => drop(world.withdraw(user, &cup).await),
                _ => {}
            }
        }
    }
    let mut expected = HashMap::new();
    for user in &people {
        if let Ok(entry) = world.admin.get_registration(&cup, user).await {
            expected.insert(user.clone(), entry);
        }
    }
    let log = world.log(&cup).await.len();
    assert!(
        log > 3 * expected.len(),
        "most log entries are of former states: {log}"
    );
    let all = [Confirmed, Waitlisted, Withdrawn, Removed];
    for size in [1, 9, 200] {
        let read = async |page| {
            world
                .admin
                .list_registrations(&cup, &all, &page)
                .await
                .expect("a page")
        };
        let found: Vec<OrganiserRegistration> = all_pages(size, read, nothing).await;
        assert!(found.is_sorted_by_key(|entry| entry.registration.revision));
        assert_eq!(found.len(), expected.len());
        for entry in found {
            assert_eq!(Some(&entry), expected.get(&entry.registration.user_id));
            assert!(entry.user.is_some(), "with the user");
        }
    }
    for state in all {
        let read = async |page| {
            world
                .admin
                .list_registrations(&cup, &[state], &page)
                .await
                .expect("a page")
        };
        let found = all_pages(5, read, nothing).await;
        let due = expected
            .values()
            .filter(|entry| entry.registration.state == state)
            .count();
        assert_eq!(found.len(), due, "{state:?}");
        assert!(due > 0, "there are some in the state {state:?}");
    }
}

#[tokio::test]
async fn a_registration_that_changes_between_two_pages_is_listed() {
    let world = World::new().await;
    let cup = world.competition(places(50)).await;
    let people = world.people(30).await;
    for user in &people {
        world.register(user, &cup).await.expect("in");
    }
    let all = [Confirmed, Waitlisted, Withdrawn, Removed];
    let read = async |page| {
        world
            .admin
            .list_registrations(&cup, &all, &page)
            .await
            .expect("a page")
    };
    let between = async |number| {
        if number == 1 {
            for user in &people[5..15] {
                world.withdraw(user, &cup).await.expect("withdrawn");
            }
        }
    };
    let found = all_pages(10, read, between).await;
    let seen: HashSet<_> = found
        .iter()
        .map(|entry| &entry.registration.user_id)
        .collect();
    assert_eq!(seen.len(), people.len());
    assert_eq!(
        found.len(),
        35,
        "five were on the first page, and come again with their new revision"
    );
}

#[tokio::test]
async fn the_log_is_listed_from_the_first_revision_on() {
    let world = World::new().await;
    let cup = world.competition(places(5)).await;
    for user in world.people(20).await {
        world.register(&user, &cup).await.expect("in");
    }
    for size in [1, 4, 11, 22, 200] {
        let read = async |page| {
            world
                .admin
                .audit_entries(&cup, &page)
                .await
                .expect("a page")
        };
        let found = all_pages(size, read, nothing).await;
        let revisions: Vec<_> = found.iter().map(|entry| entry.revision.get()).collect();
        assert_eq!(revisions, (1..=22).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn the_cursor_of_any_item_continues_the_list() {
    let world = World::new().await;
    let cup = world.competition(places(5)).await;
    for user in world.people(5).await {
        world.register(&user, &cup).await.expect("in");
    }
    let whole = world
        .admin
        .list_registrations(&cup, &[Confirmed], &first_page(5))
        .await
        .expect("a page");
    let rest = PageRequest {
        size: 5,
        after: Some(whole.items[1].cursor()),
    };
    let rest = world
        .admin
        .list_registrations(&cup, &[Confirmed], &rest)
        .await
        .expect("a page");
    assert_eq!(rest.items, whole.items[2..]);
}
