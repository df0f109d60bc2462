//! The round trips of lists and registrations.

use domain::RegistrationState::Confirmed;
use domain::{CompetitionState, RequestId, Revision};
use store::competitions::ListCompetitions;
use store::{AdminStore, UserStore};

use super::competitions::drafts;
use super::{counted, list};
use crate::world::{World, first_page, join_all, new_request, places};

#[tokio::test]
async fn every_list_takes_at_most_three_round_trips_for_a_page_of_any_size() {
    let world = World::new().await;
    let made = drafts(&world, 0..250).await;
    let by = &world.organiser;
    let cup = made[0].id.clone();
    world
        .admin
        .publish_competition(by, &cup, new_request())
        .await
        .expect("published");
    let people = world.people(220).await;
    for answer in join_all(people.iter().map(|user| world.register(user, &cup))).await {
        answer.expect("in");
    }
    let page = first_page(200);

    let (redis, round_trips) = counted(&world, "admin-service").await;
    let admin = AdminStore::new(&redis);
    admin.get_competition(&cup).await.expect("connected");
    let (found, trips) = round_trips
        .count(admin.list_competitions(&list(page.clone())))
        .await;
    assert_eq!((found.expect("a page").items.len(), trips), (200, 2));
    // The filter skips most competitions, so the catalogue is read twice.
    let states = vec![CompetitionState::Published];
    let filtered = ListCompetitions {
        states,
        ..list(page.clone())
    };
    let (found, trips) = round_trips.count(admin.list_competitions(&filtered)).await;
    assert_eq!((found.expect("a page").items.len(), trips), (1, 3));
    let (found, trips) = round_trips
        .count(admin.list_registrations(&cup, &[Confirmed], &page))
        .await;
    assert!(found.is_ok());
    let again = round_trips
        .count(admin.list_registrations(&cup, &[Confirmed], &page))
        .await;
    assert_eq!((again.0.expect("a page").items.len(), again.1), (200, 2));
    assert!(trips <= 4, "at most two more to load the script: {trips}");
    let (found, trips) = round_trips.count(admin.list_users(&page)).await;
    assert_eq!((found.expect("a page").items.len(), trips), (200, 2));
    let (found, trips) = round_trips.count(admin.audit_entries(&cup, &page)).await;
    assert_eq!((found.expect("a page").items.len(), trips), (200, 1));
}

#[tokio::test]
async fn a_registration_takes_two_round_trips_and_a_read_takes_one() {
    let world = World::new().await;
    let cups = [
        world.competition(places(9)).await,
        world.competition(places(9)).await,
    ];
    let (ada, session) = world.sign_up("ada").await;
    world.register(&ada, &cups[0]).await.expect("in");
    let (redis, round_trips) = counted(&world, "user-service").await;
    let user = UserStore::new(&redis);
    // Connects and loads the scripts.
    user.my_registration(&ada, &cups[0]).await.expect("in");
    let (bob, _) = world.sign_up("bob").await;
    let (first, trips) = round_trips
        .count(user.register(&bob, &cups[1], RequestId::random()))
        .await;
    // The first one of a process asks first whether the competition takes it.
    assert_eq!((first.expect("in").revision, trips), (Revision::new(3), 2));
    let registering = async {
        let caller = user.user_session(&session.token).await;
        let caller = caller.expect("a reply").expect("ada");
        user.register(&caller, &cups[1], RequestId::random()).await
    };
    let (registered, trips) = round_trips.count(registering).await;
    assert_eq!(
        (registered.expect("in").revision, trips),
        (Revision::new(4), 2)
    );
    let (found, trips) = round_trips
        .count(user.get_public_competition(&cups[1]))
        .await;
    assert_eq!(
        (found.expect("a competition").confirmed_count, trips),
        (2, 1)
    );
    let (found, trips) = round_trips
        .count(user.my_registrations(&ada, &first_page(20)))
        .await;
    assert_eq!((found.expect("a page").items.len(), trips), (2, 2));
}
