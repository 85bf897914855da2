//! All that is known about an order, in one SQL call: what its page shows, and what the
//! shopper's actions are decided on.

use aisle_domain::cancellation;
use aisle_domain::order::Order;
use aisle_domain::pass::{PassClaims, PickupStatus};
use aisle_domain::plan::Allocation;
use aisle_domain::policy::Policies;
use aisle_domain::presence::{Presence, Signal, State};
use aisle_domain::returns::{ReturnDoc, ReturnLine};
use aisle_domain::transfer::Status;
use aisle_http::shopper::Viewer;
use aisle_http::{Error, Reply};
use aisle_store::idempotency::{self, Claim, Outcome};
use aisle_store::transfers::{self, Transfer};
use aisle_store::{Dialect, Row, StoreError, Value, sha256_hex, values};
use aisle_ucp::order::{MAX_ENTRIES, Recorded};

use crate::access::{self, OWNER, Visit};

/// Rows of a kind that are looked at, at most.
const MOST: usize = 100;

pub struct Facts {
    /// The database's clock.
    pub now_ms: i64,
    /// Of the request's idempotency key.
    pub outcome: Outcome,
    pub order: Order,
    pub version: i64,
    pub cancelled: bool,
    /// Changes with all that the page shows; see [`version`].
    pub page_version: String,
    pub pickup: Option<Pickup>,
    /// The oldest first.
    pub recorded: Vec<Recorded>,
    pub transfers: Vec<Transfer>,
    /// What the order holds, wherever.
    pub held: Vec<Allocation>,
    /// How the payment in parts stands, where there is one.
    pub layaway: Option<String>,
    /// A payment was begun whose verdict is not known.
    pub payment_open: bool,
    pub presence: Option<Presence>,
    /// The pass that is good now.
    pub pass: Option<LivePass>,
    /// Who collects it, when that is not who bought it.
    pub person: Option<String>,
    pub contacts: Vec<Contact>,
    /// Channels on which a message could not be delivered, the latest first.
    pub undelivered: Vec<String>,
    pub returns: Vec<ReturnDoc>,
    /// When goods of it left with the shopper for the last time.
    pub handed_over_at_ms: Option<i64>,
    /// BCP 47: the language of the viewer's account or link.
    pub locale: Option<String>,
}

pub struct Pickup {
    pub status: PickupStatus,
    pub location_id: String,
    pub ready_at_ms: i64,
    pub pickup_by_ms: i64,
    pub version: i64,
}

pub struct LivePass {
    pub claims: PassClaims,
    pub code: String,
}

/// A row of table `order_contact`.
pub struct Contact {
    pub channel: String,
    pub address: String,
    pub active: bool,
    /// Its owner said STOP, and whoever looks is to know: see [`Facts::is_of_the_shopper`].
    pub opted_out: bool,
}

/// Of a message `m` of an order: it could not be delivered, nor did anything reach the shopper
/// instead of it or after it. A text and a mail about the same news have the same beginning of
/// their keys: `notice/` and the event's id.
const UNDELIVERED: &str = "m.status = 'failed' AND m.fallback_of IS NULL AND NOT EXISTS (SELECT 1 FROM message s \
       WHERE s.brand_id = m.brand_id AND s.order_id = m.order_id AND (\
         s.status IN ('queued', 'sending', 'sent', 'delivered') AND (s.fallback_of = m.id OR s.channel <> m.channel \
           AND m.dedup_key LIKE 'notice/%' AND substr(s.dedup_key, 1, 43) = substr(m.dedup_key, 1, 43)) \
         OR s.channel = m.channel AND s.created_at_ms > m.created_at_ms \
           AND (s.status IN ('sent', 'delivered') OR s.status = 'failed' AND s.fallback_of IS NULL))) \
     AND NOT EXISTS (SELECT 1 FROM order_contact k WHERE k.brand_id = m.brand_id AND k.order_id = m.order_id \
       AND k.channel = m.channel AND k.address = m.address AND k.ended_at_ms IS NOT NULL)";

/// A text that changes whenever the page of `customer_order o` would look different.
pub fn version() -> String {
    format!(
        "{VERSION} || '/' || (SELECT count(*) || coalesce(max(m.id), '') FROM message m \
         WHERE m.brand_id = o.brand_id AND m.order_id = o.id AND {UNDELIVERED})"
    )
}

const VERSION: &str = "'v' || o.version || o.status || '/' || coalesce((SELECT p.status || p.version FROM pickup p \
       WHERE p.brand_id = o.brand_id AND p.order_id = o.id), '') || '/' || \
     (SELECT count(*) FROM order_event e WHERE e.brand_id = o.brand_id AND e.order_id = o.id) || '/' || \
     coalesce((SELECT r.state || r.reported_at_ms FROM presence r WHERE r.brand_id = o.brand_id AND r.order_id = o.id \
       AND r.expires_at_ms > {now}), '') || '/' || \
     coalesce((SELECT max(k.id) FROM pickup_pass k WHERE k.brand_id = o.brand_id AND k.order_id = o.id \
       AND k.revoked_at_ms IS NULL AND k.expires_at_ms > {now}), '') || '/' || \
     (SELECT count(*) FROM order_contact c WHERE c.brand_id = o.brand_id AND c.order_id = o.id AND c.ended_at_ms IS NULL)";

/// The columns of every row: kind, three texts, three numbers, a document.
const PARTS: [&str; 12] = [
    "SELECT 'pickup', p.status, p.location_id, NULL, p.ready_at_ms, p.pickup_by_ms, p.version, NULL, NULL, NULL, NULL, NULL \
     FROM pickup p WHERE p.brand_id = ?1 AND p.order_id = ?2",
    "SELECT 'event', e.id, NULL, NULL, e.occurred_at_ms, NULL, NULL, e.doc, NULL, NULL, NULL, NULL \
     FROM (SELECT id, doc, occurred_at_ms FROM order_event WHERE brand_id = ?1 AND order_id = ?2 \
       ORDER BY occurred_at_ms DESC, id DESC LIMIT {most_entries}) e",
    "SELECT 'transfer', NULL, NULL, NULL, NULL, NULL, NULL, CAST({transfer} AS TEXT), NULL, NULL, NULL, NULL \
     FROM transfer t WHERE t.brand_id = ?1 AND t.for_type = 'order' AND t.for_id = ?2",
    "SELECT 'held', a.sku, a.location_id, NULL, a.quantity, NULL, NULL, NULL, NULL, NULL, NULL, NULL \
     FROM allocation a WHERE a.brand_id = ?1 AND a.order_id = ?2 AND a.status = 'open'",
    "SELECT 'layaway', l.status, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL \
     FROM layaway l WHERE l.brand_id = ?1 AND l.order_id = ?2",
    "SELECT 'payment', p.id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL \
     FROM payment p WHERE p.brand_id = ?1 AND p.order_id = ?2 AND p.status = 'started'",
    "SELECT 'presence', r.state, r.signal, NULL, r.reported_at_ms, r.expires_at_ms, NULL, NULL, NULL, NULL, NULL, NULL \
     FROM presence r WHERE r.brand_id = ?1 AND r.order_id = ?2 AND r.expires_at_ms > {now}",
    "SELECT 'pass', k.id, k.code, k.location_id, k.issued_at_ms, k.expires_at_ms, NULL, NULL, NULL, NULL, NULL, NULL \
     FROM pickup_pass k WHERE k.brand_id = ?1 AND k.order_id = ?2 AND k.revoked_at_ms IS NULL AND k.expires_at_ms > {now}",
    "SELECT 'person', w.name, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL \
     FROM pickup_person w WHERE w.brand_id = ?1 AND w.order_id = ?2",
    "SELECT 'contact', c.channel, c.address, s.address, c.ended_at_ms, CASE WHEN {proved} THEN 1 ELSE 0 END, \
     NULL, NULL, NULL, NULL, NULL, NULL \
     FROM (SELECT * FROM order_contact WHERE brand_id = ?1 AND order_id = ?2 \
       ORDER BY created_at_ms DESC, address LIMIT {most}) c \
     LEFT JOIN opt_out s ON s.brand_id = c.brand_id AND s.channel = c.channel AND s.address = c.address",
    "SELECT 'undelivered', m.channel, NULL, NULL, m.created_at_ms, NULL, NULL, NULL, NULL, NULL, NULL, NULL \
     FROM message m WHERE m.brand_id = ?1 AND m.order_id = ?2 AND {undelivered}",
    "SELECT 'return', q.id, NULL, NULL, q.created_at_ms, NULL, NULL, q.doc, NULL, NULL, NULL, NULL \
     FROM return_request q WHERE q.brand_id = ?1 AND q.order_id = ?2 AND q.status NOT IN ('cancelled', 'refused')",
];

/// The language of whoever looks: `?5` is the account or the link.
const OF_ACCOUNT: &str = "SELECT 'locale', NULL, NULL, NULL, NULL, NULL, NULL, a.doc, NULL, NULL, NULL, NULL \
     FROM account a WHERE a.brand_id = ?1 AND a.id = ?5";
const OF_LINK: &str = "SELECT 'locale', i.locale, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL \
     FROM invite i WHERE i.brand_id = ?1 AND i.id = ?5";

const HANDED_OVER: &str =
    "(SELECT max(h.handed_at_ms) FROM hand_over h WHERE h.brand_id = ?1 AND h.order_id = ?2)";

impl Facts {
    /// One call. Refuses who may not touch the order, or that there is none.
    pub async fn read(visit: &Visit<'_>, claim: Option<&Claim>) -> Result<Self, Error> {
        let (sql, params) = question(visit, claim);
        let rows = visit.call.db().query(sql, params).await?;
        let order = rows
            .iter()
            .find(|row| row.text("kind").is_ok_and(|kind| kind == "order"));
        let Some(order) = order else {
            return Err(access::not_found());
        };
        visit.check(order.text_opt("k2")?.as_deref())?;
        Ok(Self::collect(&rows, visit, claim)?)
    }

    /// What a cancellation is decided on.
    pub fn hindrance(&self, policies: &Policies) -> Option<cancellation::Hindrance> {
        let transfers: Vec<Status> = self.transfers.iter().map(Transfer::status_now).collect();
        let policy = self.order.cancellation_policy(policies);
        policy.hindrance(&cancellation::Facts {
            order: &self.order,
            cancelled: self.cancelled,
            pickup: self.pickup.as_ref().map(|pickup| pickup.status),
            transfers: &transfers,
            in_instalments: self
                .layaway
                .as_deref()
                .is_some_and(|status| status == "active"),
            payment_open: self.payment_open,
        })
    }

    /// Whether the order was placed with this number or mail address. That somebody said STOP is
    /// told to those it concerns only: here, and where the account that has the order has proved
    /// the address ([`proved`]). Anybody can name anybody's number for their own order.
    pub fn is_of_the_shopper(&self, address: &str) -> bool {
        let buyer = &self.order.buyer;
        let known = [&buyer.phone_number, &buyer.email];
        known.into_iter().flatten().any(|known| known == address)
    }

    /// Lines of the returns that were started.
    pub fn returned(&self) -> Vec<ReturnLine> {
        let lines = self.returns.iter().flat_map(|doc| doc.lines.clone());
        lines.collect()
    }

    fn collect(rows: &[Row], visit: &Visit<'_>, claim: Option<&Claim>) -> Result<Self, StoreError> {
        let row_of = |kind: &str| {
            rows.iter()
                .find(|row| row.text("kind").is_ok_and(|own| own == kind))
        };
        let bug = |what: &str| StoreError::Bug(format!("an order's facts without {what}"));
        let (head, own) = (
            row_of("head").ok_or_else(|| bug("head"))?,
            row_of("order").ok_or_else(|| bug("order"))?,
        );
        let mut facts = Self {
            now_ms: head.int("n1")?,
            outcome: claim.map_or(Ok(Outcome::Fresh), |claim| claim.outcome(head))?,
            order: own.json("doc")?,
            version: own.int("n1")?,
            cancelled: own.text("k1")? == "cancelled",
            page_version: digest(&own.text("k3")?),
            pickup: row_of("pickup").map(Pickup::of).transpose()?,
            recorded: Vec::new(),
            transfers: Vec::new(),
            held: Vec::new(),
            layaway: row_of("layaway").map(|row| row.text("k1")).transpose()?,
            payment_open: row_of("payment").is_some(),
            presence: row_of("presence").map(presence).transpose()?,
            pass: None,
            person: row_of("person").map(|row| row.text("k1")).transpose()?,
            contacts: Vec::new(),
            undelivered: Vec::new(),
            returns: Vec::new(),
            handed_over_at_ms: own.int_opt("n2")?,
            locale: row_of("locale").map(locale).transpose()?.flatten(),
        };
        for row in rows {
            facts.add(row, visit)?;
        }
        let order = |one: &Recorded, other: &Recorded| {
            (one.occurred_at_ms, &one.id).cmp(&(other.occurred_at_ms, &other.id))
        };
        facts.recorded.sort_by(order);
        facts.transfers.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(facts)
    }

    /// A row of a kind that can come more than once.
    fn add(&mut self, row: &Row, visit: &Visit<'_>) -> Result<(), StoreError> {
        match row.text("kind")?.as_str() {
            "event" => self.recorded.push(Recorded {
                id: row.text("k1")?,
                occurred_at_ms: row.int("n1")?,
                entry: row.json("doc")?,
            }),
            "transfer" => self.transfers.push(row.json("doc")?),
            "held" => self.held.push(Allocation {
                sku: row.text("k1")?,
                location_id: row.text("k2")?,
                quantity: row.int("n1")?,
            }),
            "pass" => self.pass = Some(LivePass::of(row, visit)?),
            "contact" => self.contacts.push(Contact {
                channel: row.text("k1")?,
                address: row.text("k2")?,
                active: row.int_opt("n1")?.is_none(),
                opted_out: row.text_opt("k3")?.is_some()
                    && (row.int("n2")? != 0 || self.is_of_the_shopper(&row.text("k2")?)),
            }),
            "undelivered" => self.undelivered.push(row.text("k1")?),
            "return" => self.returns.push(row.json("doc")?),
            _ => {}
        }
        Ok(())
    }
}

/// What names a state of the page, for a client that asks whether it has changed.
pub fn digest(version: &str) -> String {
    sha256_hex(version.as_bytes()).chars().take(16).collect()
}

fn question(visit: &Visit<'_>, claim: Option<&Claim>) -> (String, Vec<Value>) {
    let head = format!(
        "SELECT 'head' AS kind, CAST(NULL AS TEXT) AS k1, CAST(NULL AS TEXT) AS k2, CAST(NULL AS TEXT) AS k3, \
         {{now}} AS n1, CAST(NULL AS BIGINT) AS n2, CAST(NULL AS BIGINT) AS n3, CAST(NULL AS TEXT) AS doc, {} \
         FROM (SELECT 1 AS one) probe {}",
        idempotency::COLUMNS,
        idempotency::join("?3", "?4"),
    );
    let order = format!(
        "SELECT 'order', o.status, {OWNER}, {}, o.version, {HANDED_OVER}, NULL, o.doc, NULL, NULL, NULL, NULL \
         FROM customer_order o WHERE o.brand_id = ?1 AND o.id = ?2 AND o.status IN ('confirmed', 'cancelled')",
        version()
    );
    let speaker = match &visit.viewer {
        Viewer::Account(shopper) => Some((OF_ACCOUNT, &shopper.account_id)),
        Viewer::Link(link) => Some((OF_LINK, &link.invite_id)),
        Viewer::Anybody => None,
    };
    let dialect: Dialect = visit.call.db().dialect();
    let parts = PARTS
        .join(" UNION ALL ")
        .replace("{undelivered}", UNDELIVERED)
        .replace("{proved}", &proved("c.address"))
        .replace("{transfer}", &transfers::document(dialect))
        .replace("{most_entries}", &MAX_ENTRIES.to_string())
        .replace("{most}", &MOST.to_string());
    let mut params = values![&visit.brand.id, visit.order_id];
    params.extend(claim.map_or_else(|| ["", ""].map(Value::from), Claim::params));
    let mut selects = vec![head, order, parts];
    if let Some((select, id)) = speaker {
        selects.push(select.to_owned());
        params.push(id.into());
    }
    (selects.join(" UNION ALL "), params)
}

/// Whether the account that has the order `?2` has proved the `address`.
pub fn proved(address: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM account_order own JOIN account_identity i \
         ON i.brand_id = own.brand_id AND i.account_id = own.account_id \
         WHERE own.brand_id = ?1 AND own.order_id = ?2 AND i.address = {address})"
    )
}

/// Of an account's document, or as the link has it.
fn locale(row: &Row) -> Result<Option<String>, StoreError> {
    match row.text_opt("k1")? {
        Some(tag) => Ok(Some(tag)),
        None => spoken(row, "doc"),
    }
}

/// The language that an account's document, in this column, asks for.
pub fn spoken(row: &Row, column: &str) -> Result<Option<String>, StoreError> {
    #[derive(serde::Deserialize)]
    struct Speaker {
        #[serde(default)]
        locale: Option<String>,
    }
    Ok(row
        .json_opt::<Speaker>(column)?
        .and_then(|speaker| speaker.locale))
}

fn presence(row: &Row) -> Result<Presence, StoreError> {
    let (state, signal) = (row.text("k1")?, row.text("k2")?);
    let unknown = || StoreError::Bug(format!("presence {state} by {signal}"));
    Ok(Presence {
        state: State::parse(&state).ok_or_else(unknown)?,
        signal: Signal::parse(&signal).ok_or_else(unknown)?,
        since_ms: row.int("n1")?,
        expires_at_ms: row.int("n2")?,
    })
}

impl Pickup {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            status: crate::read::status(&row.text("k1")?)?,
            location_id: row.text("k2")?,
            ready_at_ms: row.int("n1")?,
            pickup_by_ms: row.int("n2")?,
            version: row.int("n3")?,
        })
    }
}

impl LivePass {
    fn of(row: &Row, visit: &Visit<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            claims: PassClaims {
                brand_id: visit.brand.id.clone(),
                pass_id: row.text("k1")?,
                order_id: visit.order_id.to_owned(),
                location_id: row.text("k3")?,
                issued_at_ms: row.int("n1")?,
                expires_at_ms: row.int("n2")?,
            },
            code: row.text("k2")?,
        })
    }
}

/// A command's look at the facts: the answer of an earlier request with its key, or them.
pub async fn look(visit: &Visit<'_>, claim: Option<&Claim>) -> Result<Result<Facts, Reply>, Error> {
    let facts = Facts::read(visit, claim).await?;
    Ok(match visit.call.replay(facts.outcome.clone())? {
        Some(reply) => Err(reply),
        None => Ok(facts),
    })
}
