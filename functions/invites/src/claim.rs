//! Making a link the account's own, from an app or from a page: once.

use aisle_domain::brand::Brand;
use aisle_domain::contact::Channel;
use aisle_domain::invite::{self, Scope};
use aisle_http::command::raced;
use aisle_http::shopper::{self, Viewer};
use aisle_http::{Call, Error, Reply};
use aisle_store::changes::{self, Kind};
use aisle_store::{Batch, BatchError, accounts, values};
use aisle_ucp::invite::Claimed;

use crate::link::{self, Fault};
use crate::open;
use crate::pages;
use crate::row::InviteRow;

/// Looks at the link, at most: a race with another claim is followed by a fresh look.
const ROUNDS: usize = 3;

/// `POST /invites/{code}/claim`
pub async fn by_token(call: &Call, code: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    match claim(call, &brand, code, &shopper.account_id).await {
        Ok(row) => Reply::json(200, &claimed(&row)),
        Err(Fault::Obstacle(obstacle)) => Err(obstacle.error()),
        Err(Fault::Error(error)) => Err(error),
    }
}

/// `GET /i/{code}/claim`: asks first, since a link that is followed changes nothing.
pub async fn ask(call: &Call, code: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let viewer = Viewer::of(call, &brand.id).await?;
    let asked = async || -> Result<Reply, Fault> {
        let row = link::find(call, &brand, code).await?;
        let account_id = viewer.account_id();
        if let Err(state) = row.standing.opens_for(account_id) {
            return Err(invite::Refused::Over(state).into());
        }
        let Some(account_id) = account_id else {
            return Ok(pages::sign_in(code));
        };
        // Whether the account has another cart is judged when it is asked for.
        if row.standing.claim(account_id, None, subject(&row))? {
            return Ok(pages::confirm(call, &brand, row.subject.scope));
        }
        Ok(to_page(&row))
    };
    page(call, &brand, code, asked().await)
}

/// `POST /i/{code}/claim`
pub async fn by_form(call: &Call, code: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let viewer = Viewer::of(call, &brand.id).await?;
    let Some(account_id) = viewer.account_id() else {
        return Ok(pages::sign_in(code));
    };
    let outcome = claim(call, &brand, code, account_id).await;
    // The session opens it from now on, the link opens nothing.
    let done = outcome.map(|row| to_page(&row).header("set-cookie", &open::cookie(call, "", 0)));
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

async fn claim(
    call: &Call,
    brand: &Brand,
    code: &str,
    account_id: &str,
) -> Result<InviteRow, Fault> {
    for _ in 0..ROUNDS {
        let row = link::find(call, brand, code).await?;
        let cart_id = own_cart(call, brand, &row, account_id).await?;
        if !row
            .standing
            .claim(account_id, cart_id.as_deref(), subject(&row))?
        {
            return Ok(row);
        }
        match batch(brand, &row, account_id).commit(call.db()).await {
            Ok(_) => return Ok(row),
            Err(BatchError::Unmet { .. }) => {}
            Err(error) => return Err(Fault::Error(error.into())),
        }
    }
    Err(Fault::Error(raced()))
}

/// The cart that the account has, where that matters.
async fn own_cart(
    call: &Call,
    brand: &Brand,
    row: &InviteRow,
    account_id: &str,
) -> Result<Option<String>, Fault> {
    if row.subject.scope != Scope::Cart {
        return Ok(None);
    }
    let sql = "SELECT cart_id FROM account_cart WHERE brand_id = ?1 AND account_id = ?2";
    let found = call
        .db()
        .query_one_opt(sql, values![&brand.id, account_id])
        .await?;
    Ok(found.map(|row| row.text("cart_id")).transpose()?)
}

/// Of two accounts that claim at once, the first gets it.
fn batch(brand: &Brand, row: &InviteRow, account_id: &str) -> Batch {
    let mut batch = Batch::new();
    batch.expect(
        1,
        "UPDATE invite SET claimed_by = ?3, claimed_at_ms = {now} WHERE brand_id = ?1 AND id = ?2 \
         AND claimed_at_ms IS NULL AND revoked_at_ms IS NULL AND expires_at_ms > {now}",
        values![&brand.id, &row.id, account_id],
    );
    match row.subject.scope {
        Scope::Order => accounts::attach_order(&mut batch, &brand.id, &row.subject.id, account_id),
        Scope::Cart => attach_cart(&mut batch, brand, row, account_id),
        Scope::Account => confirm_address(&mut batch, brand, row, account_id),
    }
    let askers = [
        Some(account_id),
        row.account_id
            .as_deref()
            .filter(|asker| *asker != account_id),
    ];
    for one in askers.into_iter().flatten() {
        changes::of_account(&mut batch, &brand.id, one, (Kind::Invite, &row.id), false);
    }
    batch
}

fn attach_cart(batch: &mut Batch, brand: &Brand, row: &InviteRow, account_id: &str) {
    if row.subject.owner.is_some() {
        return;
    }
    batch.expect(
        1,
        "INSERT INTO account_cart (brand_id, account_id, cart_id) SELECT c.brand_id, ?3, c.id FROM cart c \
         WHERE c.brand_id = ?1 AND c.id = ?2 AND c.status = 'active' AND c.expires_at_ms > {now} ON CONFLICT DO NOTHING",
        values![&brand.id, &row.subject.id, account_id],
    );
    changes::of_account(
        batch,
        &brand.id,
        account_id,
        (Kind::Cart, &row.subject.id),
        false,
    );
}

/// Whoever reads what was sent there, and is signed in, has proved that the address is theirs;
/// unless it is known as somebody else's.
fn confirm_address(batch: &mut Batch, brand: &Brand, row: &InviteRow, account_id: &str) {
    let kind = Channel::identity(row.channel);
    batch.add(
        "INSERT INTO account_identity (brand_id, kind, address, account_id, verified_at_ms) \
         VALUES (?1, ?2, ?3, ?4, {now}) ON CONFLICT DO NOTHING",
        values![&brand.id, kind, &row.address, account_id],
    );
}
