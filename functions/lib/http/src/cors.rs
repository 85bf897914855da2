//! Which pages of other origins may call what (Fetch Standard, "CORS protocol").
//!
//! What everybody may read, pages of every origin may read as well, and the answer is the same
//! for all of them, so that caches share it. What belongs to a shopper, pages of the origins
//! may call that the brand lists. All else is for no page of another origin.
//!
//! None of them gets to use cookies: `Access-Control-Allow-Credentials` is never said. A shop
//! elsewhere signs its shoppers in with tokens, which no browser sends of its own accord, so
//! that there is nothing for a forged request to use.

use std::rc::Rc;

use aisle_domain::brand::Brand;
use aisle_store::{Db, Kv, Model};
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN};
use http::{HeaderMap, Method, Uri};

use crate::{Error, Reply, host, path};

/// What the functions of the storefront read of a request.
const REQUEST_HEADERS: &str = "authorization, content-type, idempotency-key, if-match, \
    if-none-match, last-event-id, request-id, ucp-agent";
/// What a page may read of an answer, beyond what every page may.
const ANSWER_HEADERS: &str =
    "allow, etag, idempotent-replayed, link, location, request-id, retry-after, www-authenticate";
/// How long a browser remembers a preflight, in seconds: no browser does so for longer.
const MAX_AGE_S: &str = "7200";

/// Whose pages may call a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenTo {
    All,
    Listed,
    Nobody,
}

/// What a request says about where it comes from, and what follows for its answer.
pub(crate) struct Cors {
    open: OpenTo,
    is_preflight: bool,
    /// What `Access-Control-Allow-Origin` says.
    allowed: Option<HeaderValue>,
}

impl Cors {
    /// Looks the brand up where a page asks for what is not open to all: in the read model.
    pub(crate) async fn of(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        let open = open(&path::segments_lossy(uri.path()));
        let origin = headers.get(ORIGIN);
        let allowed = match (open, origin) {
            (OpenTo::All, _) => Some(HeaderValue::from_static("*")),
            (OpenTo::Listed, Some(origin)) => {
                let brand = brand(uri, headers).await;
                let listed = |brand: Rc<Brand>| {
                    let origin = origin.to_str();
                    origin.is_ok_and(|origin| brand.allows_origin(origin))
                };
                brand.is_some_and(listed).then(|| origin.clone())
            }
            _ => None,
        };
        Self {
            open,
            is_preflight: *method == Method::OPTIONS
                && origin.is_some()
                && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD),
            allowed,
        }
    }

    /// The answer to a preflight, of which the path's refusal knows the methods: no function
    /// has a method `OPTIONS` of its own.
    pub(crate) fn preflight(&self, refusal: &Error) -> Option<Reply> {
        if !self.is_preflight || self.open == OpenTo::Nobody {
            return None;
        }
        let methods = refusal.header_value("allow")?;
        let reply = Reply::empty(204);
        Some(match &self.allowed {
            Some(_) => reply
                .header("access-control-allow-methods", methods)
                .header("access-control-allow-headers", REQUEST_HEADERS)
                .header("access-control-max-age", MAX_AGE_S),
            None => reply,
        })
    }

    /// Says with an answer, whatever it is, whether the page may read it.
    pub(crate) fn stamp(&self, reply: Reply) -> Reply {
        let reply = match self.open {
            OpenTo::Listed => reply.header("vary", "Origin"),
            _ => reply,
        };
        let Some(origin) = self
            .allowed
            .as_ref()
            .and_then(|origin| origin.to_str().ok())
        else {
            return reply;
        };
        let reply = reply.header("access-control-allow-origin", origin);
        match self.is_preflight {
            true => reply,
            false => reply.header("access-control-expose-headers", ANSWER_HEADERS),
        }
    }
}

/// The brand, without a call to the database unless the read model lacks all brands.
async fn brand(uri: &Uri, headers: &HeaderMap) -> Option<Rc<Brand>> {
    let (db, kv) = (Db::open().await.ok()?, Kv::default());
    let asked = host::of(uri, headers).authority;
    let model = Model { db: &db, kv: &kv };
    model.brand_by_host(&asked).await.ok().flatten()
}

/// Staff and machines call below the same paths as shoppers, but from no page.
fn open(segments: &[String]) -> OpenTo {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments[..] {
        [
            "catalog" | "transfers" | "holds" | "accounts",
            "housekeeping",
        ]
        | ["checkout-sessions", "recover"]
        | ["accounts", "web", ..]
        | ["holds", "pull-list"]
        | ["holds", "pickups", ..]
        | ["holds", _, "pulled" | "not-found"]
        | [
            "transfers",
            _,
            "approve" | "refuse" | "pick" | "ship" | "events" | "receive" | "close",
        ] => OpenTo::Nobody,
        ["catalog" | "stock" | "locations", ..]
        | [".well-known", "ucp"]
        | ["openapi.json"]
        | ["orders", "pass-keys"] => OpenTo::All,
        [
            "carts" | "checkout-sessions" | "orders" | "holds" | "layaways" | "transfers"
            | "accounts" | "sync" | "invites",
            ..,
        ] => OpenTo::Listed,
        _ => OpenTo::Nobody,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_open_to_those_who_shop_there() {
        let open = |path: &str| open(&path::segments_lossy(path));
        for path in [
            "/catalog/search",
            "/stock/A",
            "/stock/%ff",
            "/stock",
            "/locations/search",
            "/.well-known/ucp",
        ] {
            assert_eq!(open(path), OpenTo::All, "{path}");
        }
        for path in [
            "/carts",
            "/carts/1",
            "/checkout-sessions/1/complete",
            "/orders/1/pass/2/qr.svg",
            "/holds/1/cancel",
            "/layaways/1/payments",
            "/transfers/quote",
            "/transfers/1",
            "/accounts/me/orders",
            "/sync/stream",
            "/invites",
        ] {
            assert_eq!(open(path), OpenTo::Listed, "{path}");
        }
        for path in [
            "/",
            "/admin/brands",
            "/relay/run",
            "/pos/arrivals",
            "/webhooks/sms/twilio/inbound",
            "/my/orders/1",
            "/i/1",
            "/counts",
            "/holds/p%75ll-list",
            "/holds/1/pulled",
            "/transfers/1/ship",
            "/accounts/web/sessions",
            "/accounts/housekeeping",
            "/checkout-sessions/recover",
        ] {
            assert_eq!(open(path), OpenTo::Nobody, "{path}");
        }
    }

    fn cors(open: OpenTo, is_preflight: bool, allowed: Option<&'static str>) -> Cors {
        Cors {
            open,
            is_preflight,
            allowed: allowed.map(HeaderValue::from_static),
        }
    }

    #[test]
    fn only_what_differs_by_origin_says_so() {
        let stamped = |cors: Cors| {
            let reply = cors.stamp(Reply::empty(200));
            let header = |name: &str| reply.header_value(name).map(str::to_owned);
            (header("access-control-allow-origin"), header("vary"))
        };
        let (origin, vary) = (Some("https://a".to_owned()), Some("Origin".to_owned()));
        assert_eq!(
            stamped(cors(OpenTo::All, false, Some("*"))),
            (Some("*".into()), None)
        );
        assert_eq!(
            stamped(cors(OpenTo::Listed, false, Some("https://a"))),
            (origin, vary.clone())
        );
        assert_eq!(stamped(cors(OpenTo::Listed, false, None)), (None, vary));
        assert_eq!(stamped(cors(OpenTo::Nobody, false, None)), (None, None));
    }

    #[test]
    fn a_preflight_tells_the_methods_of_the_path() {
        let refusal = Error::new(405, "method_not_allowed", "").header("allow", "GET, HEAD, PUT");
        let answered = |cors: Cors| {
            let reply = cors.preflight(&refusal)?;
            let methods = reply.header_value("access-control-allow-methods");
            Some((reply.status(), methods.map(str::to_owned)))
        };
        let methods = Some("GET, HEAD, PUT".to_owned());
        assert_eq!(
            answered(cors(OpenTo::Listed, true, Some("https://a"))),
            Some((204, methods))
        );
        assert_eq!(
            answered(cors(OpenTo::Listed, true, None)),
            Some((204, None))
        );
        assert_eq!(
            answered(cors(OpenTo::Listed, false, Some("https://a"))),
            None
        );
        assert_eq!(answered(cors(OpenTo::Nobody, true, None)), None);
        let nothing_there = Error::not_found("not_found", "");
        let listed = cors(OpenTo::Listed, true, Some("https://a"));
        assert!(listed.preflight(&nothing_there).is_none());
    }
}
