//! `GET /my/orders/{id}/history`: all that has happened to the order, for those with more
//! of it than the order's page shows.

use aisle_http::{Call, Error, Reply};
use maud::html;

use super::order::Page;
use crate::access::Visit;

pub async fn show(call: &Call, id: &str) -> Result<Reply, Error> {
    let visit = Visit::open(call, id).await?;
    let page = Page::read(&visit).await?;
    let main = html! {
        div data-version=(page.facts.page_version) data-events=(page.path("/events")) {
            section.card {
                h1 { (page.text.timeline) }
                (page.entries(usize::MAX))
                a.button.plain href=(page.path("")) { (page.text.back_to_order) }
            }
        }
    };
    Ok(page.reply(&main))
}
