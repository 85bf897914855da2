//! The source of truth (one database, two backends) and the read model in front of it.
//!
//! Everything that touches SQL or the key-value store goes through this crate: [`Db`]
//! reads, [`Batch`] changes, [`Kv`] holds documents that can be rebuilt, and [`Model`]
//! answers from them. Numbers of round trips are the design's currency: a query is one
//! call, a batch is one call on PostgreSQL whatever its length.

pub mod accounts;
pub mod audit;
mod batch;
pub mod carts;
pub mod changes;
mod clock;
mod consent;
mod db;
mod deadline;
mod error;
mod heavy;
pub mod holds;
pub mod idempotency;
pub mod incident;
pub mod kv;
pub mod layaway;
pub mod limit;
pub mod memory;
pub mod messages;
pub mod model;
pub mod outbox;
mod postgres;
pub mod refund;
mod row;
pub mod scans;
pub mod search;
mod sql;
mod sqlite;
pub mod stock;
pub mod timeline;
pub mod transfers;
mod value;

pub use batch::{Batch, StatementResult};
pub use clock::{new_id, new_token, now_ms, random, sha256_hex};
pub use consent::Consent;
pub use db::Db;
pub use deadline::within;
pub use error::{BatchError, StoreError};
pub use kv::{Doc, Kv};
pub use model::Model;

pub use row::Row;
pub use sql::{Dialect, Sql};
pub use value::Value;

/// The version of the schema (table `schema_version`) that this build was written for.
/// Any other refuses to serve: an older one lacks columns, a newer one may mean others.
pub const SCHEMA_VERSION: i64 = 15;
