//! Which host was asked: it names the brand, and it opens the URLs that we answer.

use http::{HeaderMap, Uri};

/// The scheme and the authority, in lower case, that the client used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) scheme: String,
    pub(crate) authority: String,
}

/// From `spin-full-url`, which the trigger sets to what the client asked for; else from
/// the URI's authority; a `host` header is not reliably there.
pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Host {
    let full = header(headers, "spin-full-url").and_then(|url| url.parse::<Uri>().ok());
    let from = full
        .as_ref()
        .filter(|full| full.authority().is_some())
        .unwrap_or(uri);
    let authority = from
        .authority()
        .map(|authority| authority.as_str())
        .or_else(|| header(headers, "host"));
    let authority = authority.unwrap_or_default();
    // What stands before an @ are credentials, no part of the name.
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    Host {
        scheme: from.scheme_str().unwrap_or("http").into(),
        authority: authority.to_ascii_lowercase(),
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
    fn the_full_url_wins_then_the_authority_then_the_header() {
        let full = ("spin-full-url", "https://North.example:8443/stock");
        let header = ("host", "Fallback.example");
        assert_eq!(
            host("http://inner:80/stock", &[full, header]),
            ("https".into(), "north.example:8443".into())
        );
        assert_eq!(
            host("http://inner:80/stock", &[header]),
            ("http".into(), "inner:80".into())
        );
        assert_eq!(
            host("/stock", &[header]),
            ("http".into(), "fallback.example".into())
        );
        assert_eq!(host("/stock", &[]), ("http".into(), String::new()));
    }
}
