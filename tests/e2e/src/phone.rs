//! A phone's browser as far as it runs no script: it keeps cookies, follows where it is led,
//! and sends the forms of the pages that it shows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};

use crate::accounts::code_of;
use crate::{Answer, Client, Environment};

const FORM: &str = "application/x-www-form-urlencoded";
const AGENT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 \
     (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";
/// Places that one page may lead to, one after the other.
const STEPS: usize = 8;

pub struct Phone {
    client: Client,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// Where the browser has come to.
pub struct Page {
    pub path: String,
    pub answer: Answer,
}

impl Phone {
    /// A phone that knows nothing of the brand of `host` yet.
    pub fn new(aisle: &Environment, host: &str, language: &str) -> Self {
        let client = Client::new(aisle.addr(), host)
            .with_header("user-agent", AGENT)
            .with_header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
            .with_header("accept-language", language);
        Self {
            client,
            cookies: Mutex::default(),
        }
    }

    /// Opens a path, or an address of the brand, and goes wherever that leads.
    pub async fn open(&self, place: &str) -> Result<Page> {
        let path = place.strip_prefix(&self.client.origin()).unwrap_or(place);
        let call = self.client.get(path).header("cookie", &self.shown());
        self.follow(path, call.send().await?).await
    }

    /// Sends a form to a path, as a page of the brand does.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Result<Page> {
        let pairs = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", escaped(value)));
        let form = pairs.collect::<Vec<_>>().join("&");
        let call = self.client.post(path).text(FORM, form);
        let call = call
            .header("origin", &self.client.origin())
            .header("cookie", &self.shown());
        self.follow(path, call.send().await?).await
    }

    /// Signs in by the forms to which a page leads, and goes on to `return_to`.
    pub async fn sign_in(
        &self,
        aisle: &Environment,
        address: &str,
        return_to: &str,
    ) -> Result<Page> {
        let asked = [("address", address), ("return_to", return_to)];
        let asked = self.submit("/accounts/web/codes", &asked).await?;
        asked.must_be("/my/sign-in")?;
        let challenge = asked.parameter("challenge")?;
        let code = code_of(&aisle.database, challenge).await?;
        let form = [
            ("challenge", challenge),
            ("code", code.as_str()),
            ("return_to", return_to),
        ];
        self.submit("/accounts/web/sessions", &form).await
    }

    async fn follow(&self, path: &str, answer: Answer) -> Result<Page> {
        let mut page = Page {
            path: path.to_owned(),
            answer,
        };
        for _ in 0..STEPS {
            self.keep(&page.answer);
            if page.answer.status != 303 {
                return Ok(page);
            }
            let place = page.answer.header("location").to_owned();
            ensure!(place.starts_with('/'), "{} leads to {place}", page.path);
            let target = place.split('#').next().unwrap_or_default();
            let call = self.client.get(target).header("cookie", &self.shown());
            page = Page {
                answer: call.send().await?,
                path: target.to_owned(),
            };
        }
        anyhow::bail!("{path} leads nowhere in {STEPS} steps")
    }

    /// A cookie's time is over.
    pub fn forget(&self, name: &str) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.remove(name);
    }

    /// The cookies that go along.
    fn shown(&self) -> String {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn keep(&self, answer: &Answer) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let set = answer.headers.get_all("set-cookie").iter();
        for cookie in set.filter_map(|cookie| cookie.to_str().ok()) {
            let pair = cookie.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            if cookie.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.into(), value.into());
            }
        }
    }
}

impl Page {
    /// Fails with what is shown unless the browser has come to `path` and all is well there.
    pub fn must_be(&self, path: &str) -> Result<String> {
        let place = self.path.split('?').next().unwrap_or_default();
        ensure!(
            self.answer.status == 200 && place == path,
            "{} instead of {path}: {:?}",
            self.path,
            self.answer
        );
        Ok(self.answer.text().into_owned())
    }

    /// A parameter of the address.
    pub fn parameter(&self, name: &str) -> Result<&str> {
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
            .with_context(|| format!("no {name} in {}", self.path))
    }
}

/// For a form's field (WHATWG URL, section 5.2).
fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}
