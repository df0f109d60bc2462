//! A network between two servers, which can break.

use std::{future, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::sleep,
};

/// How the network is.
#[derive(Clone, Copy, Default)]
struct Weather {
    /// Before each piece of data goes on.
    delay: Duration,
    /// Connections that were made before this number last grew are frozen.
    freezes: u64,
}

/// Forwards every connection to a server.
pub(crate) struct Proxy {
    pub(crate) address: String,
    weather: watch::Sender<Weather>,
    _accepting: JoinSet<()>,
}

impl Proxy {
    pub(crate) async fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address").to_string();
        let weather = watch::Sender::default();
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, server.to_owned(), weather.clone()));
        Self {
            address,
            weather,
            _accepting: accepting,
        }
    }

    /// From now on all data is late by this, in both directions.
    pub(crate) fn delay(&self, delay: Duration) {
        self.weather.send_modify(|weather| weather.delay = delay);
    }

    /// From now on the connections that are open lead nowhere, and nobody is told: half-open, as
    /// after the loss of a machine or of a firewall's memory. New ones work.
    pub(crate) fn freeze_open_connections(&self) {
        self.weather.send_modify(|weather| weather.freezes += 1);
    }
}

async fn accept(listener: TcpListener, server: String, weather: watch::Sender<Weather>) {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.expect("a connection");
        let server = TcpStream::connect(&server).await.expect("the server");
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        connections.spawn(forward(from_client, to_server, weather.subscribe()));
        connections.spawn(forward(from_server, to_client, weather.subscribe()));
    }
}

async fn forward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut weather: watch::Receiver<Weather>,
) {
    let freezes = weather.borrow().freezes;
    let mut bytes = [0; 4096];
    loop {
        let read = tokio::select! {
            () = freeze(&mut weather, freezes) => break,
            read = from.read(&mut bytes) => read,
        };
        let delay = weather.borrow().delay;
        sleep(delay).await;
        match read {
            Ok(count) if count > 0 && to.write_all(&bytes[..count]).await.is_ok() => {}
            _ => return,
        }
    }
    // Frozen: open, and silent.
    future::pending::<()>().await;
}

/// Waits until there were more freezes than that.
async fn freeze(weather: &mut watch::Receiver<Weather>, freezes: u64) {
    let _ = weather.wait_for(|weather| weather.freezes > freezes).await;
}
