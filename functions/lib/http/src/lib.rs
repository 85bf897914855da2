//! HTTP as every function sees it: a call with its brand, limits on all that comes in,
//! and one type for an answer and one for a refusal.
//!
//! ```text
//! #[http_service]
//! async fn handle(request: Request) -> impl IntoResponse {
//!     aisle_http::serve("stock", request, route).await
//! }
//!
//! async fn route(call: Call) -> Result<Reply, Error> {
//!     match (call.method(), &call.segments()[..]) {
//!         ("GET", ["stock", sku]) => by_sku(&call, sku).await,
//!         (_, ["stock", _]) => Err(call.method_not_allowed("GET, HEAD")),
//!         _ => Err(call.not_found()),
//!     }
//! }
//! ```

mod agent;
pub mod auth;
mod background;
mod body;
mod call;
pub mod channel;
pub mod command;
mod cors;
mod error;
mod events;
mod form;
mod host;
mod json;
pub mod page;
mod pass_keys;
mod path;
pub mod payment;
pub mod precondition;
mod replay;
mod reply;
mod serve;
pub mod shopper;
pub mod watch;

pub use background::{RELAY_LOOKS_AGAIN, after_response, notify_messages, notify_relay};
pub use body::BodyStream;
pub use call::Call;
pub use error::Error;
pub use events::Event;
pub use form::Form;
pub use pass_keys::pass_keys;
pub use reply::Reply;
pub use serve::serve;
