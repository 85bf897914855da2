//! People at tills and with scanners, let in past the sign-on.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::{Client, Environment};

/// A person who signed on at a device.
pub struct SignedOn {
    /// Talks under the brand's host, with the session's token.
    pub client: Client,
    pub token: String,
    pub staff_id: String,
    pub device_id: String,
    pub location_id: String,
}

impl Environment {
    /// Somebody new at a new device of the location, under the brand of `host`; both may do
    /// what `scopes` say, separated by spaces.
    pub async fn staff(&self, host: &str, location_id: &str, scopes: &str) -> Result<SignedOn> {
        let [staff_id, device_id, token] =
            std::array::from_fn(|_| uuid::Uuid::now_v7().to_string());
        let brand = format!("SELECT brand_id FROM brand_host WHERE host = '{host}'");
        let brand = self.database.rows(&brand).await?;
        let brand_id = brand
            .first()
            .and_then(|row| row.first()?.clone())
            .with_context(|| format!("no brand trades under {host}"))?;
        let hash = sha256(&token);
        for insert in [
            format!(
                "INSERT INTO device (id, brand_id, location_id, name, token_hash, scopes, created_at_ms) \
                 VALUES ('{device_id}', '{brand_id}', '{location_id}', 'Till {device_id}', '{}', '{scopes}', 0)",
                sha256(&device_id)
            ),
            format!(
                "INSERT INTO staff (id, brand_id, code, name, pin_hash, scopes, created_at_ms) \
                 VALUES ('{staff_id}', '{brand_id}', '{staff_id}', 'Kim', '', '{scopes}', 0)"
            ),
            format!(
                "INSERT INTO staff_session (token_hash, brand_id, staff_id, device_id, created_at_ms, expires_at_ms) \
                 VALUES ('{hash}', '{brand_id}', '{staff_id}', '{device_id}', 0, 9000000000000000)"
            ),
        ] {
            self.database.rows(&insert).await?;
        }
        let client =
            Client::new(self.addr(), host).with_header("authorization", &format!("Bearer {token}"));
        Ok(SignedOn {
            client,
            token,
            staff_id,
            device_id,
            location_id: location_id.into(),
        })
    }
}

fn sha256(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
