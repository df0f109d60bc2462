//! A proxy that keeps what a client says.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::Result;

/// The proxy, until it is dropped.
pub(super) struct Recorder {
    address: SocketAddr,
    said: Arc<Mutex<Vec<u8>>>,
    proxy: JoinHandle<()>,
}

impl Recorder {
    /// Begins to listen; what comes goes on to the server.
    pub(super) async fn start(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let said = Arc::<Mutex<Vec<u8>>>::default();
        Ok(Self {
            address: listener.local_addr()?,
            said: Arc::clone(&said),
            proxy: tokio::spawn(async move {
                while let Ok((client, _)) = listener.accept().await {
                    let said = Arc::clone(&said);
                    // It ends with the connection; an error is seen by both sides.
                    tokio::spawn(async move { pass_on(client, server, &said).await });
                }
            }),
        })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Forgets what was said so far.
    pub(super) fn forget(&self) {
        lock(&self.said).clear();
    }

    /// What was said since.
    pub(super) fn said(&self) -> Vec<u8> {
        lock(&self.said).clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.proxy.abort();
    }
}

fn lock(said: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    said.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass_on(client: TcpStream, server: SocketAddr, said: &Mutex<Vec<u8>>) -> Result<()> {
    let server = TcpStream::connect(server).await?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let there = async {
        let mut bytes = Vec::with_capacity(64 * 1024);
        while from_client.read_buf(&mut bytes).await? > 0 {
            lock(said).extend_from_slice(&bytes);
            to_server.write_all(&bytes).await?;
            bytes.clear();
        }
        Ok::<_, std::io::Error>(())
    };
    let back = copy(&mut from_server, &mut to_client);
    tokio::try_join!(there, back)?;
    Ok(())
}
