//! Which brands have anything to forget: one question for all of them, answered by the
//! indexes on the ages, however much there is that is kept.

use std::rc::Rc;

use aisle_domain::brand::Brand;
use aisle_http::Call;
use aisle_store::{Dialect, Row, StoreError, values};
use serde_json::{Value, json};

use super::DAY_MS;

/// What of a brand's is past its time.
#[derive(Default)]
pub struct Due {
    pub chores: bool,
    pub carts: bool,
    pub documents: bool,
    pub words: bool,
    pub unused: bool,
    pub erasing: bool,
}

impl Due {
    fn of(row: &Row) -> Result<Self, StoreError> {
        let flag = |name: &str| Ok::<_, StoreError>(row.int(name)? == 1);
        Ok(Self {
            chores: flag("chores")?,
            carts: flag("carts")?,
            documents: flag("documents")?,
            words: flag("words")?,
            unused: flag("unused")?,
            erasing: flag("erasing")?,
        })
    }

    fn is_some(&self) -> bool {
        self.chores || self.carts || self.documents || self.words || self.unused || self.erasing
    }
}

/// The brands with something to forget: one call.
pub async fn read<'a>(
    call: &Call,
    brands: &'a [Rc<Brand>],
) -> Result<Vec<(&'a Brand, Due)>, StoreError> {
    let rules: Vec<Value> = brands.iter().map(|brand| rule(brand)).collect();
    let sql = sql(call.db().dialect());
    let rows = call
        .db()
        .recall(sql, values![Value::from(rules).to_string()])
        .await?;
    let mut found = Vec::new();
    for row in &rows {
        let (brand_id, due) = (row.text("brand_id")?, Due::of(row)?);
        let brand = brands.iter().find(|brand| brand.id == brand_id);
        if let Some(brand) = brand.filter(|_| due.is_some()) {
            found.push((&**brand, due));
        }
    }
    Ok(found)
}

/// How long the brand keeps each, in milliseconds, as the columns of [`AGES`].
fn rule(brand: &Brand) -> Value {
    let policy = &brand.policies.retention;
    json!({
        "brand_id": brand.id,
        "code": policy.code_days * DAY_MS,
        "session": policy.session_days * DAY_MS,
        "message": policy.message_days * DAY_MS,
        "cart": policy.cart_days * DAY_MS,
        "checkout": policy.checkout_days * DAY_MS,
        "placed": policy.order_days * DAY_MS,
        "hold": policy.hold_days * DAY_MS,
        "word": policy.consent_days * DAY_MS,
        "account": policy.unused_account_days * DAY_MS,
    })
}

const AGES: [&str; 9] = [
    "code", "session", "message", "cart", "checkout", "placed", "hold", "word", "account",
];

/// Of each kind of row: table, age, what is asked besides, and how long it is kept. They are
/// what `chores.rs` takes away.
const CHORES: [(&str, &str, &str, &str); 8] = [
    ("one_time_code", "expires_at_ms", "", "r.code"),
    ("customer_code", "expires_at_ms", "", "0"),
    ("sandbox_message", "at_ms", "", "r.message"),
    ("account_session", "expires_at_ms", "", "r.session"),
    ("account_session", "revoked_at_ms", "", "r.session"),
    (
        "message",
        "created_at_ms",
        " AND x.address <> '' AND x.status NOT IN ('queued', 'sending')",
        "r.message",
    ),
    (
        "invite",
        "expires_at_ms",
        " AND x.address <> ''",
        "r.message",
    ),
    (
        "checkout_session",
        "updated_at_ms",
        " AND x.status IN ('incomplete', 'ready_for_complete', 'canceled') AND x.expires_at_ms <= {now} - r.checkout \
         AND NOT EXISTS (SELECT 1 FROM customer_order o WHERE o.checkout_session_id = x.id)",
        "r.checkout",
    ),
];
const CARTS: [(&str, &str, &str, &str); 1] = [(
    "cart",
    "updated_at_ms",
    " AND x.expires_at_ms <= {now}",
    "r.cart",
)];
const WORDS: [(&str, &str, &str, &str); 2] = [
    ("consent", "at_ms", "", "r.word"),
    ("opt_out", "since_ms", "", "r.word"),
];
const UNUSED: [(&str, &str, &str, &str); 1] = [(
    "account",
    "last_seen_at_ms",
    " AND x.status = 'active'",
    "r.account",
)];
const ERASING: [(&str, &str, &str, &str); 1] = [(
    "account",
    "last_seen_at_ms",
    " AND x.status = 'erasing'",
    "0",
)];
/// Those that `documents.rs` goes through, from where it stopped.
const DOCUMENTS: [(&str, &str); 3] = [
    ("checkout_session", "r.checkout"),
    ("customer_order", "r.placed"),
    ("hold", "r.hold"),
];

fn sql(dialect: Dialect) -> String {
    let columns = AGES.map(|age| {
        dialect.pick(
            format!("value ->> '{age}' AS {age}"),
            format!("{age} BIGINT"),
        )
    });
    let rules = dialect.pick(
        format!(
            "(SELECT value ->> 'brand_id' AS brand_id, {} FROM json_each(?1))",
            columns.join(", ")
        ),
        format!(
            "jsonb_to_recordset(?1::jsonb) AS r (brand_id TEXT, {})",
            columns.join(", ")
        ),
    );
    let rules = dialect.pick(format!("{rules} r"), rules.clone());
    let documents = DOCUMENTS.map(|(table, age)| {
        let stopped = |column: &str, nothing: &str| {
            format!(
                "coalesce((SELECT p.{column} FROM retention_progress p WHERE p.brand_id = r.brand_id \
                 AND p.kind = '{table}'), {nothing})"
            )
        };
        format!(
            "EXISTS (SELECT 1 FROM {table} x WHERE x.brand_id = r.brand_id AND x.updated_at_ms <= {{now}} - {age} \
             AND (x.updated_at_ms, x.id) > ({}, {}))",
            stopped("up_to_ms", "0"),
            stopped("up_to_id", "''"),
        )
    });
    let flags = [
        ("chores", any(&CHORES)),
        ("carts", any(&CARTS)),
        ("documents", documents.join(" OR ")),
        ("words", any(&WORDS)),
        ("unused", any(&UNUSED)),
        ("erasing", any(&ERASING)),
    ];
    let flags =
        flags.map(|(name, exists)| format!("CASE WHEN {exists} THEN 1 ELSE 0 END AS {name}"));
    format!("SELECT r.brand_id, {} FROM {rules}", flags.join(", "))
}

fn any(kinds: &[(&str, &str, &str, &str)]) -> String {
    let exists = kinds.iter().map(|(table, age, besides, kept)| {
        format!(
            "EXISTS (SELECT 1 FROM {table} x WHERE x.brand_id = r.brand_id \
             AND x.{age} <= {{now}} - {kept}{besides})"
        )
    });
    exists.collect::<Vec<_>>().join(" OR ")
}
