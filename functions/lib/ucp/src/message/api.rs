//! The description of the message routes for `/openapi.json`.

use utoipa::OpenApi;

use super::{Preview, PreviewRequest};
use crate::envelope::Problem;

#[derive(OpenApi)]
#[openapi(paths(preview_message, twilio_status, twilio_inbound))]
pub struct Api;

/// What a message would say
///
/// The words of the brand, or the built-in ones, with the values filled in. Nothing is sent.
#[utoipa::path(
    post, path = "/messages/preview", tag = "messages", security(("admin_key" = [])),
    request_body = PreviewRequest,
    responses(
        (status = 200, body = Preview, description = "The words, and how many segments a text takes"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "The body makes no sense; `path` says where"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "No known admin key"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The key lacks the scope, or is another brand's"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is not JSON"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "No such template, or a value that cannot be written"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn preview_message() {}

/// Twilio reports on a text
///
/// For Twilio alone: `X-Twilio-Signature` must be that of our account for this URL. A report
/// that comes twice, or after the message has ended, changes nothing.
#[utoipa::path(
    post, path = "/webhooks/sms/twilio/status", tag = "messages",
    params(
        ("message" = Option<String>, Query, description = "Our id of the text, as it was given to Twilio"),
        ("X-Twilio-Signature" = Option<String>, Header, description = "HMAC-SHA1 of the URL and the form, in base64"),
    ),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 204, description = "Understood"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "This is no form"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "Not signed by our account"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The brand has sent no such text"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is no form"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn twilio_status() {}

/// A shopper texts back
///
/// For Twilio alone, as above. STOP, START and HELP are obeyed for the brand whose host is
/// called; the answer is TwiML.
#[utoipa::path(
    post, path = "/webhooks/sms/twilio/inbound", tag = "messages",
    params(("X-Twilio-Signature" = Option<String>, Header, description = "HMAC-SHA1 of the URL and the form, in base64")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "TwiML with what to text back, if anything", body = String, content_type = "text/xml"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "This is no form"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "Not signed by our account"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is no form"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The database does not answer"),
    )
)]
#[allow(dead_code)]
fn twilio_inbound() {}
