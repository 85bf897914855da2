//! `GET /my/orders/{id}/events`: that the order has changed, as server-sent events. What it
//! is now, the page asks for itself.

use std::time::{Duration, Instant};

use aisle_http::shopper::Viewer;
use aisle_http::{Call, Error, Event, Reply};
use aisle_store::{Db, Row, StoreError, Value, values};
use spin_sdk::time::sleep;

use crate::access::{self, OWNER, Visit};
use crate::facts::{VERSION, digest};

/// From one look at the order to the next.
const LOOK_EVERY: Duration = Duration::from_millis(1_000);
/// The longest silence: whoever stands between cuts connections that say nothing.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);
/// How long a stream lives, by the database's clock; the client opens the next one.
const LIFETIME_MS: i64 = 300_000;

/// Whether the link or the session of the viewer, `?3`, still counts.
const LINK_LIVES: &str = "(SELECT count(*) FROM invite i WHERE i.brand_id = ?1 AND i.id = ?3 \
     AND i.expires_at_ms > {now} AND i.revoked_at_ms IS NULL AND i.claimed_at_ms IS NULL)";
const SESSION_LIVES: &str = "(SELECT count(*) FROM account_session s WHERE s.brand_id = ?1 AND s.id = ?3 \
     AND s.access_expires_at_ms > {now} AND s.expires_at_ms > {now} AND s.revoked_at_ms IS NULL)";

/// One look at an order.
struct View {
    now_ms: i64,
    version: String,
    owner: Option<String>,
    lives: bool,
}

/// A stream under way.
struct Watch {
    sql: String,
    params: Vec<Value>,
    viewer: Viewer,
    order_id: String,
    /// The version that the client has.
    shown: String,
    opened_at_ms: i64,
    /// Looked at while the stream was opened.
    first: Option<View>,
    said_at: Instant,
}

pub async fn open(call: &Call, id: &str) -> Result<Reply, Error> {
    let visit = Visit::open(call, id).await?;
    let mut params = values![&visit.brand.id, id];
    let lives = match &visit.viewer {
        Viewer::Link(link) => {
            params.push(link.invite_id.as_str().into());
            LINK_LIVES
        }
        Viewer::Account(shopper) => {
            params.push(shopper.session_id.as_str().into());
            SESSION_LIVES
        }
        Viewer::Anybody => "1",
    };
    let sql = format!(
        "SELECT {{now}} AS now_ms, {VERSION} AS version, {OWNER} AS owner, {lives} AS lives \
         FROM customer_order o WHERE o.brand_id = ?1 AND o.id = ?2 AND o.status IN ('confirmed', 'cancelled')"
    );
    let view = look(call.db(), &sql, &params).await?;
    let view = view.ok_or_else(access::not_found)?;
    visit.check(view.owner.as_deref())?;
    let mut watch = Watch {
        sql,
        params,
        order_id: id.to_owned(),
        viewer: visit.viewer,
        shown: call.header("last-event-id").unwrap_or_default().into(),
        opened_at_ms: view.now_ms,
        first: Some(view),
        said_at: Instant::now(),
    };
    Ok(Reply::events(async move || watch.next().await))
}

async fn look(db: &Db, sql: &str, params: &[Value]) -> Result<Option<View>, StoreError> {
    let row = db.query_one_opt(sql.to_owned(), params.to_vec()).await?;
    row.as_ref().map(View::of).transpose()
}

impl View {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            now_ms: row.int("now_ms")?,
            version: digest(&row.text("version")?),
            owner: row.text_opt("owner")?,
            lives: row.int("lives")? > 0,
        })
    }
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
                    eprintln!("orders: a stream of an order ends: {error}");
                    return None;
                }
            };
            if !self.may_see(&view) || view.now_ms >= self.opened_at_ms + LIFETIME_MS {
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
        look(&Db::open().await?, &self.sql, &self.params).await
    }

    /// The order may have got an owner, and a link or a session may be over.
    fn may_see(&self, view: &View) -> bool {
        let scope = ("order", self.order_id.as_str());
        let owner = view.owner.as_deref();
        view.lives
            && self
                .viewer
                .may_touch(scope, owner, access::not_found)
                .is_ok()
    }

    /// The version, unless the client has it already.
    fn news(&mut self, view: &View) -> Option<Event> {
        if view.version == self.shown {
            return None;
        }
        self.shown.clone_from(&view.version);
        Some(Event::Message {
            name: "order",
            id: view.version.clone(),
            data: format!("{{\"version\":\"{}\"}}", view.version),
        })
    }
}
