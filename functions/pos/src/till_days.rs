//! A till's day, from its opening float to the drawer's count. One is open at a time.

use aisle_domain::brand::Brand;
use aisle_domain::instant::rfc3339_in;
use aisle_domain::money::MAX_MINOR;
use aisle_http::auth::{self, Staff};
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply};
use aisle_store::idempotency::{self, Claim, Outcome};
use aisle_store::{Row, StoreError, Value, audit, new_id, values};
use aisle_ucp::pos::{
    self as wire, CloseRequest, DrawerEntry, EntryKind, EntryRequest, TillDay, TillDayRequest,
};
use serde_json::json;

use crate::store;
use crate::tender::{self, Entry};

const ROUNDS: usize = 4;

/// `POST /pos/till-days`
pub async fn open(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, "cash").await?;
    let body = call.body().await?;
    let request: TillDayRequest = call.parse(&body)?;
    let float_minor = request.opening_float_minor;
    amount("$.opening_float_minor", float_minor, 0)?;
    let claim = call.claim(&brand.id, &format!("till-day/{}", staff.device_id), &body)?;
    let facts = Facts::read(call, &staff, "", claim.as_ref()).await?;
    if let Some(reply) = call.replay(facts.outcome)? {
        return Ok(reply);
    }
    let day = Day {
        id: new_id(),
        currency: brand.currency.clone(),
        opening_float_minor: float_minor,
        moved_minor: 0,
        counted_minor: None,
        opened_at_ms: facts.now_ms,
        closed: false,
    };
    let answer = Answer::new(201, &day.shown(call, &staff).await?)?;
    let mut batch = command::begin(claim.as_ref(), &answer);
    batch.expect(
        1,
        "INSERT INTO till_day (id, brand_id, location_id, device_id, currency, opening_float_minor, opened_at_ms, doc) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, {now}, '{}') ON CONFLICT DO NOTHING",
        values![
            &day.id,
            &brand.id,
            &staff.location_id,
            &staff.device_id,
            &day.currency,
            float_minor
        ],
    );
    let doc = json!({ "opening_float_minor": float_minor }).to_string();
    audit::record(
        &mut batch,
        staff.actor(),
        "till_day.opened",
        ("till_day", &day.id),
        &doc,
    );
    match command::commit(call, claim.as_ref(), answer, batch).await? {
        Committed::Done(reply) | Committed::Replayed(reply) => Ok(reply),
        Committed::Unmet(_) => Err(Error::conflict(
            "till_day_open",
            "this till's day is open already",
        )),
    }
}

/// `GET /pos/till-days/current`: of the own till.
pub async fn current(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, "cash").await?;
    let facts = Facts::read(call, &staff, "", None).await?;
    let day = facts.day.ok_or_else(|| store::unknown("till_day"))?;
    Reply::json(200, &day.shown(call, &staff).await?)
}

/// `POST /pos/till-days/{id}/entries`: cash that is paid in or out.
pub async fn enter(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, "cash").await?;
    store::must_be_id(id, "till_day")?;
    let body = call.body().await?;
    let request: EntryRequest = call.parse(&body)?;
    amount("$.amount_minor", request.amount_minor, 1)?;
    wire::check_text("$.reason", &request.reason).map_err(Error::invalid_member)?;
    let claim = call.claim(&brand.id, &format!("drawer/{}", staff.device_id), &body)?;
    let facts = Facts::read(call, &staff, id, claim.as_ref()).await?;
    if let Some(reply) = call.replay(facts.outcome.clone())? {
        return Ok(reply);
    }
    let day = facts.open_day()?;
    let amount_minor = match request.kind {
        EntryKind::PaidIn => request.amount_minor,
        EntryKind::PaidOut => -request.amount_minor,
    };
    if day.expected_minor() + amount_minor < 0 {
        let detail = "there is less than that in the drawer";
        return Err(
            Error::conflict("not_in_drawer", detail).with("expected_minor", day.expected_minor())
        );
    }
    let entry = DrawerEntry {
        id: new_id(),
        kind: request.kind,
        amount_minor,
    };
    let answer = Answer::new(201, &entry)?;
    let mut batch = command::begin(claim.as_ref(), &answer);
    let written = Entry {
        id: &entry.id,
        kind: request.kind.name(),
        amount_minor,
        document: ("till_day", id),
    };
    written.write(&mut batch, &staff);
    let enough = tender::must_be_in_drawer(&mut batch, &staff);
    let doc = json!({ "amount_minor": amount_minor, "reason": request.reason }).to_string();
    let action = format!("drawer.{}", request.kind.name());
    audit::record(&mut batch, staff.actor(), &action, ("till_day", id), &doc);
    match command::commit(call, claim.as_ref(), answer, batch).await? {
        Committed::Done(reply) | Committed::Replayed(reply) => Ok(reply),
        Committed::Unmet(error) if error.unmet_at(enough) => Err(command::raced()),
        Committed::Unmet(_) => Err(closed()),
    }
}

/// `POST /pos/till-days/{id}/close`: says what is missing or too much.
pub async fn close(call: &Call, id: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, "cash").await?;
    store::must_be_id(id, "till_day")?;
    let body = call.body().await?;
    let request: CloseRequest = call.parse(&body)?;
    amount("$.counted_minor", request.counted_minor, 0)?;
    let claim = call.claim(&brand.id, &format!("till-day/{}", staff.device_id), &body)?;
    for _ in 0..ROUNDS {
        let facts = Facts::read(call, &staff, id, claim.as_ref()).await?;
        if let Some(reply) = call.replay(facts.outcome.clone())? {
            return Ok(reply);
        }
        let day = Day {
            counted_minor: Some(request.counted_minor),
            closed: true,
            ..facts.open_day()?.clone()
        };
        let answer = Answer::new(200, &day.shown(call, &staff).await?)?;
        if let Some(reply) = write_close(call, &brand, &staff, &day, claim.as_ref(), answer).await?
        {
            return Ok(reply);
        }
    }
    Err(command::raced())
}

/// `None`: something went into the drawer meanwhile. The day's row is locked by the first
/// statement, so that what the second one adds up stays what it is.
async fn write_close(
    call: &Call,
    brand: &Brand,
    staff: &Staff,
    day: &Day,
    claim: Option<&Claim>,
    answer: Answer,
) -> Result<Option<Reply>, Error> {
    let mut batch = command::begin(claim, &answer);
    batch.expect(
        1,
        "UPDATE till_day SET closed_at_ms = {now}, counted_minor = ?4, expected_minor = ?5 \
         WHERE brand_id = ?1 AND id = ?2 AND device_id = ?3 AND closed_at_ms IS NULL",
        values![
            &brand.id,
            &day.id,
            &staff.device_id,
            day.counted_minor,
            day.expected_minor()
        ],
    );
    batch.expect(
        1,
        "UPDATE till_day SET doc = doc WHERE id = ?1 AND expected_minor = opening_float_minor \
           + (SELECT coalesce(sum(e.amount_minor), 0) FROM drawer_entry e WHERE e.till_day_id = till_day.id)",
        values![&day.id],
    );
    let doc = json!({
        "expected_minor": day.expected_minor(),
        "counted_minor": day.counted_minor,
    });
    let subject = ("till_day", day.id.as_str());
    audit::record(
        &mut batch,
        staff.actor(),
        "till_day.closed",
        subject,
        &doc.to_string(),
    );
    match command::commit(call, claim, answer, batch).await? {
        Committed::Done(reply) | Committed::Replayed(reply) => Ok(Some(reply)),
        Committed::Unmet(_) => Ok(None),
    }
}

fn closed() -> Error {
    Error::conflict("till_day_closed", "this day is closed")
}

fn amount(path: &str, amount_minor: i64, least: i64) -> Result<(), Error> {
    if (least..=MAX_MINOR / 1_000).contains(&amount_minor) {
        return Ok(());
    }
    Err(Error::unprocessable(
        "invalid_amount",
        path,
        "negative, nothing or too high",
    ))
}

struct Facts {
    now_ms: i64,
    outcome: Outcome,
    day: Option<Day>,
}

#[derive(Clone)]
struct Day {
    id: String,
    currency: String,
    opening_float_minor: i64,
    /// What went into the drawer less what went out of it.
    moved_minor: i64,
    counted_minor: Option<i64>,
    opened_at_ms: i64,
    closed: bool,
}

impl Facts {
    /// The day with this id, or the open one for ``, of the person's till.
    async fn read(
        call: &Call,
        staff: &Staff,
        id: &str,
        claim: Option<&Claim>,
    ) -> Result<Self, Error> {
        let sql = format!(
            "SELECT {{now}} AS now_ms, d.id, d.currency, d.opening_float_minor, d.counted_minor, d.opened_at_ms, \
             d.closed_at_ms, CAST((SELECT coalesce(sum(e.amount_minor), 0) FROM drawer_entry e WHERE e.till_day_id = d.id) AS BIGINT) AS moved_minor, {} \
             FROM (SELECT 1 AS one) probe {} LEFT JOIN till_day d ON d.brand_id = ?1 AND d.device_id = ?2 \
               AND (d.id = ?3 OR (?3 = '' AND d.closed_at_ms IS NULL))",
            idempotency::COLUMNS,
            idempotency::join("?4", "?5"),
        );
        let mut params = values![&staff.brand_id, &staff.device_id, id];
        params.extend(claim.map_or_else(|| ["", ""].map(Value::from), Claim::params));
        let row = call.db().query_one_opt(sql, params).await?;
        let row = row.ok_or_else(|| Error::internal("no row from a probe"))?;
        Ok(Self {
            now_ms: row.int("now_ms")?,
            outcome: claim.map_or(Ok(Outcome::Fresh), |claim| claim.outcome(&row))?,
            day: Day::of(&row)?,
        })
    }

    fn open_day(&self) -> Result<&Day, Error> {
        let day = self
            .day
            .as_ref()
            .ok_or_else(|| store::unknown("till_day"))?;
        if day.closed { Err(closed()) } else { Ok(day) }
    }
}

impl Day {
    fn of(row: &Row) -> Result<Option<Self>, StoreError> {
        let Some(id) = row.text_opt("id")? else {
            return Ok(None);
        };
        Ok(Some(Self {
            id,
            currency: row.text("currency")?,
            opening_float_minor: row.int("opening_float_minor")?,
            moved_minor: row.int("moved_minor")?,
            counted_minor: row.int_opt("counted_minor")?,
            opened_at_ms: row.int("opened_at_ms")?,
            closed: row.int_opt("closed_at_ms")?.is_some(),
        }))
    }

    fn expected_minor(&self) -> i64 {
        self.opening_float_minor + self.moved_minor
    }

    async fn shown(&self, call: &Call, staff: &Staff) -> Result<TillDay, Error> {
        let zone = store::time_zone(call, &staff.brand_id, &staff.location_id).await?;
        Ok(TillDay {
            id: self.id.clone(),
            device_id: staff.device_id.clone(),
            currency: self.currency.clone(),
            opening_float_minor: self.opening_float_minor,
            expected_minor: self.expected_minor(),
            counted_minor: self.counted_minor,
            difference_minor: self
                .counted_minor
                .map(|counted| counted - self.expected_minor()),
            opened_at: rfc3339_in(self.opened_at_ms, &zone),
            closed: self.closed,
        })
    }
}
