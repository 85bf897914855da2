//! How a checkout is paid: the handlers on offer and what completes a checkout.
//!
//! The only handler so far is a sandbox. It moves no money; the token of its credential
//! says what becomes of the payment: `tok_success`, `tok_fail` or `tok_unavailable`; and
//! `tok_refund_refused` or `tok_refund_unavailable` pay but do not go back.

use aisle_domain::notice::{Notice, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::UCP_VERSION;
use crate::cart::{text, text_opt};

/// The sandbox's name among `ucp.payment_handlers`. It belongs to a domain that is
/// reserved for examples (RFC 2606), since it is not a handler of anybody's.
pub const SANDBOX: &str = "com.example.sandbox_payment";
/// The `handler_id` of instruments for the sandbox.
pub const SANDBOX_HANDLER_ID: &str = "sandbox";
const MAX_INSTRUMENTS: usize = 10;

/// The handlers that a brand's profile and its checkouts declare (`payment_handler.json`).
pub fn payment_handlers() -> Value {
    json!({SANDBOX: [{
        "id": SANDBOX_HANDLER_ID,
        "version": UCP_VERSION,
        "available_instruments": [{"type": "card"}],
        "config": {"environment": "sandbox"},
    }]})
}

/// Complete a checkout session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CompleteRequest {
    /// Required.
    #[serde(default)]
    pub payment: Option<PaymentRequest>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentRequest {
    /// Exactly one.
    #[serde(default)]
    pub instruments: Vec<Instrument>,
}

/// A payment instrument (`types/payment_instrument.json`). It is never kept or shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Instrument {
    #[serde(deserialize_with = "text")]
    pub id: String,
    #[serde(deserialize_with = "text")]
    pub handler_id: String,
    #[serde(rename = "type", deserialize_with = "text")]
    pub kind: String,
    #[serde(default)]
    pub credential: Option<Credential>,
}

/// A token that the handler made (`types/token_credential.json`).
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Credential {
    #[serde(rename = "type", deserialize_with = "text")]
    pub kind: String,
    #[serde(default, deserialize_with = "text_opt")]
    pub token: Option<String>,
}

/// Says no more than which handler is meant: a credential belongs in no log.
impl std::fmt::Debug for Instrument {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Instrument")
            .field("handler_id", &self.handler_id)
            .finish_non_exhaustive()
    }
}

impl CompleteRequest {
    /// Refused: no payment at all.
    pub fn into_payment(self) -> Result<PaymentRequest, Refusal> {
        let missing = || Refusal::new("missing", "$.payment", "payment is required");
        self.payment.ok_or_else(missing)
    }
}

impl PaymentRequest {
    /// The one instrument, and its token. Otherwise what is wrong with the payment
    /// (UCP overview, "Instrument Cardinality"; payment guide, "Validate handler_id").
    pub fn token(&self) -> Result<&str, Notice> {
        let failed = |path: &str, text: &str| Err(Notice::error("payment_failed", path, text));
        let instrument = match &self.instruments[..] {
            [instrument] => instrument,
            [] => return failed("$.payment.instruments", "A payment instrument is needed."),
            many if many.len() > MAX_INSTRUMENTS => {
                return failed("$.payment.instruments", "These are too many.");
            }
            _ => {
                return failed(
                    "$.payment.instruments",
                    "Only one payment instrument can be used.",
                );
            }
        };
        if instrument.handler_id != SANDBOX_HANDLER_ID {
            return failed(
                "$.payment.instruments[0].handler_id",
                "No handler on offer has this id.",
            );
        }
        match instrument
            .credential
            .as_ref()
            .and_then(|credential| credential.token.as_deref())
        {
            Some(token) => Ok(token),
            None => failed(
                "$.payment.instruments[0].credential.token",
                "The credential has no token.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payment(instruments: Value) -> PaymentRequest {
        serde_json::from_value(json!({"instruments": instruments})).unwrap()
    }

    fn instrument(handler_id: &str, credential: Value) -> Value {
        json!({"id": "pi_1", "handler_id": handler_id, "type": "card", "credential": credential})
    }

    #[test]
    fn exactly_one_instrument_of_a_handler_on_offer_pays() {
        let good = instrument(
            SANDBOX_HANDLER_ID,
            json!({"type": "token", "token": "tok_success"}),
        );
        assert_eq!(payment(json!([good])).token(), Ok("tok_success"));
        let bad = [
            (json!([]), "$.payment.instruments"),
            (json!([good, good]), "$.payment.instruments"),
            (
                json!([instrument("elsewhere", json!(null))]),
                "$.payment.instruments[0].handler_id",
            ),
            (
                json!([instrument(SANDBOX_HANDLER_ID, json!({"type": "token"}))]),
                "$.payment.instruments[0].credential.token",
            ),
        ];
        for (instruments, path) in bad {
            let notice = payment(instruments).token().unwrap_err();
            assert_eq!(
                (notice.code.as_str(), notice.path.as_deref()),
                ("payment_failed", Some(path))
            );
        }
    }

    #[test]
    fn no_credential_is_printed() {
        let secret = instrument(
            SANDBOX_HANDLER_ID,
            json!({"type": "token", "token": "tok_secret"}),
        );
        assert!(!format!("{:?}", payment(json!([secret]))).contains("secret"));
    }
}
