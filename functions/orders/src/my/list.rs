//! `GET /my/orders`: the orders of whoever is signed in, the latest first.

use aisle_domain::fulfillment::Destination;
use aisle_domain::id::is_id;
use aisle_domain::order::Order;
use aisle_domain::pass::PickupStatus;
use aisle_http::shopper::{Viewer, signed_in};
use aisle_http::{Call, Error, Reply};
use aisle_store::{Row, StoreError, values};
use aisle_words::{self as words, Locale};
use maud::{Markup, html};

use super::shell::{self, Session, Shell};
use super::text::{self, Text, fill};

/// Orders on a page.
const MOST: usize = 20;

struct Listed {
    order: Order,
    cancelled: bool,
    pickup: Option<PickupStatus>,
}

pub async fn show(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    if let Viewer::Link(link) = Viewer::of(call, &brand.id).await?
        && link.scope == "order"
    {
        return Ok(shell::see_other(&format!("/my/orders/{}", link.subject_id)));
    }
    let shopper = signed_in(call, &brand.id).await?;
    let before = call.query("before").unwrap_or_default();
    if !before.is_empty() && !is_id(before) {
        return Err(Error::bad_request(
            "invalid_cursor",
            "before",
            "this is no order's id",
        ));
    }
    let sql = format!(
        "SELECT o.doc, o.status, p.status AS pickup_status, c.doc AS account FROM account_order a \
         JOIN customer_order o ON o.brand_id = a.brand_id AND o.id = a.order_id AND o.status IN ('confirmed', 'cancelled') \
         JOIN account c ON c.id = a.account_id \
         LEFT JOIN pickup p ON p.brand_id = o.brand_id AND p.order_id = o.id \
         WHERE a.brand_id = ?1 AND a.account_id = ?2 AND (?3 = '' OR a.order_id < ?3) ORDER BY a.order_id DESC LIMIT {}",
        MOST + 1
    );
    let params = values![&brand.id, &shopper.account_id, before];
    let rows = call.db().query(sql, params).await?;
    let preferred = match rows.first() {
        Some(row) => crate::facts::spoken(row, "account")?,
        None => None,
    };
    let locale = super::locale(call, &brand, preferred.as_deref());
    let text = text::of(locale);
    let orders: Vec<Listed> = rows
        .iter()
        .take(MOST)
        .map(Listed::of)
        .collect::<Result<_, _>>()?;
    let older = orders.last().filter(|_| rows.len() > MOST);
    let main = html! {
        h1 { (text.your_orders) }
        @if orders.is_empty() { p { (text.no_orders) } }
        ul.list {
            @for one in &orders { li { (one.card(text, locale)) } }
        }
        @if let Some(last) = older {
            p { a.button.plain href={ "/my/orders?before=" (last.order.id) } { (text.more_orders) } }
        }
    };
    let shell = Shell {
        brand: &brand,
        locale,
        title: text.your_orders,
        script: None,
        app_banner: None,
        session: Session::SignedIn,
    };
    Ok(shell.page(200, &main))
}

impl Listed {
    fn of(row: &Row) -> Result<Self, StoreError> {
        let pickup = row.text_opt("pickup_status")?;
        Ok(Self {
            order: row.json("doc")?,
            cancelled: row.text("status")? == "cancelled",
            pickup: pickup
                .map(|status| crate::read::status(&status))
                .transpose()?,
        })
    }

    fn card(&self, text: &Text, locale: Locale) -> Markup {
        let order = &self.order;
        let store = match order.pickup().map(|expected| &expected.destination) {
            Some(Destination::Store(store)) => Some(store),
            _ => None,
        };
        let zone = store.map_or("UTC", |store| store.time_zone.as_str());
        let name = [("store", store.map_or("", |store| store.name.as_str()))];
        let said = match self.pickup {
            _ if self.cancelled => text.head_cancelled.into(),
            Some(PickupStatus::Cancelled) => text.head_cancelled.into(),
            Some(PickupStatus::Collected) => text.head_collected.into(),
            Some(PickupStatus::Ready) => text.head_ready.into(),
            Some(PickupStatus::AwaitingTransfer) => fill(text.head_awaiting, &name),
            Some(PickupStatus::Preparing) => fill(text.head_preparing, &name),
            None => text.head_confirmed.to_owned(),
        };
        let when = words::date(order.placed_at_ms, zone, locale);
        let pieces: i64 = order.lines.iter().map(|own| own.line.quantity).sum();
        html! {
            a.card href={ "/my/orders/" (order.id) } {
                strong { (said) }
                p.soft { (fill(text.order_number, &[("number", &order.number)])) " · " (fill(text.placed_on, &[("when", &when)])) }
                p { (words::items(pieces, locale)) " · " (words::money(order.totals.total_minor, &order.currency, locale)) }
            }
        }
    }
}
