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
    after_response(async {
        let key = variables::get("relay_key").await.unwrap_or_default();
        if key.is_empty() {
            return;
        }
        let request = http::Request::post("http://relay.spin.internal/relay/run")
            .header(http::header::AUTHORIZATION, format!("Bearer {key}"))
            // The relay answers before it works: this instance is free for its next request.
            .header("prefer", "respond-async")
            .body(EmptyBody::new());
        match request {
            Ok(request) => {
                if let Err(error) = send(request).await {
                    eprintln!("the relay was not woken: {error}");
                }
            }
            Err(_) => {
                eprintln!("the relay was not woken: variable relay_key does not fit into a header")
            }
        }
    });
}
