//! The clock of the relay: on Spin a deployment runs a small ticker, here the edge does.

use std::net::SocketAddr;
use std::sync::Weak;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt, Empty};
use tokio::time::MissedTickBehavior;

use crate::app::App;

/// The variable that holds the relay's key.
pub const KEY_VARIABLE: &str = "relay_key";
const RELAY_PATH: &str = "/relay/run";

/// Calls `POST /relay/run` every `every` until the app is gone.
pub async fn tick(app: Weak<App>, address: SocketAddr, key: String, every: Duration) {
    let mut clock = tokio::time::interval(every);
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        clock.tick().await;
        let Some(app) = app.upgrade() else {
            return;
        };
        call(&app, address, &key).await;
    }
}

async fn call(app: &App, address: SocketAddr, key: &str) {
    let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let request = Request::builder()
        .method(Method::POST)
        .uri(RELAY_PATH)
        .header(HOST, address.to_string())
        .header(CONTENT_LENGTH, 0)
        .header(AUTHORIZATION, format!("Bearer {key}"))
        .body(body);
    let Ok(request) = request else {
        eprintln!(
            "warning: the relay's key cannot be sent in a header; POST {RELAY_PATH} is not called"
        );
        return;
    };
    // Every second: a line in the log only if something is wrong.
    let response = app.answer(request, address, false).await;
    let status = response.status();
    // The body is read to its end so that the instance can take its next request.
    let read = response.into_body().collect().await;
    if !status.is_success() || read.is_err() {
        eprintln!("warning: POST {RELAY_PATH} answered {status}");
    }
}
