use futures::future::{self, Abortable};

use super::*;
use crate::connections::activity::OpenStream;

struct Connection {
    place: Place,
    activity: Arc<Activity>,
    task: Abortable<future::Pending<()>>,
}

impl Connection {
    fn is_closed(&self) -> bool {
        self.task.is_aborted()
    }
}

fn admit_as(shares: &Arc<Shares>, address: &str, limited: Limited) -> Option<Connection> {
    let address = address.parse().expect("an address");
    let activity = Arc::new(Activity::new(Instant::now()));
    let (place, registration) = shares.admit(address, limited, Arc::clone(&activity))?;
    Some(Connection {
        place,
        activity,
        task: Abortable::new(future::pending(), registration),
    })
}

fn admit(shares: &Arc<Shares>, address: &str) -> Option<Connection> {
    admit_as(shares, address, Limited::PerAddress)
}

fn admitted(shares: &Arc<Shares>, address: &str) -> Connection {
    admit(shares, address).expect("a place")
}

#[test]
fn at_the_limit_of_an_address_its_oldest_idle_connection_makes_room() {
    let shares = Shares::new(100, 2);
    let other = admitted(&shares, "192.0.2.9");
    let busy = admitted(&shares, "192.0.2.1");
    let _stream = OpenStream::new(&busy.activity);
    let idle = admitted(&shares, "192.0.2.1");
    let newcomer = admitted(&shares, "192.0.2.1");
    assert!(idle.is_closed());
    assert!(!other.is_closed() && !busy.is_closed() && !newcomer.is_closed());
}

#[test]
fn a_connection_that_was_used_is_kept_before_one_that_was_not() {
    let shares = Shares::new(100, 2);
    let used = admitted(&shares, "192.0.2.1");
    drop(OpenStream::new(&used.activity));
    let unused = admitted(&shares, "192.0.2.1");
    let _newcomer = admitted(&shares, "192.0.2.1");
    assert!(unused.is_closed() && !used.is_closed());
}

#[test]
fn a_newcomer_is_refused_if_all_connections_of_its_address_have_calls() {
    let shares = Shares::new(100, 2);
    let busy = [
        admitted(&shares, "192.0.2.1"),
        admitted(&shares, "192.0.2.1"),
    ];
    let streams = busy.each_ref().map(|busy| OpenStream::new(&busy.activity));
    assert!(admit(&shares, "192.0.2.1").is_none());
    assert!(admit(&shares, "192.0.2.2").is_some());
    drop(streams);
    assert!(admit(&shares, "192.0.2.1").is_some());
}

#[test]
fn at_the_limit_of_the_process_the_address_with_the_most_connections_makes_room() {
    let shares = Shares::new(4, 0);
    let small = admitted(&shares, "192.0.2.9");
    let flood = [(); 3].map(|()| admitted(&shares, "192.0.2.1"));
    let newcomer = admitted(&shares, "192.0.2.8");
    assert!(flood[0].is_closed());
    assert!(!small.is_closed() && !newcomer.is_closed());
}

#[test]
fn at_the_limit_of_the_process_calls_are_not_cut_off() {
    let shares = Shares::new(2, 0);
    let busy = [
        admitted(&shares, "192.0.2.1"),
        admitted(&shares, "192.0.2.1"),
    ];
    let _streams = busy.each_ref().map(|busy| OpenStream::new(&busy.activity));
    assert!(admit(&shares, "192.0.2.8").is_none());
}

#[test]
fn an_ipv6_64_is_one_address() {
    let shares = Shares::new(100, 1);
    let first = admitted(&shares, "2001:db8::1");
    let _second = admitted(&shares, "2001:db8::2");
    assert!(first.is_closed());
    let _mapped = admitted(&shares, "::ffff:192.0.2.1");
    let elsewhere = admitted(&shares, "::ffff:192.0.2.2");
    assert!(!elsewhere.is_closed());
}

#[test]
fn a_trusted_proxy_has_no_limit_but_its_clients_have() {
    let shares = Shares::new(100, 1);
    let mut proxied =
        [(); 3].map(|()| admit_as(&shares, "10.0.0.1", Limited::OnlyInTotal).expect("a place"));
    let [first, second, other] = &mut proxied;
    assert!(
        first
            .place
            .move_to("192.0.2.1".parse().expect("an address"))
    );
    assert!(
        other
            .place
            .move_to("192.0.2.2".parse().expect("an address"))
    );
    assert!(
        second
            .place
            .move_to("192.0.2.1".parse().expect("an address"))
    );
    assert!(first.is_closed() && !second.is_closed() && !other.is_closed());
}

#[test]
fn a_connection_that_ends_frees_itsplace() {
    let shares = Shares::new(1, 0);
    let first = admitted(&shares, "192.0.2.1");
    let _stream = OpenStream::new(&first.activity);
    assert!(admit(&shares, "192.0.2.2").is_none());
    drop(first);
    let _second = admitted(&shares, "192.0.2.2");
    assert_eq!(shares.lock().count, 1);
    assert_eq!(shares.lock().by_share.len(), 1);
}
