//! Lists, in pages: complete and in order, whatever happens between the pages, and in few round trips.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::RegistrationState::{Confirmed, Removed, Waitlisted, Withdrawn};
use domain::competition::Moments;
use domain::{
    Competition, CompetitionId, CompetitionPatch, CompetitionState, RequestId, Revision, Role,
    Schedule, Timestamp, UserId,
};
use store::competitions::{ListCompetitions, NewCompetition};
use store::registrations::Entry;
use store::{Cursor, Listed, Page, PageRequest, Store};

use crate::round_trips::Counter;
use crate::world::{
    DAY, HOUR, Limits, World, details, eventually, first_page, join_all, new_admin,
    new_competition, new_request, password, places,
};

/// All items of a list, page by page; `between` is called after each page.
async fn all_pages<T>(
    size: usize,
    mut read: impl AsyncFnMut(PageRequest) -> Page<T>,
    mut between: impl AsyncFnMut(usize),
) -> Vec<T> {
    let mut items = Vec::new();
    let mut page = first_page(size);
    for number in 1.. {
        let found = read(page.clone()).await;
        assert!(
            found.items.len() <= size,
            "a page holds no more than was asked for"
        );
        items.extend(found.items);
        between(number).await;
        let Some(next) = found.next else { break };
        assert_ne!(Some(&next), page.after.as_ref(), "a page leads on");
        page.after = Some(next);
    }
    items
}

async fn nothing(_: usize) {}

fn list(page: PageRequest) -> ListCompetitions {
    ListCompetitions {
        states: Vec::new(),
        open_at: None,
        starts_after: None,
        starts_before: None,
        page,
    }
}

/// A draft that starts so many hours after the usual start.
fn starting(hours: i64) -> NewCompetition {
    let mut new = new_competition(details(Limits::default()));
    let usual = new.details.schedule.moments();
    let later = |moment: Timestamp| {
        Timestamp::from_millis(moment.as_millis() + hours * HOUR).expect("a moment")
    };
    let schedule = Schedule::parse(Moments {
        starts_at: later(usual.starts_at),
        ends_at: later(usual.ends_at),
        ..usual
    });
    new.details.schedule = schedule.expect("a schedule");
    new
}

/// Drafts with these starts, in hours after the usual one.
async fn drafts(world: &World, hours: impl IntoIterator<Item = i64>) -> Vec<Competition> {
    // One usual start for all of them, so that there are ties.
    let usual = starting(0).details.schedule.moments().starts_at.as_millis();
    let new = hours.into_iter().map(|hours| {
        let mut new = starting(hours);
        let drift = new.details.schedule.moments().starts_at.as_millis() - usual - hours * HOUR;
        let moments = new.details.schedule.moments();
        let back = |moment: Timestamp| {
            Timestamp::from_millis(moment.as_millis() - drift).expect("a moment")
        };
        let schedule = Schedule::parse(Moments {
            starts_at: back(moments.starts_at),
            ends_at: back(moments.ends_at),
            ..moments
        });
        new.details.schedule = schedule.expect("a schedule");
        new
    });
    let mut made = Vec::new();
    for some in new.collect::<Vec<_>>().chunks(100) {
        let calls = some.iter().map(|new| {
            world
                .admin
                .create_competition(&world.organiser, new.clone())
        });
        for answer in join_all(calls).await {
            made.push(answer.expect("a draft"));
        }
    }
    made
}

fn in_order(mut competitions: Vec<Competition>) -> Vec<CompetitionId> {
    competitions.sort_by_key(|one| (one.details.schedule.moments().starts_at, one.id.clone()));
    competitions.into_iter().map(|one| one.id).collect()
}

fn ids(competitions: Vec<Competition>) -> Vec<CompetitionId> {
    competitions.into_iter().map(|one| one.id).collect()
}

#[tokio::test]
async fn three_hundred_competitions_with_ties_come_in_the_order_of_start_then_id() {
    let world = World::new().await;
    let made = drafts(&world, (0..300).map(|n| n % 7)).await;
    for size in [1, 7, 50, 200] {
        let read = async |page| {
            world
                .admin
                .list_competitions(&list(page))
                .await
                .expect("a page")
        };
        let found = all_pages(size, read, nothing).await;
        assert_eq!(ids(found), in_order(made.clone()), "in pages of {size}");
    }
}

#[tokio::test]
async fn a_catalogue_that_is_spread_unevenly_is_in_order_too() {
    let world = World::new().await;
    let made = drafts(&world, 0..120).await;
    // Every second one stands in one part, as if chance had it so.
    for (n, id) in in_order(made.clone()).iter().enumerate() {
        let starts_at = made[n].details.schedule.moments().starts_at.as_millis();
        let member = format!("{starts_at:015}:{id}");
        for part in 0..32 {
            let part = format!("catalogue:{{{part:02x}}}");
            let held: i64 = world.root(&["ZREM", &part, &member]).await;
            if held == 1 {
                let part = if n % 2 == 0 { "catalogue:{07}" } else { &part };
                let _: i64 = world.root(&["ZADD", part, "0", &member]).await;
                break;
            }
        }
    }
    for size in [1, 10, 50] {
        let read = async |page| {
            world
                .admin
                .list_competitions(&list(page))
                .await
                .expect("a page")
        };
        let found = all_pages(size, read, nothing).await;
        assert_eq!(ids(found), in_order(made.clone()), "in pages of {size}");
    }
}

#[tokio::test]
async fn pages_lead_on_when_competitions_are_deleted_moved_and_made_between_them() {
    let world = World::new().await;
    let made = drafts(&world, 0..90).await;
    let by = &world.organiser;
    let order = in_order(made);
    let (deleted, moved) = (&order[20..40], &order[60]);
    let read = async |page| {
        world
            .admin
            .list_competitions(&list(page))
            .await
            .expect("a page")
    };
    let between = async |number| {
        if number == 2 {
            // The second page ended with number 29: some are behind it, some before.
            for id in deleted {
                world
                    .admin
                    .delete_competition(by, id, new_request())
                    .await
                    .expect("deleted");
            }
            let later = starting(500).details.schedule.moments();
            let patch = CompetitionPatch {
                starts_at: Some(later.starts_at),
                ends_at: Some(later.ends_at),
                ..CompetitionPatch::default()
            };
            world.update(moved, patch).await.expect("moved");
            drafts(&world, [200]).await;
        }
    };
    let found = ids(all_pages(15, read, between).await);
    let seen: HashSet<_> = found.iter().collect();
    assert_eq!(seen.len(), found.len(), "nothing comes twice");
    for id in order.iter().filter(|id| !deleted[10..].contains(id)) {
        assert!(seen.contains(id), "{id} is not left out");
    }
    assert!(deleted[10..].iter().all(|id| !seen.contains(id)));
    assert_eq!(found.last(), Some(moved), "at its new place");
    assert_eq!(found.len(), 90 - 10 + 1);
}

#[tokio::test]
async fn competitions_are_chosen_by_state_start_and_open_window() {
    let world = World::new().await;
    let made = drafts(&world, 0..30).await;
    let by = &world.organiser;
    let mut open = BTreeSet::new();
    for (n, draft) in made.iter().enumerate().filter(|(n, _)| n % 3 != 0) {
        let id = &draft.id;
        world
            .admin
            .publish_competition(by, id, new_request())
            .await
            .expect("published");
        match n % 4 {
            0 => drop(world.cancel(id).await.expect("cancelled")),
            1 => {
                let closed = CompetitionPatch {
                    registration_closes_at: Timestamp::from_millis(
                        world.user.now().as_millis() - 1,
                    )
                    .ok(),
                    ..CompetitionPatch::default()
                };
                world.update(id, closed).await.expect("closed");
            }
            _ => drop(open.insert(id.clone())),
        }
    }
    let all = async |list: &dyn Fn(PageRequest) -> ListCompetitions| {
        let read = async |page| {
            world
                .user
                .list_competitions(&list(page))
                .await
                .expect("a page")
        };
        all_pages(4, read, nothing).await
    };
    let found = all(&|page| ListCompetitions {
        open_at: Some(world.user.now()),
        ..list(page)
    })
    .await;
    assert_eq!(
        found.into_iter().map(|one| one.id).collect::<BTreeSet<_>>(),
        open
    );
    let cancelled = [CompetitionState::Cancelled];
    let found = all(&|page| ListCompetitions {
        states: cancelled.to_vec(),
        ..list(page)
    })
    .await;
    let expected = (0..30).filter(|n| n % 3 != 0 && n % 4 == 0).count();
    assert_eq!(found.len(), expected);
    assert!(
        found
            .iter()
            .all(|one| one.state == CompetitionState::Cancelled)
    );

    let start = |n: usize| Some(made[n].details.schedule.moments().starts_at);
    let found = all(&|page| ListCompetitions {
        starts_after: start(5),
        starts_before: start(9),
        ..list(page)
    })
    .await;
    let expected: Vec<_> = made[5..9].iter().map(|one| one.id.clone()).collect();
    assert_eq!(
        ids(found),
        expected,
        "from the first moment on, before the second"
    );
}

#[tokio::test]
async fn a_competition_that_is_moved_back_while_its_old_entry_is_taken_away_stays_in_the_list() {
    let world = World::new().await;
    let cup = drafts(&world, [0]).await.remove(0);
    let moments = cup.details.schedule.moments();
    let moved = |days: i64| CompetitionPatch {
        ends_at: Timestamp::from_millis(moments.ends_at.as_millis() + days * DAY).ok(),
        starts_at: Timestamp::from_millis(moments.starts_at.as_millis() + days * DAY).ok(),
        ..CompetitionPatch::default()
    };
    let (slow, counter) = counted(&world, "admin-service").await;
    slow.get_competition(&cup.id).await.expect("connected");
    // So that Redis knows the script.
    world.capacity(&cup.id, 5).await.expect("updated");
    // A look, a look for the request, the new entry, the record; then the old entry would go.
    counter.hold_after(4);
    let (there, by) = (moved(1), &world.organiser);
    let there = slow.update_competition(by, &cup.id, &there, None, new_request());
    let back = async {
        counter.holds().await;
        eventually("it is there", async || {
            let now = world
                .admin
                .get_competition(&cup.id)
                .await
                .expect("a competition");
            now.details.schedule != cup.details.schedule
        })
        .await;
        world.update(&cup.id, moved(0)).await.expect("moved back");
        counter.release();
    };
    let (there, ()) = tokio::join!(there, back);
    there.expect("moved");
    let found = world
        .admin
        .list_competitions(&list(first_page(10)))
        .await
        .expect("a page");
    assert_eq!(ids(found.items), std::slice::from_ref(&cup.id));
}

#[tokio::test]
async fn entries_come_once_each_in_the_order_of_revision_after_much_churn() {
    let world = World::new().await;
    let cup = world.competition(places(10)).await;
    let people = world.people(60).await;
    for round in 0..6 {
        for (n, user) in people.iter().enumerate() {
            // Who is in already, or not, is refused, and left as it is.
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
        if let Ok(entry) = world.admin.get_entry(&cup, user).await {
            expected.insert(user.clone(), entry);
        }
    }
    let log = world.log(&cup).await.len();
    assert!(
        log > 3 * expected.len(),
        "much of the log is no longer current: {log}"
    );
    let all = [Confirmed, Waitlisted, Withdrawn, Removed];
    for size in [1, 9, 200] {
        let read = async |page| {
            world
                .admin
                .list_entries(&cup, &all, &page)
                .await
                .expect("a page")
        };
        let found: Vec<Entry> = all_pages(size, read, nothing).await;
        assert!(found.is_sorted_by_key(|entry| entry.registration.revision));
        assert_eq!(found.len(), expected.len());
        for entry in found {
            assert_eq!(Some(&entry), expected.get(&entry.registration.user_id));
            assert!(entry.user.is_some(), "with who it is");
        }
    }
    for state in all {
        let read = async |page| {
            world
                .admin
                .list_entries(&cup, &[state], &page)
                .await
                .expect("a page")
        };
        let found = all_pages(5, read, nothing).await;
        let due = expected
            .values()
            .filter(|entry| entry.registration.state == state)
            .count();
        assert_eq!(found.len(), due, "{state:?}");
        assert!(due > 0, "there are some who are {state:?}");
    }
}

#[tokio::test]
async fn an_entry_that_changes_between_the_pages_is_not_left_out() {
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
            .list_entries(&cup, &all, &page)
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
        "five were on the first page, and again where they are now"
    );
}

#[tokio::test]
async fn users_come_in_the_order_of_their_ids_also_when_some_leave() {
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
async fn admins_come_in_the_order_of_their_ids() {
    let world = World::new().await;
    for n in 0..12 {
        let new = new_admin(&format!("admin-{n}"), Role::Viewer);
        let by = world.organiser.as_str();
        world
            .admin
            .create_admin(by, &new, &password("secret"))
            .await
            .expect("an admin");
    }
    let read = async |page| world.admin.list_admins(&page).await.expect("a page");
    for size in [1, 5, 13, 200] {
        let found = all_pages(size, read, nothing).await;
        assert_eq!(found.len(), 13);
        assert!(found.is_sorted_by_key(|admin| admin.id.clone()));
    }
}

#[tokio::test]
async fn the_log_comes_in_pages_from_the_first_revision_on() {
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
        let revisions: Vec<_> = found.iter().map(|entry| entry.revision.0).collect();
        assert_eq!(revisions, (1..=22).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_page_can_be_cut_short_behind_any_of_its_items() {
    let world = World::new().await;
    let cup = world.competition(places(5)).await;
    for user in world.people(5).await {
        world.register(&user, &cup).await.expect("in");
    }
    let whole = world
        .admin
        .list_entries(&cup, &[Confirmed], &first_page(5))
        .await
        .expect("a page");
    let rest = PageRequest {
        size: 5,
        after: Some(whole.items[1].cursor()),
    };
    let rest = world
        .admin
        .list_entries(&cup, &[Confirmed], &rest)
        .await
        .expect("a page");
    assert_eq!(rest.items, whole.items[2..]);
}

#[tokio::test]
async fn a_cursor_that_a_client_made_up_does_no_harm() {
    let world = World::new().await;
    let cup = world.competition(places(5)).await;
    let user = world.person().await;
    world.register(&user, &cup).await.expect("in");
    for made_up in [
        "18446744073709551615",
        "99999999999999999999",
        "-1",
        "0",
        "[",
        "(",
        "\u{0}",
        "é",
    ] {
        let page = PageRequest {
            size: 10,
            after: Some(Cursor(made_up.as_bytes().to_vec())),
        };
        world.admin.audit_entries(&cup, &page).await.expect(made_up);
        world
            .admin
            .list_entries(&cup, &[Confirmed], &page)
            .await
            .expect(made_up);
        world
            .admin
            .list_competitions(&list(page.clone()))
            .await
            .expect(made_up);
        world.admin.list_users(&page).await.expect(made_up);
        world.admin.list_admins(&page).await.expect(made_up);
        world
            .user
            .my_registrations(&user, &page)
            .await
            .expect(made_up);
    }
}

#[tokio::test]
async fn my_registrations_come_with_their_competitions_in_pages() {
    let world = World::new().await;
    let ada = world.person().await;
    let mut cups = BTreeSet::new();
    for n in 0..9 {
        let cup = world.competition(places(1)).await;
        match n % 3 {
            0 => drop(
                world
                    .add(&ada, &cup, store::registrations::AddOptions::default())
                    .await,
            ),
            _ => drop(world.register(&ada, &cup).await),
        }
        if n % 3 == 2 {
            world.withdraw(&ada, &cup).await.expect("withdrawn");
        }
        cups.insert(cup);
    }
    for size in [1, 4, 9, 200] {
        let read = async |page| {
            world
                .user
                .my_registrations(&ada, &page)
                .await
                .expect("a page")
        };
        let found = all_pages(size, read, nothing).await;
        assert!(
            found
                .iter()
                .all(|(mine, cup)| mine.competition_id == cup.id)
        );
        assert!(found.iter().map(|(_, cup)| &cup.id).eq(cups.iter()));
        let gone = found
            .iter()
            .filter(|(mine, _)| mine.state == Withdrawn)
            .count();
        assert_eq!(gone, 3, "also those that have ended");
    }
}

#[tokio::test]
async fn what_the_index_holds_too_much_is_left_out_and_taken_away_when_it_is_old() {
    let world = World::new().await;
    let ada = world.person().await;
    let (cup, full) = (
        world.competition(places(1)).await,
        world.competition(places(1).waitlist(0)).await,
    );
    world
        .register(&world.person().await, &full)
        .await
        .expect("in");
    world.register(&ada, &cup).await.expect("in");
    assert!(world.register(&ada, &full).await.is_err());
    let index = format!("u:{{{ada}}}:competitions");
    let old = format!("nonce:{}", world.user.now().as_millis() - HOUR);
    for id in ["gone", cup.as_str()] {
        let _: i64 = world.root(&["HSET", &index, id, &old]).await;
    }
    let mine = world
        .user
        .my_registrations(&ada, &first_page(10))
        .await
        .expect("a page");
    assert_eq!(mine.items.len(), 1);
    let kept: Vec<String> = world.root(&["HKEYS", &index]).await;
    let kept: BTreeSet<_> = kept.iter().map(String::as_str).collect();
    // What is old and has a registration stays, and what is young and may still get one.
    assert_eq!(kept, BTreeSet::from([cup.as_str(), full.as_str()]));
}

/// A store whose round trips are counted.
async fn counted(world: &World, user: &str) -> (Store, Counter) {
    let counter = Counter::before(world.redis.address()).await;
    let url = world.redis.url_for(user).expect("a user");
    let (login, _) = url.rsplit_once('@').expect("an address");
    let store = Store::new(&format!("{login}@{}", counter.address), None).expect("a URL");
    (store, counter)
}

#[tokio::test]
async fn every_list_takes_at_most_three_round_trips_whatever_the_page() {
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

    let (admin, counter) = counted(&world, "admin-service").await;
    admin.get_competition(&cup).await.expect("connected");
    let (found, trips) = counter
        .of(admin.list_competitions(&list(page.clone())))
        .await;
    assert_eq!((found.expect("a page").items.len(), trips), (200, 2));
    // Most are filtered out, so that it looks twice.
    let states = vec![CompetitionState::Published];
    let filtered = ListCompetitions {
        states,
        ..list(page.clone())
    };
    let (found, trips) = counter.of(admin.list_competitions(&filtered)).await;
    assert_eq!((found.expect("a page").items.len(), trips), (1, 3));
    let (found, trips) = counter
        .of(admin.list_entries(&cup, &[Confirmed], &page))
        .await;
    assert!(found.is_ok());
    let again = counter
        .of(admin.list_entries(&cup, &[Confirmed], &page))
        .await;
    assert_eq!((again.0.expect("a page").items.len(), again.1), (200, 2));
    assert!(
        trips <= 4,
        "two more to load the script the first time: {trips}"
    );
    let (found, trips) = counter.of(admin.list_users(&page)).await;
    assert_eq!((found.expect("a page").items.len(), trips), (200, 2));
    let (found, trips) = counter.of(admin.audit_entries(&cup, &page)).await;
    assert_eq!((found.expect("a page").items.len(), trips), (200, 1));
}

#[tokio::test]
async fn a_registration_takes_two_round_trips_and_a_look_one() {
    let world = World::new().await;
    let cups = [
        world.competition(places(9)).await,
        world.competition(places(9)).await,
    ];
    let (ada, session) = world.sign_up("ada").await;
    world.register(&ada, &cups[0]).await.expect("in");
    let (user, counter) = counted(&world, "user-service").await;
    user.get_competition(&cups[0]).await.expect("connected");
    let registering = async {
        let caller = user
            .user_session(&session.token)
            .await
            .expect("an answer")
            .expect("ada");
        user.register(&caller, &cups[1], RequestId::random()).await
    };
    let (registered, trips) = counter.of(registering).await;
    assert_eq!((registered.expect("in").revision, trips), (Revision(3), 2));
    let (found, trips) = counter.of(user.get_competition(&cups[1])).await;
    assert_eq!(
        (found.expect("a competition").confirmed_count, trips),
        (1, 1)
    );
    let (found, trips) = counter
        .of(user.my_registrations(&ada, &first_page(20)))
        .await;
    assert_eq!((found.expect("a page").items.len(), trips), (2, 2));
}
