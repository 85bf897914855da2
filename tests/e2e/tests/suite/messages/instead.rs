//! Texts that cannot be delivered, and what is done instead.

use std::mem::replace;
use std::sync::Mutex;

use aisle_e2e::accounts::sign_in;
use aisle_e2e::environment::NORTH;
use aisle_e2e::inbox::texts_to;
use aisle_e2e::json::Look;
use aisle_e2e::sendgrid::{self, SendGrid};
use aisle_e2e::twilio::{SENDER, Twilio};
use aisle_e2e::{Environment, Pair, Setup};
use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::json;

use super::{DAY_MS, MINUTE_MS, PHONE, moves, order, policy, state, state_of, with_twilio};

const ADA: &str = "ada@example.com";

/// An order whose readiness is texted, and whose refunds are texted and mailed, both at once.
struct Scene {
    aisle: Environment,
    twilio: Twilio,
    sendgrid: SendGrid,
    order: String,
    /// What the page said last, and its version.
    shown: Mutex<(Vec<&'static str>, String)>,
}

impl Scene {
    async fn open(pair: Pair) -> Result<Self> {
        let (twilio, sendgrid) = (Twilio::start().await?, SendGrid::start().await?);
        let setup = sendgrid.sends_for(twilio.sends_for(Setup::demo(pair)));
        let aisle = setup.start().await?;
        let rules = json!([
            {"event": "ready_for_pickup", "channels": ["sms"], "template": "order_ready"},
            {"event": "refunded", "channels": ["sms", "email"], "template": "order_refunded"},
        ]);
        let sender = json!({"sms_from": SENDER, "email_from": sendgrid::SENDER});
        policy(
            &aisle,
            json!({"sender": sender, "rules": rules, "collapse_seconds": 0}),
        )
        .await?;
        let order = order(&aisle).await?;
        aisle.send_messages().await?;
        Ok(Self {
            aisle,
            twilio,
            sendgrid,
            order,
            shown: Mutex::default(),
        })
    }

    async fn happens(&self, kind: &str) -> Result<()> {
        moves(&self.aisle, &self.order, kind, 1, 1).await?;
        self.aisle.send_messages().await
    }

    /// The latest text does not arrive.
    async fn text_fails(&self) -> Result<()> {
        let text = self.twilio.taken().pop().context("no text")?;
        let report = self
            .twilio
            .report(&self.aisle, &text, "undelivered", "30005");
        let heard = report.await?;
        assert_eq!(heard.status, 204, "{heard:?}");
        self.aisle.send_messages().await
    }

    /// News go there, or by this channel nowhere.
    async fn choose(&self, channel: &str, address: Option<&str>) -> Result<()> {
        let contact = match address {
            Some(address) => json!({"channel": channel, "active": true, "address": address,
                                    "consent": {"version": "2026-11"}}),
            None => json!({"channel": channel, "active": false}),
        };
        let path = format!("/orders/{}/notifications", self.order);
        let body = json!({"contacts": [contact]});
        let shopper = self.aisle.north();
        shopper.put(&path).json(&body).expect(200).await.map(drop)
    }

    /// By what the order's page says that nobody could be reached. A page that is open looks
    /// again when its version changes.
    async fn alarms(&self) -> Result<Vec<&'static str>> {
        let shopper = self.aisle.north();
        let path = format!("/my/orders/{}", self.order);
        let page = shopper.get(&path).header("accept-language", "en");
        let page = page.expect(200).await?.text().into_owned();
        let alarm = |how: &&str| page.contains(&format!("could not reach you {how}"));
        let mut alarms = vec!["by text message", "by email"];
        alarms.retain(alarm);
        let version = page.split_once("data-version=\"");
        let version = version.and_then(|(_, rest)| rest.split_once('"'));
        let version = version.context("no version")?.0.to_owned();
        let now = (alarms.clone(), version);
        let before = replace(&mut *self.shown.lock().expect("no panic"), now.clone());
        ensure!(
            before.0 == now.0 || before.1 != now.1,
            "{before:?} and {now:?}"
        );
        Ok(alarms)
    }
}

pub async fn a_text_that_fails_is_mailed_once(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    order(&aisle).await?;
    aisle.send_messages().await?;
    let taken = twilio.taken().remove(0);
    for _ in 0..2 {
        let heard = twilio
            .report(&aisle, &taken, "undelivered", "30005")
            .await?;
        assert_eq!(heard.status, 204, "{heard:?}");
    }
    assert_eq!(
        state(&aisle).await?,
        ("failed".into(), "twilio_30005".into())
    );
    let mails = texts_to(&aisle, "ada@example.com").await?;
    let instead = mails
        .iter()
        .filter(|mail| mail.text.contains("/i/"))
        .count();
    assert_eq!(instead, 1, "{mails:?}");
    Ok(())
}

pub async fn a_number_that_is_not_reached_proves_nothing(pair: Pair) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    let eve = sign_in(&aisle, NORTH, "eve@example.com").await?;
    let invite = json!({"scope": "account", "id": eve.account_id, "address": PHONE,
                        "consent": {"wording_version": "2026-11"}});
    eve.client
        .post("/invites")
        .json(&invite)
        .expect(201)
        .await?;
    aisle.send_messages().await?;
    let taken = twilio.taken().remove(0);
    ensure!(taken["Body"].contains("/i/"), "{taken:?}");
    let heard = twilio
        .report(&aisle, &taken, "undelivered", "30005")
        .await?;
    assert_eq!(heard.status, 204, "{heard:?}");
    let failed = ("failed".to_owned(), "twilio_30005".to_owned());
    assert_eq!(state(&aisle).await?, failed);
    let mails = texts_to(&aisle, "eve@example.com").await?;
    ensure!(
        mails.iter().all(|mail| !mail.text.contains("/i/")),
        "{mails:?}"
    );
    let known = eve.client.get("/accounts/me").expect(200).await?.json();
    let known = known.list("/identities").iter();
    let channels: Vec<&str> = known.map(|one| one.text("/channel")).collect();
    assert_eq!(channels, ["email"]);
    Ok(())
}

pub async fn a_link_whose_text_fails_late_is_mailed_while_it_leads_somewhere(
    pair: Pair,
) -> Result<()> {
    let twilio = Twilio::start().await?;
    let aisle = with_twilio(pair, &twilio).await?;
    let (_, revoked) = (order(&aisle).await?, order(&aisle).await?);
    aisle.send_messages().await?;
    let link = format!("SELECT id FROM invite WHERE subject_id = '{revoked}'");
    let link = aisle.database.rows(&link).await?.concat().remove(0);
    let path = format!("/invites/{}", link.context("no link")?);
    let shopper = aisle.north();
    shopper.call(Method::DELETE, &path).expect(204).await?;
    aisle.database.set_clock_forward_ms(2 * DAY_MS).await?;
    for text in twilio.taken() {
        let heard = twilio.report(&aisle, &text, "undelivered", "30003").await?;
        assert_eq!(heard.status, 204, "{heard:?}");
    }
    let mails = texts_to(&aisle, "ada@example.com").await?;
    let links = mails.iter().filter(|mail| mail.text.contains("/i/"));
    assert_eq!((twilio.taken().len(), links.count()), (2, 1), "{mails:?}");
    Ok(())
}

pub async fn nothing_is_mailed_instead_to_whoever_wants_no_mails(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let (aisle, sendgrid) = (&scene.aisle, &scene.sendgrid);
    scene.happens("ready_for_pickup").await?;
    scene.text_fails().await?;
    assert_eq!(sendgrid.taken().len(), 1);
    scene.choose("email", None).await?;
    scene.happens("ready_for_pickup").await?;
    scene.text_fails().await?;
    assert_eq!(sendgrid.requests(), 1);

    // Nor what was waiting already when mails were switched off.
    scene.choose("email", Some(ADA)).await?;
    sendgrid.next(sendgrid::Trouble::Status(503));
    scene.happens("ready_for_pickup").await?;
    scene.text_fails().await?;
    let waits = ("queued".to_owned(), "sendgrid_http_503".to_owned());
    assert_eq!(state_of(aisle, ADA).await?, waits);
    scene.choose("email", None).await?;
    aisle.database.set_clock_forward_ms(MINUTE_MS).await?;
    aisle.send_messages().await?;
    let never = ("suppressed".to_owned(), "not_wanted".to_owned());
    assert_eq!(state_of(aisle, ADA).await?, never);
    assert_eq!((sendgrid.taken().len(), sendgrid.requests()), (1, 2));
    Ok(())
}

pub async fn the_page_says_that_nothing_arrived_as_long_as_that_is_so(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let nothing: [&str; 0] = [];
    let refused = sendgrid::Trouble::Status(400);
    scene.happens("ready_for_pickup").await?;
    assert_eq!(scene.alarms().await?, nothing);
    scene.sendgrid.next(refused);
    scene.text_fails().await?;
    assert_eq!(scene.sendgrid.requests(), 1);
    assert_eq!(scene.alarms().await?, ["by text message"]);
    // The next text arrives; of the one after it, the mail instead does.
    scene.happens("ready_for_pickup").await?;
    assert_eq!(scene.alarms().await?, nothing);
    scene.text_fails().await?;
    assert_eq!(scene.sendgrid.taken().len(), 1);
    assert_eq!(scene.alarms().await?, nothing);
    // One of the two ways is enough.
    scene.happens("refunded").await?;
    scene.text_fails().await?;
    assert_eq!(scene.sendgrid.taken().len(), 2);
    assert_eq!(scene.alarms().await?, nothing);

    scene.sendgrid.next(refused);
    scene.happens("refunded").await?;
    assert_eq!(scene.alarms().await?, nothing);
    scene.text_fails().await?;
    assert_eq!(scene.alarms().await?, ["by text message", "by email"]);
    // Addresses that are not used any more are nobody's concern.
    scene.choose("sms", Some("+4915112345679")).await?;
    assert_eq!(scene.alarms().await?, ["by email"]);
    scene.choose("email", Some("grace@example.com")).await?;
    assert_eq!(scene.alarms().await?, nothing);
    Ok(())
}
