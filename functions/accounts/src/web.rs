//! Forms of pages without a script: the same as the API, answered by redirects and cookies.

use std::fmt::Write;

use aisle_domain::account::{ACCESS_LIFETIME_MS, IDLE_LIFETIME_MS, browser_name};
use aisle_domain::contact::Channel;
use aisle_http::shopper::{
    self, LINK_COOKIE, SESSION_COOKIE, SIGNED_IN_COOKIE, Viewer, set_cookie,
};
use aisle_http::{Call, Error, Form, Reply};
use aisle_ucp::account::{Challenge, SignInRequest, SignedIn, check_locale, check_name};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::codes::{self, NewCode};
use crate::{refresh as exchange, sessions, sign_in as devices};

/// The cookie that carries a refresh token, which nothing but the forms below looks at.
const REFRESH_COOKIE: &str = "aisle_refresh";
/// Where a page leads that does not say.
const HOME: &str = "/my/orders";
const SIGN_IN: &str = "/my/sign-in";

const MAX_FORM_BYTES: usize = 8 << 10;
const MAX_PATH_CHARS: usize = 500;
const MAX_ADDRESS_CHARS: usize = 255;
/// Of a name, which is cut off by its own rule; of an id, a code or a language tag.
const MAX_CHARS: usize = 255;

/// What a value in a query must not be written as (RFC 3986, section 2.3).
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// `POST /accounts/web/codes`
pub async fn send_code(call: &Call) -> Result<Reply, Error> {
    shopper::same_origin(call)?;
    let form = call.form(MAX_FORM_BYTES).await?;
    let back = return_to(form.text("return_to", MAX_PATH_CHARS)?);
    match code(call, &form).await {
        Ok(challenge) => Ok(to_sign_in(back, &[("challenge", &challenge.challenge_id)])),
        Err(error) => shown(error, back, &[]),
    }
}

async fn code(call: &Call, form: &Form) -> Result<Challenge, Error> {
    let brand = call.brand().await?;
    let text = form.required("address", MAX_ADDRESS_CHARS)?;
    let locale = form.text("locale", MAX_CHARS)?;
    check_locale("locale", locale).map_err(Error::invalid_member)?;
    let channel = if text.contains('@') {
        Channel::Email
    } else {
        Channel::Sms
    };
    let address = codes::address(&brand, channel, text)?;
    let code = NewCode {
        brand: &brand,
        channel,
        address: &address,
        locale,
    };
    let reply = code.send(call, None).await?;
    serde_json::from_slice(reply.body()).map_err(|error| Error::internal(error.to_string()))
}

/// `POST /accounts/web/sessions`
pub async fn sign_in(call: &Call) -> Result<Reply, Error> {
    shopper::same_origin(call)?;
    let form = call.form(MAX_FORM_BYTES).await?;
    let back = return_to(form.text("return_to", MAX_PATH_CHARS)?);
    let challenge = form.required("challenge", MAX_CHARS)?;
    match session(call, &form, challenge).await {
        Ok(signed_in) => Ok(with_cookies(call, see_other(back), &signed_in)),
        Err(error) => shown(error, back, &[("challenge", challenge)]),
    }
}

async fn session(call: &Call, form: &Form, challenge: &str) -> Result<SignedIn, Error> {
    let brand = call.brand().await?;
    let name = form.text("name", MAX_CHARS)?;
    check_name("name", name).map_err(Error::invalid_member)?;
    let request = SignInRequest {
        challenge_id: challenge.to_owned(),
        code: form.required("code", MAX_CHARS)?.to_owned(),
        device_name: browser_name(call.header("user-agent").unwrap_or_default()),
        name: name.map(Into::into),
        locale: form.text("locale", MAX_CHARS)?.map(Into::into),
        order_id: form.text("order_id", MAX_CHARS)?.map(Into::into),
        checkout_session_id: None,
    };
    let done = devices::carry_out(call, brand, &request, None).await?;
    Ok(done.signed_in)
}

/// `POST /accounts/web/refresh`, and GET, so that a page can lead here when its cookie is
/// over: all that it does is to exchange one pair of cookies for the next.
pub async fn refresh(call: &Call) -> Result<Reply, Error> {
    let asked = if call.method() == "GET" {
        call.query("return_to").map(str::to_owned)
    } else {
        shopper::same_origin(call)?;
        let form = call.form(MAX_FORM_BYTES).await?;
        form.text("return_to", MAX_PATH_CHARS)?.map(str::to_owned)
    };
    let back = return_to(asked.as_deref());
    let Some(token) = shopper::cookie(call, REFRESH_COOKIE) else {
        return Ok(without_cookies(call, over(call, back)));
    };
    let brand = call.brand().await?;
    // Two windows of one browser may come at the same moment, with the same cookie.
    match exchange::exchange(call, brand, token, Some("web")).await {
        Ok(signed_in) => Ok(with_cookies(call, see_other(back), &signed_in)),
        Err(error) if error.status() < 500 => Ok(without_cookies(call, over(call, back))),
        Err(error) => Err(error),
    }
}

/// Where a browser goes that is not signed in any more.
fn over(call: &Call, back: &str) -> Reply {
    match shopper::cookie(call, LINK_COOKIE) {
        // The page may be what its link is for.
        Some(_) if shopper::cookie(call, SIGNED_IN_COOKIE).is_some() => see_other(back),
        _ => to_sign_in(back, &[]),
    }
}

/// `POST /accounts/web/sign-out`
pub async fn sign_out(call: &Call) -> Result<Reply, Error> {
    shopper::same_origin(call)?;
    let form = call.form(MAX_FORM_BYTES).await?;
    let back = return_to(form.text("return_to", MAX_PATH_CHARS)?);
    let brand = call.brand().await?;
    match Viewer::of(call, &brand.id).await? {
        Viewer::Account(shopper) => sessions::end_own(call, &shopper).await?,
        // The access token is over, the device may still be signed in.
        _ => {
            if let Some(token) = shopper::cookie(call, REFRESH_COOKIE) {
                exchange::sign_out(call, &brand.id, token).await?;
            }
        }
    }
    Ok(without_cookies(call, see_other(back)))
}

/// A path of our own, or the usual one: never another host's, however it is written.
fn return_to(asked: Option<&str>) -> &str {
    let ours = |path: &&str| {
        path.starts_with('/')
            && !path.starts_with("//")
            && path.len() <= MAX_PATH_CHARS
            && path
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    asked.filter(ours).unwrap_or(HOME)
}

/// Back to the sign-in page with what is wrong; what is a fault of ours stays one.
fn shown(error: Error, back: &str, fields: &[(&str, &str)]) -> Result<Reply, Error> {
    if error.status() >= 500 {
        return Err(error);
    }
    let mut fields = fields.to_vec();
    fields.push(("error", error.code()));
    Ok(to_sign_in(back, &fields))
}

fn to_sign_in(back: &str, fields: &[(&str, &str)]) -> Reply {
    let mut path = SIGN_IN.to_owned();
    let fields = fields.iter().copied().chain([("return_to", back)]);
    for (index, (name, value)) in fields.enumerate() {
        let separator = if index == 0 { '?' } else { '&' };
        // Writing to a string cannot fail.
        let _ = write!(
            path,
            "{separator}{name}={}",
            utf8_percent_encode(value, QUERY)
        );
    }
    see_other(&path)
}

fn see_other(path: &str) -> Reply {
    Reply::empty(303).header("location", path)
}

fn with_cookies(call: &Call, reply: Reply, signed_in: &SignedIn) -> Reply {
    let access = signed_in.access_token.as_deref().unwrap_or_default();
    let refresh = signed_in.refresh_token.as_deref().unwrap_or_default();
    let (short_s, long_s) = (ACCESS_LIFETIME_MS / 1_000, IDLE_LIFETIME_MS / 1_000);
    let access = set_cookie(call, SESSION_COOKIE, access, short_s);
    let refresh = set_cookie(call, REFRESH_COOKIE, refresh, long_s);
    let known = set_cookie(call, SIGNED_IN_COOKIE, "1", long_s);
    reply
        .header("set-cookie", &access)
        .header("set-cookie", &refresh)
        .header("set-cookie", &known)
}

fn without_cookies(call: &Call, reply: Reply) -> Reply {
    let access = set_cookie(call, SESSION_COOKIE, "", 0);
    let refresh = set_cookie(call, REFRESH_COOKIE, "", 0);
    let known = set_cookie(call, SIGNED_IN_COOKIE, "", 0);
    reply
        .header("set-cookie", &access)
        .header("set-cookie", &refresh)
        .header("set-cookie", &known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_paths_are_returned_to() {
        for good in ["/my/orders", "/my/orders/1?x=//y", "/"] {
            assert_eq!(return_to(Some(good)), good);
        }
        let long = format!("/{}", "x".repeat(500));
        for bad in [
            "",
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "/a\nb",
            "my",
            &long,
        ] {
            assert_eq!(return_to(Some(bad)), HOME, "{bad}");
        }
        assert_eq!(return_to(None), HOME);
    }
}
