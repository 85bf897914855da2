//! `POST /accounts/sessions`: a code signs a device in, and a new person up.

use std::rc::Rc;

use aisle_domain::account::{self as domain, MAX_SESSIONS};
use aisle_domain::brand::Brand;
use aisle_domain::id::is_id;
use aisle_domain::instant::rfc3339;
use aisle_http::command::{self, Answer, Committed};
use aisle_http::{Call, Error, Reply, shopper};
use aisle_store::idempotency::{self, Claim};
use aisle_store::{Batch, Row, accounts, new_id, values};
use aisle_ucp::account::{self as wire, Account, SignInRequest, SignedIn};

use crate::account::{self, Known};
use crate::proof::{self, Challenge, Guess};
use crate::tokens::Pair;

/// A device that was just signed in.
pub struct Done {
    pub signed_in: SignedIn,
    pub reply: Reply,
}

struct SignIn<'a> {
    call: &'a Call,
    brand: Rc<Brand>,
    request: &'a SignInRequest,
    claim: Option<Claim>,
    network: String,
}

/// `POST /accounts/sessions`
pub async fn sign_in(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let body = call.body().await?;
    let request: SignInRequest = call.parse(&body)?;
    let claim = call.claim(&brand.id, "sign-in", &body)?;
    Ok(carry_out(call, brand, &request, claim).await?.reply)
}

/// The same for a page's form.
pub async fn carry_out(
    call: &Call,
    brand: Rc<Brand>,
    request: &SignInRequest,
    claim: Option<Claim>,
) -> Result<Done, Error> {
    check(request)?;
    let network = shopper::network(call).await;
    let sign_in = SignIn {
        call,
        brand,
        request,
        claim,
        network,
    };
    let row = sign_in.read().await?;
    if let Some(claim) = &sign_in.claim
        && let Some(reply) = call.replay(claim.outcome(&row)?)?
    {
        let signed_in = serde_json::from_slice(reply.body())
            .map_err(|error| Error::internal(error.to_string()))?;
        return Ok(Done { signed_in, reply });
    }
    let guess = Guess {
        brand_id: &sign_in.brand.id,
        challenge_id: &request.challenge_id,
        code: &request.code,
        network: &sign_in.network,
    };
    let challenge = guess.check(call, &row).await?;
    sign_in.check_order(&row)?;
    sign_in.write(&row, &challenge).await
}

fn check(request: &SignInRequest) -> Result<(), Error> {
    wire::check_name("$.device_name", Some(&request.device_name)).map_err(Error::invalid_member)?;
    wire::check_name("$.name", request.name.as_deref()).map_err(Error::invalid_member)?;
    wire::check_locale("$.locale", request.locale.as_deref()).map_err(Error::invalid_member)?;
    for (path, id) in [
        ("$.order_id", &request.order_id),
        ("$.checkout_session_id", &request.checkout_session_id),
    ] {
        if id.as_deref().is_some_and(|id| !is_id(id)) {
            return Err(missing(path));
        }
    }
    Ok(())
}

impl SignIn<'_> {
    /// One call.
    async fn read(&self) -> Result<Row, Error> {
        let sql = format!(
            "SELECT {{now}} AS now_ms, {}, {}, {}, o.id AS order_id, oa.account_id AS order_owner, \
             s.id AS checkout_id, sa.account_id AS checkout_owner \
             FROM (SELECT 1 AS one) probe {} {} \
             LEFT JOIN account_identity i ON i.brand_id = c.brand_id AND i.kind = c.kind AND i.address = c.address \
             LEFT JOIN account a ON a.brand_id = i.brand_id AND a.id = i.account_id AND a.status = 'active' \
             LEFT JOIN customer_order o ON o.brand_id = ?1 AND o.id = ?6 AND o.status IN ('confirmed', 'cancelled') \
             LEFT JOIN account_order oa ON oa.brand_id = o.brand_id AND oa.order_id = o.id \
             LEFT JOIN checkout_session s ON s.brand_id = ?1 AND s.id = ?7 \
             LEFT JOIN customer_order so ON so.brand_id = s.brand_id AND so.checkout_session_id = s.id \
             LEFT JOIN account_order sa ON sa.brand_id = so.brand_id AND sa.order_id = so.id",
            idempotency::COLUMNS,
            proof::COLUMNS,
            account::columns(self.call.db().dialect()),
            idempotency::join("?2", "?3"),
            proof::join("?1", "?4", "?5"),
        );
        let (scope, key) = match &self.claim {
            Some(claim) => (claim.scope.as_str(), claim.key.as_str()),
            None => ("", ""),
        };
        let request = self.request;
        let params = values![
            &self.brand.id,
            scope,
            key,
            &request.challenge_id,
            proof::wrong_codes(&self.brand.id, &self.network),
            request.order_id.as_deref().unwrap_or_default(),
            request.checkout_session_id.as_deref().unwrap_or_default()
        ];
        let row = self.call.db().query_one_opt(sql, params).await?;
        row.ok_or_else(|| Error::internal("a read without its one row"))
    }

    /// What is to be attached must be there, and nobody else's.
    fn check_order(&self, row: &Row) -> Result<(), Error> {
        let known = row.text_opt("account_id")?;
        let request = self.request;
        for (path, asked, found, owner) in [
            ("$.order_id", &request.order_id, "order_id", "order_owner"),
            (
                "$.checkout_session_id",
                &request.checkout_session_id,
                "checkout_id",
                "checkout_owner",
            ),
        ] {
            if asked.is_none() {
                continue;
            }
            if row.text_opt(found)?.is_none() {
                return Err(missing(path));
            }
            if row
                .text_opt(owner)?
                .is_some_and(|owner| Some(owner) != known)
            {
                let detail = "the order belongs to another account";
                return Err(Error::conflict("order_taken", detail).at(path));
            }
        }
        Ok(())
    }

    async fn write(&self, row: &Row, challenge: &Challenge) -> Result<Done, Error> {
        let now_ms = row.int("now_ms")?;
        let known = Known::of(row)?;
        let account = match &known {
            Some(known) => known.view(),
            None => self.newcomer(challenge, now_ms),
        };
        let pair = Pair::new();
        let ends_at_ms = domain::session_ends_at_ms(now_ms, now_ms);
        let access_ends_at_ms = domain::access_ends_at_ms(ends_at_ms, now_ms);
        let kept = SignedIn {
            session_id: new_id(),
            access_token: None,
            expires_at: rfc3339(access_ends_at_ms),
            refresh_token: None,
            refresh_expires_at: rfc3339(ends_at_ms),
            account: None,
        };
        let signed_in = SignedIn {
            access_token: Some(pair.access.clone()),
            refresh_token: Some(pair.refresh.clone()),
            account: Some(account.clone()),
            ..kept.clone()
        };
        let answer = Answer::new(201, &signed_in)?;
        // A secret is not kept: who repeats the request learns which session it was.
        let mut batch = command::begin(self.claim.as_ref(), &Answer::new(201, &kept)?);
        let code = challenge.use_up(&mut batch, &self.brand.id);
        match known {
            Some(known) => self.seen(&mut batch, &known.id),
            None => self.sign_up(&mut batch, &account, challenge)?,
        }
        let session = NewSession {
            id: &kept.session_id,
            account_id: &account.id,
            device_name: &self.request.device_name,
            pair: &pair,
            access_ends_at_ms,
            ends_at_ms,
        };
        session.insert(&mut batch, &self.brand.id);
        self.attach(&mut batch, &account.id);
        match command::commit(self.call, self.claim.as_ref(), answer, batch).await? {
            Committed::Done(reply) | Committed::Replayed(reply) => Ok(Done { signed_in, reply }),
            Committed::Unmet(error) if error.unmet_at(code) => Err(proof::over()),
            Committed::Unmet(_) => Err(command::raced()),
        }
    }

    fn newcomer(&self, challenge: &Challenge, now_ms: i64) -> Account {
        let person = domain::Account {
            name: self.request.name.clone(),
            locale: self.request.locale.clone(),
        };
        let address = challenge.address.clone();
        let identity = account::identity(challenge.channel, address, now_ms);
        Account::new(&new_id(), &person, vec![identity], now_ms)
    }

    fn sign_up(
        &self,
        batch: &mut Batch,
        account: &Account,
        challenge: &Challenge,
    ) -> Result<(), Error> {
        let doc = account::document(&domain::Account {
            name: account.name.clone(),
            locale: account.locale.clone(),
        })?;
        batch.expect(
            1,
            "INSERT INTO account (id, brand_id, status, doc, version, created_at_ms, updated_at_ms, last_seen_at_ms) \
             VALUES (?1, ?2, 'active', ?3, 1, {now}, {now}, {now})",
            values![&account.id, &self.brand.id, doc],
        );
        insert_identity(batch, &self.brand.id, &account.id, challenge);
        Ok(())
    }

    fn seen(&self, batch: &mut Batch, account_id: &str) {
        batch.expect(
            1,
            "UPDATE account SET last_seen_at_ms = {now} WHERE brand_id = ?1 AND id = ?2 AND status = 'active'",
            values![&self.brand.id, account_id],
        );
    }

    fn attach(&self, batch: &mut Batch, account_id: &str) {
        if let Some(order_id) = &self.request.order_id {
            accounts::attach_order(batch, &self.brand.id, order_id, account_id);
        }
        if let Some(session_id) = &self.request.checkout_session_id {
            accounts::attach_checkout(batch, &self.brand.id, session_id, account_id);
        }
    }
}

/// An address that was proved; unmet when it belongs to another account by now.
pub fn insert_identity(batch: &mut Batch, brand_id: &str, account_id: &str, challenge: &Challenge) {
    batch.expect(
        1,
        "INSERT INTO account_identity (brand_id, kind, address, account_id, verified_at_ms) \
         VALUES (?1, ?2, ?3, ?4, {now}) ON CONFLICT (brand_id, kind, address) DO UPDATE \
         SET verified_at_ms = excluded.verified_at_ms \
         WHERE account_identity.account_id = excluded.account_id",
        values![
            brand_id,
            challenge.channel.identity(),
            &challenge.address,
            account_id
        ],
    );
}

struct NewSession<'a> {
    id: &'a str,
    account_id: &'a str,
    device_name: &'a str,
    pair: &'a Pair,
    access_ends_at_ms: i64,
    ends_at_ms: i64,
}

impl NewSession<'_> {
    fn insert(&self, batch: &mut Batch, brand_id: &str) {
        batch.expect(
            1,
            "INSERT INTO account_session (id, brand_id, account_id, device_name, access_hash, access_expires_at_ms, \
             created_at_ms, last_used_at_ms, expires_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, {now}, {now}, ?7)",
            values![
                self.id,
                brand_id,
                self.account_id,
                self.device_name,
                self.pair.access_hash(),
                self.access_ends_at_ms,
                self.ends_at_ms
            ],
        );
        batch.expect(
            1,
            "INSERT INTO account_refresh (token_hash, brand_id, session_id, issued_at_ms) VALUES (?1, ?2, ?3, {now})",
            values![self.pair.refresh_hash(), brand_id, self.id],
        );
        batch.add(
            "UPDATE account_session SET revoked_at_ms = {now}, revoked_because = 'too_many' \
             WHERE brand_id = ?1 AND account_id = ?2 AND revoked_at_ms IS NULL AND expires_at_ms > {now} \
               AND id NOT IN (SELECT l.id FROM account_session l WHERE l.brand_id = ?1 AND l.account_id = ?2 \
                 AND l.revoked_at_ms IS NULL AND l.expires_at_ms > {now} ORDER BY l.last_used_at_ms DESC, l.id DESC LIMIT ?3)",
            values![brand_id, self.account_id, MAX_SESSIONS],
        );
    }
}

fn missing(path: &str) -> Error {
    let (code, detail) = match path {
        "$.order_id" => ("order_not_found", "the brand has no such order"),
        _ => ("checkout_not_found", "the brand has no such checkout"),
    };
    Error::unprocessable(code, path, detail)
}
