//! What Twilio calls back: signed with the account's token, for a brand by its host.

pub mod inbound;
mod signature;
pub mod status;

use std::rc::Rc;

use aisle_domain::brand::Brand;
use aisle_http::{Call, Error};

use crate::provider::variable;

/// Bytes of a callback, at most.
const MAX_BYTES: usize = 16 << 10;
const MAX_CHARS: usize = 2_000;

/// A callback that is Twilio's.
struct Callback {
    brand: Rc<Brand>,
    form: aisle_http::Form,
}

impl Callback {
    /// 403 unless it is signed with our account's token for the URL that was called.
    async fn of(call: &Call) -> Result<Self, Error> {
        let form = call.form(MAX_BYTES).await?;
        let token = variable("twilio_auth_token").await;
        let account_sid = variable("twilio_account_sid").await;
        let shown = call.header("x-twilio-signature").unwrap_or_default();
        let urls = signature::urls(&call.asked_origin(), call.target());
        let signed = !token.is_empty()
            && urls
                .iter()
                .any(|url| signature::is_valid(&token, url, form.fields(), shown));
        if !signed {
            return Err(Error::forbidden(
                "this is not signed by the provider of texts",
            ));
        }
        if form.text("AccountSid", MAX_CHARS)? != Some(&account_sid) {
            return Err(Error::forbidden("this belongs to another account"));
        }
        Ok(Self {
            brand: call.brand().await?,
            form,
        })
    }

    fn text(&self, name: &str) -> Result<&str, Error> {
        Ok(self.form.text(name, MAX_CHARS)?.unwrap_or_default())
    }
}
