//! `GET` and `PUT /orders/{id}/notifications`: who is told what happens to the order.

use aisle_domain::contact::{self, Channel, Purpose};
use aisle_domain::invite::Scope;
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::idempotency::Claim;
use aisle_store::messages::forgotten;
use aisle_store::{Batch, Consent, changes, limit, values};
use aisle_ucp::order::actions::{
    ContactChoice, ContactView, NotificationChoices, Notifications, hint,
};
use aisle_words::Locale;

use crate::access::Visit;
use crate::facts::{Contact, Facts, look, proved};

/// New addresses of one order, at most, …
const MOST: i64 = 10;
/// … within this long.
const WINDOW_MS: i64 = 86_400_000;

/// What one choice comes to.
enum Change<'a> {
    Off,
    /// An address that it had before.
    On(&'a str),
    New {
        address: String,
        consent: &'a str,
    },
}

pub async fn show(call: &Call, id: &str) -> Result<Reply, Error> {
    let visit = Visit::open(call, id).await?;
    let facts = Facts::read(&visit, None).await?;
    Reply::json(200, &view(&visit, &facts.contacts, &[]))
}

pub async fn choose(call: &Call, id: &str) -> Result<Reply, Error> {
    let visit = Visit::open(call, id).await?;
    let body = call.body().await?;
    let choices: NotificationChoices = call.parse(&body)?;
    let claim = call.claim(&visit.brand.id, &format!("notifications/{id}"), &body)?;
    let locale = call.header("accept-language").and_then(Locale::negotiate);
    carry_out(&visit, claim.as_ref(), &choices, locale).await
}

/// The same for a page, in whose language the news will be.
pub async fn carry_out(
    visit: &Visit<'_>,
    claim: Option<&Claim>,
    choices: &NotificationChoices,
    locale: Option<Locale>,
) -> Result<Reply, Error> {
    choices.check().map_err(Error::invalid_member)?;
    let facts = match look(visit, claim).await? {
        Ok(facts) => facts,
        Err(reply) => return Ok(reply),
    };
    let mut planned = Vec::new();
    for (index, choice) in choices.contacts.iter().enumerate() {
        planned.push((choice.channel, plan(visit, &facts, choice, index)?));
    }
    let answer = Answer::new(200, &view(visit, &facts.contacts, &planned))?;
    let mut batch = command::begin(claim, &answer);
    let limited = batch.len();
    if planned
        .iter()
        .any(|(_, change)| matches!(change, Change::New { .. }))
    {
        let name = format!("order-contact/{}/{}", visit.brand.id, visit.order_id);
        limit::spend(&mut batch, &name, MOST, WINDOW_MS);
    }
    let brand_language = Locale::parse(&visit.brand.language).unwrap_or_default();
    let locale = locale.unwrap_or(brand_language);
    let mut asked = Vec::new();
    for (channel, change) in &planned {
        asked.extend(write(&mut batch, visit, &facts, (*channel, change), locale));
    }
    changes::of_order(&mut batch, &visit.brand.id, visit.order_id);
    let is_new = limited < batch.len() && !asked.is_empty();
    match command::commit(visit.call, claim, answer, batch).await? {
        Committed::Done(reply) => {
            notify_relay();
            Ok(reply)
        }
        Committed::Replayed(reply) => Ok(reply),
        Committed::Unmet(error) if is_new && error.unmet_at(limited) => Err(too_many()),
        Committed::Unmet(error) if asked.iter().any(|at| error.unmet_at(*at)) => Err(opted_out()),
        Committed::Unmet(_) => Err(command::raced()),
    }
}

fn plan<'a>(
    visit: &Visit<'_>,
    facts: &'a Facts,
    choice: &'a ContactChoice,
    index: usize,
) -> Result<Change<'a>, Error> {
    if !choice.active {
        return Ok(Change::Off);
    }
    let Some(address) = &choice.address else {
        let of_channel = |contact: &&Contact| contact.channel == choice.channel.name();
        let mut known = facts.contacts.iter().filter(of_channel);
        let active = known.clone().find(|contact| contact.active);
        let contact = active.or(known.next()).ok_or_else(no_contact)?;
        if contact.opted_out {
            return Err(opted_out());
        }
        return Ok(Change::On(&contact.address));
    };
    let normal = match choice.channel {
        Channel::Sms => visit
            .brand
            .phone(address, &visit.brand.country)
            .map(|phone| phone.e164),
        Channel::Email => contact::email(address),
    };
    let address = normal.map_err(|wrong| {
        let path = format!("$.contacts[{index}].address");
        Error::unprocessable(wrong.code, &path, wrong.detail)
    })?;
    let consent = choice.consent.as_ref();
    Ok(Change::New {
        address,
        consent: consent.map_or("", |consent| consent.version.as_str()),
    })
}

/// The statement that is unmet when the new address's owner said STOP and the shopper is to
/// know. Whoever is not to know is never told that nothing is sent.
fn write(
    batch: &mut Batch,
    visit: &Visit<'_>,
    facts: &Facts,
    (channel, change): (Channel, &Change<'_>),
    locale: Locale,
) -> Option<usize> {
    let (brand_id, order_id) = (&visit.brand.id, visit.order_id);
    batch.add(
        "UPDATE order_contact SET ended_at_ms = {now} \
         WHERE brand_id = ?1 AND order_id = ?2 AND channel = ?3 AND ended_at_ms IS NULL",
        values![brand_id, order_id, channel.name()],
    );
    match change {
        Change::Off => {
            let ended = facts
                .contacts
                .iter()
                .filter(|known| known.active && known.channel == channel.name());
            for known in ended {
                let word = (known.address.as_str(), false, "");
                consent(batch, visit, channel, word);
            }
            None
        }
        Change::On(address) => {
            batch.expect(
                1,
                "UPDATE order_contact SET ended_at_ms = NULL \
                 WHERE brand_id = ?1 AND order_id = ?2 AND channel = ?3 AND address = ?4",
                values![brand_id, order_id, channel.name(), *address],
            );
            consent(batch, visit, channel, (address, true, ""));
            None
        }
        Change::New {
            address,
            consent: version,
        } => {
            let asked = batch.len();
            batch.expect(
                1,
                "INSERT INTO order_contact (brand_id, order_id, channel, address, locale, created_at_ms) \
                 SELECT o.brand_id, o.id, ?3, ?4, ?5, {now} FROM customer_order o \
                 WHERE o.brand_id = ?1 AND o.id = ?2 AND NOT EXISTS (SELECT 1 FROM opt_out s \
                   WHERE s.brand_id = ?1 AND s.channel = ?3 AND s.address IN (?4, ?6) AND (?7 = 1 OR {proved})) \
                 ON CONFLICT (brand_id, order_id, channel, address) DO UPDATE \
                 SET ended_at_ms = NULL, locale = excluded.locale, created_at_ms = excluded.created_at_ms"
                    .replace("{proved}", &proved("?4")),
                values![
                    brand_id,
                    order_id,
                    channel.name(),
                    address,
                    locale.tag(),
                    forgotten(brand_id, channel, address),
                    i64::from(facts.is_of_the_shopper(address))
                ],
            );
            consent(batch, visit, channel, (address, true, version));
            Some(asked)
        }
    }
}

fn consent(
    batch: &mut Batch,
    visit: &Visit<'_>,
    channel: Channel,
    (address, given, version): (&str, bool, &str),
) {
    let word = Consent {
        brand_id: &visit.brand.id,
        channel,
        address,
        purpose: Some(Purpose::Update),
        wording_version: version,
        given,
        source: "page",
        about: Some((Scope::Order, visit.order_id)),
    };
    word.record(batch);
}

/// The contacts as the changes leave them.
fn view(
    visit: &Visit<'_>,
    contacts: &[Contact],
    changes: &[(Channel, Change<'_>)],
) -> Notifications {
    let mut shown = Vec::new();
    for contact in contacts {
        let Some(channel) = Channel::parse(&contact.channel) else {
            continue;
        };
        let change = changes.iter().find(|(changed, _)| *changed == channel);
        let replaced = |(_, change): &(Channel, Change<'_>)| matches!(change, Change::New { address, .. } if *address == contact.address);
        if change.is_some_and(replaced) {
            continue;
        }
        let active = match change.map(|(_, change)| change) {
            None => contact.active && !contact.opted_out,
            Some(Change::On(address)) => *address == contact.address,
            Some(Change::Off | Change::New { .. }) => false,
        };
        shown.push(ContactView {
            channel,
            address_hint: hint(channel, &contact.address),
            active,
        });
    }
    for (channel, change) in changes {
        if let Change::New { address, .. } = change {
            shown.push(ContactView {
                channel: *channel,
                address_hint: hint(*channel, address),
                active: true,
            });
        }
    }
    Notifications {
        order_id: visit.order_id.to_owned(),
        contacts: shown,
    }
}

fn no_contact() -> Error {
    let detail = "there is no address on this channel yet; give one, with its owner's consent";
    Error::conflict("no_contact", detail)
}

fn opted_out() -> Error {
    let detail = "the owner of this address said STOP; only START from there lifts that";
    Error::conflict("opted_out", detail)
}

fn too_many() -> Error {
    let detail = format!("more than {MOST} new addresses in a day for one order");
    Error::new(429, "too_many_addresses", &detail).header("retry-after", "86400")
}
