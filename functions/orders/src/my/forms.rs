//! The forms of the order's page: each calls what the API's route calls, and leads back to
//! the page, which says what became of it.

use aisle_domain::contact::Channel;
use aisle_domain::presence::{Signal, State};
use aisle_domain::returns::ReturnReason;
use aisle_http::{Call, Error, Form, Reply, shopper};
use aisle_ucp::order::LineQuantity;
use aisle_ucp::order::actions::{ContactChoice, NotificationChoices, PickupPerson, ReturnWish};
use aisle_ucp::presence::{Consent, PresenceReport};

use super::{shell, sign_in};
use crate::access::Visit;
use crate::{cancel, notifications, pass, person, presence, returns};

const MAX_FORM_BYTES: usize = 16 << 10;
/// Of a name, an address, an id: what is longer is refused by its own rule or makes no sense.
const MAX_CHARS: usize = 320;

/// `POST /my/orders/{id}/{form}`
pub async fn submit(call: &Call, id: &str, name: &str) -> Result<Reply, Error> {
    shopper::same_origin(call)?;
    let visit = Visit::open(call, id).await?;
    let form = call.form(MAX_FORM_BYTES).await?;
    let (outcome, done) = match name {
        "presence" => (announce(&visit, &form).await, "presence"),
        "withdraw" => (presence::forget(&visit).await, "withdrawn"),
        "pass" => (pass::carry_out(&visit, None).await, "pass"),
        "cancel" => (cancel::carry_out(&visit, None).await, "cancelled"),
        "person" => (send(&visit, &form).await, "person"),
        "returns" => (give_back(&visit, &form).await, "return"),
        "notifications" => (choose(&visit, &form).await, "news"),
        _ => return Err(call.not_found()),
    };
    let large = form.text("large", 1)?.is_some();
    let page = match (name, large) {
        ("pass", true) => format!("/my/orders/{id}/pass"),
        _ => format!("/my/orders/{id}"),
    };
    match outcome {
        Ok(_) if large => Ok(shell::see_other(&page)),
        Ok(_) => Ok(shell::see_other(&format!("{page}?done={done}#notice"))),
        Err(error) if error.status() == 401 => Ok(sign_in::first(&page)),
        Err(error) if matches!(error.status(), 403 | 404) || error.status() >= 500 => Err(error),
        Err(error) => {
            let failed = failed(&error);
            Ok(shell::see_other(&format!(
                "/my/orders/{id}?failed={failed}#notice"
            )))
        }
    }
}

/// As the page knows it.
fn failed(error: &Error) -> &'static str {
    match (error.code(), error.status()) {
        ("consent_required", _) => "consent",
        ("not_ready", _) => "not_ready",
        ("opted_out", _) => "opted_out",
        ("return_refused" | "impossible_quantity", _) => "return",
        (_, 429) => "often",
        (code, _) if code.starts_with("phone") || code.starts_with("email") => "address",
        ("no_contact", _) => "address",
        (_, 409) => "too_late",
        _ if error.path() == Some("$.name") => "name",
        _ if error
            .path()
            .is_some_and(|path| path.starts_with("$.line_items")) =>
        {
            "return"
        }
        _ => "other",
    }
}

fn consent(form: &Form) -> Result<Option<Consent>, Error> {
    let version = form.text("consent", MAX_CHARS)?;
    Ok(version.map(|version| Consent {
        version: version.to_owned(),
    }))
}

async fn announce(visit: &Visit<'_>, form: &Form) -> Result<Reply, Error> {
    let state = form.required("state", MAX_CHARS)?;
    let state = State::parse(state).ok_or_else(|| unknown("state"))?;
    let report = PresenceReport {
        state,
        signal: Signal::Declared,
        consent: consent(form)?,
    };
    presence::carry_out(visit, None, &report).await
}

async fn send(visit: &Visit<'_>, form: &Form) -> Result<Reply, Error> {
    let name = form.text("name", MAX_CHARS)?.map(str::to_owned);
    person::carry_out(visit, None, PickupPerson { name }).await
}

async fn give_back(visit: &Visit<'_>, form: &Form) -> Result<Reply, Error> {
    let pieces = form.all("pieces").into_iter();
    let pieces = pieces.map(|text| match text.trim() {
        "" => Ok(0),
        text => text.parse::<i64>().map_err(|_| unknown("pieces")),
    });
    let mut line_items = Vec::new();
    for (id, quantity) in form.all("line").into_iter().zip(pieces) {
        match quantity? {
            0 => {}
            quantity => line_items.push(LineQuantity {
                id: id.to_owned(),
                quantity,
            }),
        }
    }
    let reason = form.required("reason", MAX_CHARS)?;
    let reason = ReturnReason::parse(reason).ok_or_else(|| unknown("reason"))?;
    returns::carry_out(visit, None, &ReturnWish { line_items, reason }).await
}

async fn choose(visit: &Visit<'_>, form: &Form) -> Result<Reply, Error> {
    let consent = consent(form)?;
    let mut contacts = Vec::new();
    for channel in [Channel::Sms, Channel::Email] {
        let address = form.text(&format!("{}_address", channel.name()), MAX_CHARS)?;
        let ticked = form.text(channel.name(), MAX_CHARS)?.is_some();
        contacts.push(ContactChoice {
            channel,
            active: ticked || address.is_some(),
            address: address.map(str::to_owned),
            consent: consent.clone().filter(|_| address.is_some()),
        });
    }
    let locale = super::locale(visit.call, &visit.brand, None);
    let choices = NotificationChoices { contacts };
    notifications::carry_out(visit, None, &choices, Some(locale)).await
}

fn unknown(field: &str) -> Error {
    Error::bad_request("invalid_value", field, "this is none of the choices")
}
