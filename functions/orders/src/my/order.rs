//! `GET /my/orders/{id}`: the order on one page.

mod actions;
mod head;
mod history;
mod pass;
mod place;

use std::rc::Rc;

use aisle_domain::hours::{self, DoorDay};
use aisle_domain::invite::Scope;
use aisle_domain::location::Location;
use aisle_domain::pass::PickupStatus;
use aisle_http::shopper::Viewer;
use aisle_http::{Call, Error, Reply};
use aisle_store::model::Read;
use aisle_words::Locale;
use maud::{Markup, html};

use super::link;
use super::shell::{self, Session, Shell};
use super::text::{self, Text};
use crate::access::Visit;
use crate::facts::Facts;

pub use pass::card as pass_card;

/// The one script of the order's pages.
pub const SCRIPT: &str = include_str!("script.js");
/// Days of opening hours that are shown.
const DAYS: usize = 7;

/// The order with everything that its page says about it.
pub struct Page<'a> {
    pub visit: &'a Visit<'a>,
    pub facts: Facts,
    pub locale: Locale,
    pub text: &'static Text,
    /// Where it is collected.
    pub store: Option<Rc<Read<Location>>>,
    /// The QR code of the pass that is good now, as SVG; else empty.
    pub qr: String,
}

impl<'a> Page<'a> {
    pub async fn read(visit: &'a Visit<'a>) -> Result<Self, Error> {
        let facts = Facts::read(visit, None).await?;
        let (call, brand) = (visit.call, &visit.brand);
        let store = match &facts.pickup {
            None => None,
            Some(pickup) => {
                let model = call.model();
                model.location(&brand.id, &pickup.location_id).await?
            }
        };
        let locale = super::locale(call, brand, facts.locale.as_deref());
        let mut page = Self {
            visit,
            facts,
            locale,
            text: text::of(locale),
            store,
            qr: String::new(),
        };
        page.draw().await?;
        Ok(page)
    }

    /// A path below the order's page.
    pub fn path(&self, below: &str) -> String {
        format!("/my/orders/{}{below}", self.visit.order_id)
    }

    /// IANA name: that of the store, whose clock a shopper looks at.
    pub fn zone(&self) -> &str {
        self.store.as_ref().map_or("UTC", |store| &store.time_zone)
    }

    pub fn store_name(&self) -> &str {
        self.store
            .as_ref()
            .map_or(self.visit.brand.name.as_str(), |store| &store.name)
    }

    pub fn when(&self, at_ms: i64) -> String {
        aisle_words::date_time(at_ms, self.zone(), self.locale)
    }

    /// How far its collection has come, while it is one.
    pub fn collection(&self) -> Option<PickupStatus> {
        let status = self.facts.pickup.as_ref().map(|pickup| pickup.status);
        status.filter(|_| !self.facts.cancelled)
    }

    /// Something of it still waits to be collected.
    pub fn waits(&self) -> bool {
        let over = |status| matches!(status, PickupStatus::Collected | PickupStatus::Cancelled);
        self.collection().is_some_and(|status| !over(status))
    }

    pub fn days(&self) -> Vec<DoorDay> {
        let store = self.store.as_ref();
        store.map_or_else(Vec::new, |store| {
            hours::on_the_door(store, self.facts.now_ms, DAYS)
        })
    }

    /// What the page's script puts in place when the order has changed.
    fn main(&self) -> Markup {
        let version = &self.facts.page_version;
        html! {
            div data-version=(version) data-events=(self.path("/events")) {
                (self.flash())
                (self.head())
                (self.by_link())
                (self.undelivered())
                @if self.collection() == Some(PickupStatus::Ready) { (pass::card(self, false)) }
                @if self.waits() { (self.coming()) }
                (self.place())
                (self.items())
                (self.history())
                @if self.waits() { (self.person()) }
                (self.news())
                (self.give_back())
                (self.cancel())
            }
        }
    }

    fn by_link(&self) -> Markup {
        let Visit {
            call,
            brand,
            viewer,
            order_id,
            ..
        } = self.visit;
        match link::held(call, viewer, Scope::Order).filter(|held| held.subject_id == *order_id) {
            Some(held) => held.offers(brand, self.text, self.text.keep_order),
            None => html! {},
        }
    }

    /// Safari's offer to open this page in the app, or to get the app.
    fn app_banner(&self) -> Option<String> {
        let visit = self.visit;
        let origin = visit.call.brand_origin(&visit.brand);
        let app = visit.brand.app.as_ref()?;
        app.apple_banner(&format!("{origin}{}", self.path("")))
    }

    pub fn reply(&self, main: &Markup) -> Reply {
        if self.visit.call.query("part") == Some("main") {
            return shell::fragment(main);
        }
        let number = [("number", self.facts.order.number.as_str())];
        let title = text::fill(self.text.order_number, &number);
        let page = self.path("");
        let shell = Shell {
            brand: &self.visit.brand,
            locale: self.locale,
            title: &title,
            script: Some(SCRIPT),
            app_banner: self.app_banner(),
            session: match self.visit.viewer {
                Viewer::Account(_) => Session::SignedIn,
                _ => Session::SignedOut(&page),
            },
        };
        shell.page(200, main)
    }
}

pub async fn show(call: &Call, id: &str) -> Result<Reply, Error> {
    let visit = Visit::open(call, id).await?;
    let page = Page::read(&visit).await?;
    Ok(page.reply(&page.main()))
}
