//! `GET /my/cart`: the cart of a link or of an account, as it is on every device.

use aisle_domain::cart::Cart;
use aisle_domain::invite::Scope;
use aisle_http::shopper::Viewer;
use aisle_http::{Call, Error, Reply};
use aisle_store::values;
use aisle_words as words;
use maud::html;

use super::link;
use super::shell::{Session, Shell};
use super::text::{self, fill};

const OF_LINK: &str = "SELECT c.doc, NULL AS own, i.locale, NULL AS account FROM invite i \
     LEFT JOIN cart c ON c.brand_id = i.brand_id AND c.id = i.subject_id AND c.status = 'active' AND c.expires_at_ms > {now} \
     WHERE i.brand_id = ?1 AND i.id = ?2";
const OF_ACCOUNT: &str = "SELECT c.doc, c.id AS own, NULL AS locale, a.doc AS account FROM account a \
     LEFT JOIN account_cart own ON own.brand_id = a.brand_id AND own.account_id = a.id \
     LEFT JOIN cart c ON c.brand_id = a.brand_id AND c.id = own.cart_id AND c.status = 'active' AND c.expires_at_ms > {now} \
     WHERE a.brand_id = ?1 AND a.id = ?2";

pub async fn show(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let viewer = Viewer::of(call, &brand.id).await?;
    let (sql, id) = match &viewer {
        Viewer::Link(link) if link.scope == "cart" => (OF_LINK, &link.invite_id),
        Viewer::Account(shopper) => (OF_ACCOUNT, &shopper.account_id),
        _ => return Err(Error::unauthorized("sign in to see your cart")),
    };
    let row = call.db().query_one_opt(sql, values![&brand.id, id]).await?;
    let row = row.ok_or_else(|| Error::not_found("cart_not_found", "there is no such cart"))?;
    let preferred = match row.text_opt("locale")? {
        Some(locale) => Some(locale),
        None => crate::facts::spoken(&row, "account")?,
    };
    let locale = super::locale(call, &brand, preferred.as_deref());
    let text = text::of(locale);
    let cart = row.json_opt::<Cart>("doc")?;
    let lines = cart.as_ref().map_or(&[][..], |cart| &cart.lines);
    let own = row.text_opt("own")?;
    // Who signs in means to have this cart there too.
    let held = link::held(call, &viewer, Scope::Cart)
        .filter(|held| own.as_deref() != Some(held.subject_id));
    let back = held.as_ref().map(|held| held.path("/claim"));
    let main = html! {
        h1 { (text.your_cart) }
        @if lines.is_empty() { p { (text.cart_empty) } }
        @if let Some(cart) = cart.as_ref().filter(|cart| !cart.lines.is_empty()) {
            section.card {
                ul.lines {
                    @for line in &cart.lines {
                        li {
                            span {
                                (line.title)
                                span.tag { (fill(text.quantity, &[("count", &words::number(line.quantity, locale))])) }
                            }
                            span { (words::money(line.amount.amount_minor, &cart.currency, locale)) }
                        }
                    }
                }
                p.sum { span { (text.estimated_total) } span { (words::money(cart.totals.total_minor, &cart.currency, locale)) } }
            }
        }
        @if let Some(held) = &held { (held.offers(&brand, text, text.keep_cart)) }
        p.soft { (text.cart_hint) }
    };
    let shell = Shell {
        brand: &brand,
        locale,
        title: text.your_cart,
        script: None,
        app_banner: None,
        session: match viewer {
            Viewer::Account(_) => Session::SignedIn,
            _ => Session::SignedOut(back.as_deref().unwrap_or("/my/cart")),
        },
    };
    Ok(shell.page(200, &main))
}
