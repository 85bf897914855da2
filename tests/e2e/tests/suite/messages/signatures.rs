//! What Twilio signs, by the library that it publishes.

use std::process::Command;

use aisle_e2e::Pair;
use aisle_e2e::python::{programs, run};
use aisle_e2e::twilio::{ACCOUNT, TOKEN, Twilio, encoded, post};
use anyhow::{Context, Result};
use serde_json::json;

use super::{INBOUND, PHONE, with_twilio};

const STATUS: &str = "http://north.localhost:3000/webhooks/sms/twilio/status";

/// Signs as the library does: a URL with its fields each.
const SIGN: &str = "
import json, sys
from twilio.request_validator import RequestValidator

class Fields(dict):
    def getall(self, name):
        return self[name]

def signature(token, url, pairs):
    fields = Fields()
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return RequestValidator(token).compute_signature(url, fields)

token, calls = json.loads(sys.argv[1])
print(json.dumps([signature(token, url, pairs) for url, pairs in calls]))
";

type Fields = Vec<(String, String)>;

fn fields(more: &[(&str, &str)]) -> Fields {
    let usual = [
        ("AccountSid", ACCOUNT),
        ("MessageSid", "SM1"),
        ("From", PHONE),
        ("Body", "Größe & +1 = ?"),
    ];
    let all = usual.iter().chain(more);
    all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

pub async fn twilios_own_signatures_are_taken(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    let bare = INBOUND.replace(":3000", "");
    let secure = bare.replace("http:", "https:");
    let ported = secure.replace("/webhooks", ":443/webhooks");
    let queried = format!("{STATUS}?message=a%20b+c&x=%C3%A4&y=");
    let repeated = [("MediaUrl", "b"), ("MediaUrl", "a"), ("MediaUrl", "a")];
    // What is called, what was signed, and the answer: 404 to those who may ask.
    let calls: [(&str, &str, Fields, u16); 7] = [
        (INBOUND, INBOUND, fields(&[]), 200),
        (INBOUND, INBOUND, fields(&repeated), 200),
        (INBOUND, INBOUND, fields(&[("OptOutType", "")]), 200),
        (&queried, &queried, fields(&[]), 404),
        (&bare, &bare, fields(&[]), 200),
        (&bare, &secure, fields(&[]), 200),
        (&bare, &ported, fields(&[]), 200),
    ];
    let signed: Vec<_> = calls.iter().map(|(_, url, own, _)| (url, own)).collect();
    let asked = json!([TOKEN, signed]).to_string();
    let said = tokio::task::block_in_place(|| {
        let python = programs("twilio", &["twilio==9.13.0"])?.join("python");
        run(Command::new(python).args(["-c", SIGN, &asked]))
    })?;
    let signatures: Vec<String> = serde_json::from_slice(&said.stdout)?;
    assert_eq!(signatures.len(), calls.len());
    for ((url, signed, own, status), signature) in calls.iter().zip(&signatures) {
        let body = |own: &Fields| encoded(own.iter().map(|(name, value)| (name, value)));
        let taken = post(&aisle, url, body(own), signature).await?;
        assert_eq!(taken.status, *status, "{signed} {own:?} {taken:?}");
        let mut changed = own.clone();
        changed.last_mut().context("no field")?.1.push('!');
        let refused = post(&aisle, url, body(&changed), signature).await?;
        assert_eq!(refused.status, 403, "{signed} {changed:?} {refused:?}");
        let elsewhere = format!("{url}{}z=1", if url.contains('?') { '&' } else { '?' });
        let refused = post(&aisle, &elsewhere, body(own), signature).await?;
        assert_eq!(refused.status, 403, "{elsewhere} {refused:?}");
    }
    Ok(())
}
