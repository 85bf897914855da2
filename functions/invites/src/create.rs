//! `POST /invites`: a link is made, and its text is on its way.

use aisle_domain::brand::Brand;
use aisle_domain::contact::{self, Channel, Purpose};
use aisle_domain::id::is_id;
use aisle_domain::invite::{self, Scope, State};
use aisle_http::command::{self, Answer, Committed};
use aisle_http::shopper::{self, Viewer};
use aisle_http::{Call, Error, Reply, channel, notify_messages};
use aisle_store::changes::{self, Kind};
use aisle_store::idempotency::{self, Claim, Outcome};
use aisle_store::messages::{self, NewMessage};
use aisle_store::{Batch, Consent, Value, audit, limit, new_id, random, sha256_hex, values};
use aisle_ucp::invite::{
    ConsentPurpose, Delivery, Invite, InviteRequest, MAX_ADDRESS_BYTES, MAX_WORDING_BYTES, View,
};
use aisle_ucp::page::check_length;
use aisle_words::Locale;
use serde_json::json;

use crate::access::{Caller, Subject, missing};
use crate::row::message_key;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What is asked for, as far as it can be judged by itself.
struct Wanted {
    scope: Scope,
    subject_id: String,
    channel: Channel,
    address: String,
    locale: Locale,
    wording_version: String,
    purpose: Purpose,
}

/// What the database knows, in one reading.
struct Facts {
    outcome: Outcome,
    now_ms: i64,
    subject: Option<Subject>,
    opted_out: bool,
    /// Whether the caller has proved that the address is theirs.
    own_address: bool,
}

/// A link on its way into the database.
struct New<'a> {
    brand: &'a Brand,
    caller: &'a Caller,
    subject: &'a Subject,
    wanted: &'a Wanted,
    id: String,
    code: String,
    origin: String,
    /// The network of whoever shows no token, as [`shopper::network`] names it.
    network: Option<String>,
    now_ms: i64,
}

/// A counter that a new link uses up: its name, how often, in how long.
type Limit = (String, i64, i64);

pub async fn create(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let body = call.body().await?;
    let request: InviteRequest = call.parse(&body)?;
    let caller = Caller::of(call, &brand.id).await?;
    let wanted = Wanted::of(call, &brand, request)?;
    channel::must_be_served(wanted.channel).await?;
    let name = caller.name(wanted.scope, &wanted.subject_id);
    let claim = call.claim(&brand.id, &format!("create-invite/{name}"), &body)?;
    let facts = Facts::read(call, &brand, &caller, &wanted, claim.as_ref()).await?;
    let hidden = || missing(wanted.scope);
    let subject = facts.subject.ok_or_else(hidden)?;
    caller.may_touch(&subject, hidden)?;
    if let Some(reply) = call.replay(facts.outcome)? {
        return Ok(reply);
    }
    let trusted = matches!(caller, Caller::Staff(_)) || facts.own_address;
    if facts.opted_out && trusted {
        let detail = "this number has said STOP: it is not texted until it says START";
        return Err(Error::conflict("opted_out", detail).at("$.address"));
    }
    let new = New {
        brand: &brand,
        caller: &caller,
        subject: &subject,
        wanted: &wanted,
        id: new_id(),
        code: invite::code(random()),
        origin: call.brand_origin(&brand),
        network: match &caller {
            Caller::Shopper(Viewer::Anybody) => Some(shopper::network(call).await),
            _ => None,
        },
        now_ms: facts.now_ms,
    };
    let answer = Answer::new(201, &new.shown())?;
    let mut batch = command::begin(claim.as_ref(), &answer);
    let limits = new.limits();
    let first = batch.len();
    for (name, most, window_ms) in &limits {
        limit::spend(&mut batch, name, *most, *window_ms);
    }
    new.write(&mut batch);
    match command::commit(call, claim.as_ref(), answer, batch).await? {
        Committed::Done(reply) => {
            notify_messages();
            Ok(reply.header("location", &format!("/invites/{}", new.id)))
        }
        Committed::Replayed(reply) => Ok(reply),
        Committed::Unmet(error) => {
            let used_up = limits
                .iter()
                .enumerate()
                .find(|(place, _)| error.unmet_at(first + place));
            Err(
                used_up.map_or_else(command::raced, |(_, (_, _, window_ms))| {
                    too_many(*window_ms)
                }),
            )
        }
    }
}

/// Whatever is used up, so that nobody learns what others have asked for.
fn too_many(window_ms: i64) -> Error {
    let detail = "there were too many links; ask again later";
    Error::new(429, "too_many_invites", detail)
        .header("retry-after", &(window_ms / 1_000).to_string())
}

impl Wanted {
    fn of(call: &Call, brand: &Brand, request: InviteRequest) -> Result<Self, Error> {
        let malformed = |invalid: aisle_ucp::page::Invalid| {
            Error::bad_request(invalid.code, &invalid.path, &invalid.detail)
        };
        if !is_id(&request.id) {
            return Err(missing(request.scope));
        }
        check_length("$.address", &request.address, MAX_ADDRESS_BYTES).map_err(malformed)?;
        let consent = request.consent.ok_or_else(|| {
            let detail = "nothing is sent without the consent of whoever receives it";
            Error::unprocessable("consent_required", "$.consent", detail)
        })?;
        if !(1..=MAX_WORDING_BYTES).contains(&consent.wording_version.len()) {
            let detail = format!("a version has 1 to {MAX_WORDING_BYTES} bytes");
            return Err(Error::bad_request(
                "invalid_value",
                "$.consent.wording_version",
                &detail,
            ));
        }
        let purpose = match consent.purpose {
            Some(ConsentPurpose::Update) if request.scope != Scope::Order => {
                let detail = "there is news of orders only";
                return Err(Error::unprocessable(
                    "invalid_purpose",
                    "$.consent.purpose",
                    detail,
                ));
            }
            Some(ConsentPurpose::Update) => Purpose::Update,
            Some(ConsentPurpose::Invite) => Purpose::Invite,
            None => request.scope.usual_consent(),
        };
        let country = request.country.as_deref().unwrap_or(&brand.country);
        Ok(Self {
            scope: request.scope,
            subject_id: request.id,
            channel: request.channel,
            address: address(brand, request.channel, &request.address, country)?,
            locale: locale(call, brand, request.locale.as_deref()),
            wording_version: consent.wording_version,
            purpose,
        })
    }
}

fn address(brand: &Brand, channel: Channel, text: &str, country: &str) -> Result<String, Error> {
    let address = match channel {
        Channel::Sms => brand.phone(text, country).map(|phone| phone.e164),
        Channel::Email => contact::email(text),
    };
    address.map_err(|error| Error::unprocessable(error.code, "$.address", error.detail))
}

/// The one that was named, else what the browser asks for, else the brand's own.
fn locale(call: &Call, brand: &Brand, named: Option<&str>) -> Locale {
    let asked = || call.header("accept-language").and_then(Locale::negotiate);
    named
        .and_then(Locale::parse)
        .or_else(asked)
        .or_else(|| Locale::parse(&brand.language))
        .unwrap_or_default()
}

impl Facts {
    async fn read(
        call: &Call,
        brand: &Brand,
        caller: &Caller,
        wanted: &Wanted,
        claim: Option<&Claim>,
    ) -> Result<Self, Error> {
        let sql = format!(
            "SELECT {{now}} AS now_ms, s.subject_id, s.owner, s.here, \
             (SELECT count(*) FROM opt_out x WHERE x.brand_id = ?1 AND x.channel = ?4 AND x.address IN (?5, ?10)) AS opted_out, \
             (SELECT count(*) FROM account_identity n WHERE n.brand_id = ?1 AND n.kind = ?6 AND n.address = ?5 \
                AND n.account_id = ?7) AS own_address, {} \
             FROM (SELECT 1 AS one) probe LEFT JOIN ({}) s ON 1 = 1 {}",
            idempotency::COLUMNS,
            Subject::sql(wanted.scope),
            idempotency::join("?8", "?9"),
        );
        let mut params = values![
            &brand.id,
            &wanted.subject_id,
            caller.location_id(),
            wanted.channel.name(),
            &wanted.address,
            wanted.channel.identity(),
            caller.account_id().unwrap_or_default()
        ];
        params.extend(claim.map_or_else(|| ["", ""].map(Value::from), Claim::params));
        params.extend(values![messages::forgotten(
            &brand.id,
            wanted.channel,
            &wanted.address
        )]);
        let row = call.db().query_one_opt(sql, params).await?;
        let row = row.ok_or_else(|| Error::internal("no row from a probe"))?;
        Ok(Self {
            outcome: claim.map_or(Ok(Outcome::Fresh), |claim| claim.outcome(&row))?,
            now_ms: row.int("now_ms")?,
            subject: Subject::of(&row, wanted.scope)?,
            opted_out: row.int("opted_out")? > 0,
            own_address: row.int("own_address")? > 0,
        })
    }
}

impl New<'_> {
    fn lasts_ms(&self) -> i64 {
        self.wanted.scope.lasts_ms(&self.brand.policies.invites)
    }

    fn shown(&self) -> Invite {
        Invite::new(&View {
            id: &self.id,
            scope: self.wanted.scope,
            subject_id: &self.wanted.subject_id,
            channel: self.wanted.channel,
            address: &self.wanted.address,
            locale: self.wanted.locale.tag(),
            state: State::Open,
            delivery: Delivery::Pending,
            created_at_ms: self.now_ms,
            expires_at_ms: self.now_ms + self.lasts_ms(),
            opened_at_ms: None,
            claimed_at_ms: None,
        })
    }

    /// In the order in which everybody locks them.
    fn limits(&self) -> Vec<Limit> {
        let policy = &self.brand.policies.invites;
        let (brand_id, address) = (&self.brand.id, &self.wanted.address);
        let per_caller = match self.caller {
            Caller::Staff(_) => policy.per_device_per_hour,
            Caller::Shopper(_) => policy.per_caller_per_hour,
        };
        let caller = self.caller.name(self.wanted.scope, &self.wanted.subject_id);
        // Anybody can ask for a link to anybody's number, and have a cart for nothing: what they
        // ask for counts for their network, and uses up a share of the brand's of its own.
        let asker = self.network.as_ref().unwrap_or(&caller);
        let hash = sha256_hex(format!("{brand_id}/{asker}/{address}").as_bytes());
        let share = match (&self.network, self.wanted.scope) {
            (Some(_), Scope::Cart | Scope::Account) => "stranger",
            _ => "known",
        };
        let mut limits = vec![
            (
                format!("invite/address/{hash}"),
                policy.per_address_per_day,
                DAY_MS,
            ),
            (
                format!("invite/caller/{brand_id}/{caller}"),
                per_caller,
                HOUR_MS,
            ),
            (
                format!("invite/day/{brand_id}/{share}"),
                policy.per_day,
                DAY_MS,
            ),
            (
                format!("invite/minute/{brand_id}/{share}"),
                policy.per_minute,
                MINUTE_MS,
            ),
        ];
        if let Some(network) = &self.network {
            let name = format!("invite/{network}/{brand_id}");
            limits.push((name, policy.per_network_per_hour, HOUR_MS));
            if self.wanted.channel == Channel::Sms && self.brand.is_abroad(address) {
                let most = self
                    .brand
                    .policies
                    .notification
                    .limits
                    .abroad_of_one_per_day();
                limits.push((messages::abroad_limit(brand_id, network), most, DAY_MS));
            }
        }
        limits.sort();
        limits
    }

    /// The consent comes before the text that it allows.
    fn write(&self, batch: &mut Batch) {
        self.consent(batch, Purpose::Invite);
        if self.wanted.purpose == Purpose::Update {
            self.consent(batch, Purpose::Update);
            self.tell_of_order(batch);
        }
        self.link(batch);
        self.text(batch);
        if let Caller::Staff(staff) = self.caller {
            let subject = (self.wanted.scope.name(), self.subject.id.as_str());
            let doc = json!({"invite_id": self.id}).to_string();
            audit::record(batch, staff.actor(), "invite.sent", subject, &doc);
        }
        if let Some(account_id) = self.caller.account_id() {
            let invite = (Kind::Invite, self.id.as_str());
            changes::of_account(batch, &self.brand.id, account_id, invite, false);
        }
    }

    fn consent(&self, batch: &mut Batch, purpose: Purpose) {
        let source = match (self.caller, self.wanted.scope) {
            (Caller::Staff(_), _) => "till",
            (_, Scope::Account) => "account",
            _ => "invite",
        };
        let word = Consent {
            brand_id: &self.brand.id,
            channel: self.wanted.channel,
            address: &self.wanted.address,
            purpose: Some(purpose),
            wording_version: &self.wanted.wording_version,
            given: true,
            source,
            about: Some((self.wanted.scope, &self.subject.id)),
        };
        word.record(batch);
    }

    fn tell_of_order(&self, batch: &mut Batch) {
        batch.add(
            "INSERT INTO order_contact (brand_id, order_id, channel, address, locale, created_at_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, {now}) ON CONFLICT (brand_id, order_id, channel, address) DO UPDATE \
             SET locale = excluded.locale, ended_at_ms = NULL",
            values![
                &self.brand.id,
                &self.subject.id,
                self.wanted.channel.name(),
                &self.wanted.address,
                self.wanted.locale.tag()
            ],
        );
    }

    fn link(&self, batch: &mut Batch) {
        batch.expect(
            1,
            "INSERT INTO invite (id, brand_id, code_hash, scope, subject_id, account_id, channel, address, locale, \
             created_at_ms, expires_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10 + ?11)",
            values![
                &self.id,
                &self.brand.id,
                sha256_hex(self.code.as_bytes()),
                self.wanted.scope.name(),
                &self.subject.id,
                self.caller.account_id(),
                self.wanted.channel.name(),
                &self.wanted.address,
                self.wanted.locale.tag(),
                self.now_ms,
                self.lasts_ms()
            ],
        );
    }

    fn text(&self, batch: &mut Batch) {
        let link = format!("{}/i/{}", self.origin, self.code);
        let message = NewMessage {
            brand_id: &self.brand.id,
            dedup_key: &message_key(&self.id),
            channel: self.wanted.channel,
            address: &self.wanted.address,
            purpose: Purpose::Invite,
            template: self.wanted.scope.template(),
            locale: self.wanted.locale.tag(),
            params: json!({"link": link, "brand": self.brand.name}).to_string(),
            order_id: (self.wanted.scope == Scope::Order).then_some(self.subject.id.as_str()),
            account_id: self.caller.account_id(),
            invite_id: Some(&self.id),
            expires_in_ms: self.lasts_ms().min(DAY_MS),
        };
        messages::enqueue(batch, &message);
    }
}
