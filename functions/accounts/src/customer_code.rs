//! `POST /accounts/me/customer-code`: what a shopper shows at the till to be known.

use aisle_domain::account::{self, CUSTOMER_CODE_LIFETIME_MS};
use aisle_domain::instant::rfc3339;
use aisle_http::{Call, Error, Reply, shopper};
use aisle_store::{Batch, BatchError, limit, random, sha256_hex, values};
use aisle_ucp::account::CustomerCode;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

use crate::proof::too_often;

/// Codes of one account, at most, …
const MOST: i64 = 30;
/// … within this long.
const WINDOW_MS: i64 = 600_000;
/// Pixels of the image's side, at least.
const SIDE_PX: u32 = 240;

pub async fn issue(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    let code = account::customer_code(random());
    let mut batch = Batch::new();
    let name = format!("customer-code/{}/{}", brand.id, shopper.account_id);
    limit::spend(&mut batch, &name, MOST, WINDOW_MS);
    // The code that is on the screen is the only one.
    batch.add(
        "DELETE FROM customer_code WHERE brand_id = ?1 AND account_id = ?2",
        values![&brand.id, &shopper.account_id],
    );
    batch.expect_rows(
        1,
        "INSERT INTO customer_code (code_hash, brand_id, account_id, expires_at_ms) \
         VALUES (?1, ?2, ?3, {now} + ?4) RETURNING expires_at_ms",
        values![
            sha256_hex(code.as_bytes()),
            &brand.id,
            &shopper.account_id,
            CUSTOMER_CODE_LIFETIME_MS
        ],
    );
    let results = match batch.commit(call.db()).await {
        Err(BatchError::Unmet { .. }) => return Err(too_often(WINDOW_MS)),
        results => results?,
    };
    let rows = results.last().map(|result| &result.rows[..]);
    let row = rows.and_then(<[_]>::first);
    let row = row.ok_or_else(|| Error::internal("a row that was written did not come back"))?;
    let text = account::customer_text(&code);
    let answer = CustomerCode {
        svg: picture(&text)?,
        text,
        code,
        expires_at: rfc3339(row.int("expires_at_ms")?),
    };
    Reply::json(201, &answer)
}

/// ISO/IEC 18004, level M, with its quiet zone.
fn picture(text: &str) -> Result<String, Error> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)
        .map_err(|error| Error::internal(error.to_string()))?;
    let mut renderer = code.render::<svg::Color>();
    Ok(renderer.min_dimensions(SIDE_PX, SIDE_PX).build())
}
