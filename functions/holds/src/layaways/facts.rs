//! The one read of a command on a layaway: clock, key, agreement, parts, order, goods and
//! the latest payment, in one SQL call.

use aisle_domain::fulfillment::Destination;
use aisle_domain::id::is_id;
use aisle_domain::layaway::{self, Layaway, Settlement, Status};
use aisle_domain::order::Order;
use aisle_domain::plan::Allocation;
use aisle_http::{Call, Error};
use aisle_store::idempotency::{self, Claim, Outcome};
use aisle_store::layaway::Instalment;
use aisle_store::{Row, StoreError, Value, values};
use aisle_ucp::layaway::{self as wire, PartView};

/// The latest row of table `payment` of the order.
#[derive(Clone)]
pub struct LatestPayment {
    pub id: String,
    /// `started`: its verdict is not known yet.
    pub status: String,
    /// From 1, one for each time that the provider was asked.
    pub attempt: i64,
    /// Since the provider was asked or has answered.
    pub age_ms: i64,
}

#[derive(Clone)]
pub struct Facts {
    /// The database's clock.
    pub now_ms: i64,
    /// Of the request's idempotency key.
    pub outcome: Outcome,
    pub order_id: String,
    pub order: Order,
    pub order_version: i64,
    pub status: Status,
    pub deadline_ms: i64,
    pub version: i64,
    pub layaway: Layaway,
    /// By position.
    pub parts: Vec<PartView>,
    /// Which part a payment has claimed whose verdict is not known yet.
    pub claimed: Option<(i64, String)>,
    /// What the order still holds.
    pub allocations: Vec<Allocation>,
    pub payment: Option<LatestPayment>,
}

const PARTS: [&str; 5] = [
    "SELECT 'layaway', l.status, NULL, l.deadline_ms, l.version, NULL, l.doc, NULL, NULL, NULL, NULL \
     FROM layaway l WHERE l.brand_id = ?1 AND l.order_id = ?2",
    "SELECT 'order', NULL, NULL, o.version, NULL, NULL, o.doc, NULL, NULL, NULL, NULL \
     FROM customer_order o WHERE o.brand_id = ?1 AND o.id = ?2",
    "SELECT 'part', i.status, i.payment_id, i.position, i.due_at_ms, i.amount_minor, NULL, NULL, NULL, NULL, NULL \
     FROM instalment i WHERE i.brand_id = ?1 AND i.order_id = ?2",
    "SELECT 'allocation', a.sku, a.location_id, a.quantity, NULL, NULL, NULL, NULL, NULL, NULL, NULL \
     FROM allocation a WHERE a.brand_id = ?1 AND a.order_id = ?2 AND a.status = 'open'",
    "SELECT 'payment', p.id, p.status, p.attempt, {now} - p.updated_at_ms, NULL, NULL, NULL, NULL, NULL, NULL \
     FROM payment p WHERE p.brand_id = ?1 AND p.order_id = ?2 \
       AND p.attempt = (SELECT max(latest.attempt) FROM payment latest WHERE latest.order_id = ?2)",
];

impl Facts {
    /// 404 when the brand has no such layaway.
    pub async fn read(
        call: &Call,
        brand_id: &str,
        order_id: &str,
        claim: Option<&Claim>,
    ) -> Result<Self, Error> {
        if !is_id(order_id) {
            return Err(unknown());
        }
        let head = format!(
            "SELECT 'head' AS kind, CAST(NULL AS TEXT) AS k1, CAST(NULL AS TEXT) AS k2, {{now}} AS n1, \
             CAST(NULL AS BIGINT) AS n2, CAST(NULL AS BIGINT) AS n3, CAST(NULL AS TEXT) AS doc, {} \
             FROM (SELECT 1 AS one) probe {}",
            idempotency::COLUMNS,
            idempotency::join("?3", "?4"),
        );
        let mut params = values![brand_id, order_id];
        params.extend(claim.map_or_else(|| ["", ""].map(Value::from), Claim::params));
        let sql = format!("{head} UNION ALL {}", PARTS.join(" UNION ALL "));
        let rows = call.db().query(sql, params).await?;
        Self::collect(&rows, order_id, claim)?.ok_or_else(unknown)
    }

    fn collect(
        rows: &[Row],
        order_id: &str,
        claim: Option<&Claim>,
    ) -> Result<Option<Self>, StoreError> {
        let (mut head, mut agreed, mut order, mut payment) = (None, None, None, None);
        let (mut parts, mut claimed, mut allocations) = (Vec::new(), None, Vec::new());
        for row in rows {
            match row.text("kind")?.as_str() {
                "head" => head = Some(row),
                "layaway" => agreed = Some(row),
                "order" => order = Some((row.json("doc")?, row.int("n1")?)),
                "part" => {
                    let part = part(row)?;
                    if let Some(payment_id) = row.text_opt("k2")?.filter(|_| part.status == "due") {
                        claimed = Some((part.position, payment_id));
                    }
                    parts.push(part);
                }
                "allocation" => allocations.push(Allocation {
                    sku: row.text("k1")?,
                    location_id: row.text("k2")?,
                    quantity: row.int("n1")?,
                }),
                _ => payment = Some(latest(row)?),
            }
        }
        let (Some(head), Some(agreed), Some((order, order_version))) = (head, agreed, order) else {
            return Ok(None);
        };
        parts.sort_by_key(|part: &PartView| part.position);
        let status = agreed.text("k1")?;
        Ok(Some(Self {
            now_ms: head.int("n1")?,
            outcome: claim.map_or(Ok(Outcome::Fresh), |claim| claim.outcome(head))?,
            order_id: order_id.to_owned(),
            order,
            order_version,
            status: Status::parse(&status)
                .ok_or_else(|| StoreError::Bug(format!("layaway status {status}")))?,
            deadline_ms: agreed.int("n1")?,
            version: agreed.int("n2")?,
            layaway: agreed.json("doc")?,
            parts,
            claimed,
            allocations,
            payment,
        }))
    }

    /// The part that is to be paid next.
    pub fn next(&self) -> Option<&PartView> {
        self.parts.iter().find(|part| part.status == "due")
    }

    /// As the store wants it.
    pub fn instalment<'a>(&'a self, brand_id: &'a str, part: &PartView) -> Instalment<'a> {
        Instalment {
            brand_id,
            order_id: &self.order_id,
            position: part.position,
            amount_minor: part.amount_minor,
        }
    }

    /// 409, with what it is, unless parts are still due.
    pub fn must_be_active(&self) -> Result<(), Error> {
        if self.status == Status::Active {
            return Ok(());
        }
        let name = self.status.name();
        let detail = format!("the layaway is {name}, which does not allow this");
        Err(Error::conflict("wrong_status", &detail).with("state", name))
    }

    /// 409 while a part is being paid.
    pub fn must_be_idle(&self) -> Result<(), Error> {
        match &self.claimed {
            None => Ok(()),
            Some(_) => Err(Error::conflict(
                "payment_in_progress",
                "a part is being paid at this moment; read the layaway to see how that ends",
            )
            .header("retry-after", "2")),
        }
    }

    /// The layaway after the part at `position` was paid.
    pub fn with_paid(&self, position: i64) -> Self {
        let mut after = self.clone();
        for part in after
            .parts
            .iter_mut()
            .filter(|part| part.position == position)
        {
            "paid".clone_into(&mut part.status);
        }
        if after.next().is_none() {
            after.status = Status::Paid;
        }
        after
    }

    /// The layaway after it ended unpaid, by the policy that it was agreed under.
    pub fn ended(&self, status: Status) -> Self {
        let mut after = self.clone();
        after.layaway.settlement = Some(self.settlement());
        after.status = status;
        for part in after.parts.iter_mut().filter(|part| part.status == "due") {
            "cancelled".clone_into(&mut part.status);
        }
        after
    }

    fn settlement(&self) -> Settlement {
        let paid = self.parts.iter().filter(|part| part.status == "paid");
        let paid_minor = paid.map(|part| part.amount_minor).sum();
        layaway::settle(paid_minor, &self.layaway.policy)
    }

    /// As it is answered.
    pub fn shown(&self) -> wire::Layaway {
        let active = self.status == Status::Active;
        let store = self.order.pickup().map(|expected| &expected.destination);
        let time_zone = match store {
            Some(Destination::Store(store)) => &store.time_zone,
            _ => "UTC",
        };
        wire::Layaway::new(wire::View {
            order_id: &self.order_id,
            number: &self.order.number,
            status: self.status,
            currency: &self.layaway.currency,
            total_minor: self.layaway.total_minor,
            parts: &self.parts,
            deadline_ms: self.deadline_ms,
            settlement: self
                .layaway
                .settlement
                .or_else(|| active.then(|| self.settlement())),
            time_zone,
        })
    }
}

fn part(row: &Row) -> Result<PartView, StoreError> {
    Ok(PartView {
        position: row.int("n1")?,
        due_at_ms: row.int("n2")?,
        amount_minor: row.int("n3")?,
        status: row.text("k1")?,
    })
}

fn latest(row: &Row) -> Result<LatestPayment, StoreError> {
    Ok(LatestPayment {
        id: row.text("k1")?,
        status: row.text("k2")?,
        attempt: row.int("n1")?,
        age_ms: row.int("n2")?,
    })
}

fn unknown() -> Error {
    Error::not_found(
        "layaway_not_found",
        "no order of the brand is paid in parts by this id",
    )
}
