//! From the runtime's request to its response, around a function's own routes.

use aisle_store::new_id;
use http::{HeaderMap, Response};
use spin_sdk::http::Request;

use crate::cors::Cors;
use crate::events::ReplyBody;
use crate::{Call, Error, Reply};

/// The first segments of the paths that UCP defines; their errors have UCP's form. What
/// lies below an order is ours.
const UCP_ROUTES: [&str; 5] = [
    "catalog",
    "locations",
    "carts",
    "checkout-sessions",
    "orders",
];

/// Characters of an error in the log, at most.
const MAX_LOG_CHARS: usize = 400;

/// Answers a request by a function's `route`. Faults of ours leave one line in the log:
/// component, request, error; never a body.
pub async fn serve(
    component: &str,
    request: Request,
    route: impl AsyncFnOnce(Call) -> Result<Reply, Error>,
) -> Response<ReplyBody> {
    let ucp = is_ucp(request.uri().path());
    let request_id = request_id(request.headers());
    let if_none_match = text(request.headers(), "if-none-match").map(str::to_owned);
    let cors = Cors::of(request.method(), request.uri(), request.headers()).await;
    let outcome = match Call::open(request, request_id.clone(), ucp).await {
        Ok(call) => route(call).await,
        Err(error) => Err(error),
    };
    let reply = outcome.unwrap_or_else(|error| {
        if let Some(reply) = cors.preflight(&error) {
            return reply;
        }
        if let Some(log) = error.log() {
            eprintln!(
                "{component} {request_id} {}: {}",
                error.status(),
                one_line(log)
            );
        }
        error.render(ucp)
    });
    cors.stamp(reply.revalidated(if_none_match.as_deref()))
        .header("request-id", &request_id)
        .into_response()
}

/// A runtime's error can bring its backtrace along: a log line has an end.
fn one_line(log: &str) -> String {
    let words: Vec<&str> = log.split_whitespace().collect();
    words.join(" ").chars().take(MAX_LOG_CHARS).collect()
}

fn is_ucp(path: &str) -> bool {
    let mut segments = path.trim_matches('/').split('/');
    match segments.next() {
        Some("orders") => segments.count() <= 1,
        Some(first) => UCP_ROUTES.contains(&first),
        None => false,
    }
}

/// The caller's own id, where it is fit to be written into a log.
fn request_id(headers: &HeaderMap) -> String {
    let stated = text(headers, "request-id").or_else(|| text(headers, "x-request-id"));
    let fit = |id: &&str| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    stated.filter(fit).map_or_else(new_id, str::to_owned)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ucps_routes_are_known_by_their_first_segment() {
        for path in [
            "/catalog/search",
            "/carts",
            "/checkout-sessions/1/complete",
            "/orders/1",
            "/locations/search",
        ] {
            assert!(is_ucp(path), "{path}");
        }
        for path in [
            "/stock/A",
            "/admin/carts",
            "/",
            "/healthz",
            "/.well-known/ucp",
            "/cartsx",
            "/orders/1/pass",
        ] {
            assert!(!is_ucp(path), "{path}");
        }
    }

    #[test]
    fn a_fault_is_one_line_in_the_log() {
        assert_eq!(
            one_line("db error\n\nCaused by:\n    refused"),
            "db error Caused by: refused"
        );
        assert_eq!(one_line(&"x".repeat(1_000)).len(), MAX_LOG_CHARS);
    }

    #[test]
    fn a_request_id_cannot_forge_a_log_line() {
        let id = |value: &'static str| {
            request_id(&HeaderMap::from_iter([(
                http::HeaderName::from_static("request-id"),
                http::HeaderValue::from_static(value),
            )]))
        };
        assert_eq!(id("a-1_b.C"), "a-1_b.C");
        assert!(aisle_domain::id::is_id(&id("a b")));
        assert!(aisle_domain::id::is_id(&request_id(&HeaderMap::new())));
    }
}
