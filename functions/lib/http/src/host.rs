//! Which host was asked: it names the brand, and it opens the URLs that we answer.

use std::net::IpAddr;

use aisle_domain::brand::{Brand, is_local, is_loopback};
use http::{HeaderMap, Uri};

/// The scheme and the authority, in lower case, that the client used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) scheme: String,
    pub(crate) authority: String,
}

impl Host {
    /// Its origin when it is the brand's own, else the one where the public finds the brand.
    /// A name of this machine is told with the port that was asked for; to a brand that has no
    /// host of the public yet, so in development, every such name belongs.
    pub(crate) fn origin_of(&self, brand: &Brand) -> String {
        let asked = self.authority.as_str();
        let name = asked.rsplit_once(':').map_or(asked, |(name, _)| name);
        let is_own = |host: &str| brand.hosts.iter().any(|one| one.eq_ignore_ascii_case(host));
        let in_development = || is_loopback(asked) && brand.hosts.iter().all(|one| is_local(one));
        let authority = if is_own(asked) || is_own(name) && is_local(name) || in_development() {
            asked
        } else if is_own(name) {
            name
        } else {
            return brand.public_origin();
        };
        format!("{}://{authority}", self.scheme)
    }
}

/// The network that counts as one client: an address of IPv4, a /64 of IPv6.
pub(crate) fn network(address: &str) -> String {
    let parsed = address.trim_matches(['[', ']']).parse::<IpAddr>();
    match parsed.map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(address) => address.to_string(),
        Err(_) => address.to_owned(),
    }
}

/// From the request's URI, which the runtime completes with what the client asked for; from
/// the `host` header where a URI has no authority. No other header counts: the runtime adds
/// its `spin-*` headers after those of the same name that a client has sent, and
/// `x-forwarded-*` are the client's own words. TLS may end in front of us, so that a name of
/// the public always counts as reached over it.
pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Host {
    let authority = match uri.authority() {
        Some(authority) => authority.as_str(),
        None => header(headers, "host").unwrap_or_default(),
    };
    // What stands before an @ are credentials, no part of the name.
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let authority = authority.to_ascii_lowercase();
    let scheme = match is_local(&authority) {
        true => uri.scheme_str().unwrap_or("http"),
        false => "https",
    };
    Host {
        scheme: scheme.into(),
        authority,
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(uri: &str, headers: &[(&'static str, &str)]) -> (String, String) {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let Host { scheme, authority } = of(&uri.parse().unwrap(), &headers);
        (scheme, authority)
    }

    #[test]
    fn the_authority_wins_then_the_header() {
        let header = ("host", "Fallback.example");
        assert_eq!(
            host("https://North.example:8443/stock", &[header]),
            ("https".into(), "north.example:8443".into())
        );
        assert_eq!(
            host("https://ada:secret@north.example/stock", &[]),
            ("https".into(), "north.example".into())
        );
        assert_eq!(
            host("/stock", &[header]),
            ("https".into(), "fallback.example".into())
        );
        for local in [
            "north.localhost:3000",
            "127.0.0.1:3000",
            "[::1]:3000",
            "[::1]",
        ] {
            let asked = format!("http://{local}/stock");
            assert_eq!(host(&asked, &[]), ("http".into(), local.into()));
        }
        assert_eq!(host("/stock", &[]), ("http".into(), String::new()));
    }

    #[test]
    fn a_brand_is_told_by_its_own_hosts_whatever_host_was_asked() {
        let told = |hosts: &[&str], uri: &str| {
            let brand = serde_json::json!({
                "handle": "b", "name": "B", "hosts": hosts, "currency": "EUR", "language": "en",
                "country": "DE", "prices_include_tax": true,
            });
            let brand: Brand = serde_json::from_value(brand).unwrap();
            of(&uri.parse().unwrap(), &HeaderMap::new()).origin_of(&brand)
        };
        let live = |uri| told(&["shop.example", "b.example:8443", "north.localhost"], uri);
        assert_eq!(live("https://Shop.example/i"), "https://shop.example");
        assert_eq!(live("https://b.example:8443/i"), "https://b.example:8443");
        assert_eq!(
            live("http://north.localhost:3000/i"),
            "http://north.localhost:3000"
        );
        for other in [
            "http://shop.example:4000/i",
            "https://b.example/i",
            "https://evil.example/i",
            "https://shop.example.evil.example/i",
            "http://127.0.0.1:3000/i",
            "http://localhost/i",
        ] {
            assert_eq!(live(other), "https://shop.example", "{other}");
        }
        let local = |uri| told(&["north.localhost", "north.localhost:3000"], uri);
        assert_eq!(local("http://127.0.0.1:4000/i"), "http://127.0.0.1:4000");
        assert_eq!(
            local("http://north.localhost:4000/i"),
            "http://north.localhost:4000"
        );
        for other in ["https://evil.example/i", "http://192.168.0.7/i"] {
            assert_eq!(local(other), "http://north.localhost:3000", "{other}");
        }
        assert_eq!(
            told(&[], "http://localhost:3000/i"),
            "http://localhost:3000"
        );
        assert_eq!(told(&[], "https://evil.example/i"), "http://localhost");
    }

    #[test]
    fn a_client_is_an_address_or_a_network() {
        assert_eq!(network("203.0.113.7"), "203.0.113.7");
        assert_eq!(network("[2001:db8:1:2:3:4:5:6]"), "2001:db8:1:2::/64");
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(network("unix"), "unix");
    }

    #[test]
    fn what_a_client_can_claim_does_not_count() {
        let claims = [
            ("spin-full-url", "https://evil.example/stock"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "http"),
            ("forwarded", "host=evil.example;proto=http"),
        ];
        assert_eq!(
            host("http://north.example/stock", &claims),
            ("https".into(), "north.example".into())
        );
    }
}
