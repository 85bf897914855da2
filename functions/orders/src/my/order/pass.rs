//! The pickup pass: QR code, code to type, and the forms that renew it.

use aisle_http::Error;
use aisle_words as words;
use maud::{Markup, PreEscaped, html};

use super::Page;
use crate::my::text::fill;

/// The pass's card; `large` fills the screen, for a scanner at arm's length.
pub fn card(page: &Page<'_>, large: bool) -> Markup {
    let text = page.text;
    let level = if large { "large" } else { "card pass" };
    html! {
        section class=(level) #pass aria-labelledby="pass-title" {
            @if large { h1 #pass-title { (text.pass) } } @else { h2 #pass-title { (text.pass) } }
            @match &page.facts.pass {
                Some(pass) => {
                    @let until = words::time(pass.claims.expires_at_ms, page.zone(), page.locale);
                    div data-renew-ms=(renew_in_ms(page)) {
                        div.qr role="img" aria-label=(text.pass_alt) { (PreEscaped(page.qr.as_str())) }
                        p { (text.pass_code) }
                        p.code translate="no" { (pass.code) }
                        p.soft { (fill(text.pass_until, &[("when", &until)])) }
                    }
                }
                None => p { (text.pass_none) },
            }
            @if !large { p.soft { (text.pass_hint) } }
            div.row { (renew(page, large)) (switch(page, large)) }
        }
    }
}

/// Pass and page in time: before three quarters of its life are over.
fn renew_in_ms(page: &Page<'_>) -> i64 {
    let Some(pass) = &page.facts.pass else {
        return 0;
    };
    let (issued, expires) = (pass.claims.issued_at_ms, pass.claims.expires_at_ms);
    (issued + (expires - issued) * 3 / 4 - page.facts.now_ms).max(0)
}

fn renew(page: &Page<'_>, large: bool) -> Markup {
    let text = page.text;
    let label = match page.facts.pass {
        Some(_) => text.pass_refresh,
        None => text.pass_show,
    };
    html! {
        form #renew method="post" action=(page.path("/pass")) {
            @if large { input type="hidden" name="large" value="1"; }
            button #renew-button class=(if page.facts.pass.is_some() { "plain" } else { "" }) type="submit" { (label) }
        }
    }
}

fn switch(page: &Page<'_>, large: bool) -> Markup {
    let text = page.text;
    html! {
        @if large {
            a.button.plain href=(page.path("")) { (text.back_to_order) }
        } @else if page.facts.pass.is_some() {
            a.button.plain href=(page.path("/pass")) { (text.pass_large) }
        }
    }
}

impl Page<'_> {
    /// Draws the pass that is good now, where there is one.
    pub(super) async fn draw(&mut self) -> Result<(), Error> {
        let Some(pass) = &self.facts.pass else {
            return Ok(());
        };
        let token = crate::pass::token(&pass.claims, &*aisle_http::pass_keys().await?)?;
        self.qr = crate::images::qr(&token)?.drawing();
        Ok(())
    }
}
