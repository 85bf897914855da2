//! What a browser sees that a link leads nowhere, or that asks first: small pages without
//! anything from elsewhere, in the visitor's language.

use aisle_domain::brand::Brand;
use aisle_domain::invite::{Scope, State, normalise_code};
use aisle_http::{Call, Error, Reply};
use aisle_words::Locale;
use maud::{DOCTYPE, Markup, html};

use crate::link::Obstacle;

/// Nothing is loaded, nothing runs, nobody frames it; the style is in the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:3rem 1.25rem;color:#1a1a1a;background:#fff}\
h1{font-size:1.5rem;line-height:1.25}p.brand{color:#595959}a{color:#0b57d0}\
button{font:inherit;padding:.75rem 1.5rem;border:0;border-radius:.5rem;background:#1a1a1a;color:#fff}\
@media(prefers-color-scheme:dark){body{color:#f2f2f2;background:#121212}p.brand{color:#b3b3b3}a{color:#a8c7fa}button{background:#f2f2f2;color:#121212}}";

/// Whether the caller is a program that wants to be told, rather than a browser.
pub fn wants_json(call: &Call) -> bool {
    let accept = call.header("accept").unwrap_or_default();
    accept.contains("json") && !accept.contains("text/html")
}

/// To another page, which must not learn the link's code from where its visitor came.
pub fn see_other(place: &str) -> Reply {
    guarded(Reply::empty(303)).header("location", place)
}

/// To the sign-in, and then on to making the link the account's own.
pub fn sign_in(code: &str) -> Reply {
    let code = normalise_code(code).unwrap_or_default();
    see_other(&sign_in_place(&format!("/i/{code}/claim")))
}

/// That the link leads nowhere: a page, or a problem for programs.
pub fn refusal(call: &Call, brand: &Brand, code: &str, obstacle: Obstacle) -> Result<Reply, Error> {
    if wants_json(call) {
        return Err(obstacle.error());
    }
    let locale = locale(call, brand);
    let (title, text) = words(obstacle, locale);
    // Who it belongs to need only sign in.
    let used = obstacle == Obstacle::Over(State::Claimed);
    let back = normalise_code(code)
        .filter(|_| used)
        .map(|code| sign_in_place(&format!("/i/{code}")));
    let body = html! {
        h1 { (title) }
        p { (text) }
        @if let Some(place) = &back { p { a href=(place) { (sign_in_words(locale)) } } }
    };
    let page = page(obstacle.status(), brand, locale, title, &body, None);
    Ok(match obstacle {
        Obstacle::TooMany => page.header("retry-after", "900"),
        _ => page,
    })
}

/// What a messenger shows of a link: whose it is and what for, and nothing about anybody.
pub fn preview(call: &Call, brand: &Brand, scope: Scope) -> Reply {
    let locale = locale(call, brand);
    let what = what(scope, locale);
    let head = html! {
        meta property="og:type" content="website";
        meta property="og:site_name" content=(brand.name);
        meta property="og:title" content=(brand.name);
        meta property="og:description" content=(what);
        meta name="description" content=(what);
    };
    page(
        200,
        brand,
        locale,
        what,
        &html! { h1 { (what) } },
        Some(&head),
    )
}

/// Asks whether the account shall own it.
pub fn confirm(call: &Call, brand: &Brand, scope: Scope) -> Reply {
    let locale = locale(call, brand);
    let (question, yes) = question(scope, locale);
    let body = html! {
        h1 { (question) }
        form method="post" { button { (yes) } }
    };
    page(200, brand, locale, question, &body, None)
}

fn page(
    status: u16,
    brand: &Brand,
    locale: Locale,
    title: &str,
    body: &Markup,
    head: Option<&Markup>,
) -> Reply {
    let page = html! {
        (DOCTYPE)
        html lang=(locale.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · " (brand.name) }
                @if let Some(head) = head { (head) }
                style { (maud::PreEscaped(STYLE)) }
            }
            body { main { p class="brand" { (brand.name) } (body) } }
        }
    };
    guarded(Reply::bytes(
        status,
        "text/html; charset=utf-8",
        page.into_string().into_bytes(),
    ))
    .header("content-security-policy", POLICY)
    .header("content-language", locale.tag())
    .header("x-content-type-options", "nosniff")
}

/// The code is in the address: no page that is linked to may learn it, no index keep it.
fn guarded(reply: Reply) -> Reply {
    reply
        .header("referrer-policy", "no-referrer")
        .header("x-robots-tag", "noindex")
        .header("vary", "accept, accept-language, user-agent")
}

fn sign_in_place(return_to: &str) -> String {
    format!("/my/sign-in?return_to={return_to}")
}

fn locale(call: &Call, brand: &Brand) -> Locale {
    let asked = call.header("accept-language").and_then(Locale::negotiate);
    asked
        .or_else(|| Locale::parse(&brand.language))
        .unwrap_or_default()
}

/// What stands in the way, as a title and what to do.
fn words(obstacle: Obstacle, locale: Locale) -> (&'static str, &'static str) {
    use Locale::{De, En, Es};
    match (obstacle, locale) {
        (Obstacle::Unknown, En) => (
            "This link does not work",
            "Check that you have all of it, or ask for a new one.",
        ),
        (Obstacle::Unknown, Es) => (
            "Este enlace no funciona",
            "Comprueba que esté completo o pide uno nuevo.",
        ),
        (Obstacle::Unknown, De) => (
            "Dieser Link funktioniert nicht",
            "Prüfe, ob er vollständig ist, oder fordere einen neuen an.",
        ),
        (Obstacle::Over(State::Revoked), En) => (
            "This link was withdrawn",
            "Whoever asked for it has withdrawn it. Ask for a new one.",
        ),
        (Obstacle::Over(State::Revoked), Es) => (
            "Este enlace se ha anulado",
            "Quien lo pidió lo ha anulado. Pide uno nuevo.",
        ),
        (Obstacle::Over(State::Revoked), De) => (
            "Dieser Link wurde zurückgezogen",
            "Wer ihn angefordert hat, hat ihn zurückgezogen. Fordere einen neuen an.",
        ),
        (Obstacle::Over(State::Claimed), En) => (
            "This link has been used",
            "What it leads to is kept in an account now. Sign in there to see it.",
        ),
        (Obstacle::Over(State::Claimed), Es) => (
            "Este enlace ya se ha usado",
            "Su contenido está ahora en una cuenta. Inicia sesión en ella para verlo.",
        ),
        (Obstacle::Over(State::Claimed), De) => (
            "Dieser Link wurde schon benutzt",
            "Sein Inhalt liegt jetzt in einem Konto. Melde dich dort an, um ihn zu sehen.",
        ),
        (Obstacle::Over(_), En) => (
            "This link has expired",
            "Ask for a new one, or sign in to your account.",
        ),
        (Obstacle::Over(_), Es) => (
            "Este enlace ha caducado",
            "Pide uno nuevo o inicia sesión en tu cuenta.",
        ),
        (Obstacle::Over(_), De) => (
            "Dieser Link ist abgelaufen",
            "Fordere einen neuen an oder melde dich in deinem Konto an.",
        ),
        (Obstacle::NotYours, En) => (
            "This belongs to another account",
            "You are signed in with another account than the one that it belongs to.",
        ),
        (Obstacle::NotYours, Es) => (
            "Esto pertenece a otra cuenta",
            "Has iniciado sesión con una cuenta distinta.",
        ),
        (Obstacle::NotYours, De) => (
            "Das gehört zu einem anderen Konto",
            "Du bist mit einem anderen Konto angemeldet als dem, zu dem es gehört.",
        ),
        (Obstacle::Gone, En) => (
            "There is nothing here any more",
            "What this link was for is over.",
        ),
        (Obstacle::Gone, Es) => (
            "Aquí ya no hay nada",
            "Aquello a lo que llevaba este enlace ha terminado.",
        ),
        (Obstacle::Gone, De) => (
            "Hier ist nichts mehr",
            "Wozu dieser Link da war, ist vorbei.",
        ),
        (Obstacle::BeingBought, En) => (
            "This cart is being bought",
            "Wait a moment, then try again.",
        ),
        (Obstacle::BeingBought, Es) => (
            "Este carrito se está comprando",
            "Espera un momento y vuelve a intentarlo.",
        ),
        (Obstacle::BeingBought, De) => (
            "Dieser Warenkorb wird gerade gekauft",
            "Warte einen Moment und versuche es dann noch einmal.",
        ),
        (Obstacle::TooMany, En) => (
            "Too many attempts",
            "Wait a quarter of an hour, then open the link again.",
        ),
        (Obstacle::TooMany, Es) => (
            "Demasiados intentos",
            "Espera un cuarto de hora y vuelve a abrir el enlace.",
        ),
        (Obstacle::TooMany, De) => (
            "Zu viele Versuche",
            "Warte eine Viertelstunde und öffne den Link dann noch einmal.",
        ),
    }
}

fn sign_in_words(locale: Locale) -> &'static str {
    match locale {
        Locale::En => "Sign in",
        Locale::Es => "Iniciar sesión",
        Locale::De => "Anmelden",
    }
}

fn what(scope: Scope, locale: Locale) -> &'static str {
    match (scope, locale) {
        (Scope::Order, Locale::En) => "An order",
        (Scope::Order, Locale::Es) => "Un pedido",
        (Scope::Order, Locale::De) => "Eine Bestellung",
        (Scope::Cart, Locale::En) => "A shopping cart",
        (Scope::Cart, Locale::Es) => "Un carrito",
        (Scope::Cart, Locale::De) => "Ein Warenkorb",
        (Scope::Account, Locale::En) => "An account",
        (Scope::Account, Locale::Es) => "Una cuenta",
        (Scope::Account, Locale::De) => "Ein Konto",
    }
}

fn question(scope: Scope, locale: Locale) -> (&'static str, &'static str) {
    match (scope, locale) {
        (Scope::Order, Locale::En) => ("Keep this order in your account?", "Keep it"),
        (Scope::Order, Locale::Es) => ("¿Guardar este pedido en tu cuenta?", "Guardarlo"),
        (Scope::Order, Locale::De) => ("Diese Bestellung in deinem Konto aufheben?", "Aufheben"),
        (Scope::Cart, Locale::En) => ("Go on with this cart in your account?", "Go on"),
        (Scope::Cart, Locale::Es) => ("¿Seguir con este carrito en tu cuenta?", "Seguir"),
        (Scope::Cart, Locale::De) => (
            "Mit diesem Warenkorb in deinem Konto weitermachen?",
            "Weitermachen",
        ),
        (Scope::Account, Locale::En) => ("Link this phone to your account?", "Link it"),
        (Scope::Account, Locale::Es) => ("¿Vincular este teléfono a tu cuenta?", "Vincularlo"),
        (Scope::Account, Locale::De) => ("Dieses Telefon mit deinem Konto verbinden?", "Verbinden"),
    }
}
