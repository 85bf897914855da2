//! Which component answers a path, with Spin's precedence: the crate that decides
//! is the one inside Spin.

use std::net::SocketAddr;

use anyhow::anyhow;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::manifest::{HttpTrigger, Route};

/// The app's public routes.
#[derive(Debug)]
pub struct Routes(routefinder::Router<Target>);

#[derive(Debug)]
struct Target {
    component: String,
    route: String,
}

/// A path and the component that it belongs to.
#[derive(Debug)]
pub struct Matched {
    /// Id of the component.
    pub component: String,
    /// The route as the manifest has it.
    pub route: String,
    /// What the trailing `/...` stood for, with its leading slash.
    rest: String,
    /// What each `:name` stood for.
    parameters: Vec<(String, String)>,
}

impl Routes {
    /// Collects the public routes; of two equal ones the later counts, as on Spin.
    ///
    /// # Errors
    /// A route that is no route.
    pub fn new(triggers: &[HttpTrigger]) -> anyhow::Result<Self> {
        let mut router = routefinder::Router::new();
        for (index, trigger) in triggers.iter().enumerate() {
            let Route::Pattern(route) = &trigger.route else {
                continue;
            };
            let again =
                |later: &HttpTrigger| matches!(&later.route, Route::Pattern(p) if p == route);
            if triggers.iter().skip(index + 1).any(again) {
                eprintln!(
                    "warning: the route {route} of `{}` is given again further down and not used",
                    trigger.component
                );
                continue;
            }
            let absolute = format!("/{}", route.trim_start_matches('/'));
            let pattern = match absolute.strip_suffix("/...") {
                Some(prefix) => format!("{prefix}/*"),
                None => absolute,
            };
            let target = Target {
                component: trigger.component.clone(),
                route: route.clone(),
            };
            router
                .add(pattern.as_str(), target)
                .map_err(|error| anyhow!("route {route} of `{}`: {error}", trigger.component))?;
        }
        Ok(Self(router))
    }

    /// The component for `path`, if any: exact routes first, then `:name`, then `/...`.
    pub fn find(&self, path: &str) -> Option<Matched> {
        let found = self.0.best_match(path)?;
        let captures = found.captures();
        // The crate drops the slashes at both ends of a wildcard; Spin puts them back.
        let rest = captures
            .wildcard()
            .map(|inner| match (inner.is_empty(), path.ends_with('/')) {
                (true, false) => String::new(),
                (true, true) => "/".to_owned(),
                (false, false) => format!("/{inner}"),
                (false, true) => format!("/{inner}/"),
            });
        Some(Matched {
            component: found.handler().component.clone(),
            route: found.handler().route.clone(),
            rest: rest.unwrap_or_default(),
            parameters: captures
                .iter()
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .collect(),
        })
    }

    /// Routes and their components, for the start-up message.
    pub fn list(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(_, target)| (target.route.as_str(), target.component.as_str()))
    }
}

impl Matched {
    /// A call from one component to another: as if the route were `/...`.
    pub fn internal(component: &str, path: &str) -> Self {
        Self {
            component: component.to_owned(),
            route: "/...".to_owned(),
            rest: path.to_owned(),
            parameters: Vec::new(),
        }
    }

    /// Adds Spin's own headers to a request. Like Spin it appends, so a header of
    /// that name sent by the client comes first: a guest must not trust them.
    pub fn add_headers(&self, headers: &mut HeaderMap, uri: &Uri, client: SocketAddr) {
        let host = headers
            .get(http::header::HOST)
            .and_then(|host| host.to_str().ok());
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let scheme = uri.scheme_str().unwrap_or("http");
        let full_url = format!("{scheme}://{}{path}", host.unwrap_or("localhost"));
        let prefix = self.route.strip_suffix("/...").unwrap_or(&self.route);
        let client = client.to_string();
        let mut append = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.append(name, value);
            }
        };
        append(HeaderName::from_static("spin-path-info"), &self.rest);
        append(HeaderName::from_static("spin-full-url"), &full_url);
        append(HeaderName::from_static("spin-matched-route"), &self.route);
        append(HeaderName::from_static("spin-base-path"), "/");
        append(
            HeaderName::from_static("spin-raw-component-route"),
            &self.route,
        );
        append(HeaderName::from_static("spin-component-route"), prefix);
        append(HeaderName::from_static("spin-client-addr"), &client);
        for (name, value) in &self.parameters {
            let name = format!("spin-path-match-{}", name.replace('_', "-")).to_ascii_lowercase();
            if let Ok(name) = name.parse::<HeaderName>() {
                append(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Private;

    fn routes() -> Routes {
        let trigger = |route: &str, component: &str| HttpTrigger {
            id: None,
            route: Route::Pattern(route.into()),
            component: component.into(),
        };
        let private = HttpTrigger {
            id: None,
            route: Route::Private(Private { private: true }),
            component: "hidden".into(),
        };
        Routes::new(&[
            trigger("/...", "rest"),
            trigger("/items/...", "items"),
            trigger("/items/list", "list"),
            trigger("/users/:id/orders", "orders"),
            private,
        ])
        .unwrap()
    }

    fn component(path: &str) -> String {
        routes().find(path).unwrap().component
    }

    #[test]
    fn the_most_specific_route_wins() {
        assert_eq!(component("/items/list"), "list");
        assert_eq!(component("/items/7"), "items");
        assert_eq!(component("/items"), "items");
        assert_eq!(component("/users/7/orders"), "orders");
        assert_eq!(component("/users/7"), "rest");
        assert_eq!(component("/"), "rest");
    }

    #[test]
    fn headers_tell_the_match() {
        let found = routes().find("/users/42/orders").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("north.localhost:3000"));
        let uri: Uri = "http://north.localhost:3000/users/42/orders?a=1"
            .parse()
            .unwrap();
        found.add_headers(&mut headers, &uri, "127.0.0.1:9".parse().unwrap());
        assert_eq!(
            headers["spin-full-url"],
            "http://north.localhost:3000/users/42/orders?a=1"
        );
        assert_eq!(headers["spin-path-match-id"], "42");
        assert_eq!(headers["spin-component-route"], "/users/:id/orders");
        assert_eq!(headers["spin-client-addr"], "127.0.0.1:9");
    }

    #[test]
    fn a_wildcard_keeps_its_slashes() {
        for (path, rest) in [
            ("/items", ""),
            ("/items/", "/"),
            ("/items/a/b", "/a/b"),
            ("/items/a/", "/a/"),
        ] {
            assert_eq!(routes().find(path).unwrap().rest, rest, "{path}");
        }
    }
}
