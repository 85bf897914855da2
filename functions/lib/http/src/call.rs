//! One request, with what every function needs of it.

use std::{cell::RefCell, rc::Rc};

use aisle_domain::brand::Brand;
use aisle_store::{
    Db, Kv, Model,
    idempotency::{Claim, Outcome},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, de::DeserializeOwned};
use spin_sdk::http::Request;
use spin_sdk::variables;
use spin_sdk::wasip3::http_compat::IncomingRequestBody;

use crate::{
    BodyStream, Error, Form, Reply, agent, body, form,
    host::{self, Host},
    json, path, replay,
};

/// Characters of an `Idempotency-Key`, at most.
const MAX_KEY_CHARS: usize = 128;

/// A request on its way through a function.
pub struct Call {
    method: String,
    is_head: bool,
    path: String,
    target: String,
    segments: Vec<String>,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    host: Host,
    request_id: String,
    ucp: bool,
    db: Db,
    kv: Kv,
    body: RefCell<Option<IncomingRequestBody>>,
}

impl Call {
    pub(crate) async fn open(
        request: Request,
        request_id: String,
        ucp: bool,
    ) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let target = parts.uri.path_and_query();
        let call = Self {
            is_head: parts.method == http::Method::HEAD,
            // What may be read may be asked after: the server leaves the body away.
            method: if parts.method == http::Method::HEAD {
                "GET".into()
            } else {
                parts.method.as_str().into()
            },
            segments: path::segments(&path)?,
            query: path::query(parts.uri.query().unwrap_or_default())?,
            host: host::of(&parts.uri, &parts.headers),
            target: target.map_or(&*path, |target| target.as_str()).to_owned(),
            path,
            headers: parts.headers,
            request_id,
            ucp,
            db: Db::open().await?,
            kv: Kv::default(),
            body: RefCell::new(Some(body)),
        };
        if ucp && let Some(agent) = call.headers.get("ucp-agent") {
            agent::check(agent.to_str().unwrap_or_default())?;
        }
        Ok(call)
    }

    /// In capitals; `GET` for HEAD as well.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Whether only the head of the answer is wanted.
    pub fn is_head(&self) -> bool {
        self.is_head
    }

    /// As it was sent, not decoded.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Path and query as they were sent, for signatures over them.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The path's segments, percent-decoded; for slice patterns.
    pub fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// The first value of a query parameter.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// All values of a query parameter that can repeat.
    pub fn query_all(&self, name: &str) -> Vec<&str> {
        self.query
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// A header's value, where it is visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All lines of a header, whatever they hold.
    pub(crate) fn header_lines(&self, name: &str) -> impl Iterator<Item = &HeaderValue> {
        self.headers.get_all(name).iter()
    }

    /// The host asked for, with its port where it has one, in lower case.
    pub fn host(&self) -> &str {
        &self.host.authority
    }

    /// The network address that the call came from, for limits. As the runtime saw it: what a
    /// client claims comes before the runtime's own. Behind a proxy, variable
    /// `client_address_header` names the header whose last address the proxy has added. Of
    /// IPv6 the /64, all of whose addresses one client can take.
    pub async fn caller(&self) -> String {
        let name = variables::get("client_address_header").await;
        match name.ok().filter(|name| !name.is_empty()) {
            Some(name) => host::network(last_address(&self.headers, &name)),
            None => {
                let address = last_address(&self.headers, "spin-client-addr");
                host::network(address.rsplit_once(':').map_or(address, |(ip, _)| ip))
            }
        }
    }

    /// The scheme and host that the client says it asked for. It can say anything: what others
    /// get to read has [`brand_origin`](Self::brand_origin) instead.
    pub fn asked_origin(&self) -> String {
        format!("{}://{}", self.host.scheme, self.host.authority)
    }

    /// The origin to write into what anybody gets to read, to which a path can be appended
    /// (`https://shop.example`): the one that was asked where it is the brand's own, else where
    /// the public finds the brand.
    pub fn brand_origin(&self, brand: &Brand) -> String {
        self.host.origin_of(brand)
    }

    /// The caller's id for this request, or the one it was given; in the answer and the log.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The brand whose host was asked, or the default one.
    pub async fn brand(&self) -> Result<Rc<Brand>, Error> {
        let brand = self.model().brand_by_host(self.host()).await?;
        brand.ok_or_else(|| Error::not_found("brand_not_found", "no brand trades under this host"))
    }

    pub fn db(&self) -> &Db {
        &self.db
    }

    pub fn kv(&self) -> &Kv {
        &self.kv
    }

    pub fn model(&self) -> Model<'_> {
        Model {
            db: &self.db,
            kv: &self.kv,
        }
    }

    /// The raw body of at most 256 KiB, which must not say that it is anything but JSON. Once.
    pub async fn body(&self) -> Result<Bytes, Error> {
        body::require_json(&self.headers)?;
        self.body_stream(body::MAX_BYTES)?.collect().await
    }

    /// The body in pieces, of at most `limit_bytes`. Once.
    pub fn body_stream(&self, limit_bytes: usize) -> Result<BodyStream, Error> {
        let body = self
            .body
            .take()
            .ok_or_else(|| Error::internal("the body was read twice"))?;
        BodyStream::new(body, &self.headers, limit_bytes)
    }

    /// The body as JSON; a refusal names the member that is wrong.
    pub async fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.parse(&self.body().await?)
    }

    /// The fields of a form that a page sent (`application/x-www-form-urlencoded`), of at most
    /// `limit_bytes` altogether: 415 for anything else, 413 for more. Once.
    pub async fn form(&self, limit_bytes: usize) -> Result<Form, Error> {
        form::require(&self.headers)?;
        let body = self
            .body_stream(limit_bytes.min(body::MAX_BYTES))?
            .collect()
            .await?;
        Form::parse(&body)
    }

    /// The same for a caller who needs the raw bytes too, for an idempotency key's fingerprint.
    pub fn parse<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Error> {
        if self.ucp {
            check_body_version(body)?;
        }
        json::parse(body)
    }

    /// The `Idempotency-Key` header, up to 128 visible ASCII characters.
    pub fn idempotency_key(&self) -> Result<Option<&str>, Error> {
        let Some(key) = self.headers.get("idempotency-key") else {
            return Ok(None);
        };
        let key = key.to_str().unwrap_or_default();
        if key.is_empty()
            || key.len() > MAX_KEY_CHARS
            || !key.bytes().all(|byte| byte.is_ascii_graphic())
        {
            let detail = format!("a key has 1 to {MAX_KEY_CHARS} visible ASCII characters");
            return Err(Error::bad_request(
                "invalid_idempotency_key",
                "Idempotency-Key",
                &detail,
            ));
        }
        Ok(Some(key))
    }

    /// The claim on this call's idempotency key, if it has one. `caller` tells apart those
    /// who must not see each other's answers: an operation, a session's id, a key's name.
    pub fn claim(&self, brand_id: &str, caller: &str, body: &[u8]) -> Result<Option<Claim>, Error> {
        let scope = format!("{brand_id}/{caller}");
        let key = self.idempotency_key()?;
        Ok(key.map(|key| Claim::new(scope, key, &self.method, &self.path, body)))
    }

    /// What a claim's outcome answers: nothing when the call is to be carried out.
    pub fn replay(&self, outcome: Outcome) -> Result<Option<Reply>, Error> {
        replay::answer(outcome, self.ucp)
    }

    /// 404 for a path that names nothing.
    pub fn not_found(&self) -> Error {
        Error::not_found("not_found", "there is nothing at this path")
    }

    /// 405, with the methods that the path allows: `GET, HEAD`.
    pub fn method_not_allowed(&self, allow: &str) -> Error {
        let detail = format!(
            "{} is not among the methods of this path: {allow}",
            self.method
        );
        Error::new(405, "method_not_allowed", &detail).header("allow", allow)
    }
}

/// The last entry of a list of addresses that proxies have added to, one after the other.
fn last_address<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let last = headers.get_all(name).iter().next_back();
    let list = last.and_then(|last| last.to_str().ok()).unwrap_or_default();
    list.rsplit(',').next().unwrap_or_default().trim()
}

/// A platform may state its version in `ucp.version`, where every message of ours has it.
fn check_body_version(body: &[u8]) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct Message {
        ucp: Option<Head>,
    }
    #[derive(Deserialize)]
    struct Head {
        version: Option<String>,
    }
    // A body of another shape is refused by the parser that knows what it wants.
    let stated = serde_json::from_slice::<Message>(body)
        .ok()
        .and_then(|message| message.ucp?.version);
    stated.map_or(Ok(()), |version| {
        agent::check_version(&version, "$.ucp.version")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_address_is_the_one_that_counts() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "6.6.6.6, 10.0.0.1".parse().unwrap());
        headers.append("x-forwarded-for", "7.7.7.7, 192.0.2.1".parse().unwrap());
        assert_eq!(last_address(&headers, "x-forwarded-for"), "192.0.2.1");
        assert_eq!(last_address(&headers, "spin-client-addr"), "");
    }

    #[test]
    fn a_version_in_the_body_counts() {
        assert!(check_body_version(br#"{"ucp":{"version":"2026-08-25"}}"#).is_ok());
        assert!(check_body_version(br#"{"ucp":{}}"#).is_ok());
        assert!(check_body_version(br#"{"line_items":"#).is_ok());
        let error = check_body_version(br#"{"ucp":{"version":"1999-01-01"}}"#).unwrap_err();
        assert_eq!((error.status(), error.path()), (422, Some("$.ucp.version")));
    }
}
