//! Lists: complete and in order, whatever changes between the pages, and in few round trips.

mod competitions;
mod cost;
mod cursors;
mod people;
mod registrations;

use store::competitions::ListCompetitions;
use store::{Page, PageRequest, Redis};
use testkit::RoundTrips;

use crate::world::{World, first_page};

/// Reads a list page by page. Calls `between` after each page.
pub(super) async fn all_pages<T>(
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
            "the page is larger than requested"
        );
        items.extend(found.items);
        between(number).await;
        let Some(next) = found.next else { break };
        assert_ne!(
            Some(&next),
            page.after.as_ref(),
            "the page token does not advance"
        );
        page.after = Some(next);
    }
    items
}

pub(super) async fn nothing(_: usize) {}

pub(super) fn list(page: PageRequest) -> ListCompetitions {
    ListCompetitions {
        states: Vec::new(),
        open_at: None,
        starts_after: None,
        starts_before: None,
        page,
    }
}

/// Connections whose round trips are counted.
pub(crate) async fn counted(world: &World, user: &str) -> (Redis, RoundTrips) {
    let round_trips = RoundTrips::start(world.redis.address()).await;
    let url = world.redis.url(user);
    let (login, _) = url.rsplit_once('@').expect("an address");
    let redis = Redis::new(&format!("{login}@{}", round_trips.address), None);
    (redis.expect("a valid URL"), round_trips)
}
