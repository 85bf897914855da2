//! `/accounts/me/orders`: what the account has bought.

use aisle_domain::id::is_id;
use aisle_domain::order::Order;
use aisle_http::command::{self, Answer};
use aisle_http::{Call, Error, Reply, page, shopper};
use aisle_store::{Row, StoreError, accounts, idempotency, limit, values};
use aisle_ucp::account::{AttachRequest, OrderList, OrderSummary};
use aisle_ucp::page::{Pagination, search_id};

use crate::proof::too_often;

/// Orders that an account asks for, at most, …
const MOST: i64 = 60;
/// … within this long: nobody needs to find out which ids there are.
const WINDOW_MS: i64 = 600_000;

/// `POST /accounts/me/orders`
pub async fn attach(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    let body = call.body().await?;
    let request: AttachRequest = call.parse(&body)?;
    let account_id = &shopper.account_id;
    if !is_id(&request.order_id) {
        return Err(missing());
    }
    let claim = call.claim(&brand.id, &format!("attach-order/{account_id}"), &body)?;
    let name = format!("attach-order/{}/{account_id}", brand.id);
    if !limit::allows(call.db(), &name, MOST, WINDOW_MS).await? {
        return Err(too_often(WINDOW_MS));
    }
    let sql = format!(
        "SELECT {}, o.doc, o.status, p.status AS pickup_status, ao.account_id AS owner \
         FROM (SELECT 1 AS one) probe {} \
         LEFT JOIN customer_order o ON o.brand_id = ?1 AND o.id = ?2 AND o.status IN ('confirmed', 'cancelled') \
         LEFT JOIN pickup p ON p.brand_id = o.brand_id AND p.order_id = o.id \
         LEFT JOIN account_order ao ON ao.brand_id = o.brand_id AND ao.order_id = o.id",
        idempotency::COLUMNS,
        idempotency::join("?3", "?4")
    );
    let (scope, key) = match &claim {
        Some(claim) => (claim.scope.as_str(), claim.key.as_str()),
        None => ("", ""),
    };
    let params = values![&brand.id, &request.order_id, scope, key];
    let row = call.db().query_one_opt(sql, params).await?;
    let row = row.ok_or_else(missing)?;
    if let Some(claim) = &claim
        && let Some(reply) = call.replay(claim.outcome(&row)?)?
    {
        return Ok(reply);
    }
    let order: Order = row.json_opt("doc")?.ok_or_else(missing)?;
    if row
        .text_opt("owner")?
        .is_some_and(|owner| owner != *account_id)
    {
        return Err(missing());
    }
    let summary = OrderSummary::new(&order, row.text("status")?, row.text_opt("pickup_status")?);
    let answer = Answer::new(200, &summary)?;
    let mut batch = command::begin(claim.as_ref(), &answer);
    accounts::attach_order(&mut batch, &brand.id, &request.order_id, account_id);
    command::commit(call, claim.as_ref(), answer, batch)
        .await?
        .unless_raced()
}

/// `GET /accounts/me/orders?cursor=&limit=`
pub async fn list(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    let paging = page::request(call)?;
    let search = search_id(&("account-orders", &brand.id, &shopper.account_id));
    let size = paging.size().map_err(page::refused)?;
    let before = page::after(&paging, search)?;
    let rows = call
        .db()
        .query(
            "SELECT o.doc, o.status, p.status AS pickup_status FROM account_order ao \
             JOIN customer_order o ON o.brand_id = ao.brand_id AND o.id = ao.order_id \
             LEFT JOIN pickup p ON p.brand_id = ao.brand_id AND p.order_id = ao.order_id \
             WHERE ao.brand_id = ?1 AND ao.account_id = ?2 AND (?3 = '' OR ao.order_id < ?3) \
             ORDER BY ao.order_id DESC LIMIT ?4",
            values![
                &brand.id,
                &shopper.account_id,
                before.unwrap_or_default(),
                size as i64 + 1
            ],
        )
        .await?;
    let mut orders = rows.iter().map(summary).collect::<Result<Vec<_>, _>>()?;
    let more = orders.len() > size;
    orders.truncate(size);
    let next = orders.last().filter(|_| more).map(|last| last.id.clone());
    let pagination = Pagination::new(search, next, None);
    Reply::json(200, &OrderList { orders, pagination })
}

fn summary(row: &Row) -> Result<OrderSummary, StoreError> {
    let order: Order = row.json("doc")?;
    let pickup_status = row.text_opt("pickup_status")?;
    Ok(OrderSummary::new(
        &order,
        row.text("status")?,
        pickup_status,
    ))
}

/// The same for what is not there and what is somebody else's.
fn missing() -> Error {
    let detail = "the brand has no such order, or it belongs to somebody else";
    Error::not_found("order_not_found", detail).at("$.order_id")
}
