//! `GET /pos/arrivals/stream`: the board as it changes, as server-sent events.
//!
//! Whichever process a report reaches, the database knows it, so each stream asks the
//! database. Between two looks it keeps no connection: a store's tablets stay open all day,
//! and connections are few.

use std::time::{Duration, Instant};

use aisle_http::{Call, Error, Event, Reply};
use aisle_store::{Db, StoreError, sha256_hex};
use spin_sdk::time::sleep;

use crate::arrivals::{View, Viewer};

/// From one look at the board to the next.
const LOOK_EVERY: Duration = Duration::from_millis(1_000);
/// The longest silence: whoever stands between cuts connections that say nothing.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);
/// How long a stream lives, by the database's clock. The client opens the next one, which
/// may be answered by a newer version or another place.
const LIFETIME_MS: i64 = 300_000;

/// A stream under way.
struct Watch {
    viewer: Viewer,
    /// The board that the client has.
    shown: String,
    opened_at_ms: i64,
    /// Looked at while the stream was opened.
    first: Option<View>,
    said_at: Instant,
}

/// `GET /pos/arrivals/stream`
pub async fn open(call: &Call) -> Result<Reply, Error> {
    let viewer = Viewer::of(call).await?;
    let view = viewer.look(call.db()).await?;
    let view = view.ok_or_else(|| Error::unauthorized("this session is over"))?;
    let mut watch = Watch {
        viewer,
        shown: call.header("last-event-id").unwrap_or_default().into(),
        opened_at_ms: view.now_ms,
        first: Some(view),
        said_at: Instant::now(),
    };
    Ok(Reply::events(async move || watch.next().await))
}

impl Watch {
    /// What there is to say; `None` when the stream is over.
    async fn next(&mut self) -> Option<Event> {
        if let Some(view) = self.first.take() {
            // Something is said at once, so that the client knows that it is connected.
            return Some(self.news(&view).unwrap_or(Event::Heartbeat));
        }
        loop {
            sleep(LOOK_EVERY).await;
            let view = match self.look().await {
                Ok(view) => view?,
                Err(error) => {
                    eprintln!("pos: a stream of arrivals ends: {error}");
                    return None;
                }
            };
            if view.now_ms >= self.opened_at_ms + LIFETIME_MS {
                return None;
            }
            let silent = self.said_at.elapsed() >= HEARTBEAT_EVERY;
            let heartbeat = silent.then_some(Event::Heartbeat);
            if let Some(event) = self.news(&view).or(heartbeat) {
                self.said_at = Instant::now();
                return Some(event);
            }
        }
    }

    /// On a connection of its own, given back before it returns.
    async fn look(&self) -> Result<Option<View>, StoreError> {
        self.viewer.look(&Db::open().await?).await
    }

    /// The board, unless the client has it already.
    fn news(&mut self, view: &View) -> Option<Event> {
        let data = serde_json::to_string(&view.board).unwrap_or_default();
        let id: String = sha256_hex(data.as_bytes()).chars().take(16).collect();
        if id == self.shown {
            return None;
        }
        self.shown.clone_from(&id);
        Some(Event::Message {
            name: "board",
            id,
            data,
        })
    }
}
