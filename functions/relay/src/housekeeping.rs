//! What the components tidy up when somebody tells them to: what has expired, and what was
//! cut short. The relay does, so that a ticker of one route is all that a deployment needs.

use std::time::Duration;

use aisle_store::{Batch, BatchError, Db, StoreError, new_id, values, within};
use futures::future::join_all;
use serde::Serialize;
use spin_sdk::http::{EmptyBody, send};
use spin_sdk::variables;

use crate::sweep;

/// Component and path.
const ROUTES: [(&str, &str); 6] = [
    ("checkout", "/checkout-sessions/recover"),
    ("transfers", "/transfers/housekeeping"),
    ("holds", "/holds/housekeeping"),
    ("accounts", "/accounts/housekeeping"),
    ("messages", "/messages/housekeeping"),
    ("catalog", "/catalog/housekeeping"),
];

/// From one time to the next, whoever asks and however often.
const EVERY_MS: i64 = 10_000;

/// The longest that a component may take. What it leaves is the next time's.
const CALL: Duration = Duration::from_secs(5);

/// A component that has nothing to tidy up has no such route.
const NO_SUCH_ROUTE: u16 = 404;

/// One component's part.
#[derive(Serialize)]
pub struct Chore {
    path: &'static str,
    /// The HTTP status; absent when there was no answer in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

/// Has the components tidy up, all at once, unless they did a moment ago. One that fails
/// is in the log and does not keep the others from it.
pub async fn when_due(db: &Db) -> Result<Vec<Chore>, StoreError> {
    if !is_due(db).await? {
        return Ok(Vec::new());
    }
    if let Err(error) = sweep::run(db).await {
        eprintln!("relay: what is old was not swept away: {error}");
    }
    let key = variables::get("relay_key").await.unwrap_or_default();
    let chores = ROUTES.map(|(component, path)| chore(component, path, &key));
    Ok(join_all(chores).await)
}

/// Takes the turn, which nobody else gets before it is time again.
async fn is_due(db: &Db) -> Result<bool, StoreError> {
    let mut batch = Batch::new();
    batch.may_be_lost();
    batch.expect(
        1,
        "INSERT INTO lease (name, owner, expires_at_ms) VALUES ('housekeeping', ?1, {now} + ?2) \
         ON CONFLICT (name) DO UPDATE \
         SET owner = excluded.owner, expires_at_ms = excluded.expires_at_ms \
         WHERE lease.expires_at_ms <= {now}",
        values![new_id(), EVERY_MS],
    );
    match batch.commit(db).await {
        Ok(_) => Ok(true),
        Err(BatchError::Unmet { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn chore(component: &str, path: &'static str, key: &str) -> Chore {
    let answer = match within(CALL, ask(component, path, key)).await {
        Some(answer) => answer,
        None => Err("no answer in time".into()),
    };
    match &answer {
        Ok(200..=299 | NO_SUCH_ROUTE) => {}
        Ok(status) => eprintln!("relay: POST {path} of {component} answered {status}"),
        Err(error) => eprintln!("relay: POST {path} of {component} failed: {error}"),
    }
    Chore {
        path,
        status: answer.ok(),
    }
}

async fn ask(component: &str, path: &str, key: &str) -> Result<u16, String> {
    let request = http::Request::post(format!("http://{component}.spin.internal{path}"))
        .header(http::header::AUTHORIZATION, format!("Bearer {key}"))
        // Who waits for others, such as a provider of texts, answers before it works.
        .header("prefer", "respond-async")
        .body(EmptyBody::new())
        .map_err(|error| error.to_string())?;
    let response = send(request).await.map_err(|error| error.to_string())?;
    Ok(response.status().as_u16())
}
