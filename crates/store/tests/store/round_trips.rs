//! A proxy before Redis that counts round trips: it hands on what one side says only after that side has
//! said it all, so that a pipeline of any size is one round trip.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// After so long without a word a side has said it all.
const SILENCE: Duration = Duration::from_millis(60);

/// Counts the round trips that go through it.
#[derive(Debug, Clone)]
pub(crate) struct Counter {
    pub(crate) address: SocketAddr,
    count: Arc<AtomicUsize>,
}

impl Counter {
    /// A proxy to this address. It ends with the test.
    pub(crate) async fn before(redis: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let counter = Self {
            address,
            count: Arc::default(),
        };
        let count = Arc::clone(&counter.count);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(redis).await.expect("a Redis");
                tokio::spawn(hand_on(client, server, Arc::clone(&count)));
            }
        });
        counter
    }

    /// How many round trips a call makes.
    pub(crate) async fn of<T>(&self, call: impl Future<Output = T>) -> (T, usize) {
        let before = self.count.load(Ordering::SeqCst);
        let answer = call.await;
        (answer, self.count.load(Ordering::SeqCst) - before)
    }
}

async fn hand_on(mut client: TcpStream, mut server: TcpStream, count: Arc<AtomicUsize>) {
    while let Some(commands) = all_that_is_said(&mut client).await {
        count.fetch_add(1, Ordering::SeqCst);
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
