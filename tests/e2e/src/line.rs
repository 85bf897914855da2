//! A line between the edge and a server: it can be cut, it can be long, and it counts round
//! trips.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// What is under way in one direction, in pieces of at most [`PIECE_BYTES`]: a long line holds
/// much, and a sender waits for nobody.
const PIECES: usize = 4_096;
const PIECE_BYTES: usize = 64 * 1024;

/// Forwards what connects to its port to a server on this machine.
pub struct Line {
    port: u16,
    cut: watch::Sender<bool>,
    meter: Arc<Meter>,
}

#[derive(Default)]
struct Meter {
    round_trips: AtomicU64,
    /// How long each direction takes beyond what the machine needs.
    one_way_us: AtomicU64,
}

impl Line {
    pub async fn to(server_port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (cut, is_cut) = watch::channel(false);
        let meter = Arc::new(Meter::default());
        tokio::spawn(accept(
            listener,
            ([127, 0, 0, 1], server_port).into(),
            is_cut,
            meter.clone(),
        ));
        Ok(Self { port, cut, meter })
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

    /// Adds so much to every round trip from now on, half of it in each direction, whatever
    /// amount is under way.
    pub fn lengthen(&self, round_trip: Duration) {
        let one_way_us = round_trip.as_micros() as u64 / 2;
        self.meter.one_way_us.store(one_way_us, Relaxed);
    }

    /// How often the client's side spoke after the server's side had: what each of them
    /// costs is one way there and one way back.
    pub fn round_trips(&self) -> u64 {
        self.meter.round_trips.load(Relaxed)
    }
}

async fn accept(
    listener: TcpListener,
    server: SocketAddr,
    is_cut: watch::Receiver<bool>,
    meter: Arc<Meter>,
) {
    while let Ok((client, _)) = listener.accept().await {
        if !*is_cut.borrow() {
            tokio::spawn(forward(client, server, is_cut.clone(), meter.clone()));
        }
    }
}

async fn forward(
    mut client: TcpStream,
    server: SocketAddr,
    mut is_cut: watch::Receiver<bool>,
    meter: Arc<Meter>,
) -> Result<()> {
    let mut server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let client_speaks = AtomicBool::new(false);
    let there = copy(from_client, to_server, &meter, || {
        if !client_speaks.swap(true, Relaxed) {
            meter.round_trips.fetch_add(1, Relaxed);
        }
    });
    let back = copy(from_server, to_client, &meter, || {
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
    meter: &Meter,
    heard: impl Fn(),
) -> Result<()> {
    let (under_way, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES);
    let reading = async move {
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            let read = from.read(&mut buffer).await?;
            if read == 0 {
                return anyhow::Ok(());
            }
            heard();
            let one_way = Duration::from_micros(meter.one_way_us.load(Relaxed));
            let piece = (Instant::now() + one_way, buffer[..read].to_vec());
            if under_way.send(piece).await.is_err() {
                bail!("the other side is gone");
            }
        }
    };
    let writing = async move {
        while let Some((due, piece)) = arriving.recv().await {
            if due > Instant::now() {
                tokio::time::sleep_until(due).await;
            }
            to.write_all(&piece).await?;
        }
        Ok(())
    };
    tokio::try_join!(reading, writing).map(drop)
}
