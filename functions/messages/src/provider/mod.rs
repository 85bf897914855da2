//! Who brings messages to people: one small trait, and those that keep to it.

mod sandbox;
mod sendgrid;
mod twilio;

use aisle_domain::brand::Brand;
use aisle_domain::contact::Channel;
use aisle_store::{Batch, Db};
use bytes::Bytes;
use futures::StreamExt;
use futures::future::LocalBoxFuture;
use http::Request;
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::http::{FullBody, send};
use spin_sdk::variables;
use spin_sdk::wasip3::http::types::ErrorCode;
use spin_sdk::wasip3::http_compat::IncomingResponseBody;

use crate::content::Content;

/// A message on its way to a provider.
pub struct Outgoing<'a> {
    pub id: &'a str,
    pub brand: &'a Brand,
    pub to: &'a str,
    pub content: Content,
    /// SHA-256 of the text when it was claimed.
    pub body_hash: String,
    pub claimed_at_ms: i64,
}

/// What a provider said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It has the message, under a name of its own.
    Accepted {
        reference: Option<String>,
        delivered: bool,
    },
    /// It surely has not; another time it may take it.
    Retry { code: String },
    /// It never will.
    Refused { code: String },
    /// It never will, because the person told it STOP.
    OptedOut { code: String },
    /// The request may have reached it.
    Unknown,
}

/// Whether a provider has a message of which that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Yes { reference: Option<String> },
    No,
    Unsure,
}

pub trait Provider {
    /// As it is written into `message.provider`.
    fn name(&self) -> &'static str;

    /// Takes the message. Not called twice for one that may have been taken.
    fn send<'a>(&'a self, message: &'a Outgoing<'a>) -> LocalBoxFuture<'a, Outcome>;

    /// Looks for a message after an unknown outcome.
    fn find<'a>(&'a self, message: &'a Outgoing<'a>, db: &'a Db) -> LocalBoxFuture<'a, Found>;

    /// Adds what is to be kept of a message that was taken, to the batch that says so.
    fn keep(&self, _message: &Outgoing<'_>, _batch: &mut Batch) {}
}

/// The providers that the variables name.
pub struct Providers {
    sms: Option<Box<dyn Provider>>,
    email: Option<Box<dyn Provider>>,
}

impl Providers {
    pub async fn configured() -> Self {
        let sms: Option<Box<dyn Provider>> = match variable("sms_provider").await.as_str() {
            "twilio" => twilio::Twilio::configured()
                .await
                .map(|one| Box::new(one) as _),
            "sandbox" => Some(Box::new(sandbox::Sandbox {
                channel: Channel::Sms,
            })),
            _ => None,
        };
        let email: Option<Box<dyn Provider>> = match variable("mail_provider").await.as_str() {
            "sendgrid" => sendgrid::SendGrid::configured()
                .await
                .map(|one| Box::new(one) as _),
            "sandbox" => Some(Box::new(sandbox::Sandbox {
                channel: Channel::Email,
            })),
            _ => None,
        };
        Self { sms, email }
    }

    pub fn of(&self, channel: Channel) -> Option<&dyn Provider> {
        match channel {
            Channel::Sms => self.sms.as_deref(),
            Channel::Email => self.email.as_deref(),
        }
    }
}

pub async fn variable(name: &str) -> String {
    variables::get(name).await.unwrap_or_default()
}

/// Bytes of an answer that are read, at most. A page of a hundred of the longest texts, every
/// character of them escaped, has half as many.
const MAX_ANSWER_BYTES: usize = 2 << 20;

/// An answer over HTTP: status and body.
struct Answer {
    status: u16,
    body: Bytes,
}

/// Why there was none.
enum Silence {
    /// The provider never saw the request.
    NotSent(&'static str),
    Unknown,
}

async fn ask(request: Request<FullBody<Bytes>>) -> Result<Answer, Silence> {
    let response = send(request).await.map_err(|error| match error {
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) => Silence::NotSent("dns"),
        ErrorCode::ConnectionRefused | ErrorCode::ConnectionTimeout => {
            Silence::NotSent("connection")
        }
        ErrorCode::DestinationNotFound | ErrorCode::DestinationUnavailable => {
            Silence::NotSent("connection")
        }
        ErrorCode::TlsCertificateError | ErrorCode::TlsProtocolError => Silence::NotSent("tls"),
        ErrorCode::HttpRequestDenied | ErrorCode::HttpRequestUriInvalid => {
            Silence::NotSent("configuration")
        }
        _ => Silence::Unknown,
    })?;
    let status = response.status().as_u16();
    // A status says what became of it, whatever happens to the body.
    let body = whole(response.into_body()).await.unwrap_or_default();
    Ok(Answer { status, body })
}

/// `None` when it breaks off, or is longer than anything that we ask for.
async fn whole(body: IncomingResponseBody) -> Option<Bytes> {
    let mut pieces = body.stream();
    let mut whole = Vec::new();
    while let Some(piece) = pieces.next().await {
        whole.extend_from_slice(&piece.ok()?);
        if whole.len() > MAX_ANSWER_BYTES {
            return None;
        }
    }
    Some(whole.into())
}
