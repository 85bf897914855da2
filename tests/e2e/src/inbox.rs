//! What shoppers were sent, as they find it on their phones and in their mail.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::Environment;

/// A text or a mail that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Of a mail.
    pub subject: Option<String>,
    pub text: String,
}

/// Everything that was sent to an address, the oldest first, after all that is due was sent.
pub async fn texts_to(aisle: &Environment, address: &str) -> Result<Vec<Text>> {
    aisle.send_messages().await?;
    let sql = format!(
        "SELECT subject, text FROM sandbox_message WHERE address = '{}' ORDER BY at_ms, id",
        address.replace('\'', "''")
    );
    let rows = aisle.database.rows(&sql).await?;
    let text = |row: Vec<Option<String>>| {
        let mut row = row.into_iter();
        let subject = row.next().flatten();
        let text = row.next().flatten().unwrap_or_default();
        Text { subject, text }
    };
    Ok(rows.into_iter().map(text).collect())
}

/// The latest code of six digits that was sent to an address.
pub async fn code_to(aisle: &Environment, address: &str) -> Result<String> {
    let texts = texts_to(aisle, address).await?;
    let latest = texts.iter().rev().find_map(|one| code_in(&one.text));
    latest.with_context(|| format!("no code in {texts:?}"))
}

/// The six digits that stand by themselves in a text.
pub fn code_in(text: &str) -> Option<String> {
    let mut words = text.split(|c: char| !c.is_ascii_digit());
    words.find(|word| word.len() == 6).map(str::to_owned)
}

/// The latest link that was sent to an address.
pub async fn link_to(aisle: &Environment, address: &str) -> Result<String> {
    let texts = texts_to(aisle, address).await?;
    let latest = texts.iter().rev().find_map(|one| {
        let mut words = one.text.split_whitespace();
        words.find(|word| word.starts_with("http"))
    });
    let latest = latest.map(str::to_owned);
    latest.with_context(|| format!("no link in {texts:?}"))
}

impl Environment {
    /// Plans and sends what is due at this moment by the database's clock.
    pub async fn send_messages(&self) -> Result<()> {
        const LOOKS: usize = 20_000;
        self.drain_outbox().await?;
        let relay = self.with_key(&self.relay_key);
        for _ in 0..LOOKS {
            let run = relay
                .post("/messages/housekeeping")
                .expect(200)
                .await?
                .json();
            let idle = run["planned"] == 0 && run["settled"] == 0;
            if idle && self.on_their_way().await? == 0 {
                return Ok(());
            }
        }
        anyhow::bail!("messages do not get through")
    }

    /// Messages that somebody else is sending, or will as soon as the one before has gone.
    async fn on_their_way(&self) -> Result<i64> {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        let sql = format!(
            "SELECT count(*) FROM message m, clock c WHERE m.status = 'sending' AND m.failure IS NULL \
             OR m.status = 'queued' AND m.next_attempt_at_ms <= {now_ms} + c.offset_ms \
               AND (m.purpose <> 'update' OR NOT EXISTS (SELECT 1 FROM message e WHERE e.order_id = m.order_id \
                 AND e.channel = m.channel AND e.address = m.address AND e.purpose = 'update' \
                 AND e.status IN ('queued', 'sending') AND (e.created_at_ms < m.created_at_ms \
                   OR e.created_at_ms = m.created_at_ms AND e.id < m.id)))"
        );
        self.database.number(&sql).await
    }
}
