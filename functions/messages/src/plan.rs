//! From what happened to orders to messages: once per event and channel, and in one message
//! what happened within the brand's window.

use std::collections::BTreeMap;

use aisle_domain::brand::Brand;
use aisle_domain::contact::{self, Channel, Purpose};
use aisle_domain::fulfillment::Destination;
use aisle_domain::notification::{News, Recipients, outdated_by, told};
use aisle_domain::order::Order;
use aisle_http::{Call, Error};
use aisle_store::changes::Kind;
use aisle_store::messages::{self, NewMessage};
use aisle_store::{Batch, BatchError, Row, StoreError, changes, values};
use serde_json::{Value, json};

use crate::fallback::notice_key;

/// Orders whose news are planned in one run, and news of all of them, at most.
const RUN_ORDERS: i64 = 20;
const RUN_NEWS: i64 = 200;
/// Addresses that are told of one order, at most, the oldest first: nobody's order takes the
/// place of others in a run.
const ORDER_CONTACTS: i64 = 20;
/// News that could not be sent for so long are none.
const LIFETIME_MS: i64 = 2 * 86_400_000;

const CONFIRMED: &str = "order.confirmed";

/// A row of table `notice`.
struct Notice {
    event_id: String,
    brand_id: String,
    order_id: String,
    news: News,
    occurred_at_ms: i64,
    now_ms: i64,
}

/// Who wants news of an order.
struct Contact {
    channel: Channel,
    address: String,
    locale: String,
}

/// An order with its contacts.
struct Told {
    order: Option<Order>,
    /// Whose order it is.
    account_id: Option<String>,
    contacts: Vec<Contact>,
}

/// Plans what is due; answers how many messages that made.
pub async fn run(call: &Call) -> Result<usize, Error> {
    let notices = due(call).await?;
    if notices.is_empty() {
        return Ok(0);
    }
    let brands = call.model().brands().await?;
    let mut orders = orders(call, &notices).await?;
    let mut by_order = BTreeMap::<(String, String), Vec<Notice>>::new();
    for notice in notices {
        let key = (notice.brand_id.clone(), notice.order_id.clone());
        by_order.entry(key).or_default().push(notice);
    }
    let mut planned = 0;
    for ((brand_id, order_id), notices) in by_order {
        let brand = brands.iter().find(|brand| brand.id == brand_id);
        let told = orders.remove(&order_id);
        // Where it is lost the news are there again, to be planned once more.
        let mut batch = Batch::new();
        batch.may_be_lost();
        planned += match (brand, told) {
            (
                Some(brand),
                Some(Told {
                    order: Some(order),
                    account_id,
                    contacts,
                }),
            ) => Plan {
                brand,
                order: &order,
                account_id,
                contacts,
                batch: &mut batch,
            }
            .of(&notices),
            _ => {
                done(&mut batch, &notices.iter().collect::<Vec<_>>());
                0
            }
        };
        match batch.commit(call.db()).await {
            // Another run was faster with this order.
            Ok(_) | Err(BatchError::Unmet { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(planned)
}

/// All that is not told yet of orders of which something is due, in the order in which it
/// happened.
async fn due(call: &Call) -> Result<Vec<Notice>, Error> {
    let orders = call.db().dialect().among_few(
        "SELECT d.order_id FROM notice d WHERE d.done_at_ms IS NULL AND d.due_at_ms <= {now} ORDER BY d.due_at_ms LIMIT ?1",
    );
    let sql = format!(
        "SELECT n.event_id, n.brand_id, n.order_id, n.type, n.doc, n.occurred_at_ms, {{now}} AS now_ms FROM notice n \
         WHERE n.done_at_ms IS NULL AND n.order_id {orders} ORDER BY n.occurred_at_ms, n.event_id LIMIT ?2"
    );
    let rows = call.db().recall(sql, values![RUN_ORDERS, RUN_NEWS]).await?;
    rows.iter()
        .map(|row| Notice::of(row).map_err(Error::from))
        .collect()
}

/// The orders as they are now, by id.
async fn orders(call: &Call, notices: &[Notice]) -> Result<BTreeMap<String, Told>, Error> {
    let wanted = call.db().dialect().among("?1");
    let sql = format!(
        "SELECT o.id, o.doc, a.account_id, k.channel, k.address, k.locale FROM customer_order o \
         LEFT JOIN account_order a ON a.brand_id = o.brand_id AND a.order_id = o.id \
         LEFT JOIN (SELECT brand_id, order_id, channel, address, locale, row_number() OVER \
             (PARTITION BY brand_id, order_id ORDER BY created_at_ms, channel, address) AS place \
           FROM order_contact WHERE order_id {wanted} AND ended_at_ms IS NULL) k \
           ON k.brand_id = o.brand_id AND k.order_id = o.id AND k.place <= ?2 \
         WHERE o.id {wanted} ORDER BY o.id, k.place"
    );
    let ids: Vec<&str> = notices.iter().map(|one| one.order_id.as_str()).collect();
    let rows = call
        .db()
        .recall(sql, values![Value::from(ids).to_string(), ORDER_CONTACTS])
        .await?;
    let mut orders = BTreeMap::new();
    for row in &rows {
        let told = match orders.entry(row.text("id")?) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => entry.insert(Told {
                order: Some(row.json("doc")?),
                account_id: row.text_opt("account_id")?,
                contacts: Vec::new(),
            }),
        };
        told.contacts.extend(Contact::of(row)?);
    }
    Ok(orders)
}

impl Notice {
    fn of(row: &Row) -> Result<Self, StoreError> {
        let kind = row.text("type")?;
        // An update says in its document what it is.
        let news = match kind.as_str() {
            "order.updated" => row.json("doc").unwrap_or_default(),
            _ => News {
                kind,
                ..News::default()
            },
        };
        Ok(Self {
            event_id: row.text("event_id")?,
            brand_id: row.text("brand_id")?,
            order_id: row.text("order_id")?,
            news,
            occurred_at_ms: row.int("occurred_at_ms")?,
            now_ms: row.int("now_ms")?,
        })
    }
}

impl Contact {
    fn of(row: &Row) -> Result<Option<Self>, StoreError> {
        let Some(channel) = row.text_opt("channel")? else {
            return Ok(None);
        };
        let Some(channel) = Channel::parse(&channel) else {
            return Ok(None);
        };
        Ok(Some(Self {
            channel,
            address: row.text("address")?,
            locale: row.text("locale")?,
        }))
    }
}

/// The messages about one order.
struct Plan<'a> {
    brand: &'a Brand,
    order: &'a Order,
    account_id: Option<String>,
    contacts: Vec<Contact>,
    batch: &'a mut Batch,
}

impl Plan<'_> {
    /// What must not wait is told by itself, after what happened before it; the rest together
    /// once its window is over.
    fn of(mut self, notices: &[Notice]) -> usize {
        let policy = &self.brand.policies.notification;
        let at_once = |one: &Notice| {
            let mut rules = policy
                .rules
                .iter()
                .filter(|rule| rule.event == one.news.kind);
            rules.any(|rule| rule.at_once)
        };
        let mut planned = 0;
        let mut waiting = Vec::new();
        for one in notices {
            if at_once(one) {
                planned += self.tell(&std::mem::take(&mut waiting)) + self.tell(&[one]);
            } else {
                waiting.push(one);
            }
        }
        if let Some(oldest) = waiting.first() {
            let over_at_ms = oldest.occurred_at_ms + policy.collapse_seconds * 1_000;
            if over_at_ms > oldest.now_ms {
                postpone(self.batch, &waiting, over_at_ms);
            } else {
                planned += self.tell(&waiting);
            }
        }
        planned
    }

    fn tell(&mut self, notices: &[&Notice]) -> usize {
        let Some(latest) = notices.last() else {
            return 0;
        };
        done(self.batch, notices);
        if notices.iter().any(|one| one.news.kind == CONFIRMED) {
            self.add_buyer();
        }
        let news: Vec<News> = notices.iter().map(|one| one.news.clone()).collect();
        let mut planned = 0;
        for channel in [Channel::Sms, Channel::Email] {
            let policy = &self.brand.policies.notification;
            let Some(rule) = told(&policy.rules, &news, channel) else {
                continue;
            };
            let (template, to) = (rule.template.clone(), rule.to);
            let addressed = self.contacts.iter().filter(|one| one.channel == channel);
            let addressed: Vec<&Contact> = addressed
                .filter(|one| to == Recipients::Everybody || self.is_buyer(one))
                .collect();
            planned += addressed.len();
            for contact in addressed {
                let about = (self.order, self.account_id.as_deref());
                let said = (contact, template.as_str());
                write(self.batch, self.brand, about, said, &latest.event_id);
            }
        }
        planned
    }

    /// The buyer's mail address, where the brand tells buyers what happens to their orders.
    fn add_buyer(&mut self) {
        if !self.brand.policies.notification.email_buyer {
            return;
        }
        let Some(address) = self.buyers_mail() else {
            return;
        };
        self.batch.add(
            "INSERT INTO order_contact (brand_id, order_id, channel, address, locale, created_at_ms) \
             VALUES (?1, ?2, 'email', ?3, ?4, {now}) ON CONFLICT DO NOTHING",
            values![&self.brand.id, &self.order.id, &address, &self.brand.language],
        );
        let known = |one: &Contact| one.channel == Channel::Email && one.address == address;
        if !self.contacts.iter().any(known) {
            let locale = self.brand.language.clone();
            self.contacts.push(Contact {
                channel: Channel::Email,
                address,
                locale,
            });
        }
    }

    fn buyers_mail(&self) -> Option<String> {
        contact::email(self.order.buyer.email.as_deref()?).ok()
    }

    fn is_buyer(&self, one: &Contact) -> bool {
        match one.channel {
            Channel::Sms => self.order.buyer.phone_number.as_deref() == Some(&one.address),
            Channel::Email => self.buyers_mail().as_deref() == Some(&one.address),
        }
    }
}

fn write(
    batch: &mut Batch,
    brand: &Brand,
    (order, account_id): (&Order, Option<&str>),
    (contact, template): (&Contact, &str),
    event_id: &str,
) {
    let channel = contact.channel.name();
    let outdated = outdated_by(template);
    if !outdated.is_empty() {
        let waiting = format!(
            "m.brand_id = ?1 AND m.order_id = ?2 AND m.channel = ?3 AND m.address = ?4 AND m.purpose = 'update' \
             AND m.status = 'queued' AND m.template IN ('{}')",
            outdated.join("', '")
        );
        let params = values![&brand.id, &order.id, channel, &contact.address];
        changes::of_messages(batch, &waiting, params.clone());
        batch.add(
            format!(
                "UPDATE message SET status = 'suppressed', failure = 'outdated', params = '{{}}', updated_at_ms = {{now}} \
                 WHERE id IN (SELECT m.id FROM message m WHERE {waiting})"
            ),
            params,
        );
    }
    let key = notice_key(&format!("notice/{event_id}"), channel, &contact.address);
    let message = NewMessage {
        brand_id: &brand.id,
        dedup_key: &key,
        channel: contact.channel,
        address: &contact.address,
        purpose: Purpose::Update,
        template,
        locale: &contact.locale,
        params: params(brand, order).to_string(),
        order_id: Some(&order.id),
        account_id,
        invite_id: None,
        expires_in_ms: LIFETIME_MS,
    };
    let id = messages::enqueue(batch, &message);
    if let Some(account_id) = account_id {
        changes::of_account(batch, &brand.id, account_id, (Kind::Notice, &id), false);
    }
}

/// The order as it is now: the latest state is what is told.
fn params(brand: &Brand, order: &Order) -> Value {
    let mut params = json!({
        "number": order.number,
        "link": format!("{}/my/orders/{}", brand.public_origin(), order.id),
    });
    let pickup = order.pickup().map(|expected| &expected.destination);
    if let Some(Destination::Store(store)) = pickup {
        params["store"] = json!(store.name);
        params["time_zone"] = json!(store.time_zone);
        params["ready_at_ms"] = json!(store.ready_at_ms);
        params["pickup_by_ms"] = json!(store.pickup_by_ms);
    }
    params
}

fn done(batch: &mut Batch, notices: &[&Notice]) {
    for one in notices {
        batch.expect(
            1,
            "UPDATE notice SET done_at_ms = {now} WHERE event_id = ?1 AND done_at_ms IS NULL",
            values![&one.event_id],
        );
    }
}

fn postpone(batch: &mut Batch, notices: &[&Notice], until_ms: i64) {
    for one in notices {
        batch.add(
            "UPDATE notice SET due_at_ms = ?2 WHERE event_id = ?1 AND done_at_ms IS NULL",
            values![&one.event_id, until_ms],
        );
    }
}
