//! A pass as pictures: the QR code of its token and the barcode of its short code.

use aisle_domain::id::is_id;
use aisle_domain::pass::PassClaims;
use aisle_http::{Call, Error, Reply, pass_keys};
use aisle_store::values;
use aisle_ucp::pass::MODULE_PX;
use qrcode::{Color, EcLevel, QrCode};

use crate::access::{OWNER, Visit};
use crate::picture::Picture;
use crate::{barcode, pass};

/// ISO/IEC 18004 wants this many light modules around the code.
const QR_QUIET_MODULES: usize = 4;
const QR_MODULE_PX: u32 = 8;
const BARCODE_MODULE_PX: u32 = 4;

struct Known {
    claims: PassClaims,
    code: String,
    live: bool,
}

/// `GET /orders/{id}/pass/{pass_id}/{image}`
pub async fn show(call: &Call, id: &str, pass_id: &str, image: &str) -> Result<Reply, Error> {
    let (what, form) = match image.split_once('.') {
        Some((what @ ("qr" | "barcode"), form @ ("svg" | "png"))) => (what, form),
        _ => {
            let detail = "the images of a pass are qr.svg, qr.png, barcode.svg and barcode.png";
            return Err(Error::not_found("not_found", detail));
        }
    };
    let module_px = module_px(call)?;
    let known = read(call, id, pass_id).await?;
    if !known.live {
        let detail = "this pass is over: its time ran out, or a newer one ended it";
        return Err(Error::new(410, "pass_expired", detail));
    }
    let (picture, usual_px) = match what {
        "qr" => {
            let token = pass::token(&known.claims, &*pass_keys().await?)?;
            (qr(&token)?, QR_MODULE_PX)
        }
        _ => (barcode::picture(&known.code)?, BARCODE_MODULE_PX),
    };
    let module_px = module_px.unwrap_or(usual_px);
    Ok(match form {
        "svg" => Reply::bytes(200, "image/svg+xml", picture.svg(module_px).into_bytes()),
        _ => Reply::bytes(200, "image/png", picture.png(module_px)?),
    })
}

fn module_px(call: &Call) -> Result<Option<u32>, Error> {
    let Some(text) = call.query("module_px") else {
        return Ok(None);
    };
    let px = text.parse().ok().filter(|px| MODULE_PX.contains(px));
    px.map(Some).ok_or_else(|| {
        let detail = format!(
            "not a whole number from {} to {}",
            MODULE_PX.start(),
            MODULE_PX.end()
        );
        Error::bad_request("invalid_module_px", "module_px", &detail)
    })
}

async fn read(call: &Call, id: &str, pass_id: &str) -> Result<Known, Error> {
    let missing = || Error::not_found("not_found", "there is no such pass");
    if !is_id(id) || !is_id(pass_id) {
        return Err(missing());
    }
    let visit = Visit::open(call, id).await?;
    let brand = &visit.brand;
    let sql = format!(
        "SELECT location_id, code, issued_at_ms, expires_at_ms, {OWNER} AS owner, \
         CASE WHEN expires_at_ms > {{now}} AND revoked_at_ms IS NULL THEN 1 ELSE 0 END AS live \
         FROM pickup_pass WHERE brand_id = ?1 AND order_id = ?2 AND id = ?3"
    );
    let params = values![&brand.id, id, pass_id];
    let row = call.db().query_one_opt(sql, params).await?;
    let row = row.ok_or_else(missing)?;
    visit.check(row.text_opt("owner")?.as_deref())?;
    Ok(Known {
        claims: PassClaims {
            brand_id: brand.id.clone(),
            pass_id: pass_id.to_owned(),
            order_id: id.to_owned(),
            location_id: row.text("location_id")?,
            issued_at_ms: row.int("issued_at_ms")?,
            expires_at_ms: row.int("expires_at_ms")?,
        },
        code: row.text("code")?,
        live: row.int("live")? == 1,
    })
}

/// The QR code of a pass's token.
pub fn qr(token: &str) -> Result<Picture, Error> {
    let code = QrCode::with_error_correction_level(token, EcLevel::M)
        .map_err(|error| Error::internal(error.to_string()))?;
    let (width, colors) = (code.width(), code.to_colors());
    let side = width + 2 * QR_QUIET_MODULES;
    let mut picture = Picture::light("Pickup pass", side, side);
    for (index, _) in colors
        .iter()
        .enumerate()
        .filter(|(_, color)| **color == Color::Dark)
    {
        let (x, y) = (index % width, index / width);
        picture.darken(x + QR_QUIET_MODULES, y + QR_QUIET_MODULES, 1, 1);
    }
    Ok(picture)
}
