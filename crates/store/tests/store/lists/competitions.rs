//! The list of all competitions, in the order of start.

use std::collections::{BTreeSet, HashSet};

use domain::competition::Moments;
use domain::{
    Competition, CompetitionId, CompetitionPatch, CompetitionState, ReadOnlyCompetition, Schedule,
    Timestamp,
};
use store::competitions::{ListCompetitions, NewCompetition};
use store::{AdminStore, PageRequest};

use super::{all_pages, counted, list, nothing};
use crate::world::{
    DAY, HOUR, Limits, World, details, eventually, first_page, join_all, new_competition,
    new_request,
};

/// A draft that starts this many hours after the default start.
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

/// Creates drafts with these starts, in hours after the default one.
pub(super) async fn drafts(
    world: &World,
    hours: impl IntoIterator<Item = i64>,
) -> Vec<Competition> {
    // The same default start for all of them, so that there are ties.
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
async fn competitions_are_listed_in_the_order_of_start_then_id() {
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
async fn an_unevenly_spread_catalogue_is_listed_in_order() {
    let world = World::new().await;
    let made = drafts(&world, 0..120).await;
    // Moves every second member to one shard.
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
async fn a_list_continues_when_competitions_are_deleted_moved_and_created_between_two_pages() {
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
            // The second page ended with number 29: half of the deleted ones are before it.
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
    assert_eq!(seen.len(), found.len(), "none is listed twice");
    for id in order.iter().filter(|id| !deleted[10..].contains(id)) {
        assert!(seen.contains(id), "{id} is listed");
    }
    assert!(deleted[10..].iter().all(|id| !seen.contains(id)));
    assert_eq!(found.last(), Some(moved), "at its new start");
    assert_eq!(found.len(), 90 - 10 + 1);
}

#[tokio::test]
async fn competitions_are_filtered_by_state_start_and_open_window() {
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
        "from the first time on, before the second"
    );
}

#[tokio::test]
async fn a_competition_that_is_moved_back_while_its_old_entry_is_removed_is_listed() {
    let world = World::new().await;
    let cup = drafts(&world, [0]).await.remove(0);
    let moments = cup.details.schedule.moments();
    let moved = |days: i64| CompetitionPatch {
        ends_at: Timestamp::from_millis(moments.ends_at.as_millis() + days * DAY).ok(),
        starts_at: Timestamp::from_millis(moments.starts_at.as_millis() + days * DAY).ok(),
        ..CompetitionPatch::default()
    };
    let (redis, round_trips) = counted(&world, "admin-service").await;
    let slow = AdminStore::new(&redis);
    slow.get_competition(&cup.id).await.expect("connected");
    // Loads the script.
    world.capacity(&cup.id, 5).await.expect("updated");
    // The record, the request, the new entry, the update; the removal of the old entry is held
    // back.
    round_trips.hold_after(4);
    let (there, by) = (moved(1), &world.organiser);
    let unchanged = ReadOnlyCompetition::default();
    let there = slow.update_competition(by, &cup.id, &there, &unchanged, None, new_request());
    let back = async {
        round_trips.wait_until_used_up().await;
        eventually("the competition is moved", async || {
            let now = world
                .admin
                .get_competition(&cup.id)
                .await
                .expect("a competition");
            now.details.schedule != cup.details.schedule
        })
        .await;
        world.update(&cup.id, moved(0)).await.expect("moved back");
        round_trips.release();
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
