//! The link behind a code, and what stands in its way.

use aisle_domain::brand::Brand;
use aisle_domain::invite::{Refused, State, normalise_code};
use aisle_http::{Call, Error, shopper};
use aisle_store::{limit, sha256_hex, values};

use crate::row::{InviteRow, select};

/// Unknown codes that one network address may ask for within [`WINDOW_MS`]: many phones share
/// one, and with 70 bits a code is not guessed this way.
const MISSES: i64 = 100;
const WINDOW_MS: i64 = 15 * 60_000;

/// Why a link leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    Unknown,
    Over(State),
    NotYours,
    /// What it is for is no more.
    Gone,
    BeingBought,
    TooMany,
}

/// Why there is no link to follow.
pub enum Fault {
    Obstacle(Obstacle),
    Error(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<aisle_store::StoreError> for Fault {
    fn from(error: aisle_store::StoreError) -> Self {
        Self::Error(error.into())
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        Self::Obstacle(match refused {
            Refused::Over(state) => Obstacle::Over(state),
            Refused::NotYours => Obstacle::NotYours,
        })
    }
}

impl Obstacle {
    pub fn status(self) -> u16 {
        match self {
            Self::Unknown => 404,
            Self::Over(_) | Self::Gone => 410,
            Self::NotYours | Self::BeingBought => 409,
            Self::TooMany => 429,
        }
    }

    /// For programs.
    pub fn error(self) -> Error {
        let (code, detail) = match self {
            Self::Unknown => ("link_unknown", "there is no such link"),
            Self::Over(State::Revoked) => ("link_revoked", "this link was revoked"),
            Self::Over(State::Claimed) => ("link_used", "this link has become an account's own"),
            Self::Over(State::Expired | State::Open) => ("link_expired", "this link has expired"),
            Self::NotYours => (
                "not_yours",
                "what this link is for belongs to another account",
            ),
            Self::Gone => ("link_over", "what this link is for is no more"),
            Self::BeingBought => ("being_bought", "this cart is being bought at this moment"),
            Self::TooMany => ("too_many_tries", "too many unknown codes; wait a while"),
        };
        let error = Error::new(self.status(), code, detail);
        match self {
            Self::TooMany => error.header("retry-after", &(WINDOW_MS / 1_000).to_string()),
            _ => error,
        }
    }
}

/// The link with this code, however it stands. One call; a second one counts a miss. Whoever has
/// the code gets in, whatever others of the same network have guessed: with 70 random bits no
/// guess hits.
pub async fn find(call: &Call, brand: &Brand, code: &str) -> Result<InviteRow, Fault> {
    let unknown = || Fault::Obstacle(Obstacle::Unknown);
    let code = normalise_code(code).ok_or_else(unknown)?;
    let counter = format!("link/{}/{}", brand.id, shopper::network(call).await);
    let sql = format!(
        "SELECT l.used, f.* FROM (SELECT 1 AS one) probe \
         LEFT JOIN rate_limit l ON l.name = ?4 AND l.window_ends_ms > {{now}} LEFT JOIN ({}) f ON 1 = 1",
        select("i.code_hash = ?2")
    );
    let params = values![&brand.id, sha256_hex(code.as_bytes()), "", &counter];
    let row = call.db().query_one_opt(sql, params).await?;
    let row = row.ok_or_else(|| Error::internal("no row from a probe"))?;
    if row.text_opt("id")?.is_some() {
        return Ok(InviteRow::of(&row)?);
    }
    if row.int_opt("used")?.is_some_and(|used| used >= MISSES) {
        return Err(Fault::Obstacle(Obstacle::TooMany));
    }
    limit::allows(call.db(), &counter, MISSES, WINDOW_MS).await?;
    Err(unknown())
}
