//! Work that runs on after the answer.

use std::cell::Cell;
use std::time::{Duration, Instant};

use spin_sdk::http::{EmptyBody, send};
use spin_sdk::variables;

/// Runs `work` beside and beyond the answer: the runtime keeps the request's task until
/// everything spawned in it has ended. A deadline is the work's own affair.
pub fn after_response(work: impl Future<Output = ()> + 'static) {
    spin_sdk::wasip3::spawn(work);
}

/// The relay promises whoever wakes it to look into the outbox once more after this time, so
/// that what is put there until then needs no wake-up of its own.
pub const RELAY_LOOKS_AGAIN: Duration = Duration::from_millis(100);

thread_local! {
    /// When this instance last woke the relay.
    static RELAY_WOKEN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Wakes the relay, so that what a committed batch put into the outbox shows at once. Fails
/// silently but for the log: the relay's periodic run finds the events all the same.
pub fn notify_relay() {
    let woken = RELAY_WOKEN.get();
    if woken.is_some_and(|woken| woken.elapsed() < RELAY_LOOKS_AGAIN) {
        return;
    }
    RELAY_WOKEN.set(Some(Instant::now()));
    after_response(async {
        if !wake("relay", "/relay/run").await {
            RELAY_WOKEN.set(None);
        }
    });
}

/// Wakes whoever sends texts and mails, so that a code is there while its shopper waits. What
/// it misses the next housekeeping sends.
pub fn notify_messages() {
    after_response(async {
        wake("messages", "/messages/housekeeping").await;
    });
}

/// Whether it was told.
async fn wake(component: &'static str, path: &'static str) -> bool {
    let key = variables::get("relay_key").await.unwrap_or_default();
    if key.is_empty() {
        return false;
    }
    let request = http::Request::post(format!("http://{component}.spin.internal{path}"))
        .header(http::header::AUTHORIZATION, format!("Bearer {key}"))
        // It answers before it works: this instance is free for its next request.
        .header("prefer", "respond-async")
        .body(EmptyBody::new());
    let Ok(request) = request else {
        eprintln!("{component} was not woken: variable relay_key does not fit into a header");
        return false;
    };
    match send(request).await {
        Ok(_) => true,
        Err(error) => {
            eprintln!("{component} was not woken: {error}");
            false
        }
    }
}
