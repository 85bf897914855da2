//! `GET /i/{code}`: where a link leads. It changes nothing but when a person first looked.

use aisle_domain::brand::Brand;
use aisle_domain::instant::rfc3339;
use aisle_domain::invite::{Scope, State, Visitor, normalise_code};
use aisle_http::shopper::{LINK_COOKIE, Viewer, set_cookie};
use aisle_http::{Call, Error, Reply};
use aisle_store::changes::{self, Kind};
use aisle_store::{Batch, BatchError, values};
use aisle_ucp::invite::LinkTarget;

use crate::link::{self, Fault, Obstacle};
use crate::pages;
use crate::row::InviteRow;

pub async fn open(call: &Call, code: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    match follow(call, &brand, code).await {
        Err(Fault::Obstacle(obstacle)) => pages::refusal(call, &brand, code, obstacle),
        Err(Fault::Error(error)) => Err(error),
        Ok(reply) => Ok(reply),
    }
}

async fn follow(call: &Call, brand: &Brand, code: &str) -> Result<Reply, Fault> {
    let row = link::find(call, brand, code).await?;
    let viewer = Viewer::of(call, &brand.id).await?;
    let account_id = viewer.account_id();
    let over = |state| Fault::Obstacle(Obstacle::Over(state));
    row.standing.opens_for(account_id).map_err(over)?;
    let visitor = visitor(call);
    if visitor == Visitor::Preview {
        return Ok(pages::preview(call, brand, row.subject.scope));
    }
    if visitor == Visitor::Person && row.opened_at_ms.is_none() {
        opened(call, brand, &row).await?;
    }
    if pages::wants_json(call) {
        return Ok(Reply::json(200, &target(&row))?);
    }
    Ok(led(call, code, &row, account_id.is_some()))
}

/// To the page, with the cookie that opens it while the link is nobody's own.
fn led(call: &Call, code: &str, row: &InviteRow, signed_in: bool) -> Reply {
    let page = row.subject.scope.page(&row.subject.id);
    let open = row.standing.state() == State::Open;
    match (row.subject.scope, normalise_code(code)) {
        // Nothing of an account shows before somebody signs in; and who is signed in sees
        // their own cart, of which this one is to be a part.
        (Scope::Account, Some(code)) if open => pages::see_other(&format!("/i/{code}/claim")),
        (Scope::Cart, Some(code)) if open && signed_in => {
            pages::see_other(&format!("/i/{code}/claim"))
        }
        (_, Some(code)) if open => {
            let left_s = (row.standing.expires_at_ms - row.standing.now_ms) / 1_000;
            pages::see_other(&page)
                .header("set-cookie", &set_cookie(call, LINK_COOKIE, &code, left_s))
        }
        _ => pages::see_other(&page),
    }
}

fn target(row: &InviteRow) -> LinkTarget {
    LinkTarget {
        scope: row.subject.scope,
        subject_id: row.subject.id.clone(),
        page: row.subject.scope.page(&row.subject.id),
        status: row.standing.state(),
        expires_at: rfc3339(row.standing.expires_at_ms),
    }
}

fn visitor(call: &Call) -> Visitor {
    let ahead = ["sec-purpose", "purpose", "x-moz"]
        .iter()
        .any(|name| call.header(name).is_some());
    Visitor::of(
        call.is_head(),
        call.header("user-agent").unwrap_or_default(),
        ahead,
    )
}

/// Notes when a person first looked; who asked for the link sees it.
async fn opened(call: &Call, brand: &Brand, row: &InviteRow) -> Result<(), Fault> {
    let mut batch = Batch::new();
    batch.expect(
        1,
        "UPDATE invite SET opened_at_ms = {now} WHERE brand_id = ?1 AND id = ?2 AND opened_at_ms IS NULL",
        values![&brand.id, &row.id],
    );
    if let Some(account_id) = &row.account_id {
        changes::of_account(
            &mut batch,
            &brand.id,
            account_id,
            (Kind::Invite, &row.id),
            false,
        );
    }
    match batch.commit(call.db()).await {
        Ok(_) | Err(BatchError::Unmet { .. }) => Ok(()),
        Err(error) => Err(Fault::Error(error.into())),
    }
}
