//! `GET /pos/arrivals`: who is here, and which orders are theirs.

use aisle_domain::instant::rfc3339_in;
use aisle_domain::presence::{Signal, State, short_name};
use aisle_http::auth::{self, LIVE_SESSION, Staff};
use aisle_http::{Call, Error, Reply};
use aisle_store::{Db, Dialect, Row, StoreError, sha256_hex, values};
use aisle_ucp::presence::{Arrival, ArrivalPickup, Board, MAX_ARRIVALS};

/// Whose board it is, and by which session it is looked at.
pub struct Viewer {
    session_hash: String,
    pub device_id: String,
    brand_id: String,
    location_id: String,
    time_zone: String,
}

/// The board at an instant of the database's clock.
pub struct View {
    pub board: Board,
    pub now_ms: i64,
}

/// `GET /pos/arrivals`
pub async fn board(call: &Call) -> Result<Reply, Error> {
    let viewer = Viewer::of(call).await?;
    let view = viewer.look(call.db()).await?;
    let view = view.ok_or_else(|| Error::unauthorized("this session is over"))?;
    Ok(Reply::json(200, &view.board)?.validated())
}

impl Viewer {
    pub async fn of(call: &Call) -> Result<Self, Error> {
        let brand = call.brand().await?;
        let Staff {
            location_id,
            device_id,
            ..
        } = &*auth::staff(call, &brand.id, "pos").await?;
        Ok(Self {
            session_hash: sha256_hex(auth::bearer(call).unwrap_or_default().as_bytes()),
            device_id: device_id.clone(),
            brand_id: brand.id.clone(),
            location_id: location_id.clone(),
            time_zone: call.model().time_zone(&brand.id, location_id).await?,
        })
    }

    /// A store has a board for each of its brands.
    pub fn board_id(&self) -> String {
        format!("{}/{}", self.brand_id, self.location_id)
    }

    /// The board, while the session lives: one call.
    pub async fn look(&self, db: &Db) -> Result<Option<View>, StoreError> {
        let params = values![
            &self.session_hash,
            &self.brand_id,
            &self.location_id,
            MAX_ARRIVALS as i64
        ];
        let rows = db.query(board_sql(db.dialect()), params).await?;
        let Some(first) = rows.first() else {
            return Ok(None);
        };
        let now_ms = first.int("now_ms")?;
        let arrivals = rows
            .iter()
            .map(|row| self.arrival(row))
            .filter_map(Result::transpose);
        let board = Board {
            location_id: self.location_id.clone(),
            arrivals: arrivals.collect::<Result<_, _>>()?,
        };
        Ok(Some(View { board, now_ms }))
    }

    /// `None` for the one row of a board on which there is nobody.
    fn arrival(&self, row: &Row) -> Result<Option<Arrival>, StoreError> {
        let Some(order_id) = row.text_opt("order_id")? else {
            return Ok(None);
        };
        let (state, signal) = (row.text("state")?, row.text("signal")?);
        let unknown = || StoreError::Bug(format!("presence {state} by {signal}"));
        let local = |at_ms| rfc3339_in(at_ms, &self.time_zone);
        let (first, last) = (row.text_opt("first_name")?, row.text_opt("last_name")?);
        Ok(Some(Arrival {
            order_id,
            order_number: row.text("number")?,
            name: short_name(first.as_deref(), last.as_deref()),
            state: State::parse(&state).ok_or_else(unknown)?,
            signal: Signal::parse(&signal).ok_or_else(unknown)?,
            since: local(row.int("reported_at_ms")?),
            pickup: ArrivalPickup {
                status: row.text("status")?,
                ready_at: local(row.int("ready_at_ms")?),
            },
        }))
    }
}

/// No row for a session that is over, else at least one. The names are picked out of the
/// orders where they lie: a board is read each second, and an order can be long.
fn board_sql(dialect: Dialect) -> String {
    let name = |member: &str| {
        dialect.pick(
            format!("json_extract(o.doc, '$.buyer.{member}')"),
            format!("(o.doc::jsonb -> 'buyer' ->> '{member}')"),
        )
    };
    let (first, last) = (name("first_name"), name("last_name"));
    format!(
        "SELECT viewer.now_ms, b.* \
         FROM (SELECT {{now}} AS now_ms FROM {LIVE_SESSION} AND d.location_id = ?3) viewer LEFT JOIN ( \
           SELECT r.order_id, r.state, r.signal, r.reported_at_ms, o.number, p.status, p.ready_at_ms, \
                  {first} AS first_name, {last} AS last_name, \
                  CASE r.state WHEN 'arrived' THEN 0 ELSE 1 END AS way, \
                  CASE p.status WHEN 'ready' THEN 0 ELSE 1 END AS work \
           FROM presence r \
           JOIN pickup p ON p.brand_id = r.brand_id AND p.order_id = r.order_id AND p.location_id = r.location_id \
             AND p.status IN ('awaiting_transfer', 'preparing', 'ready') \
           JOIN customer_order o ON o.id = r.order_id AND o.status = 'confirmed' \
           WHERE r.brand_id = ?2 AND r.location_id = ?3 AND r.expires_at_ms > {{now}} \
           ORDER BY way, work, r.reported_at_ms, r.order_id LIMIT ?4 \
         ) b ON 1 = 1 ORDER BY b.way, b.work, b.reported_at_ms, b.order_id"
    )
}
