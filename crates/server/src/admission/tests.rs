use futures::FutureExt;
use tokio::time::advance;

use super::*;
use crate::admission::connection::UNREAD_TIMEOUT;

fn connection() -> ClientConnection {
    ClientConnection::of(&http::Extensions::new())
}

/// Takes calls of one place each until there is none for the connection.
fn take_all(admission: &Arc<Admission>, connection: &ClientConnection) -> Vec<Place> {
    let take = || admission.take(Use::Call, 1, connection);
    std::iter::from_fn(take).collect()
}

#[test]
fn connections_that_take_all_they_can_leave_a_share_for_the_next_one() {
    let admission = Admission::new(1000);
    let mut greedy = Vec::new();
    for count in 1..=9 {
        let connections: Vec<_> = (0..count).map(|_| connection()).collect();
        greedy.clear();
        // One place at a time in turn, as calls arrive.
        loop {
            let taken = connections
                .iter()
                .filter_map(|c| admission.take(Use::Call, 1, c));
            let taken: Vec<_> = taken.collect();
            if taken.is_empty() {
                break;
            }
            greedy.extend(taken);
        }
        let share = 1000 / (count + 1);
        let left = take_all(&admission, &connection()).len();
        assert!(left * 2 >= share, "{count} connections leave {left}");
        assert!(
            greedy.len() >= share * count - count,
            "{count}: {}",
            greedy.len()
        );
    }
}

#[test]
fn a_place_is_free_again_when_it_is_dropped() {
    let admission = Admission::new(2);
    let connection = connection();
    let place = admission.take(Use::Call, 1, &connection);
    assert!(place.is_some());
    assert!(admission.take(Use::Call, 1, &connection).is_none());
    drop(place);
    assert!(admission.take(Use::Call, 1, &connection).is_some());
}

#[test]
fn a_connection_has_at_most_32_streams() {
    let admission = Admission::new(0);
    let take = |connection: &ClientConnection| {
        let take = || admission.take(Use::Stream, 1, connection);
        std::iter::from_fn(take).collect::<Vec<_>>()
    };
    let first = take(&connection());
    assert_eq!(first.len(), 32);
    assert_eq!(take(&connection()).len(), 32);
}

#[test]
fn a_large_response_takes_more_places_and_one_of_a_change_takes_them_always() {
    assert_eq!([0, 8191, 8192, 65_536].map(places_for), [1, 1, 2, 9]);
    let admission = Admission::new(10);
    let connection = connection();
    let mut page = admission.take(Use::Call, 1, &connection).expect("free");
    assert!(page.try_resize(5));
    assert!(!page.try_resize(6));
    page.resize(11);
    assert!(
        admission
            .take(Use::Call, 1, &super::tests::connection())
            .is_none()
    );
    drop(page);
    assert_eq!(take_all(&admission, &connection).len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_client_reads_no_response_has_to_be_closed() {
    let usage = ConnectionUsage::default();
    let began_at = tokio::time::Instant::now();
    let mut must_close = Box::pin(usage.must_close());
    usage.response_begins();
    usage.response_begins();
    advance(UNREAD_TIMEOUT * 2 / 3).await;
    assert!(must_close.as_mut().now_or_never().is_none());
    usage.response_written();
    must_close.await;
    let elapsed = began_at.elapsed();
    assert!(elapsed >= UNREAD_TIMEOUT * 5 / 3, "{elapsed:?}");

    usage.response_written();
    let idle = tokio::time::timeout(UNREAD_TIMEOUT * 10, usage.must_close());
    assert!(idle.await.is_err(), "nothing waits");
    usage.overdraw();
    usage.must_close().await;
}
