//! `allowed_outbound_hosts`: where a component may connect to.

use anyhow::{Context, bail, ensure};
use url::Host;

use crate::variables::Variables;

/// The domain under which components call each other.
pub const INTERNAL_DOMAIN: &str = "spin.internal";

/// The patterns of one component.
#[derive(Debug, Default, Clone)]
pub struct AllowedHosts(Vec<Pattern>);

#[derive(Debug, Clone)]
struct Pattern {
    scheme: Option<String>,
    host: HostPattern,
    port: PortPattern,
}

#[derive(Debug, Clone)]
enum HostPattern {
    Any,
    Subdomains(String),
    Exactly(Host),
}

#[derive(Debug, Clone)]
enum PortPattern {
    Any,
    Range(std::ops::Range<u16>),
    Exactly(u16),
}

impl AllowedHosts {
    /// Parses the manifest's list, filling in templates. An entry that a variable
    /// leaves empty allows nothing.
    ///
    /// # Errors
    /// The entry and what is wrong with it.
    pub fn parse(entries: &[String], variables: &Variables) -> anyhow::Result<Self> {
        let mut patterns = Vec::with_capacity(entries.len());
        for entry in entries {
            let expanded = variables.expand(entry)?;
            let from_template = expanded != *entry;
            if from_template && matches!(expanded.as_str(), "" | "http://" | "https://") {
                continue;
            }
            let pattern = Pattern::parse(&expanded)
                .with_context(|| format!("allowed_outbound_hosts: {entry:?}"))?;
            patterns.push(pattern);
        }
        Ok(Self(patterns))
    }

    /// Whether a connection to `host` at `port` (or the scheme's own) is allowed.
    pub fn allows(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        let Ok(host) = Host::parse(host) else {
            return false;
        };
        let port = port.or_else(|| well_known_port(scheme));
        self.0.iter().any(|pattern| {
            pattern
                .scheme
                .as_deref()
                .is_none_or(|allowed| allowed == scheme)
                && pattern.host.matches(&host)
                && pattern.port.matches(port)
        })
    }
}

impl Pattern {
    fn parse(entry: &str) -> anyhow::Result<Self> {
        let (scheme, rest) = entry
            .trim()
            .split_once("://")
            .context("must be <scheme>://<host>[:<port>], with * allowed for each part")?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        ensure!(!rest.contains('/'), "must not have a path");
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (rest, ""),
        };
        ensure!(
            scheme == "*" || scheme.chars().all(char::is_alphabetic),
            "the scheme must be * or letters"
        );
        Ok(Self {
            host: HostPattern::parse(host)?,
            port: PortPattern::parse(port, scheme)?,
            scheme: (scheme != "*").then(|| scheme.to_owned()),
        })
    }
}

impl HostPattern {
    fn parse(host: &str) -> anyhow::Result<Self> {
        Ok(match host {
            "*" => Self::Any,
            _ => match host.strip_prefix("*.") {
                Some(domain) if !domain.contains('*') => Self::Subdomains(format!(".{domain}")),
                _ if host.contains('*') => {
                    bail!("* may stand only for a whole host or its first labels")
                }
                _ => Self::Exactly(Host::parse(host)?),
            },
        })
    }

    fn matches(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Subdomains(suffix), Host::Domain(domain)) => domain.ends_with(suffix),
            (Self::Exactly(exactly), host) => exactly == host,
            (Self::Subdomains(_), _) => false,
        }
    }
}

impl PortPattern {
    fn parse(port: &str, scheme: &str) -> anyhow::Result<Self> {
        if port == "*" {
            return Ok(Self::Any);
        }
        if port.is_empty() {
            let port = well_known_port(scheme)
                .with_context(|| format!("needs a port: the scheme {scheme:?} has no own one"))?;
            return Ok(Self::Exactly(port));
        }
        let number = |text: &str| {
            text.parse::<u16>()
                .with_context(|| format!("{text:?} is not a port"))
        };
        Ok(match port.split_once("..") {
            Some((first, end)) => Self::Range(number(first)?..number(end)?),
            None => Self::Exactly(number(port)?),
        })
    }

    fn matches(&self, port: Option<u16>) -> bool {
        match (self, port) {
            (Self::Any, _) => true,
            (Self::Range(range), Some(port)) => range.contains(&port),
            (Self::Exactly(exactly), Some(port)) => *exactly == port,
            (_, None) => false,
        }
    }
}

fn well_known_port(scheme: &str) -> Option<u16> {
    Some(match scheme {
        "http" => 80,
        "https" => 443,
        "postgres" => 5432,
        "mysql" => 3306,
        "redis" => 6379,
        "mqtt" => 1883,
        _ => return None,
    })
}

/// The component that `host` names, when it is `NAME.spin.internal`.
pub fn internal_component(host: &str) -> Option<&str> {
    let (name, domain) = host.trim().split_once('.')?;
    (domain == INTERNAL_DOMAIN).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(entries: &[&str]) -> AllowedHosts {
        let entries: Vec<String> = entries.iter().map(|e| (*e).to_owned()).collect();
        AllowedHosts::parse(&entries, &Variables::default()).unwrap()
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        assert!(!allowed(&[]).allows("https", "example.com", None));
    }

    #[test]
    fn scheme_host_and_port_must_all_match() {
        let hosts = allowed(&[
            "https://example.com",
            "http://*.test:8000..8010",
            "postgres://*:*",
        ]);
        assert!(hosts.allows("https", "example.com", None));
        assert!(hosts.allows("https", "example.com", Some(443)));
        assert!(!hosts.allows("http", "example.com", None));
        assert!(!hosts.allows("https", "example.com", Some(444)));
        assert!(!hosts.allows("https", "www.example.com", None));
        assert!(hosts.allows("http", "a.b.test", Some(8009)));
        assert!(!hosts.allows("http", "a.b.test", Some(8010)));
        assert!(hosts.allows("postgres", "10.0.0.1", Some(6432)));
    }

    #[test]
    fn an_internal_name_needs_its_own_entry() {
        let hosts = allowed(&["http://relay.spin.internal"]);
        assert!(hosts.allows("http", "relay.spin.internal", None));
        assert!(!hosts.allows("http", "admin.spin.internal", None));
        assert_eq!(internal_component("relay.spin.internal"), Some("relay"));
        assert_eq!(internal_component("a.relay.spin.internal"), None);
    }

    #[test]
    fn malformed_entries_are_refused() {
        for entry in [
            "*",
            "example.com",
            "http://a/b",
            "http://a*b",
            "ftp://a",
            "http://a:x",
        ] {
            assert!(
                AllowedHosts::parse(&[entry.to_owned()], &Variables::default()).is_err(),
                "{entry}"
            );
        }
    }
}
