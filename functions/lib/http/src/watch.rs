//! A stream of events that follows the database.
//!
//! Whichever process a change reaches, the database knows it, so each stream asks the
//! database. Between two looks it keeps no connection: clients stay open all day, and
//! connections are few.

use std::time::{Duration, Instant};

use aisle_store::{Db, StoreError};
use spin_sdk::time::sleep;

use crate::{Event, Reply};

/// From one look to the next.
const LOOK_EVERY: Duration = Duration::from_millis(1_000);
/// The longest silence: whoever stands between cuts connections that say nothing.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);
/// How long a stream lives, by the database's clock. The client opens the next one, which
/// may be answered by a newer version or another place.
const LIFETIME_MS: i64 = 300_000;

/// What was seen at an instant of the database's clock.
pub struct Look {
    pub now_ms: i64,
    /// Unless the client has it already.
    pub news: Option<Event>,
}

/// A stream that begins with what was seen while it was opened and goes on with what `look`
/// sees: once a second, on a connection that is given back each time. It ends after five
/// minutes and when `look` sees nothing any more, for the session is over; `name` is whose
/// stream it is, for the log.
pub fn stream(
    name: &'static str,
    first: Look,
    look: impl AsyncFnMut(&Db) -> Result<Option<Look>, StoreError> + 'static,
) -> Reply {
    let mut watch = Watch {
        name,
        opened_at_ms: first.now_ms,
        first: Some(first),
        said_at: Instant::now(),
        look,
    };
    Reply::events(async move || watch.next().await)
}

struct Watch<L> {
    name: &'static str,
    opened_at_ms: i64,
    first: Option<Look>,
    said_at: Instant,
    look: L,
}

impl<L: AsyncFnMut(&Db) -> Result<Option<Look>, StoreError>> Watch<L> {
    /// What there is to say; `None` when the stream is over.
    async fn next(&mut self) -> Option<Event> {
        if let Some(first) = self.first.take() {
            // Something is said at once, so that the client knows that it is connected.
            return Some(first.news.unwrap_or(Event::Heartbeat));
        }
        loop {
            sleep(LOOK_EVERY).await;
            let seen = match self.see().await {
                Ok(seen) => seen?,
                Err(error) => {
                    eprintln!("{}: a stream ends: {error}", self.name);
                    return None;
                }
            };
            if seen.now_ms >= self.opened_at_ms + LIFETIME_MS {
                return None;
            }
            let silent = self.said_at.elapsed() >= HEARTBEAT_EVERY;
            let heartbeat = silent.then_some(Event::Heartbeat);
            if let Some(event) = seen.news.or(heartbeat) {
                self.said_at = Instant::now();
                return Some(event);
            }
        }
    }

    async fn see(&mut self) -> Result<Option<Look>, StoreError> {
        let db = Db::open().await?;
        (self.look)(&db).await
    }
}
