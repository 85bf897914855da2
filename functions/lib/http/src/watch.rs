//! A stream of events that follows the database.
//!
//! Whichever process a change reaches, the database knows it, so each stream asks the
//! database. Between two looks it keeps no connection: clients stay open all day, and
//! connections are few.
//!
//! Each has a lease under the name of who listens and one under the name of what is listened
//! to, so that nobody takes all that there is. A lease is as long as a stream can be: it is
//! never renewed, and given back when the stream ends.

use std::time::{Duration, Instant};

use aisle_store::limit::{self, Lease};
use aisle_store::{Db, StoreError};
use spin_sdk::time::sleep;

use crate::shopper::{self, Viewer};
use crate::{Call, Error, Event, Reply, after_response};

/// From one look to the next.
const LOOK_EVERY: Duration = Duration::from_millis(1_000);
/// The longest silence: whoever stands between cuts connections that say nothing.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);
/// How long a stream lives, by the database's clock. The client opens the next one, which
/// may be answered by a newer version or another place.
const LIFETIME_MS: i64 = 300_000;
/// A lease is longer by what a look and the way to the database can take.
const LEASE_MS: i64 = LIFETIME_MS + 10_000;
/// How soon a client that was turned away may come again: until then it shows who has gone.
const RETRY_AFTER_S: u32 = 15;

/// A name that so many streams can have at a time.
pub struct Name {
    name: String,
    most: u32,
}

impl Name {
    /// `kind` (a word) and what tells those apart that are counted by themselves.
    pub fn new(kind: &str, id: &str, most: u32) -> Self {
        Self {
            name: format!("stream/{kind}/{id}"),
            most,
        }
    }

    /// An account's: the devices of a household, with a few windows each.
    pub fn of_account(account_id: &str) -> Self {
        Self::new("account", account_id, 24)
    }

    /// The account's, or those of the network of who has none. One address can be many people:
    /// a shop's wireless network, a carrier's gateway.
    pub async fn of_viewer(call: &Call, viewer: &Viewer) -> Self {
        match viewer.account_id() {
            Some(account_id) => Self::of_account(account_id),
            None => Self {
                name: format!("stream/{}", shopper::network(call).await),
                most: 96,
            },
        }
    }
}

/// What was seen at an instant of the database's clock.
pub struct Look {
    pub now_ms: i64,
    /// Unless the client has it already.
    pub news: Option<Event>,
}

/// A stream that begins with what was seen while it was opened and goes on with what `look`
/// sees: once a second, on a connection that is given back each time. It ends after five
/// minutes and when `look` sees nothing any more, for the session is over. `component` is whose
/// stream it is, for the log. 429 where who listens or what is listened to, in this order in
/// `names`, has as many streams as it can have.
pub async fn stream(
    call: &Call,
    component: &'static str,
    names: [Name; 2],
    first: Look,
    look: impl AsyncFnMut(&Db) -> Result<Option<Look>, StoreError> + 'static,
) -> Result<Reply, Error> {
    let names = names.map(|Name { name, most }| (name, most));
    let leases = limit::lease(call.db(), &names, LEASE_MS).await?;
    let mut watch = Watch {
        component,
        opened_at_ms: first.now_ms,
        first: Some(first),
        said_at: Instant::now(),
        look,
        _leases: Leases(leases.ok_or_else(too_many)?),
    };
    Ok(Reply::events(async move || watch.next().await))
}

fn too_many() -> Error {
    let detail = "as many streams are open as can be: close some, or try again later";
    Error::new(429, "too_many_streams", detail).header("retry-after", &RETRY_AFTER_S.to_string())
}

/// Leases that are given back when the stream is dropped, at its end or because its client has
/// gone. Where this instance ends with the stream, the leases' time does.
struct Leases(Vec<Lease>);

impl Drop for Leases {
    fn drop(&mut self) {
        let leases = std::mem::take(&mut self.0);
        after_response(async move {
            let given_back = async {
                let db = Db::open().await?;
                limit::give_leases_back(&db, &leases).await
            };
            if let Err(error) = given_back.await {
                eprintln!("leases of a stream were not given back: {error}");
            }
        });
    }
}

struct Watch<L> {
    component: &'static str,
    opened_at_ms: i64,
    first: Option<Look>,
    said_at: Instant,
    look: L,
    _leases: Leases,
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
                    eprintln!("{}: a stream ends: {error}", self.component);
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
