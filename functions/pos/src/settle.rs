//! `POST /pos/hand-overs/settle`: what a till handed over while it was offline. The goods
//! are gone: they leave the books wherever they are still in them, and what is decided here
//! is only whether that is in order.

use aisle_domain::brand::Brand;
use aisle_domain::id::is_id;
use aisle_domain::instant::parse_rfc3339;
use aisle_domain::pass::PassClaims;
use aisle_domain::policy::Identification;
use aisle_domain::sale::{self, HandOver};
use aisle_domain::scan::MAX_SEQUENCE;
use aisle_http::auth::{self, Staff};
use aisle_http::{Call, Error, Reply, notify_relay};
use aisle_store::idempotency::Claim;
use aisle_store::{Batch, BatchError, audit, incident, new_id, values};
use aisle_ucp::pos::{MAX_SETTLED, OfflineHandOver, SettleAnswer, SettleRequest, Settled};
use serde_json::json;

use crate::collection::{self, By, Facts, Found};
use crate::hand_over::{Made, OfflineMade};

const ROUNDS: usize = 4;
/// How far a till's clock may be ahead of ours.
const CLOCK_SKEW_MS: i64 = 120_000;
const MINUTE_MS: i64 = 60_000;

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
            Err(reason) => refused(one, &reason),
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

/// What is known of a hand-over before its order is looked at.
struct Known {
    /// What it was answered before.
    settled: Option<Settled>,
    /// Its number was given to another hand-over of this till.
    is_number_taken: bool,
    /// Whoever is said to have made it is one of the brand's people.
    is_maker_known: bool,
}

/// Whether a hand-over is in order, and whether its goods are still in the books.
struct Judged {
    /// Why it should not have been made so, for programs.
    wrong: Option<String>,
    /// What leaves the books, and the order after that.
    leaving: Option<(HandOver, Found)>,
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
        let bad = |code: &str, member: &str, detail: &str| {
            let path = format!("$.hand_overs[{index}].{member}");
            Err(Error::unprocessable(code, &path, detail))
        };
        if !is_id(&sent.id) {
            return bad("invalid_id", "id", "not a UUIDv7");
        }
        let Some(handed_at_ms) = parse_rfc3339(&sent.handed_at) else {
            return bad("invalid_time", "handed_at", "not an RFC 3339 instant");
        };
        if !(0..=MAX_SEQUENCE).contains(&sent.sequence) {
            return bad("invalid_sequence", "sequence", "not within 0 and 2^53 - 1");
        }
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
            let known = self.known().await?;
            if let Some(settled) = known.settled {
                return Ok(settled);
            }
            let facts = Facts::read(self.call, self.brand, By::Pass(&self.claims), None).await?;
            let found = facts.found.filter(|found| found.pass.is_some());
            let Some(found) = found else {
                return Ok(refused(self.sent, "unknown_pass"));
            };
            let judged = self.judge(&known, &found, facts.now_ms);
            if let Some(settled) = self.write(&known, &found, judged, facts.now_ms).await? {
                return Ok(settled);
            }
        }
        Err(aisle_http::command::raced())
    }

    async fn known(&self) -> Result<Known, Error> {
        let made_by = self.sent.made_by.as_ref();
        let maker = made_by.map_or(&self.staff.staff_id, |made_by| &made_by.staff_id);
        let row = self
            .call
            .db()
            .query_one_opt(
                "SELECT h.id AS hand_over_id, i.id AS incident_id, i.kind, n.hand_over_id AS numbered, s.id AS maker \
                 FROM (SELECT 1 AS one) probe \
                 LEFT JOIN hand_over h ON h.brand_id = ?1 AND h.id = ?2 \
                 LEFT JOIN incident i ON i.brand_id = ?1 AND i.subject_type = 'hand_over' AND i.subject_id = ?2 \
                 LEFT JOIN offline_hand_over n ON n.device_id = ?3 AND n.sequence = ?4 \
                 LEFT JOIN staff s ON s.brand_id = ?1 AND s.id = ?5",
                values![
                    &self.brand.id,
                    &self.sent.id,
                    &self.staff.device_id,
                    self.sent.sequence,
                    maker
                ],
            )
            .await?;
        let row = row.ok_or_else(|| Error::internal("no row from a probe"))?;
        let booked = row.text_opt("hand_over_id")?.is_some();
        let settled = match row.text_opt("incident_id")? {
            Some(incident_id) => Some(Settled {
                reason: Some(reason_of(&row.text("kind")?).into()),
                incident_id: Some(incident_id),
                ..outcome(self.sent, "incident", booked)
            }),
            None => booked.then(|| outcome(self.sent, "already_settled", true)),
        };
        let numbered = row.text_opt("numbered")?;
        Ok(Known {
            settled,
            is_number_taken: numbered.is_some_and(|other| other != self.sent.id),
            is_maker_known: row.text_opt("maker")?.is_some(),
        })
    }

    fn judge(&self, known: &Known, found: &Found, now_ms: i64) -> Judged {
        let mut then = found.clone();
        if let Some(pass) = &mut then.pass {
            // A newer pass replaced this one where the till could not know.
            (pass.expires_at_ms, pass.revoked_at_ms) = (i64::MAX, None);
        }
        let hindrance = then.hindrance(&self.staff.location_id, now_ms, true);
        let hindrance = hindrance.map(|hindrance| hindrance.code().to_owned());
        let mut after = found.clone();
        let leaving = sale::hand_over(&mut after.order, &self.wanted, &self.staff.location_id);
        let worth_minor = leaving.as_ref().map_or(0, |leaving| leaving.worth_minor);
        let against_rules = self.against_rules(known, worth_minor, now_ms);
        let impossible = hindrance.or(leaving.as_ref().err().map(|one| one.code.to_owned()));
        Judged {
            leaving: leaving
                .ok()
                .filter(|_| impossible.is_none())
                .map(|leaving| (leaving, after)),
            wrong: against_rules.map(str::to_owned).or(impossible),
        }
    }

    /// Which of the rules for hand-overs of a till that is offline was not kept.
    fn against_rules(&self, known: &Known, worth_minor: i64, now_ms: i64) -> Option<&'static str> {
        let policy = &self.brand.policies.pickup;
        // The till had the pass before it, so this is not a matter of the pass's life now.
        let lived = self.claims.issued_at_ms - CLOCK_SKEW_MS..self.claims.expires_at_ms;
        let in_time = lived.contains(&self.handed_at_ms)
            && self.handed_at_ms <= now_ms.saturating_add(CLOCK_SKEW_MS);
        let age_ms = now_ms.saturating_sub(self.handed_at_ms);
        let unidentified =
            policy.identification == Identification::Document && self.sent.identification.is_none();
        match () {
            () if !policy.offline_hand_over => Some("offline_not_allowed"),
            () if !in_time => Some("expired"),
            () if age_ms > policy.offline_settle_minutes * MINUTE_MS => Some("settled_late"),
            () if worth_minor > policy.offline_limit_minor => Some("over_offline_limit"),
            () if unidentified => Some("identification_needed"),
            () if !known.is_maker_known => Some("unknown_staff"),
            () if known.is_number_taken => Some("sequence_taken"),
            () => None,
        }
    }

    /// `None`: somebody changed something meanwhile; look again.
    async fn write(
        &self,
        known: &Known,
        found: &Found,
        judged: Judged,
        now_ms: i64,
    ) -> Result<Option<Settled>, Error> {
        let mut batch = Batch::new();
        // Of two settlings at the same moment one is written.
        let scope = format!("{}/settle", self.brand.id);
        Claim::new(scope, &self.sent.id, "POST", "/pos/hand-overs/settle", b"")
            .insert(&mut batch, Some((200, "{}")));
        if !known.is_number_taken {
            batch.expect(
                1,
                "INSERT INTO offline_hand_over (brand_id, device_id, sequence, hand_over_id) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT DO NOTHING",
                values![
                    &self.brand.id,
                    &self.staff.device_id,
                    self.sent.sequence,
                    &self.sent.id
                ],
            );
        }
        let booked = judged.leaving.is_some();
        if let Some((leaving, after)) = &judged.leaving {
            let doc = json!({
                "lines": leaving.lines,
                "identification": self.sent.identification,
                "made_by": self.sent.made_by,
                "sequence": self.sent.sequence,
                "settled_by": self.staff.staff_id,
            });
            let made_by = self.sent.made_by.as_ref().filter(|_| known.is_maker_known);
            let made = Made {
                id: &self.sent.id,
                found: after,
                leaving,
                doc: doc.to_string(),
                offline: Some(OfflineMade {
                    at_ms: self.handed_at_ms.min(now_ms),
                    staff_id: made_by.map_or(&self.staff.staff_id, |made_by| &made_by.staff_id),
                }),
            };
            made.write(&mut batch, self.brand, self.staff)?;
        }
        let settled = match judged.wrong {
            Some(reason) => Settled {
                incident_id: Some(self.report(&mut batch, found, &reason, booked)),
                reason: Some(reason),
                ..outcome(self.sent, "incident", booked)
            },
            None => outcome(self.sent, "settled", booked),
        };
        match batch.commit(self.call.db()).await {
            Ok(_) => Ok(Some(settled)),
            Err(BatchError::Unmet { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The goods are gone, and should not be, or not so: somebody must look into it. The
    /// incident's id.
    fn report(&self, batch: &mut Batch, found: &Found, reason: &str, booked: bool) -> String {
        let doc = json!({
            "order_id": found.order.id,
            "pass_id": self.claims.pass_id,
            "reason": reason,
            "booked": booked,
            "device_id": self.staff.device_id,
            "staff_id": self.staff.staff_id,
            "made_by": self.sent.made_by,
            "handed_at_ms": self.handed_at_ms,
            "sequence": self.sent.sequence,
            "hand_over_id_before": found.pass.as_ref().and_then(|pass| pass.hand_over_id.clone()),
        })
        .to_string();
        let subject = ("hand_over", self.sent.id.as_str());
        let id = new_id();
        incident::record_as(
            batch,
            &id,
            (&self.brand.id, &self.staff.location_id),
            &format!("hand_over.{reason}"),
            subject,
            &doc,
        );
        audit::record(
            batch,
            self.staff.actor(),
            "hand_over.reported",
            subject,
            &doc,
        );
        id
    }
}

fn reason_of(kind: &str) -> &str {
    kind.split_once('.').map_or(kind, |(_, reason)| reason)
}

fn outcome(sent: &OfflineHandOver, result: &str, booked: bool) -> Settled {
    Settled {
        id: sent.id.clone(),
        result: result.into(),
        booked,
        reason: None,
        incident_id: None,
    }
}

fn refused(sent: &OfflineHandOver, reason: &str) -> Settled {
    Settled {
        reason: Some(reason.into()),
        ..outcome(sent, "refused", false)
    }
}
