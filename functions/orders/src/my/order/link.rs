//! What a page that was opened by a link offers beside the order: to keep it in an account,
//! and to go on in the brand's app.

use aisle_domain::invite::normalise_code;
use aisle_http::shopper::{LINK_COOKIE, Viewer, cookie};
use maud::{Markup, html};

use super::Page;

impl Page<'_> {
    /// The path of the link that this page was opened by.
    fn link(&self) -> Option<String> {
        let visit = self.visit;
        let held = match &visit.viewer {
            Viewer::Link(link) => Some(link),
            Viewer::Account(shopper) => shopper.link.as_ref(),
            Viewer::Anybody => None,
        };
        held.filter(|link| link.scope == "order" && link.subject_id == visit.order_id)?;
        let code = normalise_code(cookie(visit.call, LINK_COOKIE)?)?;
        Some(format!("/i/{code}"))
    }

    pub(super) fn by_link(&self) -> Markup {
        let app = self.visit.brand.app.is_some();
        html! {
            @if let Some(link) = self.link() {
                p.soft {
                    a #keep-order href={ (link) "/claim" } { (self.text.keep_order) }
                    @if app { " · " a #open-in-app href={ (link) "/app" } { (self.text.open_in_app) } }
                }
            }
        }
    }

    /// Safari's offer to open this page in the app, or to get the app.
    pub(super) fn app_banner(&self) -> Option<String> {
        let visit = self.visit;
        let origin = visit.call.brand_origin(&visit.brand);
        let app = visit.brand.app.as_ref()?;
        app.apple_banner(&format!("{origin}{}", self.path("")))
    }
}
