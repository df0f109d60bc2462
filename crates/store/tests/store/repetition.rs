//! The same request id again: no second effect, the same answer. With another body it is refused.

use std::collections::HashMap;

use domain::{
    Capacity, CompetitionId, CompetitionPatch, DisplayName, ProfilePatch, Reason, Rejection,
    RequestId, Role, UserId,
};
use store::Error;
use store::competitions::{NewCompetition, UpdateError};
use store::registrations::AddOptions;
use store::users::NewUser;

use crate::world::{
    World, details, join_all, new_admin, new_competition, new_request, new_user, password, places,
    profile, rejection,
};

/// All keys but a user's index, which every call writes anew.
async fn truth(world: &World) -> HashMap<String, Vec<u8>> {
    let mut all = world.everything().await;
    all.retain(|key, _| !key.ends_with(":competitions") && !key.ends_with(":added"));
    all
}

/// Makes a call twice, and finds the same answer and nothing changed by the second one.
async fn repeat<T: PartialEq + std::fmt::Debug, E: std::fmt::Debug>(
    world: &World,
    mut call: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let first = call().await.expect("an answer");
    let before = truth(world).await;
    let second = call().await.expect("the same answer");
    assert_eq!(second, first);
    assert!(truth(world).await == before, "a repetition changes nothing");
    second
}

fn reused<T: std::fmt::Debug>(answer: store::Result<T>) {
    assert_eq!(rejection(answer), Rejection::RequestIdReused);
}

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
async fn registering() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let (ada, bob) = (world.person().await, world.person().await);
    let request = new_request();
    repeat(&world, async || {
        world.user.register(&ada, &cup, request).await
    })
    .await;
    let request = new_request();
    let queued = repeat(&world, async || {
        world.user.register(&bob, &cup, request).await
    })
    .await;
    assert_eq!(queued.waitlist_position, Some(1));
    // The same answer also after the queue has moved, and after the registration has ended.
    world.withdraw(&ada, &cup).await.expect("withdrawn");
    let again = world
        .user
        .register(&bob, &cup, request)
        .await
        .expect("the first answer");
    assert_eq!(again, queued);
    reused(world.user.withdraw(&bob, &cup, request).await);
    world.withdraw(&bob, &cup).await.expect("withdrawn");
    let again = world
        .user
        .register(&bob, &cup, request)
        .await
        .expect("the first answer");
    assert_eq!(again, queued);
    assert_eq!(world.counts(&cup).await, (0, 0));
}

#[tokio::test]
async fn a_preview_of_a_request_that_was_made_answers_as_it_did() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let ada = world.person().await;
    let request = new_request();
    let made = world.user.register(&ada, &cup, request).await.expect("in");
    let preview = world
        .user
        .preview_registration(&ada, &cup, request)
        .await
        .expect("the same");
    assert_eq!(preview, made);
}

#[tokio::test]
async fn withdrawing() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let (ada, bob) = (world.person().await, world.person().await);
    world.register(&ada, &cup).await.expect("in");
    world.register(&bob, &cup).await.expect("queued");
    let request = new_request();
    let gone = repeat(&world, async || {
        world.user.withdraw(&ada, &cup, request).await
    })
    .await;
    assert_eq!(world.counts(&cup).await, (1, 0), "one promotion, not two");
    reused(world.user.register(&ada, &cup, request).await);
    world.register(&ada, &cup).await.expect("back");
    let again = world
        .user
        .withdraw(&ada, &cup, request)
        .await
        .expect("the first answer");
    assert_eq!(again, gone);
    assert_eq!(world.counts(&cup).await, (1, 1), "and no second effect");
}

#[tokio::test]
async fn adding() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let ada = world.person().await;
    let add = async |options, request| {
        world
            .admin
            .add_registration(&world.organiser, &cup, &ada, options, request)
            .await
    };
    let request = new_request();
    let added = repeat(&world, async || add(AddOptions::default(), request).await).await;
    reused(
        add(
            AddOptions {
                ignore_window: true,
                over_capacity: false,
            },
            request,
        )
        .await,
    );
    reused(world.user.register(&ada, &cup, request).await);
    // Also after the user has come back alone: it was an organiser who was answered.
    world.withdraw(&ada, &cup).await.expect("withdrawn");
    world.register(&ada, &cup).await.expect("back");
    let again = add(AddOptions::default(), request)
        .await
        .expect("the first answer");
    assert_eq!(again, added);
}

#[tokio::test]
async fn removing() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let people = world.people(3).await;
    for user in &people {
        world.register(user, &cup).await.expect("in");
    }
    let remove = async |text: &str, request| {
        let by = &world.organiser;
        world
            .admin
            .remove_registration(by, &cup, &people[0], &reason(text), request)
            .await
    };
    let request = new_request();
    let removed = repeat(&world, async || remove("no licence", request).await).await;
    assert_eq!(removed.registration.removal_reason, reason("no licence"));
    assert_eq!(world.counts(&cup).await, (1, 1), "one promotion, not two");
    reused(remove("another reason", request).await);
}

#[tokio::test]
async fn only_the_last_eight_requests_of_a_registration_are_kept() {
    let world = World::new().await;
    let cup = world.competition(places(2)).await;
    let ada = world.person().await;
    let requests: Vec<_> = (0..10).map(|_| new_request()).collect();
    let mut answers = Vec::new();
    for (n, request) in requests.iter().enumerate() {
        let answer = if n % 2 == 0 {
            world.user.register(&ada, &cup, *request).await
        } else {
            world.user.withdraw(&ada, &cup, *request).await
        };
        answers.push(answer.expect("a change"));
    }
    let revision = world
        .user
        .get_competition(&cup)
        .await
        .expect("a competition")
        .revision;
    for n in 2..10 {
        let again = if n % 2 == 0 {
            world.user.register(&ada, &cup, requests[n]).await
        } else {
            world.user.withdraw(&ada, &cup, requests[n]).await
        };
        assert_eq!(again.expect("the first answer"), answers[n]);
    }
    let found = world
        .user
        .get_competition(&cup)
        .await
        .expect("a competition");
    assert_eq!(found.revision, revision);
    // The ninth last is as good as new.
    let anew = world.user.withdraw(&ada, &cup, requests[1]).await;
    assert_eq!(rejection(anew), Rejection::NotRegistered);
    let anew = world
        .user
        .register(&ada, &cup, requests[0])
        .await
        .expect("in");
    assert!(anew.revision > revision);
}

#[tokio::test]
async fn creating_a_competition() {
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
    // Also after it has changed.
    world
        .admin
        .publish_competition(by, &made.id, new_request())
        .await
        .expect("published");
    let again = world
        .admin
        .create_competition(by, new)
        .await
        .expect("the first answer");
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
async fn updating_a_competition() {
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
            .update_competition(by, &cup, patch, Some(&read.etag()), request)
            .await
    };
    let request = new_request();
    // More than a hundred promotions, and an etag that is old the second time.
    let updated = repeat(&world, async || update(&capacity(120), request).await).await;
    assert_eq!(
        (updated.confirmed_count, updated.waitlisted_count),
        (120, 10)
    );
    let Err(UpdateError::Store(Error::Rejected(refused))) = update(&capacity(121), request).await
    else {
        panic!("another body");
    };
    // The etag is looked at first, and says no as well.
    assert!(
        matches!(refused.rejection, Rejection::RequestIdReused),
        "{refused:?}"
    );
    world.capacity(&cup, 130).await.expect("larger");
    let again = update(&capacity(120), request)
        .await
        .expect("the first answer");
    assert_eq!(again, updated);
}

#[tokio::test]
async fn publishing_cancelling_and_deleting() {
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

#[tokio::test]
async fn signing_up() {
    let world = World::new().await;
    let new = new_user("ada");
    let sign_up = async |new: &NewUser| {
        let (user, session) = world.user.sign_up(new, &password("ada")).await?;
        Ok::<_, Error>((user, session.token, session.expires_at))
    };
    repeat(&world, async || sign_up(&new).await).await;
    let other = NewUser {
        profile: profile("grace"),
        ..new.clone()
    };
    reused(sign_up(&other).await);
    let others_request = NewUser {
        request_id: new_request(),
        ..new
    };
    assert_eq!(
        rejection(sign_up(&others_request).await),
        Rejection::EmailTaken
    );
}

#[tokio::test]
async fn signing_up_sent_twice_at_once_makes_one_account() {
    let world = World::new().await;
    let new = new_user("ada");
    let secret = password("ada");
    let answers = join_all((0..8).map(|_| world.user.sign_up(&new, &secret))).await;
    let mut ids: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.expect("an account").0.id)
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn changing_a_profile() {
    let world = World::new().await;
    let ada = world.person().await;
    let read = world.user.get_user(&ada).await.expect("a user");
    let update = async |name: &str, request: RequestId| {
        let patch = ProfilePatch {
            display_name: DisplayName::parse(name).ok(),
            ..ProfilePatch::default()
        };
        world
            .user
            .update_user(&ada, &patch, Some(&read.etag()), request)
            .await
    };
    let request = new_request();
    let updated = repeat(&world, async || update("Ada", request).await).await;
    assert_eq!(
        (updated.profile.display_name.as_str(), updated.version),
        ("Ada", 2)
    );
    reused(update("Countess", request).await);
    assert_eq!(
        rejection(update("Countess", new_request()).await),
        Rejection::EtagMismatch
    );
}

#[tokio::test]
async fn changing_a_password() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let (old, new) = (password("ada"), password("better"));
    let change = async |request| {
        world
            .user
            .change_password(&ada, &old, &new, session.token.hash(), request)
            .await
    };
    let request = new_request();
    assert!(
        !world
            .user
            .user_request_is_known(&ada, request)
            .await
            .expect("an answer")
    );
    repeat(&world, async || change(request).await).await;
    assert!(
        world
            .user
            .user_request_is_known(&ada, request)
            .await
            .expect("an answer")
    );
    assert_eq!(
        rejection(change(new_request()).await),
        Rejection::Unauthenticated
    );

    let update = new_request();
    let patch = ProfilePatch::default();
    world
        .user
        .update_user(&ada, &patch, None, update)
        .await
        .expect("updated");
    let hash = session.token.hash();
    reused(
        world
            .user
            .change_password(&ada, &new, &old, hash, update)
            .await,
    );
}

#[tokio::test]
async fn deleting_an_account() {
    let world = World::new().await;
    let (ada, session) = world.sign_up("ada").await;
    let hash = session.token.hash();
    let request = new_request();
    world
        .user
        .erase_user(&ada, &password("ada"), hash, request)
        .await
        .expect("erased");
    // The token finds out which request it was, and nothing else.
    assert_eq!(
        world
            .user
            .user_session(&session.token)
            .await
            .expect("an answer"),
        None
    );
    let known = world
        .user
        .user_session_or_erased(&session.token)
        .await
        .expect("an answer");
    assert_eq!(known.as_ref(), Some(&ada));
    assert_eq!(
        world.user.erased_by(&ada, hash).await.expect("an answer"),
        Some(request)
    );
}

#[tokio::test]
async fn making_and_disabling_an_admin() {
    let world = World::new().await;
    let by = &world.organiser;
    let new = new_admin("vera", Role::Viewer);
    let secret = password("vera");
    let create = async |new: &store::admins::NewAdmin| {
        world.admin.create_admin(by.as_str(), new, &secret).await
    };
    let vera = repeat(&world, async || create(&new).await).await;
    reused(
        create(&store::admins::NewAdmin {
            role: Role::Owner,
            ..new.clone()
        })
        .await,
    );

    let request = new_request();
    let disable = async |id| world.admin.disable_admin(by, id, request).await;
    let disabled = repeat(&world, async || disable(&vera.id).await).await;
    assert!(disabled.disabled);
    let anew = world.admin.disable_admin(by, &vera.id, new_request()).await;
    assert!(anew.expect("it stays disabled").disabled);
}

#[tokio::test]
async fn one_id_for_two_people_is_two_requests() {
    let world = World::new().await;
    let cup = world.competition(places(5)).await;
    let people: Vec<UserId> = world.people(2).await;
    let request = new_request();
    for user in &people {
        world.user.register(user, &cup, request).await.expect("in");
    }
    assert_eq!(world.counts(&cup).await, (2, 0));
}
