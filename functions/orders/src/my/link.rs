//! What a page that was opened by a link offers beside what it shows: to keep that in an
//! account, and to go on in the brand's app.

use aisle_domain::brand::Brand;
use aisle_domain::invite::{Scope, normalise_code};
use aisle_http::Call;
use aisle_http::shopper::{LINK_COOKIE, Viewer, cookie};
use maud::{Markup, html};

use super::text::Text;

/// The link that a browser holds.
pub struct Held<'a> {
    pub subject_id: &'a str,
    code: String,
}

/// The link to something of this kind that the browser holds, signed in or not.
pub fn held<'a>(call: &Call, viewer: &'a Viewer, scope: Scope) -> Option<Held<'a>> {
    let link = match viewer {
        Viewer::Link(link) => Some(link),
        Viewer::Account(shopper) => shopper.link.as_ref(),
        Viewer::Anybody => None,
    };
    let link = link.filter(|link| link.scope == scope.name())?;
    Some(Held {
        subject_id: &link.subject_id,
        code: normalise_code(cookie(call, LINK_COOKIE)?)?,
    })
}

impl Held<'_> {
    /// A path below the link.
    pub fn path(&self, below: &str) -> String {
        format!("/i/{}{below}", self.code)
    }

    /// `keep` says what goes into the account.
    pub fn offers(&self, brand: &Brand, text: &Text, keep: &str) -> Markup {
        html! {
            p.soft {
                a #keep href=(self.path("/claim")) { (keep) }
                @if brand.app.is_some() { " · " a #open-in-app href=(self.path("/app")) { (text.open_in_app) } }
            }
        }
    }
}
