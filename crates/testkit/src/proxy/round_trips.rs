//! A proxy before Redis that counts round trips, and can hold one back.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::accept;

/// A side that sends nothing for this long has sent its whole message.
const SILENCE: Duration = Duration::from_millis(60);

/// Counts round trips. It forwards what one side sends only when that side has fallen silent, so
/// that a pipeline of any size is one round trip. This makes every round trip some 120 ms slower.
pub struct RoundTrips {
    /// The address at which it listens.
    pub address: SocketAddr,
    trips: watch::Sender<Trips>,
    _accepting: JoinSet<()>,
}

#[derive(Debug, Clone, Copy)]
struct Trips {
    begun: usize,
    allowed: usize,
}

impl RoundTrips {
    /// Starts a proxy to this server on a free port.
    pub async fn start(server: SocketAddr) -> Self {
        let trips = watch::Sender::new(Trips {
            begun: 0,
            allowed: usize::MAX,
        });
        let counted = trips.clone();
        let (address, accepting) = accept(
            watch::Sender::new(server).subscribe(),
            move |client, server| carry(client, server, counted.clone()),
        )
        .await;
        Self {
            address,
            trips,
            _accepting: accepting,
        }
    }

    /// Waits for a call; returns its result and how many round trips were begun meanwhile.
    pub async fn count<T>(&self, call: impl Future<Output = T>) -> (T, usize) {
        let before = self.trips.borrow().begun;
        let result = call.await;
        (result, self.trips.borrow().begun - before)
    }

    /// Allows so many round trips from now on, and holds the next one back.
    pub fn hold_after(&self, trips: usize) {
        self.trips
            .send_modify(|now| now.allowed = now.begun + trips);
    }

    /// Waits until all allowed round trips have begun.
    pub async fn wait_until_used_up(&self) {
        let mut trips = self.trips.subscribe();
        let used_up = trips.wait_for(|now| now.begun == now.allowed).await;
        used_up.expect("the sender is alive");
    }

    /// Allows any number of round trips again.
    pub fn release(&self) {
        self.trips.send_modify(|now| now.allowed = usize::MAX);
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, trips: watch::Sender<Trips>) {
    while let Some(request) = read_message(&mut client).await {
        let mut allowed = trips.subscribe();
        if allowed
            .wait_for(|now| now.begun < now.allowed)
            .await
            .is_err()
        {
            return;
        }
        trips.send_modify(|now| now.begun += 1);
        if server.write_all(&request).await.is_err() {
            return;
        }
        let Some(response) = read_message(&mut server).await else {
            return;
        };
        if client.write_all(&response).await.is_err() {
            return;
        }
    }
}

/// Reads until the side falls silent; `None` if it has closed the connection.
async fn read_message(side: &mut TcpStream) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    while message.is_empty() {
        if side.read_buf(&mut message).await.ok()? == 0 {
            return None;
        }
    }
    while let Ok(read) = timeout(SILENCE, side.read_buf(&mut message)).await {
        if read.ok()? == 0 {
            break;
        }
    }
    Some(message)
}
