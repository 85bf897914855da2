//! The shopper's own pages, below `/my`: HTML that works without script, in the shopper's
//! language and the brand's colours. What they change goes through the same handlers as the
//! API's routes.

mod cart;
mod forms;
mod history;
mod link;
mod list;
mod order;
mod pass;
mod shell;
mod sign_in;
mod stream;
mod text;

use aisle_domain::brand::Brand;
use aisle_http::shopper::is_to_refresh;
use aisle_http::{Call, Error, Reply};
use aisle_words::Locale;
use maud::html;

use self::shell::{Session, Shell};

/// Answers a call below `/my`. A refusal is a page too, but for a method that is not allowed.
pub async fn route(call: &Call) -> Result<Reply, Error> {
    if call.method() == "GET" && call.segments()[..] != ["my", "sign-in"] && is_to_refresh(call) {
        return Ok(sign_in::first(call.path()));
    }
    match dispatch(call).await {
        Err(error) if error.status() == 401 && call.method() == "GET" => {
            Ok(sign_in::first(call.path()))
        }
        Err(error) if matches!(error.status(), 404 | 503) && call.method() == "GET" => {
            refused(call, error).await
        }
        outcome => outcome,
    }
}

async fn dispatch(call: &Call) -> Result<Reply, Error> {
    match (call.method(), &call.segments()[..]) {
        ("GET", ["my", "orders"]) => list::show(call).await,
        ("GET", ["my", "orders", id]) => order::show(call, id).await,
        ("GET", ["my", "orders", id, "events"]) => stream::open(call, id).await,
        ("GET", ["my", "orders", id, "pass"]) => pass::show(call, id).await,
        ("GET", ["my", "orders", id, "history"]) => history::show(call, id).await,
        ("POST", ["my", "orders", id, form]) => forms::submit(call, id, form).await,
        ("GET", ["my", "cart"]) => cart::show(call).await,
        ("GET", ["my", "sign-in"]) => sign_in::show(call).await,
        (_, ["my", "orders", _, "pass"]) => Err(call.method_not_allowed("GET, HEAD, POST")),
        (
            _,
            ["my", "orders" | "cart" | "sign-in"]
            | ["my", "orders", _]
            | ["my", "orders", _, "events" | "history"],
        ) => Err(call.method_not_allowed("GET, HEAD")),
        _ => Err(call.not_found()),
    }
}

/// What the browser asks for, else what the account or the link has (`preferred`), else the
/// brand's: a link may have been asked for on another device.
fn locale(call: &Call, brand: &Brand, preferred: Option<&str>) -> Locale {
    let asked = call.header("accept-language").and_then(Locale::negotiate);
    asked
        .or_else(|| Locale::parse(preferred?))
        .or_else(|| Locale::parse(&brand.language))
        .unwrap_or_default()
}

/// The refusal as a page, where the brand can be told.
async fn refused(call: &Call, error: Error) -> Result<Reply, Error> {
    let Ok(brand) = call.brand().await else {
        return Err(error);
    };
    let locale = locale(call, &brand, None);
    let text = text::of(locale);
    let (title, hint) = match error.status() {
        404 => (text.missing, text.missing_hint),
        _ => (text.trouble, text.trouble_hint),
    };
    let shell = Shell {
        brand: &brand,
        locale,
        title,
        script: None,
        app_banner: None,
        session: Session::Unasked,
    };
    let main = html! {
        h1 { (title) }
        p { (hint) }
        @if error.status() == 404 {
            p { a.button href="/my/sign-in?return_to=/my/orders" { (text.sign_in) } }
        }
    };
    Ok(shell.page(error.status(), &main))
}
