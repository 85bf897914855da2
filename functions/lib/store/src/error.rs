//! What can go wrong between a function and its database.

use std::fmt;

use crate::SCHEMA_VERSION;

/// Why a read or a write gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// The database or the store cannot be reached, is overloaded or did not answer in
    /// time; worth another try later. Of a write it is not known whether it happened.
    Unavailable(String),
    /// All places for heavy work of this kind are taken. Nothing was done.
    Busy(String),
    /// The database's schema is not the one that this build was written for.
    SchemaMismatch { found: i64, expected: i64 },
    /// A statement or a document is wrong: ours to repair, not the caller's.
    Bug(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "unavailable: {why}"),
            Self::Busy(why) => write!(f, "busy: {why}"),
            Self::SchemaMismatch { found, expected } => {
                write!(
                    f,
                    "the database has schema version {found}, this build needs version {expected}"
                )
            }
            Self::Bug(why) => write!(f, "the store was used wrongly: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}

/// Why a [`Batch`](crate::Batch) left nothing behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchError {
    /// The statement at this index (from 0) touched `changes` rows, not as many as it must.
    Unmet {
        statement: usize,
        changes: u64,
    },
    /// A unique, check or foreign-key constraint refused a row. Say what may legitimately
    /// collide with `ON CONFLICT` and an expectation; this is for what must not happen.
    Violated(String),
    Store(StoreError),
}

impl BatchError {
    /// Whether the statement at `index` is the one that fell short.
    pub fn unmet_at(&self, index: usize) -> bool {
        matches!(self, Self::Unmet { statement, .. } if *statement == index)
    }
}

impl From<StoreError> for BatchError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// For callers that set no expectation, or for whom one that fails is a fault of ours.
impl From<BatchError> for StoreError {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Store(error) => error,
            other => Self::Bug(other.to_string()),
        }
    }
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unmet { statement, changes } => write!(
                f,
                "statement {statement} of the batch touched {changes} rows"
            ),
            Self::Violated(constraint) => write!(f, "a constraint was violated: {constraint}"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BatchError {}

/// What a backend reports, before it is decided whether to try again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// A deadlock, a serialisation failure or a lock that was not to be had: undone by
    /// the database, so the same work can be tried again at once.
    Contended(String),
    /// No place for heavy work was free; nothing was done.
    Busy(String),
    Unmet {
        statement: usize,
        changes: u64,
    },
    Violated(String),
    /// The statement names a table that does not exist.
    NoTable(String),
    /// The session does not know the statement by its name.
    Unprepared,
    SchemaMismatch {
        found: i64,
    },
    Unavailable(String),
    Bug(String),
}

impl From<Failure> for BatchError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unmet { statement, changes } => Self::Unmet { statement, changes },
            Failure::Violated(constraint) => Self::Violated(constraint),
            Failure::Contended(why) | Failure::Unavailable(why) => {
                StoreError::Unavailable(why).into()
            }
            Failure::Busy(why) => StoreError::Busy(why).into(),
            Failure::SchemaMismatch { found } => StoreError::SchemaMismatch {
                found,
                expected: SCHEMA_VERSION,
            }
            .into(),
            Failure::NoTable(why) | Failure::Bug(why) => StoreError::Bug(why).into(),
            Failure::Unprepared => StoreError::Bug("a statement was forgotten".into()).into(),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        BatchError::from(failure).into()
    }
}
