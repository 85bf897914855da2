//! `X-Twilio-Signature`: HMAC-SHA1, in base64, of the URL that was called followed by the
//! form's names and values, sorted by name, without anything in between.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// The URLs that may have been called: in front of us, TLS may end, and a default port come
/// or go. The host stays, for it names the brand.
pub fn urls(origin: &str, target: &str) -> Vec<String> {
    let authority = origin.split_once("://").map_or(origin, |(_, host)| host);
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (name, Some(port)),
        _ => (authority, None),
    };
    let mut urls = Vec::new();
    for scheme in ["https", "http"] {
        let default = if scheme == "https" { "443" } else { "80" };
        urls.push(format!("{scheme}://{authority}{target}"));
        match port {
            None => urls.push(format!("{scheme}://{name}:{default}{target}")),
            Some("80" | "443") => urls.push(format!("{scheme}://{name}{target}")),
            Some(_) => {}
        }
    }
    urls
}

/// Whether it is signed so with this token; compared in constant time.
pub fn is_valid(token: &str, url: &str, fields: &[(String, String)], shown: &str) -> bool {
    let Ok(shown) = BASE64.decode(shown.as_bytes()) else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.as_bytes()) else {
        return false;
    };
    mac.update(url.as_bytes());
    let mut sorted: Vec<&(String, String)> = fields.iter().collect();
    sorted.sort();
    sorted.dedup();
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    mac.verify_slice(&shown).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";

    fn fields() -> Vec<(String, String)> {
        let pairs = [
            ("CallSid", "CA1234567890ABCDE"),
            ("From", "+12349013030"),
            ("To", "+18005551212"),
            ("Caller", "+12349013030"),
            ("Digits", "1234"),
        ];
        pairs
            .map(|(name, value)| (name.into(), value.into()))
            .into()
    }

    /// The signature that the provider's documentation computes for these.
    #[test]
    fn the_documented_example_is_valid_and_nothing_else() {
        let valid = |token, url, shown| is_valid(token, url, &fields(), shown);
        let shown = "0/KCTR6DLpKmkAf8muzZqo1nDgQ=";
        assert!(valid("12345", URL, shown));
        assert!(!valid("12346", URL, shown));
        assert!(!valid(
            "12345",
            "https://mycompany.com/myapp.php?foo=1",
            shown
        ));
        assert!(!valid("12345", URL, ""));
        assert!(!valid("12345", URL, "not base64"));
        assert!(!valid("12345", URL, "AAAA"));
    }

    #[test]
    fn the_url_may_have_lost_its_tls_or_its_port_on_the_way() {
        let of = |origin| urls(origin, "/x?y=1");
        assert!(of("http://a.example").contains(&"https://a.example/x?y=1".into()));
        assert!(of("https://a.example").contains(&"https://a.example:443/x?y=1".into()));
        assert!(of("https://a.example:443").contains(&"https://a.example/x?y=1".into()));
        assert!(of("http://a.example:3000").contains(&"http://a.example:3000/x?y=1".into()));
        assert!(
            of("http://a.example:3000")
                .iter()
                .all(|url| url.contains("://a.example:3000/"))
        );
    }
}
