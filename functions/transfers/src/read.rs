//! `GET /transfers/{id}` and `GET /transfers`.

use aisle_domain::location::Location;
use aisle_domain::transfer::Status;
use aisle_http::{Call, Error, Reply};
use aisle_store::transfers::{self, Transfer};
use aisle_store::values;
use aisle_ucp::page::{Invalid, PageRequest, Pagination, search_id};
use aisle_ucp::transfer as wire;
use aisle_ucp::transfer::{Beneficiary, BeneficiaryKind, Places, TransferLine, TransferList};

use crate::access::{self, Caller};

/// By a shopper who knows its id, or by staff of either end.
pub async fn get(call: &Call, id: &str) -> Result<Reply, Error> {
    access::must_be_id(id)?;
    let brand = call.brand().await?;
    let caller = Caller::of(call, &brand.id).await?;
    let sql = format!(
        "SELECT {} AS doc FROM transfer t WHERE t.brand_id = ?1 AND t.id = ?2",
        transfers::document(call.db().dialect())
    );
    let row = call.db().query_one_opt(sql, values![&brand.id, id]).await?;
    let transfer: Transfer = row.ok_or_else(access::missing)?.json("doc")?;
    match &caller {
        Caller::Shopper(_) if transfer.for_type.is_empty() => return Err(access::missing()),
        Caller::Shopper(_) => {}
        _ => caller.at_either_end(&transfer)?,
    }
    let locations = call.model().locations(&brand.id, named(&transfer)).await?;
    Reply::json(200, &shown(&locations.all, &transfer))
}

/// Those of the staff's own location, the latest first.
pub async fn list(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let Caller::Staff(staff) = Caller::staff(call, &brand.id).await? else {
        return Err(access::missing());
    };
    let (status, direction) = (status(call)?, direction(call)?);
    let page = PageRequest {
        cursor: call.query("cursor").map(Into::into),
        limit: limit(call)?,
    };
    let search = search_id(&(
        &brand.id,
        &staff.location_id,
        status.map(Status::name),
        direction,
    ));
    let in_query = |invalid: Invalid| {
        let parameter = invalid
            .path
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .to_owned();
        access::malformed(Invalid {
            path: parameter,
            ..invalid
        })
    };
    let size = page.size().map_err(in_query)?;
    let after: Option<String> = page.after(search).map_err(in_query)?;
    let own = match direction {
        Some("in") => "t.to_location_id = ?2",
        Some(_) => "t.from_location_id = ?2",
        None => "(t.to_location_id = ?2 OR t.from_location_id = ?2)",
    };
    let sql = format!(
        "SELECT {} AS doc FROM transfer t WHERE t.brand_id = ?1 AND {own} \
         AND (?3 = '' OR CASE WHEN t.expires_at_ms <= {{now}} THEN 'expired' ELSE t.status END = ?3) \
         AND (?4 = '' OR t.id < ?4) ORDER BY t.id DESC LIMIT ?5",
        transfers::document(call.db().dialect())
    );
    let params = values![
        &brand.id,
        &staff.location_id,
        status.map_or("", Status::name),
        after.unwrap_or_default(),
        size as i64 + 1
    ];
    let rows = call.db().query(sql, params).await?;
    let found = rows.iter().map(|row| row.json("doc"));
    let mut found = found.collect::<Result<Vec<Transfer>, _>>()?;
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|last| last.id.clone());
    let names = found.iter().flat_map(named);
    let locations = call.model().locations(&brand.id, names).await?;
    let answer = TransferList {
        transfers: found.iter().map(|one| shown(&locations.all, one)).collect(),
        pagination: Pagination::new(search, next, None),
    };
    Reply::json(200, &answer)
}

fn status(call: &Call) -> Result<Option<Status>, Error> {
    let Some(text) = call.query("status") else {
        return Ok(None);
    };
    let known = Status::parse(text);
    known
        .map(Some)
        .ok_or_else(|| Error::bad_request("invalid_status", "status", "no transfer is ever that"))
}

fn direction(call: &Call) -> Result<Option<&'static str>, Error> {
    match call.query("direction") {
        None => Ok(None),
        Some("in") => Ok(Some("in")),
        Some("out") => Ok(Some("out")),
        Some(_) => Err(Error::bad_request(
            "invalid_direction",
            "direction",
            "in or out",
        )),
    }
}

fn limit(call: &Call) -> Result<Option<i64>, Error> {
    let wrong = |_| Error::bad_request("invalid_limit", "limit", "must be a whole number");
    call.query("limit")
        .map(str::parse)
        .transpose()
        .map_err(wrong)
}

/// As it travels.
/// The ids of all locations that are named when the transfer is [`shown`].
pub fn named(transfer: &Transfer) -> impl Iterator<Item = &String> {
    let doc = &transfer.doc;
    let considered = doc.considered.iter().map(|one| &one.location_id);
    let replaces = doc.replaces.iter().map(|one| &one.from_location_id);
    [&transfer.from_location_id, &transfer.to_location_id]
        .into_iter()
        .chain(considered)
        .chain(replaces)
}

pub fn shown(locations: &[Location], transfer: &Transfer) -> wire::Transfer {
    let places = Places(locations);
    let (from, to) = (&transfer.from_location_id, &transfer.to_location_id);
    let doc = &transfer.doc;
    let mut lines: Vec<TransferLine> = transfer.lines.iter().map(Into::into).collect();
    lines.sort_by(|one, other| one.sku.cmp(&other.sku));
    wire::Transfer {
        id: transfer.id.clone(),
        number: transfer.number.clone(),
        status: transfer.status_now(),
        requester: doc.requester,
        beneficiary: BeneficiaryKind::parse(&transfer.for_type).map(|kind| Beneficiary {
            kind,
            id: transfer.for_id.clone(),
        }),
        from: places.name(from),
        to: places.name(to),
        lines,
        eta: places.eta(from, to, &doc.eta),
        eta_history: doc
            .eta_history
            .iter()
            .map(|change| places.eta_change(to, change))
            .collect(),
        sources: places.sources(to, &doc.considered),
        replaces: doc.replaces.as_ref().map(|replaces| wire::Replaced {
            id: replaces.transfer_id.clone(),
            from: places.name(&replaces.from_location_id),
            reason: replaces.why,
        }),
        failure: doc.failure,
        expires_at: transfer.expires_at_ms.map(|at| places.instant(from, at)),
        note: doc.note.clone(),
        reason: doc
            .refused_reason
            .clone()
            .or_else(|| doc.cancelled_reason.clone()),
        shipment: doc.shipment.clone(),
        created_at: places.instant(from, transfer.created_at_ms),
    }
}
