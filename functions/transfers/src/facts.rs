//! The one read of an operation: everything that its decision stands on, in one SQL call.
//! Each row is a kind and a JSON document.

use std::collections::BTreeSet;

use aisle_domain::brand::Brand;
use aisle_domain::cart::{self, Buyer, Line};
use aisle_domain::lane::Lane;
use aisle_domain::location::Location;
use aisle_domain::order::Order;
use aisle_domain::plan::{Allocation, Availability, Demand, StockLevel};
use aisle_domain::transfer::care::Way;
use aisle_http::{Call, Error};
use aisle_store::idempotency::{self, Claim, Outcome};
use aisle_store::model::{Locations, most_of, stock_at};
use aisle_store::scans::Total;
use aisle_store::transfers::{self, Transfer};
use aisle_store::{Dialect, Row, StoreError, Value};
use aisle_ucp::transfer::{BeneficiaryKind, ItemName};
use serde::Deserialize;

use crate::read;

/// A variant that a request names.
#[derive(Debug, Deserialize)]
pub struct Item {
    pub id: String,
    pub sku: String,
    pub gtin: Option<String>,
    pub active: i64,
}

/// A confirmed order that a transfer is for.
#[derive(Debug, Clone, Deserialize)]
pub struct OrderRow {
    pub version: i64,
    pub doc: Order,
}

/// The collection of that order.
#[derive(Debug, Clone, Deserialize)]
pub struct PickupRow {
    pub location_id: String,
    pub status: String,
    pub ready_at_ms: i64,
    pub version: i64,
}

/// A live cart, or an open checkout.
#[derive(Debug, Deserialize)]
struct BasketRow {
    version: i64,
    doc: Basket,
}

#[derive(Debug, Deserialize)]
struct Basket {
    lines: Vec<Line>,
    #[serde(default)]
    buyer: Buyer,
}

/// What is wanted in a cart or checkout, and by whom, as far as they say.
#[derive(Debug)]
pub struct Wanted {
    pub version: i64,
    pub demand: Demand,
    pub buyer: Buyer,
}

pub struct Facts {
    /// The database's clock.
    pub now_ms: i64,
    /// Of the request's idempotency key.
    pub outcome: Outcome,
    pub items: Vec<Item>,
    pub lanes: Vec<Lane>,
    pub availability: Availability,
    /// Whose account the order, cart or checkout belongs to.
    pub owner: Option<String>,
    /// The one that was asked for, and all others for the same order, cart or checkout.
    pub transfers: Vec<Transfer>,
    pub order: Option<OrderRow>,
    pub pickup: Option<PickupRow>,
    /// What scanners have read of the transfer so far.
    pub scanned: Vec<Total>,
    /// What the order holds, wherever.
    pub held: Vec<Allocation>,
    pub basket: Option<Wanted>,
    /// The destination, what could send goods there, and all that is named.
    pub locations: Locations,
    /// Their ids.
    places: BTreeSet<String>,
}

/// Places that have most of what is wanted and are told why they cannot send it.
const MOST: usize = 20;

/// What to read beside the clock and the idempotency key.
#[derive(Default)]
pub struct Question<'a> {
    /// A transfer with everything that its next step may need.
    pub transfer_id: Option<&'a str>,
    /// What a new transfer would bring, where to, and for whom.
    pub items: Option<&'a [(ItemName, i64)]>,
    pub to_location_id: Option<&'a str>,
    /// The only one that may send it.
    pub from_location_id: Option<&'a str>,
    pub beneficiary: Option<(BeneficiaryKind, &'a str)>,
}

impl Facts {
    /// Reads what `question` asks: one SQL call. The locations come from the read model.
    pub async fn read(
        call: &Call,
        brand: &Brand,
        claim: Option<&Claim>,
        question: &Question<'_>,
    ) -> Result<Self, Error> {
        let (sql, params) = question.sql(call.db().dialect(), &brand.id, claim);
        let rows = call.db().query(sql, params).await?;
        let mut facts = Self::collect(&rows, claim)?;
        let named = [question.to_location_id, question.from_location_id];
        facts
            .places
            .extend(named.into_iter().flatten().map(Into::into));
        let places = facts.places.iter().cloned();
        facts.locations = call.model().locations(&brand.id, places).await?;
        Ok(facts)
    }

    pub fn location(&self, id: &str) -> Option<&Location> {
        self.locations.all.iter().find(|location| location.id == id)
    }

    /// From where to where the transfer goes, and how.
    pub fn way(&self, transfer: &Transfer) -> Way<'_> {
        let (from, to) = (&transfer.from_location_id, &transfer.to_location_id);
        let leads = |lane: &&Lane| lane.from_location_id == *from && lane.to_location_id == *to;
        Way {
            from: self.location(from),
            to: self.location(to),
            lane: self.lanes.iter().find(leads),
        }
    }

    fn collect(rows: &[Row], claim: Option<&Claim>) -> Result<Self, StoreError> {
        let mut levels = Vec::new();
        let mut facts = Self {
            now_ms: 0,
            outcome: Outcome::Fresh,
            items: Vec::new(),
            lanes: Vec::new(),
            availability: Availability::default(),
            transfers: Vec::new(),
            owner: None,
            order: None,
            pickup: None,
            scanned: Vec::new(),
            held: Vec::new(),
            basket: None,
            locations: Locations::default(),
            places: BTreeSet::new(),
        };
        for row in rows {
            match row.text("kind")?.as_str() {
                "head" => {
                    facts.now_ms = row.int("now_ms")?;
                    facts.outcome = claim.map_or(Ok(Outcome::Fresh), |claim| claim.outcome(row))?;
                }
                "item" => facts.items.push(row.json("doc")?),
                "stock" => levels.push(row.json::<Level>("doc")?.into()),
                "lane" => facts.lanes.push(row.json("doc")?),
                "transfer" => facts.transfers.push(row.json("doc")?),
                "owner" => facts.owner = Some(row.json::<Owner>("doc")?.account_id),
                "order" => facts.order = Some(row.json("doc")?),
                "pickup" => facts.pickup = Some(row.json("doc")?),
                "scanned" => facts.scanned.push(row.json("doc")?),
                "held" => facts.held.push(row.json("doc")?),
                "basket" => {
                    let BasketRow { version, doc } = row.json("doc")?;
                    facts.basket = Some(Wanted {
                        version,
                        demand: cart::demand(&doc.lines),
                        buyer: doc.buyer,
                    });
                }
                other => return Err(StoreError::Bug(format!("a row of kind {other}"))),
            }
        }
        facts.name_places(&levels);
        facts.availability = Availability::new(&levels);
        Ok(facts)
    }
}

impl Facts {
    /// Notes the ids of all places that the facts are about.
    fn name_places(&mut self, levels: &[StockLevel]) {
        let stocked = levels.iter().map(|level| level.location_id.clone());
        let lanes = self.lanes.iter();
        let lanes = lanes.flat_map(|lane| [&lane.from_location_id, &lane.to_location_id]);
        let transfers = self.transfers.iter().flat_map(read::named);
        let pickup = self.pickup.iter().map(|pickup| &pickup.location_id);
        let held = self.held.iter().map(|one| &one.location_id);
        let named = lanes.chain(transfers).chain(pickup).chain(held).cloned();
        self.places = stocked.chain(named).collect();
    }
}

#[derive(Deserialize)]
struct Owner {
    account_id: String,
}

#[derive(Deserialize)]
struct Level {
    sku: String,
    location_id: String,
    on_hand: i64,
    reserved: i64,
    safety: i64,
}

impl From<Level> for StockLevel {
    fn from(level: Level) -> Self {
        Self {
            sku: level.sku,
            location_id: level.location_id,
            on_hand: level.on_hand,
            reserved: level.reserved,
            safety: level.safety,
        }
    }
}

/// Kind, document, and where it comes from. CROSS, so that SQLite begins with the one that is
/// asked about, not with all that have its brand or its status.
type Part<'a> = (&'a str, &'a str, &'a str);

const PARTS: [Part; 9] = [
    (
        "item",
        "{object}('id', i.id, 'sku', i.sku, 'gtin', i.gtin, 'active', i.active)",
        "item i",
    ),
    (
        "stock",
        "{object}('sku', s.sku, 'location_id', s.location_id, 'on_hand', s.on_hand, 'reserved', s.reserved, 'safety', s.safety)",
        "({stock}) s",
    ),
    (
        "lane",
        "l.doc",
        "transfer_lane l WHERE l.brand_id = ?1 AND l.to_location_id IN (SELECT id FROM destination)",
    ),
    (
        "owner",
        "{object}('account_id', w.account_id)",
        "(SELECT o.account_id FROM beneficiary b CROSS JOIN account_order o \
          WHERE b.type = 'order' AND o.brand_id = ?1 AND o.order_id = b.id UNION ALL \
          SELECT c.account_id FROM beneficiary b CROSS JOIN account_cart c \
          WHERE b.type = 'cart' AND c.brand_id = ?1 AND c.cart_id = b.id UNION ALL \
          SELECT s.account_id FROM beneficiary b CROSS JOIN account_checkout s \
          WHERE b.type = 'checkout' AND s.brand_id = ?1 AND s.checkout_session_id = b.id) w",
    ),
    (
        "order",
        "{object}('version', o.version, 'doc', {json}o.doc{/json})",
        "beneficiary b CROSS JOIN customer_order o WHERE b.type = 'order' AND o.id = b.id AND o.brand_id = ?1 \
         AND o.status = 'confirmed'",
    ),
    (
        "pickup",
        "{object}('location_id', p.location_id, 'status', p.status, 'ready_at_ms', p.ready_at_ms, 'version', p.version)",
        "beneficiary b CROSS JOIN pickup p WHERE b.type = 'order' AND p.brand_id = ?1 AND p.order_id = b.id",
    ),
    (
        "held",
        "{object}('sku', a.sku, 'location_id', a.location_id, 'quantity', a.quantity)",
        "beneficiary b CROSS JOIN allocation a WHERE b.type = 'order' AND a.brand_id = ?1 AND a.order_id = b.id \
         AND a.status = 'open'",
    ),
    (
        "basket",
        "{object}('version', c.version, 'doc', {json}c.doc{/json})",
        "beneficiary b CROSS JOIN cart c WHERE b.type = 'cart' AND c.id = b.id AND c.brand_id = ?1 \
         AND c.status = 'active' AND c.expires_at_ms > {now}",
    ),
    (
        "basket",
        "{object}('version', c.version, 'doc', {json}c.doc{/json})",
        "beneficiary b CROSS JOIN checkout_session c WHERE b.type = 'checkout' AND c.id = b.id AND c.brand_id = ?1 \
         AND c.status IN ('incomplete', 'ready_for_complete') AND c.expires_at_ms > {now}",
    ),
];

/// Asked for one transfer only: what was scanned of it.
const SCANNED: Part = (
    "scanned",
    "{object}('sku', d.sku, 'good', d.good, 'damaged', d.damaged)",
    "(SELECT sku, CAST(sum(CASE WHEN condition = 'good' THEN quantity ELSE 0 END) AS BIGINT) AS good, \
      CAST(sum(CASE WHEN condition = 'good' THEN 0 ELSE quantity END) AS BIGINT) AS damaged \
      FROM device_scan WHERE brand_id = ?1 AND task_type = 'transfer' AND task_id = ?4 GROUP BY sku) d",
);

impl Question<'_> {
    /// One statement: `item`, `destination` and `beneficiary` are what the question names,
    /// and every fact about them is a row.
    fn sql(&self, dialect: Dialect, brand_id: &str, claim: Option<&Claim>) -> (String, Vec<Value>) {
        let mut params = vec![Value::from(brand_id)];
        params.extend(claim.map_or_else(|| ["", ""].map(Value::from), Claim::params));
        let (with, family) = match self.transfer_id {
            Some(id) => {
                params.push(id.into());
                (
                    OF_TRANSFER.to_owned(),
                    "t.id = ?4 OR (t.for_id <> '' AND t.for_type IN (SELECT type FROM beneficiary) AND t.for_id IN (SELECT id FROM beneficiary))",
                )
            }
            None => {
                let (kind, id) = self
                    .beneficiary
                    .map_or(("", ""), |(kind, id)| (kind.name(), id));
                let names = self
                    .items
                    .unwrap_or_default()
                    .iter()
                    .map(|(name, _)| name.text());
                let names: Vec<&str> = names.collect();
                params.push(serde_json::Value::from(names).to_string().into());
                params.push(self.to_location_id.unwrap_or_default().into());
                params.push(kind.into());
                params.push(id.into());
                params.push(self.from_location_id.unwrap_or_default().into());
                let wanted = dialect.listed("?4", "item");
                (
                    OF_REQUEST.replace("{wanted}", &wanted),
                    "t.for_id <> '' AND t.for_type = ?6 AND t.for_id = ?7",
                )
            }
        };
        let head = format!(
            "SELECT 'head' AS kind, CAST(NULL AS TEXT) AS doc, {{now}} AS now_ms, {} FROM (SELECT 1 AS one) probe {}",
            idempotency::COLUMNS,
            idempotency::join("?2", "?3"),
        );
        let document = transfers::document(dialect);
        let from = format!("transfer t WHERE t.brand_id = ?1 AND ({family})");
        let transfer = ("transfer", document.as_str(), from.as_str());
        let scanned = self.transfer_id.map(|_| &SCANNED);
        let parts = PARTS.iter().chain([&transfer]).chain(scanned).map(|(kind, document, from)| {
            format!(" UNION ALL SELECT '{kind}', CAST({document} AS TEXT), NULL, NULL, NULL, NULL, NULL FROM {from}")
        });
        let sender = match self.transfer_id {
            Some(_) => "",
            None => " UNION SELECT CAST(?8 AS TEXT)",
        };
        let most = most_of(dialect, "item", MOST);
        let candidate = format!(
            "candidate AS (SELECT id FROM destination UNION SELECT l.from_location_id FROM transfer_lane l \
               WHERE l.brand_id = ?1 AND l.to_location_id IN (SELECT id FROM destination) \
             UNION SELECT t.from_location_id FROM transfer t WHERE t.brand_id = ?1 AND ({family}) \
             UNION SELECT p.location_id FROM pickup p WHERE p.brand_id = ?1 \
               AND p.order_id IN (SELECT id FROM beneficiary WHERE type = 'order') \
             UNION SELECT m.location_id FROM ({most}) m{sender})"
        );
        let sql = format!("{with}, {candidate} {head}{}", parts.collect::<String>());
        (in_dialect(dialect, &sql), params)
    }
}

fn in_dialect(dialect: Dialect, sql: &str) -> String {
    let (object, json, end) = dialect.pick(
        ("json_object", "json(", ")"),
        ("json_build_object", "CAST(", " AS json)"),
    );
    sql.replace("{object}", object)
        .replace("{stock}", &stock_at(dialect, "item", "candidate"))
        .replace("{json}", json)
        .replace("{/json}", end)
}

const OF_TRANSFER: &str = "WITH item AS (\
        SELECT v.id, v.sku, v.gtin, v.active FROM variant v JOIN transfer_line l ON l.brand_id = v.brand_id AND l.sku = v.sku \
        WHERE l.brand_id = ?1 AND l.transfer_id = ?4), \
    destination AS (SELECT to_location_id AS id FROM transfer WHERE brand_id = ?1 AND id = ?4), \
    beneficiary AS (SELECT for_type AS type, for_id AS id FROM transfer WHERE brand_id = ?1 AND id = ?4)";
/// Variants by id, by SKU and by GTIN, as joins so that each uses its index; CROSS, so that
/// SQLite does not begin with the brand's variants.
const OF_REQUEST: &str = "WITH wanted AS ({wanted}), item AS (\
        SELECT v.id, v.sku, v.gtin, v.active FROM wanted w CROSS JOIN variant v WHERE v.id = w.item AND v.brand_id = ?1 \
        UNION SELECT v.id, v.sku, v.gtin, v.active FROM wanted w CROSS JOIN variant v WHERE v.sku = w.item AND v.brand_id = ?1 \
        UNION SELECT v.id, v.sku, v.gtin, v.active FROM wanted w CROSS JOIN variant v WHERE v.gtin = w.item AND v.brand_id = ?1), \
    destination AS (SELECT CAST(?5 AS TEXT) AS id), \
    beneficiary AS (SELECT CAST(?6 AS TEXT) AS type, CAST(?7 AS TEXT) AS id)";
