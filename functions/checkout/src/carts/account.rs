//! `/carts/mine`: the one cart of an account, and what becomes of one that is brought along.

use aisle_domain::id::is_id;
use aisle_domain::notice::Refusal;
use aisle_http::shopper;
use aisle_http::{Call, Error, Reply};
use aisle_store::carts::CartRow;
use aisle_store::carts::claim::{Claim, Refused};
use aisle_store::values;
use aisle_ucp::cart as wire;

use super::{ROUNDS, show, tagged};
use crate::answer::{self, Answer, Committed};

/// `GET /carts/mine`
pub async fn mine(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    let sql = "SELECT c.id, c.doc, c.version, c.updated_at_ms, c.expires_at_ms, a.account_id AS owner \
               FROM account_cart a JOIN cart c ON c.brand_id = ?1 AND c.id = a.cart_id \
               WHERE a.brand_id = ?1 AND a.account_id = ?2 AND c.status = 'active' AND c.expires_at_ms > {now}";
    let account = values![&brand.id, &shopper.account_id];
    let row = call.db().query_one_opt(sql, account).await?;
    let row = row.ok_or_else(|| answer::missing("Cart"))?;
    show(call, &brand, &CartRow::of(&row)?)
}

/// `POST /carts/mine/merge`: answers the account's cart. The same cart again changes nothing.
pub async fn merge(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    let body = call.body().await?;
    let request: wire::MergeRequest = call.parse(&body)?;
    if !is_id(&request.cart_id) {
        return Err(unknown());
    }
    let account_id = shopper.account_id.as_str();
    let key = call.claim(&brand.id, &format!("merge-cart/{account_id}"), &body)?;
    for _ in 0..ROUNDS {
        let carts = (account_id, request.cart_id.as_str());
        let claim = Claim::read(call.db(), &brand.id, carts, key.as_ref()).await?;
        if let Some(reply) = call.replay(claim.outcome.clone())? {
            return tagged(reply);
        }
        let claimed = claim.decide(&brand).map_err(refused)?;
        let named = (claimed.id.as_str(), claimed.version);
        let shown = wire::Cart::new(named, &claimed.cart, &brand, claimed.expires_at_ms);
        let merged = Answer::new(200, &shown)?;
        let mut batch = answer::begin(key.as_ref(), &merged);
        claimed.write(&mut batch);
        match answer::commit(call, key.as_ref(), merged, batch).await? {
            Committed::Done(reply) | Committed::Replayed(reply) => return tagged(reply),
            Committed::Unmet(_) => {}
        }
    }
    Err(answer::raced())
}

fn refused(refused: Refused) -> Error {
    match refused {
        Refused::Unknown => unknown(),
        Refused::BeingBought => answer::being_bought().at("$.cart_id"),
        Refused::Impossible(Refusal { code, detail, .. }) => {
            Error::unprocessable(code, "$.cart_id", &detail)
        }
    }
}

fn unknown() -> Error {
    answer::missing("Cart").at("$.cart_id")
}
