//! What travels over HTTP: the shapes of the Universal Commerce Protocol, release
//! 2026-08-25, and of Aisle's own API, with the projections from the domain.

pub mod account;
pub mod admin;
pub mod cart;
pub mod catalog;
pub mod checkout;
pub mod count;
pub mod envelope;
pub mod hold;
pub mod invite;
pub mod layaway;
pub mod location;
pub mod message;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod order;
pub mod page;
pub mod pass;
pub mod pos;
pub mod presence;
pub mod stock;
pub mod sync;
pub mod transfer;

pub use envelope::UCP_VERSION;
