//! Repeated requests about competitions.

use domain::{Capacity, CompetitionId, CompetitionPatch, ReadOnlyCompetition, Reason, Rejection};
use store::Error;
use store::competitions::NewCompetition;

use super::{repeat, reused};
use crate::world::{World, details, new_competition, new_request, places, rejection};

fn reason(text: &str) -> Reason {
    Reason::parse(text).expect("a reason")
}

fn capacity(places: i64) -> CompetitionPatch {
    CompetitionPatch {
        capacity: Some(Capacity::parse(places).ok()),
        ..CompetitionPatch::default()
    }
}

#[tokio::test]
async fn a_repeated_creation_returns_the_first_competition() {
    let world = World::new().await;
    let by = &world.organiser;
    let new = new_competition(details(places(1)));
    let made = repeat(&world, async || {
        world.admin.create_competition(by, new.clone()).await
    })
    .await;
    let other = NewCompetition {
        details: details(places(2)),
        ..new.clone()
    };
    reused(world.admin.create_competition(by, other).await);
    // Also after the competition has changed.
    world
        .admin
        .publish_competition(by, &made.id, new_request())
        .await
        .expect("published");
    let again = world
        .admin
        .create_competition(by, new)
        .await
        .expect("the first result");
    assert_eq!(again, made);

    let slug = CompetitionId::parse("spring-cup").ok();
    let named = NewCompetition {
        id: slug,
        ..new_competition(details(places(1)))
    };
    repeat(&world, async || {
        world.admin.create_competition(by, named.clone()).await
    })
    .await;
    let taken = NewCompetition {
        request_id: new_request(),
        ..named
    };
    let answer = world.admin.create_competition(by, taken).await;
    assert_eq!(rejection(answer), Rejection::CompetitionIdTaken);
}

#[tokio::test]
async fn a_repeated_update_returns_the_first_result_and_promotes_nobody_again() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    for user in world.people(130).await {
        world.register(&user, &cup).await.expect("in");
    }
    let read = world
        .admin
        .get_competition(&cup)
        .await
        .expect("a competition");
    let update = async |patch: &CompetitionPatch, request| {
        let by = &world.organiser;
        world
            .admin
            .update_competition(
                by,
                &cup,
                patch,
                &ReadOnlyCompetition::default(),
                Some(&read.etag()),
                request,
            )
            .await
    };
    let request = new_request();
    // Makes more than a hundred promotions, and has an outdated etag the second time.
    let updated = repeat(&world, async || update(&capacity(120), request).await).await;
    assert_eq!(
        (updated.confirmed_count, updated.waitlisted_count),
        (120, 10)
    );
    let Err(Error::Rejected(refused)) = update(&capacity(121), request).await else {
        panic!("a different request");
    };
    assert!(
        matches!(refused.rejection, Rejection::RequestIdReused),
        "{refused:?}"
    );
    world.capacity(&cup, 130).await.expect("larger");
    let again = update(&capacity(120), request)
        .await
        .expect("the first result");
    assert_eq!(again, updated);
}

#[tokio::test]
async fn a_repeated_update_of_a_draft_that_was_deleted_since_returns_the_first_result() {
    let world = World::new().await;
    let draft = world.draft(places(1)).await;
    let (by, request) = (&world.organiser, new_request());
    let update = async |patch: CompetitionPatch| {
        world
            .admin
            .update_competition(
                by,
                &draft,
                &patch,
                &ReadOnlyCompetition::default(),
                None,
                request,
            )
            .await
    };
    let updated = update(capacity(7)).await.expect("larger");
    world
        .admin
        .delete_competition(by, &draft, new_request())
        .await
        .expect("deleted");
    let again = update(capacity(7)).await.expect("the first result");
    assert_eq!(again, updated);
    let Err(error) = update(capacity(8)).await else {
        panic!("a different request");
    };
    reused(Err::<(), _>(error));
}

#[tokio::test]
async fn repeated_publications_cancellations_and_deletions_change_nothing() {
    let world = World::new().await;
    let (by, cup) = (&world.organiser, world.draft(places(1)).await);
    let request = new_request();
    repeat(&world, async || {
        world.admin.publish_competition(by, &cup, request).await
    })
    .await;
    reused(
        world
            .admin
            .cancel_competition(by, &cup, &reason("storm"), request)
            .await,
    );
    let request = new_request();
    let cancel = async |text: &str| {
        world
            .admin
            .cancel_competition(by, &cup, &reason(text), request)
            .await
    };
    repeat(&world, async || cancel("storm").await).await;
    reused(cancel("flood").await);

    let draft = world.draft(places(1)).await;
    let request = new_request();
    repeat(&world, async || {
        world.admin.delete_competition(by, &draft, request).await
    })
    .await;
    reused(world.admin.publish_competition(by, &draft, request).await);
}
