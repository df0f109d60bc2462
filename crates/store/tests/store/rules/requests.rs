//! Rules 11 and 12: the request id and the etag. See `repetition` for more of rule 11.

use domain::RegistrationState::Confirmed;
use domain::{Capacity, CompetitionPatch, ReadOnlyCompetition, Rejection, WaitlistCapacity};
use store::Error;

use super::IGNORE_WINDOW;
use crate::world::{World, first_page, join_all, new_request, places, rejection};

#[tokio::test]
async fn rule_11_a_refused_request_is_decided_again() {
    let world = World::new().await;
    let cup = world.competition(places(1).waitlist(0)).await;
    let (ada, bob) = (world.person().await, world.person().await);
    world.register(&ada, &cup).await.expect("in");
    let request = new_request();
    let full = rejection(world.user.register(&bob, &cup, request).await);
    assert!(
        matches!(full, Rejection::CompetitionFull { .. }),
        "{full:?}"
    );
    world.withdraw(&ada, &cup).await.expect("withdrawn");
    let now = world
        .user
        .register(&bob, &cup, request)
        .await
        .expect("there is a place now");
    assert_eq!(now.state, Confirmed);
}

#[tokio::test]
async fn rule_11_an_unknown_competition_is_not_found() {
    let world = World::new().await;
    let ada = world.person().await;
    let nowhere = domain::CompetitionId::parse("nowhere").expect("an id");
    let not_found = Rejection::CompetitionNotFound;
    assert_eq!(rejection(world.register(&ada, &nowhere).await), not_found);
    assert_eq!(rejection(world.withdraw(&ada, &nowhere).await), not_found);
    assert_eq!(rejection(world.remove(&ada, &nowhere).await), not_found);
    assert_eq!(
        rejection(world.add(&ada, &nowhere, IGNORE_WINDOW).await),
        not_found
    );
    assert_eq!(rejection(world.cancel(&nowhere).await), not_found);
    assert_eq!(
        rejection(world.admin.get_registration(&nowhere, &ada).await),
        not_found
    );
    let page = first_page(10);
    assert_eq!(
        rejection(world.admin.audit_entries(&nowhere, &page).await),
        not_found
    );
    assert_eq!(
        rejection(
            world
                .admin
                .list_registrations(&nowhere, &[Confirmed], &page)
                .await
        ),
        not_found
    );
}

#[tokio::test]
async fn rule_12_an_outdated_etag_is_refused_and_an_absent_one_is_not_checked() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let by = &world.organiser;
    let read = world
        .admin
        .get_competition(&cup)
        .await
        .expect("a competition");
    let venue = |name: &str| CompetitionPatch {
        venue: Some(domain::Venue::parse(name).expect("a venue")),
        ..CompetitionPatch::default()
    };
    let etag = read.etag();
    let update = async |name: &str, etag| {
        world
            .admin
            .update_competition(
                by,
                &cup,
                &venue(name),
                &ReadOnlyCompetition::default(),
                etag,
                new_request(),
            )
            .await
    };
    world
        .register(&world.person().await, &cup)
        .await
        .expect("in");
    let first = update("Park", Some(&etag))
        .await
        .expect("a registration changes no etag");
    assert_ne!(first.etag(), etag);
    let Err(Error::Rejected(refused)) = update("Lake", Some(&etag)).await else {
        panic!("the etag is outdated");
    };
    assert_eq!(refused.rejection, Rejection::EtagMismatch);
    let found = world
        .admin
        .get_competition(&cup)
        .await
        .expect("a competition");
    assert_eq!(found.details.venue.as_str(), "Park");
    let last = update("Lake", None).await.expect("it has no etag");
    assert_eq!(last.details.venue.as_str(), "Lake");
}

#[tokio::test]
async fn rule_12_concurrent_updates_without_an_etag_are_all_made() {
    let world = World::new().await;
    let cup = world.competition(places(100)).await;
    let patch = |n: i64| match n % 2 {
        0 => CompetitionPatch {
            capacity: Some(Capacity::parse(200 + n).ok()),
            ..CompetitionPatch::default()
        },
        _ => CompetitionPatch {
            waitlist_capacity: Some(WaitlistCapacity::parse(n).ok()),
            ..CompetitionPatch::default()
        },
    };
    for answer in join_all((0..8).map(|n| world.update(&cup, patch(n)))).await {
        answer.expect("made");
    }
    assert_eq!(world.log(&cup).await.len(), 2 + 8);
}
