//! `GET /my/orders/{id}/pass`: the pass alone, as large as the screen.

use aisle_domain::pass::PickupStatus;
use aisle_http::{Call, Error, Reply};
use maud::html;

use super::order::{Page, pass_card};
use super::shell;
use crate::access::Visit;

pub async fn show(call: &Call, id: &str) -> Result<Reply, Error> {
    let visit = Visit::open(call, id).await?;
    let page = Page::read(&visit).await?;
    if page.collection() != Some(PickupStatus::Ready) {
        return Ok(shell::see_other(&page.path("")));
    }
    let main = html! {
        div data-version=(page.facts.page_version) data-events=(page.path("/events")) {
            (pass_card(&page, true))
        }
    };
    Ok(page.reply(&main))
}
