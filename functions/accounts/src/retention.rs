//! `POST /accounts/housekeeping`: what a brand keeps no longer is forgotten, by its policy
//! `retention`. A little at a time: the relay calls it every few seconds.

mod carts;
mod chores;
mod consents;
mod documents;
mod due;

use aisle_domain::brand::Brand;
use aisle_http::{Call, Error, Reply, auth};
use aisle_store::{random, values};
use aisle_ucp::account::RetentionRun;

use self::due::Due;
use crate::account::{self, Known};
use crate::forget::{self, Person, Round, Traces};

const DAY_MS: i64 = 86_400_000;
/// Accounts that one run erases, at most, of each brand.
const RUN_ACCOUNTS: i64 = 5;
/// Brands that one run sees to, at most.
const RUN_BRANDS: usize = 10;

pub async fn run(call: &Call) -> Result<Reply, Error> {
    auth::housekeeper(call).await?;
    let brands = call.model().brands().await?;
    let mut due = due::read(call, &brands).await?;
    let mut run = RetentionRun {
        more: due.len() > RUN_BRANDS,
        ..RetentionRun::default()
    };
    // Chance decides whose turn it is, so that nobody's much keeps the others waiting.
    let [chance, ..] = random();
    let first = usize::from(chance) * due.len() / 256;
    due.rotate_left(first);
    for (brand, due) in due.iter().take(RUN_BRANDS) {
        forget_due(call, brand, due, &mut run).await?;
    }
    Reply::json(200, &run)
}

async fn forget_due(
    call: &Call,
    brand: &Brand,
    due: &Due,
    run: &mut RetentionRun,
) -> Result<(), Error> {
    if due.chores {
        chores::run(call, brand, run).await?;
    }
    if due.documents {
        documents::run(call, brand, run).await?;
    }
    if due.carts {
        carts::run(call, brand, run).await?;
    }
    if due.words {
        consents::run(call, brand, run).await?;
    }
    if due.unused {
        erase_unused(call, brand, run).await?;
    }
    if due.erasing || due.unused {
        go_on_erasing(call, brand, run).await?;
    }
    Ok(())
}

/// Accounts that nobody has used for as long as the brand keeps them.
async fn erase_unused(call: &Call, brand: &Brand, run: &mut RetentionRun) -> Result<(), Error> {
    let unused_ms = brand.policies.retention.unused_account_days * DAY_MS;
    let sql = format!(
        "SELECT {} FROM account a WHERE a.brand_id = ?1 AND a.status = 'active' AND a.last_seen_at_ms <= {{now}} - ?2 \
         ORDER BY a.last_seen_at_ms LIMIT ?3",
        account::columns(call.db().dialect())
    );
    let rows = call
        .db()
        .query(sql, values![&brand.id, unused_ms, RUN_ACCOUNTS])
        .await?;
    run.more |= rows.len() as i64 == RUN_ACCOUNTS;
    for row in &rows {
        let Some(known) = Known::of(row)? else {
            continue;
        };
        let traces = Traces::of(call, &brand.id, &known.id).await?;
        let person = Person {
            brand_id: &brand.id,
            account_id: &known.id,
            identities: &known.identities,
            dialect: call.db().dialect(),
        };
        let mut batch = aisle_store::Batch::new();
        person.begin(&mut batch, &traces, unused_ms);
        run.settled += chores::settled(batch.commit(call.db()).await)?;
    }
    Ok(())
}

/// Erasures that a request began and did not bring to their end.
async fn go_on_erasing(call: &Call, brand: &Brand, run: &mut RetentionRun) -> Result<(), Error> {
    let sql = "SELECT id FROM account WHERE brand_id = ?1 AND status = 'erasing' ORDER BY last_seen_at_ms LIMIT ?2";
    let rows = call
        .db()
        .query(sql, values![&brand.id, RUN_ACCOUNTS])
        .await?;
    for row in &rows {
        let round = forget::go_through(call, &brand.id, &row.text("id")?).await?;
        run.settled += u64::from(round == Round::Done);
        run.more |= round == Round::More;
    }
    Ok(())
}
