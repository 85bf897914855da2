//! The one read of a command: everything that its decision stands on, in one SQL call.

mod places;

use std::collections::{BTreeSet, HashMap};

use aisle_domain::brand::Brand;
use aisle_domain::cart::merge::Version;
use aisle_domain::cart::{Cart, Item, PriceList};
use aisle_domain::checkout::{Session, Shop, Status};
use aisle_domain::lane::Lane;
use aisle_domain::location::Location;
use aisle_domain::plan::{Allocation, Availability, Demand, Plan, StockLevel};
use aisle_domain::product::{Product, Variant};
use aisle_domain::transfer::{Held, PlannedTransfer, TransferDoc};
use aisle_http::shopper::Shopper;
use aisle_http::{Call, Error};
use aisle_store::holds::{EXPIRED_AT_A_TIME, OpenHold};
use aisle_store::idempotency::{self, Claim, Outcome};
use aisle_store::{Dialect, Row, StoreError, Value};

use places::{Seen, Width};

/// A row of table `cart` that has neither ended nor expired.
pub struct CartRow {
    pub id: String,
    pub cart: Cart,
    pub version: i64,
    pub expires_at_ms: i64,
    /// The account that it belongs to.
    pub owner: Option<String>,
}

/// What became of a cart that was brought along by somebody who signed in.
pub struct MergedCart {
    pub into: String,
    pub account_id: String,
}

/// A row of table `checkout_session`, unless it is open and has expired.
#[derive(Clone)]
pub struct SessionRow {
    pub id: String,
    pub cart_id: Option<String>,
    pub session: Session,
    pub status: Status,
    pub version: i64,
    pub expires_at_ms: i64,
}

/// The session's row of table `customer_order` with its latest payment.
pub struct Attempt {
    pub order_id: String,
    pub number: String,
    pub order_status: String,
    pub order_version: i64,
    /// From 1, one for each time that the provider was asked.
    pub number_of_payment: i64,
    pub payment_id: String,
    /// Since the provider was asked.
    pub age_ms: i64,
}

pub struct Facts {
    /// The database's clock.
    pub now_ms: i64,
    /// Of the request's idempotency key.
    pub outcome: Outcome,
    pub cart: Option<CartRow>,
    pub merged: Option<MergedCart>,
    /// Earlier versions of the cart, in order.
    pub earlier: Vec<Version>,
    /// The id of the account's cart.
    pub own_cart: Option<String>,
    /// What the account calls the device.
    pub device: Option<String>,
    pub session: Option<SessionRow>,
    pub attempt: Option<Attempt>,
    /// Transfers that are set aside for the cart or the session, and not expired.
    pub held: Vec<Held>,
    /// Transfers of the session's order that is not paid yet.
    pub ordered: Vec<Held>,
    /// Of both, by id.
    kept: HashMap<String, Kept>,
    lanes: Vec<Lane>,
    items: Vec<Item>,
    /// As the database has it: what is paid is never by a document that may be stale.
    brand: Option<Brand>,
    /// The shopper's own hold, while it keeps anything.
    pub hold: Option<OpenHold>,
    /// Others' holds whose time is over: what they keep is free.
    pub expired: Vec<OpenHold>,
    availability: Availability,
    /// Those that were looked at.
    locations: Vec<Location>,
    /// Their ids.
    places: BTreeSet<String>,
    /// Rows of stock that were read of each SKU.
    levels: HashMap<String, usize>,
    /// Places that ship and were looked at.
    ships: i64,
}

/// A transfer that was read.
struct Kept {
    /// `cart`, `checkout` or `order`, and its id.
    owner: (String, String),
    doc: TransferDoc,
}

/// What to read beside the clock and the idempotency key.
#[derive(Default)]
pub struct Question<'a> {
    /// Variant ids and SKUs that the request names, with how many it wants.
    pub items: Option<Vec<(&'a str, i64)>>,
    /// Id or code of the store that the shopper looks at, as the request says.
    pub context: Option<&'a str>,
    /// Ids of the stores that the request chooses.
    pub stores: Vec<&'a str>,
    pub cart_id: Option<&'a str>,
    /// The items in the cart.
    pub cart_items: bool,
    /// The cart's versions from this one on.
    pub cart_since: Option<i64>,
    /// The cart that the session came from, with its items.
    pub cart_of_session: bool,
    /// The device that asks, and which cart its account has.
    pub shopper: Option<&'a Shopper>,
    pub session_id: Option<&'a str>,
    /// The shopper's own hold; where none is named, the session's.
    pub hold_id: Option<&'a str>,
    /// The items in the session.
    pub session_items: bool,
    /// The session's order and payment.
    pub attempt: bool,
    /// The ways on which the items could be brought to a store.
    pub lanes: bool,
}

impl CartRow {
    /// What there is of it now.
    pub fn latest(&self) -> Version {
        Version {
            number: self.version,
            cart: self.cart.clone(),
        }
    }
}

impl Facts {
    /// Reads what `question` asks: one SQL call, and a second one where the places that were
    /// looked at have too little. The locations come from the read model.
    pub async fn read(
        call: &Call,
        brand: &Brand,
        claim: Option<&Claim>,
        question: Question<'_>,
    ) -> Result<Self, Error> {
        let items: Vec<&str> = question
            .items
            .iter()
            .flatten()
            .map(|(item, _)| *item)
            .collect();
        let (stores, context) = (&question.stores, question.context);
        let named = places::named(call, brand, stores, context, &items).await?;
        let facts = question
            .ask(call, brand, claim, &named, Width::Candidates)
            .await?;
        if !facts.falls_short(&question) {
            return Ok(facts);
        }
        Ok(question.ask(call, brand, claim, &named, Width::All).await?)
    }

    /// What is wanted cannot be had from the places that were looked at.
    fn falls_short(&self, question: &Question<'_>) -> bool {
        let named = question.items.iter().flatten();
        let asked = named.filter_map(|(name, quantity)| {
            let is = |item: &&Item| item.variant_id == *name || item.sku == *name;
            Some((self.items.iter().find(is)?.sku.as_str(), *quantity))
        });
        let cart = self
            .cart
            .iter()
            .filter(|_| question.cart_items || question.cart_of_session);
        let session = self.session.iter().filter(|_| question.session_items);
        let lines = match question.items {
            Some(_) => Vec::new(),
            None => {
                let cart = cart.flat_map(|row| &row.cart.lines);
                let session = session.flat_map(|row| &row.session.lines);
                let both = [cart.collect::<Vec<_>>(), session.collect()];
                both.into_iter().max_by_key(Vec::len).unwrap_or_default()
            }
        };
        let lines = lines.iter().map(|line| (line.sku.as_str(), line.quantity));
        let wanted = Demand::sum(asked.chain(lines));
        let seen = Seen {
            availability: &self.availability,
            locations: &self.locations,
            rows: &|sku: &str| self.levels.get(sku).copied().unwrap_or_default(),
            more_ship: self.ships >= places::SHIPPING as i64,
        };
        seen.falls_short(&wanted)
    }

    /// The shop as it is now.
    pub fn shop<'a>(&'a self, brand: &'a Brand) -> Shop<'a> {
        let brand = self.brand.as_ref().unwrap_or(brand);
        let prices = PriceList {
            brand,
            rates: &brand.tax_rates,
            items: &self.items,
        };
        Shop {
            prices,
            locations: &self.locations,
            availability: &self.availability,
            lanes: &self.lanes,
            held: &self.held,
            now_ms: self.now_ms,
        }
    }

    /// The document of a transfer that was read.
    pub fn doc_of(&self, transfer_id: &str) -> Option<&TransferDoc> {
        self.kept.get(transfer_id).map(|kept| &kept.doc)
    }

    /// What a transfer that was read is for, and its id.
    pub fn owner_of(&self, transfer_id: &str) -> (&str, &str) {
        let owner = self.kept.get(transfer_id).map(|kept| &kept.owner);
        owner.map_or(("", ""), |(kind, id)| (kind, id))
    }

    /// Holds whose time is over and that keep something which `plan` takes.
    pub fn expired_in<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = &'a OpenHold> {
        let sent = plan.transfers.iter().flat_map(PlannedTransfer::allocations);
        let taken: Vec<Allocation> = sent.chain(plan.allocations.iter().cloned()).collect();
        let takes = move |kept: &Allocation| {
            let same =
                |one: &Allocation| one.sku == kept.sku && one.location_id == kept.location_id;
            taken.iter().any(same)
        };
        self.expired
            .iter()
            .filter(move |hold| hold.units.iter().any(&takes))
    }

    /// What is set aside for the `cart` or the `checkout` alone.
    pub fn held_for(&self, for_type: &'static str) -> impl Iterator<Item = &Held> {
        self.held
            .iter()
            .filter(move |held| self.owner_of(&held.id).0 == for_type)
    }

    fn collect(rows: &[Row], claim: Option<&Claim>) -> Result<Self, StoreError> {
        let (mut levels, mut variants, mut products) = (Vec::new(), Vec::new(), HashMap::new());
        let mut facts = Self {
            now_ms: 0,
            outcome: Outcome::Fresh,
            cart: None,
            merged: None,
            earlier: Vec::new(),
            own_cart: None,
            device: None,
            session: None,
            attempt: None,
            held: Vec::new(),
            ordered: Vec::new(),
            kept: HashMap::new(),
            lanes: Vec::new(),
            items: Vec::new(),
            brand: None,
            hold: None,
            expired: Vec::new(),
            availability: Availability::default(),
            locations: Vec::new(),
            places: BTreeSet::new(),
            levels: HashMap::new(),
            ships: 0,
        };
        for row in rows {
            match row.text("kind")?.as_str() {
                "head" => {
                    facts.now_ms = row.int("n1")?;
                    facts.outcome = claim.map_or(Ok(Outcome::Fresh), |claim| claim.outcome(row))?;
                }
                "variant" => variants.push(row),
                "product" => {
                    let product: Product = row.json("doc")?;
                    products.insert(product.id.clone(), product);
                }
                "stock" => {
                    let level = level(row)?;
                    *facts.levels.entry(level.sku.clone()).or_default() += 1;
                    facts.places.insert(level.location_id.clone());
                    levels.push(level);
                }
                "named" => {
                    facts.places.insert(row.text("k1")?);
                }
                "ships" => facts.ships = row.int("n1")?,
                "hold" => facts.hold = Some(hold_unit(row, facts.hold.take())?),
                "expired" => {
                    let id = row.text("k1")?;
                    let known = facts.expired.iter().position(|hold| hold.id == id);
                    let hold = known.map(|at| facts.expired.swap_remove(at));
                    facts.expired.push(hold_unit(row, hold)?);
                }
                "brand" => facts.brand = Some(row.json("doc")?),
                "cart" => facts.cart = Some(cart(row)?),
                "merged" => {
                    facts.merged = Some(MergedCart {
                        into: row.text("k2")?,
                        account_id: row.text("k3")?,
                    });
                }
                "version" => facts.earlier.push(Version {
                    number: row.int("n1")?,
                    cart: row.json("doc")?,
                }),
                "shopper" => {
                    facts.device = Some(row.text("k1")?);
                    facts.own_cart = row.text_opt("k2")?;
                }
                "session" => facts.session = Some(session(row)?),
                "attempt" => facts.attempt = Some(attempt(row)?),
                "lane" => facts.lanes.push(row.json("doc")?),
                "transfer" => facts.keep(row)?,
                other => return Err(StoreError::Bug(format!("a row of kind {other}"))),
            }
        }
        facts.items = variants
            .into_iter()
            .map(|row| item(row, &products))
            .collect::<Result<_, _>>()?;
        places::distinct(&mut facts.lanes);
        for lane in &facts.lanes {
            facts.places.insert(lane.to_location_id.clone());
        }
        facts.earlier.sort_by_key(|version| version.number);
        let own = facts
            .held
            .iter()
            .flat_map(|held| held.planned.allocations());
        let is_item = |unit: &Allocation| facts.items.iter().any(|item| item.sku == unit.sku);
        facts.expired.retain(|hold| hold.units.iter().any(is_item));
        let holds = facts.hold.iter().chain(&facts.expired);
        let held: Vec<Allocation> = holds.flat_map(|hold| hold.units.clone()).collect();
        facts
            .places
            .extend(held.iter().map(|unit| unit.location_id.clone()));
        facts.availability = Availability::new(&levels).with(own).with(held);
        Ok(facts)
    }

    fn keep(&mut self, row: &Row) -> Result<(), StoreError> {
        let id = row.text("k1")?;
        let owner = row.text("k4")?;
        let (kind, owner_id) = owner.split_once('/').unwrap_or_default();
        let owner = (kind.to_owned(), owner_id.to_owned());
        let doc: TransferDoc = row.json("doc")?;
        self.places.extend([row.text("k2")?, row.text("k3")?]);
        let held = Held {
            id: id.clone(),
            planned: PlannedTransfer {
                from_location_id: row.text("k2")?,
                to_location_id: row.text("k3")?,
                units: doc.units.clone(),
                eta: doc.eta.clone(),
                considered: doc.considered.clone(),
            },
        };
        match owner.0.as_str() {
            "order" => self.ordered.push(held),
            _ => self.held.push(held),
        }
        self.kept.insert(id, Kept { owner, doc });
        Ok(())
    }
}

/// A hold, with one more thing that it keeps.
fn hold_unit(row: &Row, hold: Option<OpenHold>) -> Result<OpenHold, StoreError> {
    let mut hold = hold.unwrap_or(OpenHold {
        id: row.text("k1")?,
        version: row.int("n2")?,
        units: Vec::new(),
    });
    hold.units.push(Allocation {
        sku: row.text("k2")?,
        location_id: row.text("k3")?,
        quantity: row.int("n1")?,
    });
    Ok(hold)
}

fn level(row: &Row) -> Result<StockLevel, StoreError> {
    Ok(StockLevel {
        sku: row.text("k1")?,
        location_id: row.text("k2")?,
        on_hand: row.int("n1")?,
        reserved: row.int("n2")?,
        safety: row.int("n3")?,
    })
}

fn cart(row: &Row) -> Result<CartRow, StoreError> {
    Ok(CartRow {
        id: row.text("k1")?,
        owner: row.text_opt("k2")?,
        cart: row.json("doc")?,
        version: row.int("n1")?,
        expires_at_ms: row.int("n2")?,
    })
}

fn session(row: &Row) -> Result<SessionRow, StoreError> {
    let status = row.text("k2")?;
    Ok(SessionRow {
        id: row.text("k1")?,
        cart_id: row.text_opt("k3")?,
        session: row.json("doc")?,
        status: Status::parse(&status)
            .ok_or_else(|| StoreError::Bug(format!("session status {status}")))?,
        version: row.int("n1")?,
        expires_at_ms: row.int("n2")?,
    })
}

fn attempt(row: &Row) -> Result<Attempt, StoreError> {
    Ok(Attempt {
        order_id: row.text("k1")?,
        number: row.text("k2")?,
        order_status: row.text("k3")?,
        payment_id: row.text("k4")?,
        order_version: row.int("n1")?,
        number_of_payment: row.int("n2")?,
        age_ms: row.int("n3")?,
    })
}

/// Price and tax category are the row's; the rest, for people, is the product document's.
fn item(row: &Row, products: &HashMap<String, Product>) -> Result<Item, StoreError> {
    let (variant_id, product_id) = (row.text("k1")?, row.text("k4")?);
    let product = products.get(&product_id);
    let shown = product.and_then(|product| {
        product
            .variants
            .iter()
            .find(|variant| variant.id == variant_id)
    });
    let (Some(product), Some(variant)) = (product, shown) else {
        return Err(StoreError::Bug(format!(
            "variant {variant_id} is not in its product's document"
        )));
    };
    Ok(Item {
        variant_id,
        sku: row.text("k2")?,
        title: title(product, variant),
        image_url: variant
            .image_url
            .clone()
            .or_else(|| product.media.first().map(|media| media.url.clone())),
        price_minor: row.int("n1")?,
        tax_category: row.text("k3")?,
        requires_shipping: variant.requires_shipping,
        on_sale: row.int("n2")? != 0 && product.published,
    })
}

fn title(product: &Product, variant: &Variant) -> String {
    match variant.option_values.is_empty() || variant.title.is_empty() {
        true => product.title.clone(),
        false => format!("{} – {}", product.title, variant.title),
    }
}

/// The statement as it grows: its parameters, where its items come from, and its parts.
struct Statement {
    dialect: Dialect,
    params: Vec<Value>,
    wanted: Vec<String>,
    /// Where stores that were chosen before come from.
    stored: Vec<String>,
    parts: Vec<String>,
}

impl Question<'_> {
    async fn ask(
        &self,
        call: &Call,
        brand: &Brand,
        claim: Option<&Claim>,
        named: &[String],
        width: Width,
    ) -> Result<Facts, StoreError> {
        let (sql, params) = self.sql(call.db().dialect(), &brand.id, claim, (named, width));
        let rows = call.db().recall(sql, params).await?;
        let mut facts = Facts::collect(&rows, claim)?;
        let places = facts.places.iter().cloned();
        facts.locations = call.model().locations(&brand.id, places).await?.all;
        Ok(facts)
    }

    /// One statement: a row for the clock and the key, then a row for each fact, all with
    /// the columns of the first.
    fn sql(
        &self,
        dialect: Dialect,
        brand_id: &str,
        claim: Option<&Claim>,
        (named, width): (&[String], Width),
    ) -> (String, Vec<Value>) {
        let mut params = vec![Value::from(brand_id)];
        params.extend(claim.map_or_else(|| ["", ""].map(Value::from), Claim::params));
        let mut statement = Statement {
            dialect,
            params,
            wanted: Vec::new(),
            stored: Vec::new(),
            parts: vec![head()],
        };
        if let Some(items) = &self.items {
            let names: Vec<&str> = items.iter().map(|(item, _)| *item).collect();
            statement.want_listed(&names);
        }
        if let Some(id) = self.cart_id {
            let cart = statement.bind(id);
            statement.part(CART, &cart);
            statement.part(MERGED_CART, &cart);
            statement.part(SESSION_OF_CART, &cart);
            statement.part(TRANSFERS_OF_CART, &cart);
            if self.cart_items {
                statement.want_lines_of("cart", &cart);
                statement.want_stores_of("cart", &cart);
            }
            if let Some(since) = self.cart_since {
                let since = statement.bind(since);
                statement.part(&VERSIONS.replace("{since}", &since), &cart);
            }
        }
        if let Some(shopper) = self.shopper {
            let session = statement.bind(shopper.session_id.as_str());
            statement.part(SHOPPER, &session);
        }
        if let Some(id) = self.hold_id {
            let hold = statement.bind(id);
            statement.part(HOLD, &hold);
        }
        if let Some(id) = self.session_id {
            let session = statement.bind(id);
            if self.hold_id.is_none() && self.session_items {
                let hold = statement.dialect.pick(HOLD_OF_SESSION.0, HOLD_OF_SESSION.1);
                statement.part(HOLD, &hold.replace("{id}", &session));
            }
            statement.part(SESSION, &session);
            statement.part(TRANSFERS_OF_SESSION, &session);
            if self.session_items {
                statement.want_lines_of("checkout_session", &session);
                statement.want_stores_of("checkout_session", &session);
            }
            if self.attempt {
                statement.part(ATTEMPT, &session);
            }
            if self.cart_of_session {
                let cart = CART_ID_OF_SESSION.replace("{id}", &session);
                statement.part(CART, &cart);
                statement.want_lines_of("cart", &cart);
                statement.want_stores_of("cart", &cart);
            }
        }
        if !statement.wanted.is_empty() {
            statement.parts.push(expired_holds());
            if self.lanes {
                statement.parts.extend(places::lanes());
            }
        }
        statement.finish(named, width)
    }
}

fn head() -> String {
    format!(
        "SELECT 'head' AS kind, CAST(NULL AS TEXT) AS k1, CAST(NULL AS TEXT) AS k2, CAST(NULL AS TEXT) AS k3, \
         CAST(NULL AS TEXT) AS k4, {{now}} AS n1, CAST(NULL AS BIGINT) AS n2, CAST(NULL AS BIGINT) AS n3, \
         CAST(NULL AS BIGINT) AS n4, CAST(NULL AS TEXT) AS doc, {} FROM (SELECT 1 AS one) probe {}",
        idempotency::COLUMNS,
        idempotency::join("?2", "?3"),
    )
}

const CART: &str = "SELECT 'cart', c.id, a.account_id, NULL, NULL, c.version, c.expires_at_ms, NULL, NULL, c.doc, \
    NULL, NULL, NULL, NULL FROM cart c LEFT JOIN account_cart a ON a.brand_id = ?1 AND a.cart_id = c.id \
    WHERE c.brand_id = ?1 AND c.id = {id} AND c.status = 'active' AND c.expires_at_ms > {now}";
const MERGED_CART: &str = "SELECT 'merged', m.cart_id, m.into_cart_id, m.account_id, NULL, NULL, NULL, NULL, NULL, NULL, \
    NULL, NULL, NULL, NULL FROM cart_merged m WHERE m.brand_id = ?1 AND m.cart_id = {id}";
const VERSIONS: &str = "SELECT 'version', v.cart_id, NULL, NULL, NULL, v.version, NULL, NULL, NULL, v.doc, \
    NULL, NULL, NULL, NULL FROM cart_version v WHERE v.brand_id = ?1 AND v.cart_id = {id} AND v.version >= {since}";
const SHOPPER: &str = "SELECT 'shopper', d.device_name, c.id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, \
    NULL, NULL, NULL, NULL FROM account_session d \
    LEFT JOIN account_cart a ON a.brand_id = ?1 AND a.account_id = d.account_id \
    LEFT JOIN cart c ON c.brand_id = ?1 AND c.id = a.cart_id AND c.status = 'active' AND c.expires_at_ms > {now} \
    WHERE d.brand_id = ?1 AND d.id = {id}";
const CART_ID_OF_SESSION: &str =
    "(SELECT o.cart_id FROM checkout_session o WHERE o.brand_id = ?1 AND o.id = {id})";
const SESSION_OF_CART: &str = "SELECT 'session', s.id, s.status, s.cart_id, NULL, s.version, s.expires_at_ms, \
    NULL, NULL, s.doc, NULL, NULL, NULL, NULL FROM checkout_session s WHERE s.brand_id = ?1 AND s.cart_id = {id} \
      AND (s.expires_at_ms > {now} OR s.status NOT IN ('incomplete', 'ready_for_complete'))";
const SESSION: &str = "SELECT 'session', s.id, s.status, s.cart_id, NULL, s.version, s.expires_at_ms, \
    NULL, NULL, s.doc, NULL, NULL, NULL, NULL FROM checkout_session s WHERE s.brand_id = ?1 AND s.id = {id} \
      AND (s.expires_at_ms > {now} OR s.status NOT IN ('incomplete', 'ready_for_complete'))";
const ATTEMPT: &str = "SELECT 'attempt', o.id, o.number, o.status, p.id, o.version, p.attempt, \
    {now} - p.updated_at_ms, NULL, NULL, NULL, NULL, NULL, NULL FROM customer_order o JOIN payment p ON p.order_id = o.id \
    WHERE o.brand_id = ?1 AND o.checkout_session_id = {id} \
      AND p.attempt = (SELECT max(latest.attempt) FROM payment latest WHERE latest.order_id = o.id)";
const TRANSFERS_OF_CART: &str = "SELECT 'transfer', t.id, t.from_location_id, t.to_location_id, t.for_type || '/' || t.for_id, NULL, NULL, \
    NULL, NULL, t.doc, NULL, NULL, NULL, NULL FROM transfer t WHERE t.brand_id = ?1 AND t.status = 'reserved' \
      AND t.for_type = 'cart' AND t.for_id = {id} AND (t.expires_at_ms IS NULL OR t.expires_at_ms > {now})";
const TRANSFERS_OF_SESSION: &str = "SELECT 'transfer', t.id, t.from_location_id, t.to_location_id, t.for_type || '/' || t.for_id, NULL, NULL, \
    NULL, NULL, t.doc, NULL, NULL, NULL, NULL FROM transfer t WHERE t.brand_id = ?1 AND t.status = 'reserved' \
      AND (t.for_type = 'checkout' AND t.for_id = {id} \
        OR t.for_type = 'cart' AND t.for_id IN (SELECT s.cart_id FROM checkout_session s WHERE s.brand_id = ?1 AND s.id = {id}) \
        OR t.for_type = 'order' AND t.for_id IN (SELECT o.id FROM customer_order o WHERE o.brand_id = ?1 AND o.checkout_session_id = {id})) \
      AND (t.expires_at_ms IS NULL OR t.expires_at_ms > {now})";
/// What the hold keeps.
const HOLD: &str = "SELECT 'hold', h.id, a.sku, a.location_id, NULL, a.quantity, h.version, NULL, NULL, NULL, \
    NULL, NULL, NULL, NULL FROM hold h JOIN allocation a ON a.brand_id = h.brand_id AND a.order_id = h.id \
      AND a.status = 'open' WHERE h.brand_id = ?1 AND h.id = {id} \
      AND h.status IN ('requested', 'pulled') AND h.expires_at_ms > {now}";
/// What holds keep whose time is over, whether or not they were ended; of each, all that it keeps.
fn expired_holds() -> String {
    format!(
        "SELECT 'expired', h.id, a.sku, a.location_id, NULL, a.quantity, h.version, NULL, NULL, NULL, \
         NULL, NULL, NULL, NULL FROM (SELECT id, version FROM hold WHERE brand_id = ?1 \
           AND status IN ('requested', 'pulled') AND expires_at_ms <= {{now}} ORDER BY expires_at_ms LIMIT {EXPIRED_AT_A_TIME}) h \
         CROSS JOIN allocation a WHERE a.brand_id = ?1 AND a.order_id = h.id AND a.status = 'open'"
    )
}
const HOLD_OF_SESSION: (&str, &str) = (
    "(SELECT json_extract(o.doc, '$.hold_id') FROM checkout_session o WHERE o.brand_id = ?1 AND o.id = {id})",
    "(SELECT o.doc::jsonb ->> 'hold_id' FROM checkout_session o WHERE o.brand_id = ?1 AND o.id = {id})",
);
const OF_ITEMS: [&str; 3] = [
    "SELECT 'variant', i.id, i.sku, i.tax_category, i.product_id, i.price_minor, i.active, NULL, NULL, NULL, \
     NULL, NULL, NULL, NULL FROM item i",
    "SELECT 'product', p.id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, p.doc, NULL, NULL, NULL, NULL \
     FROM (SELECT DISTINCT product_id FROM item) i CROSS JOIN product p WHERE p.id = i.product_id AND p.brand_id = ?1",
    "SELECT 'brand', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, b.doc, \
     NULL, NULL, NULL, NULL FROM brand b WHERE b.id = ?1",
];
/// Variants by id and by SKU, as two joins so that each uses its index; CROSS, so that SQLite
/// does not begin with the brand's variants.
const ITEMS: &str = "item AS (\
    SELECT v.* FROM wanted w CROSS JOIN variant v WHERE v.id = w.item AND v.brand_id = ?1 \
    UNION SELECT v.* FROM wanted w CROSS JOIN variant v WHERE v.sku = w.item AND v.brand_id = ?1)";

impl Statement {
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.params.push(value.into());
        format!("?{}", self.params.len())
    }

    fn part(&mut self, text: &str, id: &str) {
        self.parts.push(text.replace("{id}", id));
    }

    fn want_listed(&mut self, items: &[&str]) {
        let list = self.bind(serde_json::Value::from(items.to_vec()).to_string());
        self.wanted.push(self.dialect.listed(&list, "item"));
    }

    fn want_lines_of(&mut self, table: &str, id: &str) {
        self.wanted.push(self.dialect.pick(
            format!(
                "SELECT json_extract(line.value, '$.variant_id') AS item FROM {table} owner, \
                 json_each(owner.doc, '$.lines') line WHERE owner.brand_id = ?1 AND owner.id = {id}"
            ),
            format!(
                "SELECT unnest(ARRAY(SELECT jsonb_path_query(owner.doc::jsonb, '$.lines[*].variant_id') #>> '{{}}' \
                 FROM {table} owner WHERE owner.brand_id = ?1 AND owner.id = {id})) AS item"
            ),
        ));
    }

    /// The stores that the shopper has chosen before, and the one that is looked at.
    fn want_stores_of(&mut self, table: &str, id: &str) {
        let of_owner = format!("FROM {table} o WHERE o.brand_id = ?1 AND o.id = {id}");
        let (methods, context) = self.dialect.pick(
            (
                format!(
                    "SELECT json_extract(m.value, '$.selected_destination_id') AS id FROM {table} o, \
                     json_each(o.doc, '$.methods') m WHERE o.brand_id = ?1 AND o.id = {id}"
                ),
                format!("(SELECT json_extract(o.doc, '$.context.location') {of_owner})"),
            ),
            (
                format!(
                    "SELECT m ->> 'selected_destination_id' AS id FROM {table} o, \
                     jsonb_array_elements(o.doc::jsonb -> 'methods') m WHERE o.brand_id = ?1 AND o.id = {id}"
                ),
                format!("(SELECT o.doc::jsonb #>> '{{context,location}}' {of_owner})"),
            ),
        );
        self.stored.push(methods);
        for column in ["id", "code"] {
            let place = format!("SELECT l.id FROM location l WHERE l.{column} = {context}");
            self.stored.push(place);
        }
    }

    fn finish(mut self, named: &[String], width: Width) -> (String, Vec<Value>) {
        let with = match self.wanted.is_empty() {
            true => String::new(),
            false => {
                self.parts.extend(OF_ITEMS.map(str::to_owned));
                self.parts.extend(places::PARTS.map(str::to_owned));
                let named = self.bind(serde_json::Value::from(named).to_string());
                let places = places::expressions(self.dialect, &named, &self.stored, width);
                let wanted = self.wanted.join(" UNION ");
                format!("WITH wanted AS ({wanted}), {ITEMS}{places} ")
            }
        };
        (
            format!("{with}{}", self.parts.join(" UNION ALL ")),
            self.params,
        )
    }
}
