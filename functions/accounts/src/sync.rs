//! `GET /sync`: what has changed of all that an account has, since a device last asked.

mod documents;

use aisle_domain::brand::Brand;
use aisle_http::shopper::{self, Shopper};
use aisle_http::watch::{self, Look, Name};
use aisle_http::{Call, Error, Event, Reply, page};
use aisle_store::{Db, StoreError, values};
use aisle_ucp::page::{PageRequest, Pagination, search_id};
use aisle_ucp::sync::{MAX_CHANGES, Synced};

use self::documents::Shown;

/// The windows of one device.
const OF_DEVICE: u32 = 8;

/// Whose changes are read, by which session, and from where on.
struct Reader {
    brand: Brand,
    shopper: Shopper,
    limit: usize,
    /// The number of the last change that the device has; 0: none.
    after: i64,
}

/// What was read at an instant of the database's clock.
struct Seen {
    now_ms: i64,
    synced: Synced,
    /// The number of the last change that is in it.
    last: i64,
}

/// `GET /sync`
pub async fn changes(call: &Call) -> Result<Reply, Error> {
    let reader = Reader::of(call, call.query("cursor")).await?;
    let seen = reader.read(call.db()).await?.ok_or_else(over)?;
    Reply::json(200, &seen.synced)
}

/// `GET /sync/stream`: the same as it happens. `Last-Event-ID` goes before the cursor of the
/// query, with which a client opens its first stream.
pub async fn stream(call: &Call) -> Result<Reply, Error> {
    let last = call.header("last-event-id").filter(|id| !id.is_empty());
    let mut reader = Reader::of(call, last.or(call.query("cursor"))).await?;
    let seen = reader.read(call.db()).await?.ok_or_else(over)?;
    let first = reader.look(seen);
    let names = [
        Name::of_account(&reader.shopper.account_id),
        Name::new("session", &reader.shopper.session_id, OF_DEVICE),
    ];
    let look = async move |db: &Db| {
        let seen = reader.read(db).await?;
        Ok(seen.map(|seen| reader.look(seen)))
    };
    watch::stream(call, "accounts", names, first, look).await
}

fn over() -> Error {
    Error::unauthorized("this session is over")
}

impl Reader {
    async fn of(call: &Call, cursor: Option<&str>) -> Result<Self, Error> {
        let brand = call.brand().await?;
        let shopper = shopper::signed_in(call, &brand.id).await?;
        let asked = PageRequest {
            cursor: cursor.map(Into::into),
            limit: page::request(call)?.limit,
        };
        let mut reader = Self {
            brand: (*brand).clone(),
            shopper: (*shopper).clone(),
            limit: limit(asked.limit)?,
            after: 0,
        };
        let after: Option<i64> = asked.after(reader.id()).map_err(page::refused)?;
        reader.after = after.unwrap_or_default();
        Ok(reader)
    }

    /// Binds a cursor to the account, and so to its brand.
    fn id(&self) -> u64 {
        search_id(&("sync", &self.shopper.brand_id, &self.shopper.account_id))
    }

    /// What has changed, in one call; `None` when the session is over.
    async fn read(&self, db: &Db) -> Result<Option<Seen>, StoreError> {
        let params = values![
            &self.brand.id,
            &self.shopper.account_id,
            &self.shopper.session_id,
            self.after,
            self.limit as i64 + 1
        ];
        let rows = db.query(documents::sql(db.dialect()), params).await?;
        let Some(first) = rows.first() else {
            return Ok(None);
        };
        let (now_ms, newest) = (first.int("now_ms")?, first.int("newest")?);
        let mut shown = Vec::new();
        for row in &rows {
            shown.extend(Shown::of(row, &self.brand, now_ms)?);
        }
        let more = shown.len() > self.limit;
        shown.truncate(self.limit);
        let last = match shown.last() {
            Some(shown) if more => shown.seq,
            // A number may be none of a thing's latest change any more.
            _ => newest.max(self.after),
        };
        // A device that has nothing has nothing to delete.
        let new = self.after == 0;
        let changes = shown.into_iter().map(|shown| shown.change);
        let synced = Synced {
            changes: changes.filter(|change| !(new && change.deleted)).collect(),
            cursor: self.cursor(last),
            more,
        };
        Ok(Some(Seen {
            now_ms,
            synced,
            last,
        }))
    }

    fn cursor(&self, last: i64) -> String {
        let pagination = Pagination::new(self.id(), Some(last), None);
        pagination.cursor.unwrap_or_default()
    }

    /// What a stream says, after which the device has it.
    fn look(&mut self, seen: Seen) -> Look {
        let Seen {
            now_ms,
            synced,
            last,
        } = seen;
        self.after = last;
        let news = (!synced.changes.is_empty()).then(|| Event::Message {
            name: "changes",
            id: synced.cursor.clone(),
            data: serde_json::to_string(&synced).unwrap_or_default(),
        });
        Look { now_ms, news }
    }
}

fn limit(asked: Option<i64>) -> Result<usize, Error> {
    match asked.map(usize::try_from) {
        None => Ok(MAX_CHANGES),
        Some(Ok(limit)) if limit > 0 => Ok(limit.min(MAX_CHANGES)),
        Some(_) => Err(Error::bad_request(
            "invalid_limit",
            "limit",
            "must be at least 1",
        )),
    }
}
