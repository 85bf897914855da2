//! A line between the edge and a server: it can be cut, and it counts round trips.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use anyhow::Result;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards what connects to its port to a server on this machine.
pub struct Line {
    port: u16,
    cut: watch::Sender<bool>,
    round_trips: Arc<AtomicU64>,
}

impl Line {
    pub async fn to(server_port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (cut, is_cut) = watch::channel(false);
        let round_trips = Arc::new(AtomicU64::new(0));
        tokio::spawn(accept(
            listener,
            ([127, 0, 0, 1], server_port).into(),
            is_cut,
            round_trips.clone(),
        ));
        Ok(Self {
            port,
            cut,
            round_trips,
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends every connection and takes no new one, as a server that is down.
    pub fn cut(&self) {
        self.cut.send_replace(true);
    }

    pub fn mend(&self) {
        self.cut.send_replace(false);
    }

    /// How often the client's side spoke after the server's side had: what each of them
    /// costs is one way there and one way back.
    pub fn round_trips(&self) -> u64 {
        self.round_trips.load(Relaxed)
    }
}

async fn accept(
    listener: TcpListener,
    server: SocketAddr,
    is_cut: watch::Receiver<bool>,
    round_trips: Arc<AtomicU64>,
) {
    while let Ok((client, _)) = listener.accept().await {
        if !*is_cut.borrow() {
            tokio::spawn(forward(client, server, is_cut.clone(), round_trips.clone()));
        }
    }
}

async fn forward(
    mut client: TcpStream,
    server: SocketAddr,
    mut is_cut: watch::Receiver<bool>,
    round_trips: Arc<AtomicU64>,
) -> Result<()> {
    let mut server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let client_speaks = AtomicBool::new(false);
    let there = copy(from_client, to_server, || {
        if !client_speaks.swap(true, Relaxed) {
            round_trips.fetch_add(1, Relaxed);
        }
    });
    let back = copy(from_server, to_client, || {
        client_speaks.store(false, Relaxed)
    });
    tokio::select! {
        result = there => result,
        result = back => result,
        _ = is_cut.wait_for(|cut| *cut) => Ok(()),
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    heard: impl Fn(),
) -> Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        heard();
        to.write_all(&buffer[..read]).await?;
    }
}
