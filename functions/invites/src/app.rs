//! The brand's own app: which links it opens, and how to open one in it.

use aisle_domain::app::{App, Phone};
use aisle_domain::invite::normalise_code;
use aisle_http::{Call, Error, Reply};
use aisle_ucp::invite::{android_association, apple_association};
use serde_json::Value;

use crate::link::Obstacle;
use crate::pages;

/// Seconds that a phone's maker may keep the files.
const MAX_AGE_S: u32 = 3_600;

/// `GET /.well-known/apple-app-site-association`
pub async fn apple(call: &Call) -> Result<Reply, Error> {
    association(call, apple_association).await
}

/// `GET /.well-known/assetlinks.json`
pub async fn android(call: &Call) -> Result<Reply, Error> {
    association(call, android_association).await
}

async fn association(call: &Call, file: fn(&App) -> Option<Value>) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let file = brand.app.as_ref().and_then(file);
    let none = || Error::not_found("no_app", "the brand has no app for these phones");
    Ok(Reply::json(200, &file.ok_or_else(none)?)?.cached(MAX_AGE_S, MAX_AGE_S))
}

/// `GET /i/{code}/app`: on Android the app, or its page in the store; on an iPhone the store,
/// for a phone that has the app has opened the link in it already. Otherwise the link.
pub async fn open(call: &Call, code: &str) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let Some(code) = normalise_code(code) else {
        return pages::refusal(call, &brand, code, Obstacle::Unknown);
    };
    let link = format!("{}/i/{code}", call.brand_origin(&brand));
    let phone = Phone::of(call.header("user-agent").unwrap_or_default());
    let app = brand.app.as_ref().zip(phone);
    let opens = app.and_then(|(app, phone)| app.opens(phone, &link));
    Ok(pages::see_other(&opens.unwrap_or(format!("/i/{code}"))))
}
