//! Somebody who has signed in brings a cart along: it becomes the account's, or part of the
//! one that the account has (`aisle_domain::cart::adopt` has the rules).
//!
//! ```text
//! let claim = Claim::read(db, &brand.id, (account_id, cart_id), key).await?;
//! let claimed = claim.decide(&brand)?;
//! claimed.write(&mut batch);       // beside the caller's own statements
//! batch.commit(db).await           // Unmet: somebody was faster; begin again
//! ```

use aisle_domain::brand::Brand;
use aisle_domain::cart::Cart;
use aisle_domain::cart::adopt::{Shelf, Side, adopt};
use aisle_domain::notice::Refusal;
use aisle_domain::plan::{Availability, StockLevel};

use super::{CartRow, KEPT_MS, forget, give, give_up_checkouts, replace};
use crate::idempotency::{self, Claim as Key, Outcome};
use crate::model::most_of;
use crate::{Batch, Db, Dialect, Row, StoreError, Value, values};

/// Places that have most of an article, which together have what a cart can want.
const PLACES: usize = 200;

/// What is known before it is decided.
pub struct Claim {
    /// The database's clock.
    pub now_ms: i64,
    /// Of the request's idempotency key.
    pub outcome: Outcome,
    brand_id: String,
    account_id: String,
    own: Option<Live>,
    brought: Option<Brought>,
    levels: Vec<StockLevel>,
}

struct Live {
    row: CartRow,
    /// At this moment, or it has been.
    being_bought: bool,
}

enum Brought {
    Live(Box<Live>),
    /// It became part of this cart of this account.
    Merged {
        into: String,
        account_id: String,
    },
}

/// Why a cart cannot be claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The brand has no such live cart, or it is somebody else's.
    Unknown,
    /// One of the two is being bought at this moment.
    BeingBought,
    /// The sum of both is no cart.
    Impossible(Refusal),
}

/// The account's cart as it will be, and how it comes to that.
pub struct Claimed {
    pub id: String,
    pub cart: Cart,
    pub version: i64,
    pub expires_at_ms: i64,
    brand_id: String,
    account_id: String,
    step: Step,
}

enum Step {
    /// The account has the cart already.
    Nothing,
    Give,
    /// Id and version of the cart that ends.
    Merge {
        from: (String, i64),
    },
}

impl Claim {
    /// Reads the account's cart and the one that it brings along: one call.
    pub async fn read(
        db: &Db,
        brand_id: &str,
        (account_id, cart_id): (&str, &str),
        key: Option<&Key>,
    ) -> Result<Self, StoreError> {
        let mut params = values![brand_id, account_id, cart_id];
        params.extend(key.map_or_else(|| ["", ""].map(Value::from), Key::params));
        let rows = db.query(sql(db.dialect()), params).await?;
        let mut claim = Self {
            now_ms: 0,
            outcome: Outcome::Fresh,
            brand_id: brand_id.into(),
            account_id: account_id.into(),
            own: None,
            brought: None,
            levels: Vec::new(),
        };
        for row in &rows {
            match row.text("kind")?.as_str() {
                "head" => {
                    claim.now_ms = row.int("version")?;
                    claim.outcome = key.map_or(Ok(Outcome::Fresh), |key| key.outcome(row))?;
                }
                "own" => claim.own = Some(Live::of(row)?),
                "brought" => claim.brought = Some(Brought::of(row)?),
                _ => claim.levels.push(level(row)?),
            }
        }
        Ok(claim)
    }

    /// What becomes of the two.
    pub fn decide(mut self, brand: &Brand) -> Result<Claimed, Refused> {
        let brought = self.brought.take().ok_or(Refused::Unknown)?;
        let Live { row, being_bought } = match brought {
            Brought::Live(live) => *live,
            Brought::Merged { into, account_id } => {
                let mine = |own: &Live| own.row.id == into && account_id == self.account_id;
                let own = self.own.take().filter(mine).ok_or(Refused::Unknown)?;
                return Ok(self.settled(own.row, Step::Nothing));
            }
        };
        if row.owner.as_ref() == Some(&self.account_id) {
            return Ok(self.settled(row, Step::Nothing));
        }
        if row.owner.is_some() {
            return Err(Refused::Unknown);
        }
        match self.own.take() {
            None => {
                let by = row.cart.trail.by.as_deref();
                let trail = row.cart.trail.next(row.version + 1, by, Vec::new());
                let cart = row.cart.clone().on(trail);
                Ok(self.settled(CartRow { cart, ..row }, Step::Give))
            }
            Some(own) if being_bought || own.being_bought => Err(Refused::BeingBought),
            Some(Live { row: own, .. }) => {
                let places = self.levels.iter().map(|level| level.location_id.as_str());
                let sellable: Vec<&str> = places.collect();
                let shelf = Shelf {
                    availability: &Availability::new(&self.levels),
                    sellable: &sellable,
                    brand,
                };
                let cart = adopt(side(&own), side(&row), shelf, own.version + 1)
                    .map_err(Refused::Impossible)?;
                let from = (row.id, row.version);
                Ok(self.settled(CartRow { cart, ..own }, Step::Merge { from }))
            }
        }
    }

    fn settled(self, row: CartRow, step: Step) -> Claimed {
        let changes = !matches!(step, Step::Nothing);
        Claimed {
            id: row.id,
            cart: row.cart,
            version: row.version + i64::from(changes),
            expires_at_ms: match changes {
                true => self.now_ms + KEPT_MS,
                false => row.expires_at_ms,
            },
            brand_id: self.brand_id,
            account_id: self.account_id,
            step,
        }
    }
}

fn side(row: &CartRow) -> Side<'_> {
    Side {
        cart: &row.cart,
        updated_at_ms: row.updated_at_ms,
    }
}

impl Claimed {
    /// Adds what it takes. Unmet means that one of the carts has changed since it was read.
    pub fn write(&self, batch: &mut Batch) {
        let brand_id = &self.brand_id;
        let own = (self.id.as_str(), self.version - 1);
        match &self.step {
            Step::Nothing => {}
            Step::Give => {
                replace(batch, brand_id, own, &self.cart, self.expires_at_ms);
                give(batch, brand_id, &self.account_id, &self.id);
            }
            Step::Merge { from } => {
                // In order of id, as everybody locks carts.
                if from.0 < self.id {
                    self.end_merged(batch, from);
                    replace(batch, brand_id, own, &self.cart, self.expires_at_ms);
                } else {
                    replace(batch, brand_id, own, &self.cart, self.expires_at_ms);
                    self.end_merged(batch, from);
                }
            }
        }
    }

    /// Nothing of it is kept but where it went.
    fn end_merged(&self, batch: &mut Batch, (id, version): &(String, i64)) {
        let brand_id = &self.brand_id;
        batch.expect(
            1,
            "UPDATE cart SET status = 'merged', doc = '{}', version = version + 1, updated_at_ms = {now} \
             WHERE brand_id = ?1 AND id = ?2 AND version = ?3 AND status = 'active' AND expires_at_ms > {now} \
               AND NOT EXISTS (SELECT 1 FROM checkout_session s WHERE s.cart_id = cart.id \
                 AND s.status IN ('complete_in_progress', 'completed'))",
            values![brand_id, id, *version],
        );
        batch.expect(
            1,
            "INSERT INTO cart_merged (brand_id, cart_id, into_cart_id, account_id, at_ms) \
             VALUES (?1, ?2, ?3, ?4, {now})",
            values![brand_id, id, &self.id, &self.account_id],
        );
        give_up_checkouts(batch, brand_id, id);
        forget(batch, brand_id, id);
    }
}

impl Brought {
    fn of(row: &Row) -> Result<Self, StoreError> {
        if let Some(into) = row.text_opt("into_cart_id")? {
            let account_id = row.text("owner")?;
            return Ok(Self::Merged { into, account_id });
        }
        Ok(Self::Live(Box::new(Live::of(row)?)))
    }
}

impl Live {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            row: CartRow::of(row)?,
            being_bought: row.int("being_bought")? != 0,
        })
    }
}

fn level(row: &Row) -> Result<StockLevel, StoreError> {
    Ok(StockLevel {
        sku: row.text("id")?,
        location_id: row.text("owner")?,
        on_hand: row.int("version")?,
        reserved: row.int("updated_at_ms")?,
        safety: row.int("expires_at_ms")?,
    })
}

/// A row for the clock and the key, one for each cart, and the stock of what is in them.
fn sql(dialect: Dialect) -> String {
    let skus = |cart: &str| {
        dialect.pick(
            format!(
                "SELECT json_extract(line.value, '$.sku') AS sku FROM {cart}, json_each({cart}.doc, '$.lines') line"
            ),
            format!(
                "SELECT line ->> 'sku' AS sku FROM {cart}, jsonb_array_elements({cart}.doc::jsonb -> 'lines') line"
            ),
        )
    };
    let being_bought = "CASE WHEN EXISTS (SELECT 1 FROM checkout_session s WHERE s.cart_id = c.id \
        AND s.status IN ('complete_in_progress', 'completed')) THEN 1 ELSE 0 END AS being_bought";
    format!(
        "WITH own AS (SELECT c.id, a.account_id, c.doc, c.version, c.updated_at_ms, c.expires_at_ms, {being_bought} \
           FROM account_cart a JOIN cart c ON c.brand_id = ?1 AND c.id = a.cart_id \
           WHERE a.brand_id = ?1 AND a.account_id = ?2 AND c.status = 'active' AND c.expires_at_ms > {{now}}), \
         brought AS (SELECT c.id, coalesce(a.account_id, m.account_id) AS account_id, c.doc, c.version, \
             c.updated_at_ms, c.expires_at_ms, m.into_cart_id, {being_bought} \
           FROM cart c LEFT JOIN account_cart a ON a.brand_id = ?1 AND a.cart_id = c.id \
           LEFT JOIN cart_merged m ON m.brand_id = ?1 AND m.cart_id = c.id \
           WHERE c.brand_id = ?1 AND c.id = ?3 AND c.status IN ('active', 'merged') AND c.expires_at_ms > {{now}}), \
         wanted AS ({} UNION {} WHERE brought.into_cart_id IS NULL) \
         SELECT 'head' AS kind, CAST(NULL AS TEXT) AS id, CAST(NULL AS TEXT) AS owner, CAST(NULL AS TEXT) AS doc, \
           {{now}} AS version, CAST(NULL AS BIGINT) AS updated_at_ms, CAST(NULL AS BIGINT) AS expires_at_ms, \
           CAST(NULL AS TEXT) AS into_cart_id, CAST(NULL AS BIGINT) AS being_bought, {} \
         FROM (SELECT 1 AS one) probe {} \
         UNION ALL SELECT 'own', id, account_id, doc, version, updated_at_ms, expires_at_ms, NULL, being_bought, \
           NULL, NULL, NULL, NULL FROM own \
         UNION ALL SELECT 'brought', id, account_id, doc, version, updated_at_ms, expires_at_ms, into_cart_id, \
           being_bought, NULL, NULL, NULL, NULL FROM brought \
         UNION ALL SELECT 'stock', s.sku, s.location_id, NULL, s.on_hand, s.reserved, s.safety, NULL, NULL, \
           NULL, NULL, NULL, NULL FROM ({}) s JOIN place l ON l.location_id = s.location_id \
           JOIN brand_location b ON b.brand_id = ?1 AND b.location_id = s.location_id \
           WHERE l.ships = 1 OR l.hands_over = 1",
        skus("own"),
        skus("brought"),
        idempotency::COLUMNS,
        idempotency::join("?4", "?5"),
        most_of(dialect, "wanted", PLACES),
    )
}
