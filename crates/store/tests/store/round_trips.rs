//! A proxy before Redis that counts round trips, and can hold one back: it hands on what one side says
//! only after that side has said it all, so that a pipeline of any size is one round trip.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// After so long without a word a side has said it all.
const SILENCE: Duration = Duration::from_millis(60);

/// Counts the round trips that go through it.
#[derive(Debug, Clone)]
pub(crate) struct Counter {
    pub(crate) address: SocketAddr,
    trips: Arc<watch::Sender<Trips>>,
}

/// How many round trips were begun, and how many may be.
#[derive(Debug, Clone, Copy)]
struct Trips {
    begun: usize,
    most: usize,
}

impl Counter {
    /// A proxy to this address. It ends with the test.
    pub(crate) async fn before(redis: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let trips = Arc::new(watch::Sender::new(Trips {
            begun: 0,
            most: usize::MAX,
        }));
        let counter = Self {
            address,
            trips: Arc::clone(&trips),
        };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(redis).await.expect("a Redis");
                tokio::spawn(hand_on(client, server, Arc::clone(&trips)));
            }
        });
        counter
    }

    /// How many round trips a call makes.
    pub(crate) async fn of<T>(&self, call: impl Future<Output = T>) -> (T, usize) {
        let before = self.trips.borrow().begun;
        let answer = call.await;
        (answer, self.trips.borrow().begun - before)
    }

    /// Lets so many round trips through from now on, and holds the next one back.
    pub(crate) fn hold_after(&self, trips: usize) {
        self.trips.send_modify(|now| now.most = now.begun + trips);
    }

    /// Until as many have gone through as may.
    pub(crate) async fn holds(&self) {
        let mut trips = self.trips.subscribe();
        trips
            .wait_for(|now| now.begun == now.most)
            .await
            .expect("it is there");
    }

    /// Lets everything through again.
    pub(crate) fn release(&self) {
        self.trips.send_modify(|now| now.most = usize::MAX);
    }
}

async fn hand_on(mut client: TcpStream, mut server: TcpStream, trips: Arc<watch::Sender<Trips>>) {
    while let Some(commands) = all_that_is_said(&mut client).await {
        let mut may_go = trips.subscribe();
        may_go
            .wait_for(|now| now.begun < now.most)
            .await
            .expect("it is there");
        trips.send_modify(|now| now.begun += 1);
        if server.write_all(&commands).await.is_err() {
            return;
        }
        let Some(answers) = all_that_is_said(&mut server).await else {
            return;
        };
        if client.write_all(&answers).await.is_err() {
            return;
        }
    }
}

/// What a side says until it falls silent; `None` = it has gone.
async fn all_that_is_said(side: &mut TcpStream) -> Option<Vec<u8>> {
    let mut said = Vec::new();
    while said.is_empty() {
        if side.read_buf(&mut said).await.ok()? == 0 {
            return None;
        }
    }
    while let Ok(read) = tokio::time::timeout(SILENCE, side.read_buf(&mut said)).await {
        if read.ok()? == 0 {
            break;
        }
    }
    Some(said)
}
