//! Making a link the account's own, from an app or from a page: once.

use aisle_domain::account::{FRESH_MS, MAX_IDENTITIES};
use aisle_domain::brand::Brand;
use aisle_domain::invite::{self, Scope};
use aisle_http::command::raced;
use aisle_http::shopper::{self, LINK_COOKIE, Shopper, Viewer, set_cookie};
use aisle_http::{Call, Error, Reply};
use aisle_store::carts::claim::{Claim, Claimed as ClaimedCart, Refused as RefusedCart};
use aisle_store::changes::{self, Kind};
use aisle_store::{Batch, BatchError, accounts, values};
use aisle_ucp::invite::Claimed;

use crate::link::{self, Fault, Obstacle};
use crate::pages;
use crate::row::InviteRow;

/// Looks at the link, at most: a race with another claim is followed by a fresh look.
const ROUNDS: usize = 3;

/// `POST /invites/{code}/claim`
pub async fn by_token(call: &Call, code: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    match claim(call, &brand, code, &shopper).await {
        Ok(row) => Reply::json(200, &claimed(&row)),
        Err(Fault::Obstacle(obstacle)) => Err(obstacle.error()),
        Err(Fault::Error(error)) => Err(error),
    }
}

/// `GET /i/{code}/claim`: asks first, since a link that is followed changes nothing.
pub async fn ask(call: &Call, code: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let viewer = Viewer::of(call, &brand.id).await?;
    let outcome = question(call, &brand, code, viewer.account_id()).await;
    page(call, &brand, code, outcome)
}

async fn question(
    call: &Call,
    brand: &Brand,
    code: &str,
    account_id: Option<&str>,
) -> Result<Reply, Fault> {
    let row = link::find(call, brand, code).await?;
    let over = |state| Fault::from(invite::Refused::Over(state));
    row.standing.opens_for(account_id).map_err(over)?;
    let Some(account_id) = account_id else {
        return Ok(pages::sign_in(code));
    };
    if row.standing.claim(account_id, subject(&row))? {
        return Ok(pages::confirm(call, brand, row.subject.scope));
    }
    Ok(to_page(&row))
}

/// `POST /i/{code}/claim`
pub async fn by_form(call: &Call, code: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let viewer = Viewer::of(call, &brand.id).await?;
    let Viewer::Account(shopper) = &viewer else {
        return Ok(pages::sign_in(code));
    };
    let outcome = claim(call, &brand, code, shopper).await;
    // The session opens it from now on, the link opens nothing.
    let ended = set_cookie(call, LINK_COOKIE, "", 0);
    let done = outcome.map(|row| to_page(&row).header("set-cookie", &ended));
    page(call, &brand, code, done)
}

fn page(
    call: &Call,
    brand: &Brand,
    code: &str,
    outcome: Result<Reply, Fault>,
) -> Result<Reply, Error> {
    match outcome {
        Ok(reply) => Ok(reply),
        Err(Fault::Obstacle(obstacle)) => pages::refusal(call, brand, code, obstacle),
        Err(Fault::Error(error)) => Err(error),
    }
}

fn to_page(row: &InviteRow) -> Reply {
    pages::see_other(&row.subject.scope.page(&row.subject.id))
}

fn claimed(row: &InviteRow) -> Claimed {
    Claimed {
        scope: row.subject.scope,
        subject_id: row.subject.id.clone(),
        page: row.subject.scope.page(&row.subject.id),
    }
}

fn subject(row: &InviteRow) -> invite::Subject<'_> {
    invite::Subject {
        scope: row.subject.scope,
        id: &row.subject.id,
        owner: row.subject.owner.as_deref(),
    }
}

/// Answers the link as it was before, but a cart with the id of what it has become.
async fn claim(
    call: &Call,
    brand: &Brand,
    code: &str,
    shopper: &Shopper,
) -> Result<InviteRow, Fault> {
    let account_id = shopper.account_id.as_str();
    for _ in 0..ROUNDS {
        let mut row = link::find(call, brand, code).await?;
        let fresh = row.standing.claim(account_id, subject(&row))?;
        let cart = match row.subject.scope {
            Scope::Cart => Some(cart(call, brand, &row, account_id).await?),
            Scope::Order | Scope::Account => None,
        };
        let committed = match fresh {
            true => {
                batch(brand, &row, shopper, cart.as_ref())
                    .commit(call.db())
                    .await
            }
            false => Ok(Vec::new()),
        };
        match committed {
            Ok(_) => {
                row.subject.id = cart.map_or(row.subject.id, |cart| cart.id);
                return Ok(row);
            }
            Err(BatchError::Unmet { .. }) => {}
            Err(error) => return Err(Fault::Error(error.into())),
        }
    }
    Err(Fault::Error(raced()))
}

/// What becomes of the cart and the one that the account has.
async fn cart(
    call: &Call,
    brand: &Brand,
    row: &InviteRow,
    account_id: &str,
) -> Result<ClaimedCart, Fault> {
    let both = (account_id, row.subject.id.as_str());
    let known = Claim::read(call.db(), &brand.id, both, None).await?;
    known.decide(brand).map_err(|refused| match refused {
        RefusedCart::Unknown => Fault::Obstacle(Obstacle::Gone),
        RefusedCart::BeingBought => Fault::Obstacle(Obstacle::BeingBought),
        RefusedCart::Impossible(refusal) => {
            Error::unprocessable(refusal.code, &refusal.path, &refusal.detail).into()
        }
    })
}

/// Of two accounts that claim at once, the first gets it.
fn batch(brand: &Brand, row: &InviteRow, shopper: &Shopper, cart: Option<&ClaimedCart>) -> Batch {
    let account_id = shopper.account_id.as_str();
    let mut batch = Batch::new();
    batch.expect(
        1,
        "UPDATE invite SET claimed_by = ?3, claimed_at_ms = {now} WHERE brand_id = ?1 AND id = ?2 \
         AND claimed_at_ms IS NULL AND revoked_at_ms IS NULL AND expires_at_ms > {now}",
        values![&brand.id, &row.id, account_id],
    );
    match row.subject.scope {
        Scope::Order => accounts::attach_order(&mut batch, &brand.id, &row.subject.id, account_id),
        Scope::Account => confirm_address(&mut batch, brand, row, shopper),
        Scope::Cart => {}
    }
    if let Some(cart) = cart {
        cart.write(&mut batch);
    }
    let asker = row.account_id.as_deref();
    let both = [Some(account_id), asker.filter(|asker| *asker != account_id)];
    for one in both.into_iter().flatten() {
        changes::of_account(&mut batch, &brand.id, one, (Kind::Invite, &row.id), false);
    }
    batch
}

/// Whoever reads what was sent there, and is signed in, has proved that the address is theirs;
/// unless it is known as somebody else's, the account has as many as one may have, or the device
/// has not signed in lately: whoever finds one must not add a number of theirs.
fn confirm_address(batch: &mut Batch, brand: &Brand, row: &InviteRow, shopper: &Shopper) {
    // The account's row lets this and another address of the same moment go one after the other.
    batch.expect(
        1,
        "UPDATE account SET version = version + 1, updated_at_ms = {now} \
         WHERE brand_id = ?1 AND id = ?2 AND status = 'active'",
        values![&brand.id, &shopper.account_id],
    );
    batch.add(
        "INSERT INTO account_identity (brand_id, kind, address, account_id, verified_at_ms) \
         SELECT a.brand_id, ?3, ?4, a.id, {now} FROM account a WHERE a.brand_id = ?1 AND a.id = ?2 \
         AND (SELECT count(*) FROM account_identity x WHERE x.brand_id = a.brand_id AND x.account_id = a.id) < ?5 \
         AND EXISTS (SELECT 1 FROM account_session s WHERE s.id = ?6 AND s.account_id = a.id \
           AND s.created_at_ms >= {now} - ?7) \
         ON CONFLICT DO NOTHING",
        values![
            &brand.id,
            &shopper.account_id,
            row.channel.identity(),
            &row.address,
            MAX_IDENTITIES as i64,
            &shopper.session_id,
            FRESH_MS
        ],
    );
}
