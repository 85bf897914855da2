//! Takes due messages to their provider, each once.
//!
//! A message is claimed before its provider hears of it, and what came of it is written down
//! afterwards; nothing is locked meanwhile. Who dies between the two, or gets no answer,
//! leaves it in doubt: then the provider is asked whether it has the message, and only what
//! it surely has not is sent again.

use std::rc::Rc;
use std::time::Duration;

use aisle_domain::brand::Brand;
use aisle_domain::contact::{Channel, Purpose};
use aisle_domain::notification::Verdict;
use aisle_http::{Call, Error};
use aisle_store::messages::forgotten;
use aisle_store::{Batch, BatchError, changes, limit, sha256_hex, values, within};
use futures::StreamExt;
use futures::stream;

use crate::content::Content;
use crate::due::{self, Due, PAGE_ROWS};
use crate::fallback::{Fallback, is_proof};
use crate::provider::{Found, Outcome, Outgoing, Provider, Providers};

/// Pages of one run, at most.
const RUN_PAGES: usize = 10;
/// Requests to a provider that are under way at the same time.
const AT_ONCE: usize = 8;
/// The longest that a provider may take.
const DEADLINE: Duration = Duration::from_secs(15);
/// When nothing was written down by then, whoever claimed it has died.
const LEASE_MS: i64 = 60_000;
/// A provider's list may lag behind what it has taken.
const DOUBT_MS: i64 = 30_000;
/// A message whose provider cannot tell is given up after this long.
const MAX_DOUBT_MS: i64 = 3_600_000;
const MAX_ATTEMPTS: i64 = 8;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const MINUTE_MS: i64 = 60_000;

#[derive(Default)]
pub struct Sent {
    pub settled: usize,
    pub more: bool,
}

/// Sends page by page until nothing is due, or the run has done its share.
pub async fn run(call: &Call) -> Result<Sent, Error> {
    let mut sent = Sent::default();
    let mut setup: Option<(Providers, Rc<Vec<Rc<Brand>>>)> = None;
    for _ in 0..RUN_PAGES {
        let page = Due::page(call.db()).await?;
        if page.is_empty() {
            sent.more = false;
            return Ok(sent);
        }
        if setup.is_none() {
            setup = Some((Providers::configured().await, call.model().brands().await?));
        }
        let Some((providers, brands)) = &setup else {
            return Ok(sent);
        };
        sent.more = page.len() as i64 == PAGE_ROWS;
        sent.settled += page.len();
        let work = stream::iter(page).map(|one| async move {
            let brand = brands.iter().find(|brand| brand.id == one.brand_id);
            match brand {
                Some(brand) => {
                    Delivery {
                        call,
                        brand,
                        one: &one,
                    }
                    .advance(providers)
                    .await
                }
                None => suppressed(call, &one.id, "no_brand").await,
            }
        });
        let outcomes: Vec<Result<(), Error>> = work.buffer_unordered(AT_ONCE).collect().await;
        outcomes.into_iter().collect::<Result<(), _>>()?;
    }
    Ok(sent)
}

async fn suppressed(call: &Call, id: &str, why: &str) -> Result<(), Error> {
    let mut batch = Batch::new();
    due::suppress(&mut batch, id, why);
    batch.commit(call.db()).await?;
    Ok(())
}

struct Delivery<'a> {
    call: &'a Call,
    brand: &'a Brand,
    one: &'a Due,
}

impl Delivery<'_> {
    async fn advance(&self, providers: &Providers) -> Result<(), Error> {
        let provider = providers.of(self.one.channel);
        if self.one.in_doubt {
            return match provider {
                Some(provider) => self.resolve(provider).await,
                None => self.doubt_again().await,
            };
        }
        match self.brand.may_send(&self.one.standing(), self.one.now_ms) {
            Verdict::Never(why) => suppressed(self.call, &self.one.id, why).await,
            Verdict::Wait { until_ms } => self.wait(until_ms, "quiet_hours").await,
            Verdict::Send => match (provider, self.content()) {
                (_, None) => suppressed(self.call, &self.one.id, "no_template").await,
                (None, _) => self.wait(self.one.now_ms + MINUTE_MS, "no_provider").await,
                (Some(provider), Some(content)) => self.send(provider, content).await,
            },
        }
    }

    fn content(&self) -> Option<Content> {
        let one = self.one;
        Content::of(
            self.brand,
            &one.template,
            one.channel,
            &one.locale,
            &one.params,
        )
    }

    async fn send(&self, provider: &dyn Provider, content: Content) -> Result<(), Error> {
        let body_hash = sha256_hex(content.text.as_bytes());
        if !self.claim(provider, &body_hash).await? {
            return Ok(());
        }
        let outgoing = self.outgoing(content, body_hash);
        let outcome = within(DEADLINE, provider.send(&outgoing)).await;
        self.settle(provider, &outgoing, outcome.unwrap_or(Outcome::Unknown))
            .await
    }

    fn outgoing(&self, content: Content, body_hash: String) -> Outgoing<'_> {
        Outgoing {
            id: &self.one.id,
            brand: self.brand,
            to: &self.one.address,
            content,
            body_hash,
            claimed_at_ms: self.one.claimed_at_ms,
        }
    }

    /// That a text is on its way must be on the disk before its provider hears of it; a mail of
    /// which that is lost is sent again, as one without an answer is.
    fn batch(&self) -> Batch {
        let mut batch = Batch::new();
        if self.one.channel == Channel::Email {
            batch.may_be_lost();
        }
        batch
    }

    /// Takes the message, unless somebody else has, or its limits are used up.
    async fn claim(&self, provider: &dyn Provider, body_hash: &str) -> Result<bool, Error> {
        let one = self.one;
        let mut batch = self.batch();
        batch.expect(
            1,
            "UPDATE message SET status = 'sending', attempts = attempts + 1, next_attempt_at_ms = {now} + ?3, \
             provider = ?4, body_hash = ?5, claimed_at_ms = {now}, updated_at_ms = {now} \
             WHERE id = ?1 AND status = 'queued' AND attempts = ?2 AND NOT EXISTS (SELECT 1 FROM opt_out o \
               WHERE o.brand_id = message.brand_id AND o.channel = message.channel AND o.address = message.address)",
            values![&one.id, one.attempts, LEASE_MS, provider.name(), body_hash],
        );
        let limits = if one.channel == Channel::Sms && one.attempts == 0 {
            self.spend(&mut batch)
        } else {
            Vec::new()
        };
        match batch.commit(self.call.db()).await {
            Ok(_) => Ok(true),
            Err(BatchError::Unmet { statement: 0, .. }) => Ok(false),
            Err(BatchError::Unmet { statement, .. }) => {
                let pause_ms = limits.get(statement - 1).copied().unwrap_or(MINUTE_MS);
                self.wait(one.now_ms + pause_ms, "limit").await?;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Counts the text; answers after how long each limit is worth another try.
    fn spend(&self, batch: &mut Batch) -> Vec<i64> {
        let limits = &self.brand.policies.notification.limits;
        let (brand_id, number) = (&self.brand.id, self.one.limit_name());
        let purpose = self.one.purpose.name();
        let mut spent = Vec::new();
        // Anybody can have links and codes sent to a number: they must not use up what news of
        // an order have. Codes were counted by who asked for them, so that whoever waits for
        // their own does not wait for what others had sent.
        if self.one.purpose != Purpose::Code {
            spent.extend([
                (
                    format!("text/number-hour/{brand_id}/{purpose}/{number}"),
                    limits.number_per_hour,
                    HOUR_MS,
                ),
                (
                    format!("text/number-day/{brand_id}/{purpose}/{number}"),
                    limits.number_per_day,
                    DAY_MS,
                ),
            ]);
        }
        spent.push((
            format!("text/brand-minute/{brand_id}"),
            limits.brand_per_minute,
            MINUTE_MS,
        ));
        let country = self.one.country.as_deref().unwrap_or_default();
        if country != self.brand.country {
            let name = format!("text/country-day/{brand_id}/{country}");
            spent.push((name, limits.foreign_country_per_day, DAY_MS));
        }
        for (name, most, window_ms) in &spent {
            limit::spend(batch, name, *most, *window_ms);
        }
        // A long window is looked at again before its end: it may have begun long ago.
        let pause = |window_ms: i64| {
            if window_ms == MINUTE_MS {
                MINUTE_MS / 4
            } else {
                15 * MINUTE_MS
            }
        };
        spent
            .iter()
            .map(|(_, _, window_ms)| pause(*window_ms))
            .collect()
    }

    async fn wait(&self, until_ms: i64, why: &str) -> Result<(), Error> {
        let mut batch = Batch::new();
        due::wait(&mut batch, &self.one.id, until_ms, why);
        batch.commit(self.call.db()).await?;
        Ok(())
    }

    /// Somebody began to send it: has the provider got it?
    async fn resolve(&self, provider: &dyn Provider) -> Result<(), Error> {
        if !self.take_doubt().await? {
            return Ok(());
        }
        let content = self.content().unwrap_or(Content {
            subject: String::new(),
            text: String::new(),
        });
        let outgoing = self.outgoing(content, self.one.body_hash.clone());
        let found = within(DEADLINE, provider.find(&outgoing, self.call.db())).await;
        match found.unwrap_or(Found::Unsure) {
            Found::Yes { reference } => {
                let accepted = Outcome::Accepted {
                    reference,
                    delivered: false,
                };
                self.settle(provider, &outgoing, accepted).await
            }
            Found::No => {
                let lost = Outcome::Retry {
                    code: "lost".into(),
                };
                self.settle(provider, &outgoing, lost).await
            }
            Found::Unsure => self.doubt_again().await,
        }
    }

    /// Takes it upon itself to find out, unless somebody else does.
    async fn take_doubt(&self) -> Result<bool, Error> {
        let mut batch = Batch::new();
        batch.expect(
            1,
            "UPDATE message SET next_attempt_at_ms = {now} + ?3 \
             WHERE id = ?1 AND status = 'sending' AND attempts = ?2 AND next_attempt_at_ms <= {now}",
            values![&self.one.id, self.one.attempts, LEASE_MS],
        );
        match batch.commit(self.call.db()).await {
            Ok(_) => Ok(true),
            Err(BatchError::Unmet { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// How often it has been claimed, this time included.
    fn claims(&self) -> i64 {
        self.one.attempts + i64::from(!self.one.in_doubt)
    }

    async fn doubt_again(&self) -> Result<(), Error> {
        let mut batch = Batch::new();
        let given_up = self.one.now_ms - self.one.claimed_at_ms > MAX_DOUBT_MS;
        if given_up {
            self.failed(&mut batch, "unknown_outcome").await?;
        } else {
            self.in_doubt(&mut batch);
        }
        batch.commit(self.call.db()).await?;
        Ok(())
    }

    fn in_doubt(&self, batch: &mut Batch) {
        batch.add(
            "UPDATE message SET next_attempt_at_ms = {now} + ?2, failure = 'unknown_outcome', updated_at_ms = {now} \
             WHERE id = ?1 AND status = 'sending' AND attempts = ?3",
            values![&self.one.id, DOUBT_MS, self.claims()],
        );
    }

    /// Writes down what came of it.
    async fn settle(
        &self,
        provider: &dyn Provider,
        outgoing: &Outgoing<'_>,
        outcome: Outcome,
    ) -> Result<(), Error> {
        let mut batch = self.batch();
        match outcome {
            Outcome::Accepted {
                reference,
                delivered,
            } => {
                self.accepted(&mut batch, reference, delivered);
                provider.keep(outgoing, &mut batch);
            }
            Outcome::Unknown => self.in_doubt(&mut batch),
            Outcome::Retry { code } if self.claims() < MAX_ATTEMPTS => {
                self.again(&mut batch, &code)
            }
            Outcome::Retry { code } | Outcome::Refused { code } => {
                self.failed(&mut batch, &code).await?
            }
            Outcome::OptedOut { code } => {
                self.refuses(&mut batch);
                self.failed(&mut batch, &code).await?;
            }
        }
        batch.commit(self.call.db()).await?;
        Ok(())
    }

    /// A callback may have been faster, and knows more.
    fn accepted(&self, batch: &mut Batch, reference: Option<String>, delivered: bool) {
        let status = if delivered { "delivered" } else { "sent" };
        // What is not sent anywhere else when it fails is not needed any more.
        let wipe = delivered
            || is_proof(self.one.purpose.name(), &self.one.template)
            || self.one.is_fallback;
        batch.add(
            "UPDATE message SET status = CASE WHEN status = 'sending' THEN ?2 ELSE status END, \
             provider_reference = CASE WHEN address = '' THEN NULL ELSE coalesce(provider_reference, ?3) END, \
             failure = CASE WHEN status = 'sending' THEN NULL ELSE failure END, \
             params = CASE WHEN ?4 = 1 THEN '{}' ELSE params END, updated_at_ms = {now} WHERE id = ?1",
            values![&self.one.id, status, reference, wipe],
        );
        changes::of_message(batch, &self.one.id);
    }

    fn again(&self, batch: &mut Batch, code: &str) {
        let backoff_ms = 5_000 << self.one.attempts.clamp(0, MAX_ATTEMPTS);
        batch.add(
            "UPDATE message SET status = 'queued', next_attempt_at_ms = {now} + ?2, failure = ?3, updated_at_ms = {now} \
             WHERE id = ?1 AND status = 'sending' AND attempts = ?4",
            values![&self.one.id, backoff_ms, code, self.claims()],
        );
    }

    async fn failed(&self, batch: &mut Batch, code: &str) -> Result<(), Error> {
        let fallback = Fallback::of(self.call.db(), self.brand, &self.one.id).await?;
        fallback.fail(batch, code, "'queued', 'sending'");
        changes::of_message(batch, &self.one.id);
        Ok(())
    }

    /// The provider knows of a STOP that we have not heard. Who was forgotten meanwhile is not
    /// written down again.
    fn refuses(&self, batch: &mut Batch) {
        let Due {
            id,
            channel,
            address,
            ..
        } = self.one;
        batch.add(
            "INSERT INTO opt_out (brand_id, channel, address, since_ms) \
             SELECT brand_id, channel, CASE WHEN address = '' THEN ?2 ELSE address END, {now} \
             FROM message WHERE id = ?1 ON CONFLICT DO NOTHING",
            values![id, forgotten(&self.brand.id, *channel, address)],
        );
    }
}
