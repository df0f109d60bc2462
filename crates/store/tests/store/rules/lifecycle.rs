//! Rule 8: drafts and cancelled competitions.

use domain::{AddOptions, CompetitionState, Rejection};
use store::Error;

use crate::world::{World, first_page, new_request, places, rejection};

#[tokio::test]
async fn rule_8_cancelling_keeps_the_records_and_stops_registration() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let people = world.people(3).await;
    world.register(&people[0], &cup).await.expect("in");
    world.register(&people[1], &cup).await.expect("queued");
    let cancelled = world.cancel(&cup).await.expect("cancelled");
    assert_eq!(cancelled.state, CompetitionState::Cancelled);
    assert_eq!(
        (cancelled.confirmed_count, cancelled.waitlisted_count),
        (1, 1)
    );
    let refused = rejection(world.register(&people[2], &cup).await);
    assert_eq!(refused, Rejection::CompetitionCancelled);
    let options = AddOptions {
        ignore_window: true,
        over_capacity: true,
    };
    let refused = rejection(world.add(&people[2], &cup, options).await);
    assert_eq!(refused, Rejection::CompetitionCancelled);
    assert_eq!(
        rejection(world.cancel(&cup).await),
        Rejection::CompetitionCancelled
    );
    let refused = world.capacity(&cup, 2).await.expect_err("it is over");
    assert!(matches!(refused, Error::Rejected(_)), "{refused:?}");
    world.withdraw(&people[0], &cup).await.expect("withdrawn");
    assert_eq!(world.counts(&cup).await, (0, 1), "nobody is promoted");
    let seen = world
        .user
        .get_public_competition(&cup)
        .await
        .expect("users see it");
    assert_eq!(seen.state, CompetitionState::Cancelled);
}

#[tokio::test]
async fn rule_8_a_draft_does_not_exist_for_users() {
    let world = World::new().await;
    let draft = world.draft(places(1)).await;
    let ada = world.person().await;
    let not_found = Rejection::CompetitionNotFound;
    assert_eq!(
        rejection(world.user.get_public_competition(&draft).await),
        not_found
    );
    assert_eq!(rejection(world.register(&ada, &draft).await), not_found);
    let preview = world
        .user
        .preview_registration(&ada, &draft, new_request())
        .await;
    assert_eq!(rejection(preview), not_found);
    assert_eq!(rejection(world.withdraw(&ada, &draft).await), not_found);
    assert_eq!(
        rejection(world.user.my_registration(&ada, &draft).await),
        not_found
    );
    let mine = world
        .user
        .my_registrations(&ada, &first_page(10))
        .await
        .expect("a list");
    assert_eq!(mine.items, []);
    let refused = rejection(world.add(&ada, &draft, AddOptions::default()).await);
    assert_eq!(refused, Rejection::CompetitionNotPublished, "admins see it");
    assert_eq!(
        rejection(world.cancel(&draft).await),
        Rejection::CompetitionNotPublished
    );
}

#[tokio::test]
async fn rule_8_only_a_draft_is_published_or_deleted() {
    let world = World::new().await;
    let (by, draft) = (&world.organiser, world.draft(places(1)).await);
    world
        .admin
        .delete_competition(by, &draft, new_request())
        .await
        .expect("deleted");
    let gone = world.admin.get_competition(&draft).await;
    assert_eq!(rejection(gone), Rejection::CompetitionNotFound);
    assert_eq!(world.log(&draft).await.len(), 2, "its log is kept");

    let cup = world.competition(places(1)).await;
    let again = world
        .admin
        .publish_competition(by, &cup, new_request())
        .await;
    assert_eq!(rejection(again), Rejection::CompetitionNotDraft);
    let deleted = world
        .admin
        .delete_competition(by, &cup, new_request())
        .await;
    assert_eq!(rejection(deleted), Rejection::CompetitionNotDraft);
    world.cancel(&cup).await.expect("cancelled");
    let again = world
        .admin
        .publish_competition(by, &cup, new_request())
        .await;
    assert_eq!(rejection(again), Rejection::CompetitionCancelled);
}
