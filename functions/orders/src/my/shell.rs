//! What every page has around it: head, brand, landmarks, and the headers that keep what is
//! on it private.

use aisle_domain::brand::Brand;
use aisle_http::Reply;
use aisle_store::sha256_hex;
use aisle_words::Locale;
use data_encoding::{BASE64, HEXLOWER};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::text::{self, Text};

const STYLE: &str = include_str!("style.css");

pub struct Shell<'a> {
    pub brand: &'a Brand,
    pub locale: Locale,
    pub title: &'a str,
    /// The one script that the page may run.
    pub script: Option<&'static str>,
    /// Content of the meta element with which Safari offers the brand's app.
    pub app_banner: Option<String>,
    pub session: Session<'a>,
}

/// How the viewer stands to an account.
pub enum Session<'a> {
    /// Signing in or out is of no use here.
    Unasked,
    SignedIn,
    /// With the path that signing in leads back to.
    SignedOut(&'a str),
}

impl Shell<'_> {
    /// The page around `main`, which begins with its `h1`.
    pub fn page(&self, status: u16, main: &Markup) -> Reply {
        let style = self.style();
        let text = text::of(self.locale);
        let title = format!("{} · {}", self.title, self.brand.name);
        let page = html! {
            (DOCTYPE)
            html lang=(self.locale.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="robots" content="noindex";
                    meta name="color-scheme" content="light dark";
                    meta name="theme-color" content=(self.brand.theme.accent);
                    meta property="og:type" content="website";
                    meta property="og:site_name" content=(self.brand.name);
                    // What a messenger previews is seen by others: nothing of the order.
                    meta property="og:title" content={ (text.your_order) " · " (self.brand.name) };
                    // Or a browser asks for one of its own accord.
                    link rel="icon" href="data:,";
                    @if let Some(app) = &self.app_banner { meta name="apple-itunes-app" content=(app); }
                    title { (title) }
                    style { (PreEscaped(&style)) }
                }
                body {
                    a.skip href="#main" { (text.skip) }
                    (self.header(text))
                    main #main tabindex="-1" { (main) }
                    (self.footer(text))
                    p #live.unseen role="status" {}
                    @if let Some(script) = self.script { script { (PreEscaped(script)) } }
                }
            }
        };
        sealed(
            Reply::bytes(
                status,
                "text/html; charset=utf-8",
                page.into_string().into_bytes(),
            ),
            &self.policy(&style),
        )
    }

    fn header(&self, text: &Text) -> Markup {
        let name = &self.brand.name;
        html! {
            header.top {
                a.brand href="/my/orders" title=(text.your_orders) {
                    @match &self.brand.theme.logo {
                        Some(logo) => img src=(logo) alt=(name) height="28";,
                        None => (name),
                    }
                }
                @match self.session {
                    Session::SignedIn => form method="post" action="/accounts/web/sign-out" {
                        button.quiet type="submit" { (text.sign_out) }
                    },
                    Session::SignedOut(back) => a.quiet href={ "/my/sign-in?return_to=" (back) } { (text.sign_in) },
                    Session::Unasked => {},
                }
            }
        }
    }

    fn footer(&self, text: &Text) -> Markup {
        let known = |kind: &str| match kind {
            "privacy_policy" => Some(text.privacy),
            "terms_of_service" => Some(text.terms),
            _ => None,
        };
        let links = self.brand.links.iter().filter_map(|link| {
            let title = link.title.as_deref().or_else(|| known(&link.kind))?;
            Some((&link.url, title))
        });
        html! {
            footer.foot {
                span { (self.brand.name) }
                @for (url, title) in links { a href=(url) rel="noreferrer" { (title) } }
            }
        }
    }

    fn style(&self) -> String {
        let theme = &self.brand.theme;
        format!(
            ":root{{--accent:{};--on-accent:{}}}{STYLE}",
            theme.accent, theme.on_accent
        )
    }

    /// Nothing but what is in the page itself, and requests to where it came from.
    fn policy(&self, style: &str) -> String {
        let script = self
            .script
            .map_or_else(|| "'none'".into(), |script| format!("'{}'", digest(script)));
        format!(
            "default-src 'none'; style-src '{}'; script-src {script}; img-src 'self' data:; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            digest(style)
        )
    }
}

/// A part of a page that its script puts in place.
pub fn fragment(main: &Markup) -> Reply {
    let body = main.clone().into_string().into_bytes();
    sealed(
        Reply::bytes(200, "text/html; charset=utf-8", body),
        "default-src 'none'; frame-ancestors 'none'",
    )
}

/// After a form: the page again, so that loading it once more sends nothing.
pub fn see_other(location: &str) -> Reply {
    Reply::empty(303)
        .header("location", location)
        .header("referrer-policy", "same-origin")
}

fn sealed(reply: Reply, policy: &str) -> Reply {
    reply
        .header("content-security-policy", policy)
        .header("cache-control", "no-store")
        .header("referrer-policy", "same-origin")
        .header("x-content-type-options", "nosniff")
        .header("x-robots-tag", "noindex")
        .header("vary", "accept-language, cookie, authorization")
}

/// A source expression of Content Security Policy Level 3, section 2.3.1.
fn digest(text: &str) -> String {
    let bytes = HEXLOWER
        .decode(sha256_hex(text.as_bytes()).as_bytes())
        .unwrap_or_default();
    format!("sha256-{}", BASE64.encode(&bytes))
}
