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
    let greedy: Vec<_> = (0..16).map(|_| connection()).collect();
    // One after another, which leaves the least to the later ones.
    let mut held: Vec<_> = greedy.iter().map(|c| take_all(&admission, c)).collect();
    let first = held[0].len();
    assert!((100..=125).contains(&first), "{first}");
    let next = take_all(&admission, &connection()).len();
    assert!((10..first).contains(&next), "{next}");
    held.clear();
    assert_eq!(take_all(&admission, &connection()).len(), first);
}

#[test]
fn a_connection_that_holds_nothing_gets_one_of_the_last_places() {
    let admission = Admission::new(3);
    let connections = [connection(), connection(), connection(), connection()];
    let held = connections.each_ref().map(|c| take_all(&admission, c));
    assert_eq!(held.each_ref().map(Vec::len), [1, 1, 1, 0]);
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
    assert!(!page.try_resize(9), "more than half of what is free");
    page.resize(11);
    assert!(
        admission
            .take(Use::Call, 1, &super::tests::connection())
            .is_none()
    );
    drop(page);
    assert_eq!(take_all(&admission, &connection).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_client_reads_no_response_has_to_be_closed() {
    let (admission, usage) = (Admission::new(10), ConnectionUsage::default());
    let began_at = Instant::now();
    let mut must_close = Box::pin(admission.must_close(&usage));
    usage.response_begins();
    usage.response_begins();
    advance(UNREAD_TIMEOUT * 2 / 3).await;
    assert!(must_close.as_mut().now_or_never().is_none());
    usage.response_written();
    must_close.await;
    let elapsed = began_at.elapsed();
    assert!(elapsed >= UNREAD_TIMEOUT * 5 / 3, "{elapsed:?}");

    usage.response_written();
    let idle = tokio::time::timeout(UNREAD_TIMEOUT * 10, admission.must_close(&usage));
    assert!(idle.await.is_err(), "nothing waits");
    usage.overdraw();
    admission.must_close(&usage).await;
}

#[tokio::test(start_paused = true)]
async fn an_unread_connection_is_closed_sooner_while_calls_are_refused() {
    let admission = Admission::new(1);
    let (silent, other) = (connection(), connection());
    let _unread = admission.take(Use::Call, 1, &silent).expect("free");
    silent.usage().response_begins();
    let mut must_close = Box::pin(admission.must_close(silent.usage()));
    for seconds in [0, 1] {
        advance(Duration::from_secs(seconds)).await;
        assert!(must_close.as_mut().now_or_never().is_none(), "{seconds}");
        assert!(admission.take(Use::Call, 1, &other).is_none());
        assert!(must_close.as_mut().now_or_never().is_none(), "{seconds}");
    }
    advance(Duration::from_secs(1)).await;
    assert!(admission.take(Use::Call, 1, &other).is_none());
    assert!(must_close.as_mut().now_or_never().is_some());
}

#[test]
fn a_client_that_reads_gets_responses_although_the_pool_is_used_up() {
    let admission = Admission::new(10);
    let flood = admission.no_place(Use::Response, &connection());
    let _flood = flood.into_response(RESPONSES, true).expect("a change");
    let reader = connection();
    let responses: Vec<_> = (0..OWN_RESPONSES)
        .map(|_| admission.take_for_response(&reader))
        .collect();
    assert!(responses.iter().all(Option::is_some));
    assert!(reader.usage().overdrawn().now_or_never().is_none());
    assert!(admission.take_for_response(&reader).is_none());
    assert!(reader.usage().overdrawn().now_or_never().is_some());
}
