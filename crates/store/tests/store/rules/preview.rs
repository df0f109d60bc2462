//! A preview returns what a registration would return, and changes nothing.

use domain::RegistrationState::{Confirmed, Waitlisted};
use domain::Rejection;

use crate::world::{DAY, World, new_request, places, rejected, rejection};

#[tokio::test]
async fn a_preview_returns_what_the_registration_returns_and_changes_nothing() {
    let world = World::new().await;
    let people = world.people(4).await;
    let cup = world.competition(places(1).waitlist(1)).await;
    let mut seen = Vec::new();
    for user in &people[..3] {
        let before = world.everything().await;
        let preview = world
            .user
            .preview_registration(user, &cup, new_request())
            .await;
        assert!(world.everything().await == before, "nothing changes");
        let real = world.register(user, &cup).await;
        match (preview, real) {
            (Ok(preview), Ok(real)) => {
                let moments = domain::Registration {
                    created_at: real.created_at,
                    updated_at: real.updated_at,
                    ..preview
                };
                assert_eq!(moments, real);
                seen.push(real.state);
            }
            (preview, real) => assert_eq!(rejected(preview), rejected(real)),
        }
    }
    assert_eq!(seen, [Confirmed, Waitlisted]);
    let preview = world
        .user
        .preview_registration(&people[0], &cup, new_request())
        .await;
    assert_eq!(rejection(preview), Rejection::AlreadyRegistered);
    world.time_passes(&cup, 2 * DAY).await;
    let preview = world
        .user
        .preview_registration(&people[3], &cup, new_request())
        .await;
    let real = world.register(&people[3], &cup).await;
    assert_eq!(rejected(preview), rejected(real));
}

#[tokio::test]
async fn a_preview_counts_promotions_that_are_due_without_making_them() {
    let world = World::new().await;
    let people = world.people(5).await;
    let cup = world.competition(places(1)).await;
    for user in &people[..4] {
        world.register(user, &cup).await.expect("in");
    }
    let meta = format!("c:{{{cup}}}:meta");
    let _: i64 = world.root(&["HSET", &meta, "capacity", "3"]).await;
    let before = world.everything().await;
    let preview = world
        .user
        .preview_registration(&people[4], &cup, new_request())
        .await;
    assert!(world.everything().await == before, "nothing changes");
    let (preview, real) = (
        preview.expect("a preview"),
        world.register(&people[4], &cup).await,
    );
    let real = real.expect("queued");
    assert_eq!(
        (preview.waitlist_position, preview.revision),
        (Some(2), real.revision)
    );
    assert_eq!(real.waitlist_position, Some(2));
}
