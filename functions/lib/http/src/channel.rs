//! Over which channels this deployment has somebody who sends.

use aisle_domain::contact::Channel;
use spin_sdk::variables;

use crate::Error;

/// Refuses, with 422 at `$.channel`, what nobody would send: whoever waits for it learns at once
/// that it never comes.
pub async fn must_be_served(channel: Channel) -> Result<(), Error> {
    let (variable, detail) = match channel {
        Channel::Sms => ("sms_provider", "nobody sends texts here: choose mail"),
        Channel::Email => ("mail_provider", "nobody sends mails here: choose a text"),
    };
    match variables::get(variable).await {
        Ok(provider) if !provider.is_empty() => Ok(()),
        _ => Err(Error::unprocessable(
            "channel_not_served",
            "$.channel",
            detail,
        )),
    }
}
