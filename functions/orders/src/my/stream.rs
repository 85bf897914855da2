//! `GET /my/orders/{id}/events`: that the order has changed, as server-sent events. What it
//! is now, the page asks for itself.

use aisle_http::shopper::Viewer;
use aisle_http::watch::{self, Look, Name};
use aisle_http::{Call, Error, Event, Reply};
use aisle_store::{Db, Row, StoreError, Value, values};

use crate::access::{self, OWNER, Visit};
use crate::facts::{digest, version};

/// Whether the link or the session of the viewer, `?3`, still counts.
const LINK_LIVES: &str = "(SELECT count(*) FROM invite i WHERE i.brand_id = ?1 AND i.id = ?3 \
     AND i.expires_at_ms > {now} AND i.revoked_at_ms IS NULL AND i.claimed_at_ms IS NULL)";
const SESSION_LIVES: &str = "(SELECT count(*) FROM account_session s WHERE s.brand_id = ?1 AND s.id = ?3 \
     AND s.access_expires_at_ms > {now} AND s.expires_at_ms > {now} AND s.revoked_at_ms IS NULL)";

/// Whoever waits for one order, on each of their devices.
const OF_ORDER: u32 = 24;

/// What is asked at each look.
struct Question {
    sql: String,
    params: Vec<Value>,
    viewer: Viewer,
    order_id: String,
}

/// One look at an order.
struct View {
    now_ms: i64,
    version: String,
    owner: Option<String>,
    lives: bool,
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
        "SELECT {{now}} AS now_ms, {} AS version, {OWNER} AS owner, {lives} AS lives \
         FROM customer_order o WHERE o.brand_id = ?1 AND o.id = ?2 AND o.status IN ('confirmed', 'cancelled')",
        version()
    );
    let question = Question {
        sql,
        params,
        order_id: id.to_owned(),
        viewer: visit.viewer.clone(),
    };
    let view = question.ask(call.db()).await?;
    let view = view.ok_or_else(access::not_found)?;
    visit.check(view.owner.as_deref())?;
    // The version that the client has.
    let mut shown = call.header("last-event-id").unwrap_or_default().to_owned();
    let first = seen(&view, &mut shown);
    let names = [
        Name::of_viewer(call, &visit.viewer).await,
        Name::new("order", id, OF_ORDER),
    ];
    let look = async move |db: &Db| {
        let view = question.ask(db).await?;
        let view = view.filter(|view| question.may_see(view));
        Ok(view.map(|view| seen(&view, &mut shown)))
    };
    watch::stream(call, "orders", names, first, look).await
}

impl Question {
    async fn ask(&self, db: &Db) -> Result<Option<View>, StoreError> {
        let row = db
            .query_one_opt(self.sql.clone(), self.params.clone())
            .await?;
        row.as_ref().map(View::of).transpose()
    }

    /// The order may have got an owner, and a link or a session may be over.
    fn may_see(&self, view: &View) -> bool {
        let (scope, owner) = (("order", self.order_id.as_str()), view.owner.as_deref());
        let touched = self.viewer.may_touch(scope, owner, access::not_found);
        view.lives && touched.is_ok()
    }
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

fn seen(view: &View, shown: &mut String) -> Look {
    let version = view.version.clone();
    let news = (version != *shown).then(|| Event::Message {
        name: "order",
        id: version.clone(),
        data: format!("{{\"version\":\"{version}\"}}"),
    });
    *shown = version;
    Look {
        now_ms: view.now_ms,
        news,
    }
}
