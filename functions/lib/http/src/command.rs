//! The commit of a command under its idempotency key, the same for every function.

use aisle_store::idempotency::{Claim, Outcome};
use aisle_store::{Batch, BatchError};
use serde::Serialize;

use crate::{Call, Error, Reply};

/// An answer as it is sent and, under a key, kept: a repetition must be the same to the byte.
pub struct Answer {
    pub status: u16,
    pub json: String,
}

impl Answer {
    pub fn new(status: u16, body: &impl Serialize) -> Result<Self, Error> {
        let json =
            serde_json::to_string(body).map_err(|error| Error::internal(error.to_string()))?;
        Ok(Self { status, json })
    }

    pub fn reply(self) -> Reply {
        Reply::bytes(self.status, "application/json", self.json.into_bytes())
    }

    fn stored(&self) -> (u16, &str) {
        (self.status, &self.json)
    }
}

/// What became of a command's batch.
pub enum Committed {
    Done(Reply),
    /// A request with the same key was faster, and this is what it was answered.
    Replayed(Reply),
    /// Another expectation was not met: this one.
    Unmet(BatchError),
}

impl Committed {
    /// The answer, where an expectation that was not met means that somebody was faster.
    pub fn unless_raced(self) -> Result<Reply, Error> {
        match self {
            Self::Done(reply) | Self::Replayed(reply) => Ok(reply),
            Self::Unmet(_) => Err(raced()),
        }
    }
}

/// Somebody else was faster; the same request may well succeed when tried again.
pub fn raced() -> Error {
    Error::conflict(
        "conflict",
        "Another request changed this at the same moment. Read it and try again.",
    )
    .header("retry-after", "1")
}

/// The batch of a command, begun with its claim and the answer to keep.
pub fn begin(claim: Option<&Claim>, answer: &Answer) -> Batch {
    let mut batch = Batch::new();
    if let Some(claim) = claim {
        claim.insert(&mut batch, Some(answer.stored()));
    }
    batch
}

/// Commits a batch that [`begin`] began: one call.
pub async fn commit(
    call: &Call,
    claim: Option<&Claim>,
    answer: Answer,
    batch: Batch,
) -> Result<Committed, Error> {
    match batch.commit(call.db()).await {
        Ok(_) => Ok(Committed::Done(answer.reply())),
        Err(error) => match claim.filter(|_| error.unmet_at(0)) {
            Some(claim) => Ok(Committed::Replayed(lost_to_same_key(call, claim).await?)),
            None if matches!(error, BatchError::Unmet { .. }) => Ok(Committed::Unmet(error)),
            None => Err(error.into()),
        },
    }
}

/// The answer to the request that took the key first.
async fn lost_to_same_key(call: &Call, claim: &Claim) -> Result<Reply, Error> {
    let outcome = claim.lookup(call.db()).await?;
    match call.replay(outcome.clone())? {
        Some(reply) => Ok(reply),
        None => Err(match outcome {
            Outcome::Fresh => raced(),
            _ => Error::internal("an idempotency key was neither free nor taken"),
        }),
    }
}
