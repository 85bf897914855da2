//! `POST /pos/hand-overs/settle`: what a till handed over while it was offline. The goods
//! are gone; what is decided here is only whether that is in order.

use aisle_domain::brand::Brand;
use aisle_domain::id::is_id;
use aisle_domain::instant::parse_rfc3339;
use aisle_domain::pass::PassClaims;
use aisle_domain::sale;
use aisle_http::auth::{self, Staff};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::idempotency::Claim;
use aisle_store::{Batch, BatchError, audit, incident, values};
use aisle_ucp::pos::{MAX_SETTLED, OfflineHandOver, SettleAnswer, SettleRequest, Settled};
use serde_json::json;

use crate::collection::{self, By, Facts, Found};
use crate::hand_over::Made;
use crate::store;

const ROUNDS: usize = 4;
/// How far a till's clock may be ahead of ours.
const CLOCK_SKEW_MS: i64 = 120_000;

pub async fn settle(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, "pos").await?;
    let request: SettleRequest = call.json().await?;
    if !(1..=MAX_SETTLED).contains(&request.hand_overs.len()) {
        let detail = format!("1 to {MAX_SETTLED} hand-overs are settled at a time");
        return Err(Error::unprocessable(
            "invalid_hand_overs",
            "$.hand_overs",
            &detail,
        ));
    }
    let mut results = Vec::new();
    for (index, one) in request.hand_overs.iter().enumerate() {
        let settled = Offline::read(call, &brand, &staff, one, index).await?;
        results.push(match settled {
            Ok(offline) => offline.settle().await?,
            Err(reason) => outcome(one, "refused", Some(reason)),
        });
    }
    notify_relay();
    Reply::json(200, &SettleAnswer { results })
}

/// A hand-over of this till on a genuine pass of this brand.
struct Offline<'a> {
    call: &'a Call,
    brand: &'a Brand,
    staff: &'a Staff,
    sent: &'a OfflineHandOver,
    claims: PassClaims,
    handed_at_ms: i64,
    wanted: Vec<(String, i64)>,
}

impl<'a> Offline<'a> {
    /// The reason where there is no such hand-over to speak of.
    async fn read(
        call: &'a Call,
        brand: &'a Brand,
        staff: &'a Staff,
        sent: &'a OfflineHandOver,
        index: usize,
    ) -> Result<Result<Self, String>, Error> {
        let at = |member: &str| format!("$.hand_overs[{index}].{member}");
        if !is_id(&sent.id) {
            return Err(Error::unprocessable(
                "invalid_id",
                &at("id"),
                "not a UUIDv7",
            ));
        }
        let handed_at_ms = parse_rfc3339(&sent.handed_at).ok_or_else(|| {
            Error::unprocessable("invalid_time", &at("handed_at"), "not an RFC 3339 instant")
        })?;
        let wanted = sent.pieces().map_err(Error::invalid_member)?;
        Ok(match collection::genuine(brand, &sent.pass).await {
            Ok(claims) => Ok(Self {
                call,
                brand,
                staff,
                sent,
                claims,
                handed_at_ms,
                wanted,
            }),
            Err(error) if error.status() == 422 => Err(error.code().to_owned()),
            Err(error) => return Err(error),
        })
    }

    async fn settle(&self) -> Result<Settled, Error> {
        for _ in 0..ROUNDS {
            if let Some(known) = self.known().await? {
                return Ok(known);
            }
            let facts = Facts::read(self.call, self.brand, By::Pass(&self.claims), None).await?;
            let Some(found) = facts.found else {
                return Ok(outcome(self.sent, "refused", Some("unknown_pass".into())));
            };
            if found.pass.is_none() {
                return Ok(outcome(self.sent, "refused", Some("unknown_pass".into())));
            }
            let settled = match self.wrong(&found, facts.now_ms) {
                Some(reason) => self.report(&found, reason).await?,
                None => self.book(found).await?,
            };
            if let Some(settled) = settled {
                return Ok(settled);
            }
        }
        Err(aisle_http::command::raced())
    }

    /// What was said when it was settled before: as a hand-over, or as an incident.
    async fn known(&self) -> Result<Option<Settled>, Error> {
        let row = self
            .call
            .db()
            .query_one_opt(
                "SELECT 'already_settled' AS result, id, '' AS reason FROM hand_over WHERE brand_id = ?1 AND id = ?2 \
                 UNION ALL SELECT 'incident', id, kind FROM incident WHERE brand_id = ?1 AND subject_type = 'hand_over' AND subject_id = ?2",
                values![&self.brand.id, &self.sent.id],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let result = row.text("result")?;
        let mut settled = outcome(self.sent, &result, None);
        if result == "incident" {
            settled.incident_id = Some(row.text("id")?);
            settled.reason = Some(reason_of(&row.text("reason")?).into());
        }
        Ok(Some(settled))
    }

    /// Why it should not have been handed over.
    fn wrong(&self, found: &Found, now_ms: i64) -> Option<String> {
        let policy = &self.brand.policies.pickup;
        if !policy.offline_hand_over {
            return Some("offline_not_allowed".into());
        }
        // The till had the pass before it, so this is not a matter of the pass's life now.
        let within = self.claims.issued_at_ms - CLOCK_SKEW_MS..self.claims.expires_at_ms;
        if !within.contains(&self.handed_at_ms) || self.handed_at_ms > now_ms + CLOCK_SKEW_MS {
            return Some("expired".into());
        }
        let mut then = found.clone();
        if let Some(pass) = &mut then.pass {
            // A newer pass replaced this one where the till could not know.
            (pass.expires_at_ms, pass.revoked_at_ms) = (i64::MAX, None);
        }
        let hindrance = then.hindrance(&self.staff.location_id, now_ms, true);
        if let Some(hindrance) = hindrance {
            return Some(hindrance.code().to_owned());
        }
        let mut order = found.order.clone();
        match sale::hand_over(&mut order, &self.wanted, &self.staff.location_id) {
            Ok(leaving) if leaving.worth_minor > policy.offline_limit_minor => {
                Some("over_offline_limit".into())
            }
            Ok(_) => None,
            Err(refusal) => Some(refusal.code.to_owned()),
        }
    }

    /// `None`: somebody changed something meanwhile; look again.
    async fn book(&self, mut found: Found) -> Result<Option<Settled>, Error> {
        let leaving = sale::hand_over(&mut found.order, &self.wanted, &self.staff.location_id)
            .map_err(store::refused)?;
        let doc = json!({ "lines": leaving.lines, "sequence": self.sent.sequence }).to_string();
        let made = Made {
            id: &self.sent.id,
            found: &found,
            leaving: &leaving,
            doc,
            offline_at_ms: Some(self.handed_at_ms),
        };
        let mut batch = Batch::new();
        made.write(&mut batch, self.brand, self.staff)?;
        self.commit(batch, outcome(self.sent, "settled", None))
            .await
    }

    /// The goods are gone, and should not be: somebody must look into it.
    async fn report(&self, found: &Found, reason: String) -> Result<Option<Settled>, Error> {
        let doc = json!({
            "order_id": found.order.id,
            "pass_id": self.claims.pass_id,
            "reason": reason,
            "device_id": self.staff.device_id,
            "staff_id": self.staff.staff_id,
            "handed_at_ms": self.handed_at_ms,
            "sequence": self.sent.sequence,
            "hand_over_id_before": found.pass.as_ref().and_then(|pass| pass.hand_over_id.clone()),
        })
        .to_string();
        let mut batch = Batch::new();
        // Of two settlings at the same moment one reports it.
        let scope = format!("{}/settle", self.brand.id);
        Claim::new(scope, &self.sent.id, "POST", "/pos/hand-overs/settle", b"")
            .insert(&mut batch, Some((200, "{}")));
        let subject = ("hand_over", self.sent.id.as_str());
        incident::record(
            &mut batch,
            &self.brand.id,
            &self.staff.location_id,
            &format!("hand_over.{reason}"),
            subject,
            &doc,
        );
        audit::record(
            &mut batch,
            self.staff.actor(),
            "hand_over.reported",
            subject,
            &doc,
        );
        match self
            .commit(batch, outcome(self.sent, "incident", Some(reason)))
            .await?
        {
            Some(_) => self.known().await,
            None => Ok(None),
        }
    }

    async fn commit(&self, batch: Batch, settled: Settled) -> Result<Option<Settled>, Error> {
        match batch.commit(self.call.db()).await {
            Ok(_) => Ok(Some(settled)),
            Err(BatchError::Unmet { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn reason_of(kind: &str) -> &str {
    kind.split_once('.').map_or(kind, |(_, reason)| reason)
}

fn outcome(sent: &OfflineHandOver, result: &str, reason: Option<String>) -> Settled {
    Settled {
        id: sent.id.clone(),
        result: result.into(),
        reason,
        incident_id: None,
    }
}
