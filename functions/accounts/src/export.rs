//! `GET /accounts/me/export`: everything that is kept about the person, as it is kept. What an
//! erasure takes is here, but for copies of it that are on their way (outbox, answers kept for
//! repetitions) and for what lets somebody in: codes, links and tokens.

use aisle_domain::instant::rfc3339;
use aisle_http::{Call, Error, Reply, shopper};
use aisle_store::{Batch, Dialect, Row, StatementResult, StoreError, values};
use aisle_ucp::account::Export;
use serde_json::{Map, Value};

use crate::account::{self, Known};
use crate::belongings;

/// Entries of a list, at most, the latest first.
const MAX_ENTRIES: i64 = 1_000;

/// Whatever has one of the account's addresses.
const BY_ADDRESS: &str = "EXISTS (SELECT 1 FROM account_identity i WHERE i.brand_id = ?1 AND i.account_id = ?2 \
     AND i.address = t.address)";

/// A list of the export.
struct List {
    name: &'static str,
    /// Times in milliseconds, documents as `doc`.
    columns: &'static [&'static str],
    /// From a table `t`, with the brand as `?1` and the account as `?2`.
    from: String,
    order: &'static str,
}

pub async fn export(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let shopper = shopper::signed_in(call, &brand.id).await?;
    let mut batch = Batch::new();
    let account = format!(
        "SELECT {{now}} AS now_ms, {} FROM account a WHERE a.brand_id = ?1 AND a.id = ?2 AND a.status = 'active'",
        account::columns(call.db().dialect())
    );
    batch.rows(account, values![&brand.id, &shopper.account_id]);
    let lists = lists(call.db().dialect());
    for list in &lists {
        let columns: Vec<String> = list
            .columns
            .iter()
            .map(|name| format!("t.{name}"))
            .collect();
        let sql = format!(
            "SELECT {} FROM {} ORDER BY {} DESC LIMIT ?3",
            columns.join(", "),
            list.from,
            list.order
        );
        batch.rows(
            sql,
            values![&brand.id, &shopper.account_id, MAX_ENTRIES + 1],
        );
    }
    call.db().begin_heavy("export").await;
    let results = batch.commit(call.db()).await?;
    let (account, rest) = results.split_first().ok_or_else(account::gone)?;
    let row = account.rows.first().ok_or_else(account::gone)?;
    let known = Known::of(row)?.ok_or_else(account::gone)?;
    let mut found = Found::of(&lists, rest)?;
    let export = Export {
        exported_at: rfc3339(row.int("now_ms")?),
        account: known.view(),
        sessions: found.take("sessions"),
        codes: found.take("codes"),
        orders: found.take("orders"),
        order_events: found.take("order_events"),
        order_contacts: found.take("order_contacts"),
        pickup_persons: found.take("pickup_persons"),
        presences: found.take("presences"),
        notices: found.take("notices"),
        returns: found.take("returns"),
        checkouts: found.take("checkouts"),
        carts: found.take("carts"),
        cart_versions: found.take("cart_versions"),
        holds: found.take("holds"),
        consents: found.take("consents"),
        opt_outs: found.take("opt_outs"),
        invites: found.take("invites"),
        messages: found.take("messages"),
        cut_short: found.cut_short,
    };
    let reply = Reply::json(200, &export)?;
    Ok(reply.header(
        "content-disposition",
        "attachment; filename=\"account.json\"",
    ))
}

fn lists(dialect: Dialect) -> Vec<List> {
    let orders = belongings::orders(dialect);
    let checkouts = belongings::checkouts(dialect);
    let carts = belongings::carts(dialect);
    let by_id = |table: &str, ids: &str| {
        format!("{table} t WHERE t.brand_id || '' = ?1 AND t.id IN ({ids})")
    };
    let of_orders =
        |table: &str| format!("{table} t WHERE t.brand_id = ?1 AND t.order_id IN ({orders})");
    let invited = format!(
        "(t.account_id = ?2 OR t.claimed_by = ?2 OR t.scope = 'account' AND t.subject_id = ?2 \
          OR t.scope = 'order' AND t.subject_id IN ({orders}) OR t.scope = 'cart' AND t.subject_id IN ({carts}) \
          OR {BY_ADDRESS})"
    );
    let list = |name, columns, from, order| List {
        name,
        columns,
        from,
        order,
    };
    vec![
        list(
            "sessions",
            &[
                "id",
                "device_name",
                "created_at_ms",
                "last_used_at_ms",
                "expires_at_ms",
                "revoked_at_ms",
            ],
            "account_session t WHERE t.brand_id = ?1 AND t.account_id = ?2".into(),
            "t.created_at_ms",
        ),
        list(
            "codes",
            &[
                "kind",
                "address",
                "created_at_ms",
                "expires_at_ms",
                "used_at_ms",
            ],
            format!("one_time_code t WHERE t.brand_id = ?1 AND {BY_ADDRESS}"),
            "t.created_at_ms",
        ),
        list(
            "orders",
            &["id", "number", "status", "created_at_ms", "doc"],
            by_id("customer_order", &orders),
            "t.id",
        ),
        list(
            "order_events",
            &["order_id", "type", "occurred_at_ms", "doc"],
            of_orders("order_event"),
            "t.occurred_at_ms",
        ),
        list(
            "order_contacts",
            &[
                "order_id",
                "channel",
                "address",
                "locale",
                "created_at_ms",
                "ended_at_ms",
            ],
            format!(
                "order_contact t WHERE t.brand_id = ?1 AND (t.order_id IN ({orders}) OR {BY_ADDRESS})"
            ),
            "t.created_at_ms",
        ),
        list(
            "pickup_persons",
            &["order_id", "name", "set_at_ms"],
            of_orders("pickup_person"),
            "t.set_at_ms",
        ),
        list(
            "presences",
            &[
                "order_id",
                "location_id",
                "state",
                "signal",
                "consent_version",
                "reported_at_ms",
                "expires_at_ms",
            ],
            of_orders("presence"),
            "t.reported_at_ms",
        ),
        list(
            "notices",
            &["order_id", "type", "occurred_at_ms", "done_at_ms", "doc"],
            of_orders("notice"),
            "t.occurred_at_ms",
        ),
        list(
            "returns",
            &[
                "id",
                "order_id",
                "status",
                "created_at_ms",
                "updated_at_ms",
                "doc",
            ],
            of_orders("return_request"),
            "t.created_at_ms",
        ),
        list(
            "checkouts",
            &["id", "status", "updated_at_ms", "doc"],
            by_id("checkout_session", &checkouts),
            "t.id",
        ),
        list(
            "carts",
            &["id", "status", "updated_at_ms", "doc"],
            by_id("cart", &carts),
            "t.id",
        ),
        list(
            "cart_versions",
            &["cart_id", "at_ms", "doc"],
            format!("cart_version t WHERE t.brand_id = ?1 AND t.cart_id IN ({carts})"),
            "t.at_ms",
        ),
        list(
            "holds",
            &[
                "id",
                "number",
                "location_id",
                "status",
                "created_at_ms",
                "expires_at_ms",
                "doc",
            ],
            by_id("hold", &belongings::holds(dialect)),
            "t.id",
        ),
        list(
            "consents",
            &[
                "channel",
                "address",
                "purpose",
                "wording_version",
                "decision",
                "source",
                "at_ms",
            ],
            format!(
                "consent t WHERE t.brand_id = ?1 AND (t.id IN ({}) OR {BY_ADDRESS})",
                belongings::consents(dialect)
            ),
            "t.at_ms",
        ),
        // Whether a number wants no texts is told to whoever proved that it is theirs, only.
        list(
            "opt_outs",
            &["channel", "address", "since_ms"],
            format!("opt_out t WHERE t.brand_id = ?1 AND {BY_ADDRESS}"),
            "t.since_ms",
        ),
        list(
            "invites",
            &[
                "id",
                "scope",
                "subject_id",
                "channel",
                "address",
                "created_at_ms",
                "expires_at_ms",
                "opened_at_ms",
                "claimed_at_ms",
                "revoked_at_ms",
            ],
            format!("invite t WHERE t.brand_id = ?1 AND {invited}"),
            "t.created_at_ms",
        ),
        list(
            "messages",
            &[
                "id",
                "channel",
                "address",
                "purpose",
                "template",
                "locale",
                "order_id",
                "status",
                "failure",
                "created_at_ms",
                "updated_at_ms",
            ],
            format!(
                "message t WHERE t.brand_id = ?1 AND (t.account_id = ?2 OR t.order_id IN ({orders}) OR {BY_ADDRESS} \
                 OR t.invite_id IN (SELECT t.id FROM invite t WHERE t.brand_id = ?1 AND {invited}))"
            ),
            "t.created_at_ms",
        ),
    ]
}

/// The lists by their names.
struct Found {
    lists: Vec<(&'static str, Vec<Value>)>,
    cut_short: Vec<String>,
}

impl Found {
    fn of(lists: &[List], results: &[StatementResult]) -> Result<Self, StoreError> {
        let mut found = Self {
            lists: Vec::new(),
            cut_short: Vec::new(),
        };
        for (list, result) in lists.iter().zip(results) {
            let most = MAX_ENTRIES as usize;
            if result.rows.len() > most {
                found.cut_short.push(list.name.into());
            }
            let entries = result.rows.iter().take(most);
            let entries = entries
                .map(|row| entry(list, row))
                .collect::<Result<_, _>>()?;
            found.lists.push((list.name, entries));
        }
        Ok(found)
    }

    fn take(&mut self, name: &str) -> Vec<Value> {
        let list = self.lists.iter_mut().find(|(known, _)| *known == name);
        list.map(|(_, entries)| std::mem::take(entries))
            .unwrap_or_default()
    }
}

fn entry(list: &List, row: &Row) -> Result<Value, StoreError> {
    let mut entry = Map::new();
    for column in list.columns {
        let (name, value) = match column.strip_suffix("_ms") {
            Some(name) => (name, row.int_opt(column)?.map(rfc3339).map(Value::from)),
            None if *column == "doc" => ("document", row.json_opt("doc")?),
            None => (*column, row.text_opt(column)?.map(Value::from)),
        };
        if let Some(value) = value {
            entry.insert(name.into(), value);
        }
    }
    Ok(Value::Object(entry))
}
