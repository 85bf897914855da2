//! Work that runs on after the answer.

use spin_sdk::http::{EmptyBody, send};
use spin_sdk::variables;

/// Runs `work` beside and beyond the answer: the runtime keeps the request's task until
/// everything spawned in it has ended. A deadline is the work's own affair.
pub fn after_response(work: impl Future<Output = ()> + 'static) {
    spin_sdk::wasip3::spawn(work);
}

/// Wakes the relay, so that what a committed batch put into the outbox shows at once. Fails
/// silently but for the log: the relay's periodic run finds the events all the same.
pub fn notify_relay() {
    wake("relay", "/relay/run");
}

/// Wakes whoever sends texts and mails, so that a code is there while its shopper waits. What
/// it misses the next housekeeping sends.
pub fn notify_messages() {
    wake("messages", "/messages/housekeeping");
}

fn wake(component: &'static str, path: &'static str) {
    after_response(async move {
        let key = variables::get("relay_key").await.unwrap_or_default();
        if key.is_empty() {
            return;
        }
        let request = http::Request::post(format!("http://{component}.spin.internal{path}"))
            .header(http::header::AUTHORIZATION, format!("Bearer {key}"))
            // It answers before it works: this instance is free for its next request.
            .header("prefer", "respond-async")
            .body(EmptyBody::new());
        match request {
            Ok(request) => {
                if let Err(error) = send(request).await {
                    eprintln!("{component} was not woken: {error}");
                }
            }
            Err(_) => {
                eprintln!(
                    "{component} was not woken: variable relay_key does not fit into a header"
                )
            }
        }
    });
}
