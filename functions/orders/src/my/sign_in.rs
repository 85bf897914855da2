//! `GET /my/sign-in`: the two forms with which somebody signs in; the `accounts` function
//! takes them, and leads back here with what is wrong.

use aisle_http::{Call, Error, Reply};
use aisle_ucp::account::{CODE_OVER, TOO_MANY_TRIES, WRONG_CODE};
use maud::{Markup, html};

use super::shell::{self, Session, Shell};
use super::text::{self, Text};

/// Characters of a path to return to, and of a challenge, at most.
const MAX_CHARS: usize = 500;

/// To whoever must sign in to see `path`: the browser may have what it takes to stay signed in.
pub fn first(path: &str) -> Reply {
    shell::see_other(&format!("/accounts/web/refresh?return_to={path}"))
}

pub async fn show(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let locale = super::locale(call, &brand, None);
    let text = text::of(locale);
    let back = call.query("return_to").filter(|path| is_local(path));
    let back = back.unwrap_or("/my/orders");
    let error = call.query("error");
    // With a code that is over nobody signs in: what helps is a new one.
    let challenge = call.query("challenge");
    let challenge = challenge.filter(|id| is_plain(id) && error != Some(CODE_OVER));
    let failed = error.map(|code| why(text, code));
    let main = html! {
        section.card.hero {
            h1 { (text.sign_in) }
            @if let Some(failed) = failed { p.flash.bad #notice role="alert" { (failed) } }
            @match challenge {
                Some(challenge) => (code_form(text, challenge, back)),
                None => (address_form(text, back, locale.tag())),
            }
        }
    };
    let shell = Shell {
        brand: &brand,
        locale,
        title: text.sign_in,
        script: None,
        app_banner: None,
        session: Session::Unasked,
    };
    Ok(shell.page(200, &main))
}

fn why(text: &Text, code: &str) -> &'static str {
    match code {
        WRONG_CODE => text.sign_in_wrong,
        CODE_OVER => text.sign_in_over,
        TOO_MANY_TRIES => text.sign_in_too_often,
        code if code.starts_with("phone_") || code.starts_with("email_") => {
            text.sign_in_unreachable
        }
        _ => text.sign_in_failed,
    }
}

fn address_form(text: &Text, back: &str, language: &str) -> Markup {
    html! {
        p { (text.sign_in_why) }
        form method="post" action="/accounts/web/codes" {
            input type="hidden" name="return_to" value=(back);
            input type="hidden" name="locale" value=(language);
            label for="address" { (text.sign_in_address) }
            input #address type="text" name="address" required maxlength="254" autocomplete="username" autocapitalize="none" spellcheck="false";
            div.row { button type="submit" { (text.sign_in_send) } }
        }
    }
}

fn code_form(text: &Text, challenge: &str, back: &str) -> Markup {
    html! {
        p { (text.sign_in_code_sent) }
        form method="post" action="/accounts/web/sessions" {
            input type="hidden" name="return_to" value=(back);
            input type="hidden" name="challenge" value=(challenge);
            label for="code" { (text.sign_in_code) }
            input #code type="text" name="code" required maxlength="12" inputmode="numeric" autocomplete="one-time-code";
            div.row { button type="submit" { (text.sign_in) } }
        }
        p { a href={ "/my/sign-in?return_to=" (back) } { (text.sign_in_again) } }
    }
}

/// A path of this shop and nothing else, however a browser reads it.
fn is_local(path: &str) -> bool {
    path.len() <= MAX_CHARS
        && path.starts_with('/')
        && !path.starts_with("//")
        && path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte))
}

fn is_plain(id: &str) -> bool {
    (1..=MAX_CHARS).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_the_shop_are_returned_to() {
        for good in ["/my/orders", "/my/orders/0190-a_b", "/i/CODE"] {
            assert!(is_local(good), "{good}");
        }
        for bad in [
            "",
            "my",
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "/a?b=\"",
            "/a\nb",
        ] {
            assert!(!is_local(bad), "{bad}");
        }
    }
}
