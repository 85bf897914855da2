//! The rules of the trade, pure: no I/O, no clock, no randomness of its own.

pub mod brand;
pub mod cart;
pub mod checkout;
pub mod count;
pub mod delivery;
pub mod fulfillment;
pub mod geo;
pub mod gtin;
pub mod hours;
pub mod id;
pub mod import;
pub mod instant;
pub mod location;
pub mod money;
pub mod notice;
pub mod order;
pub mod plan;
pub mod policy;
pub mod product;
pub mod scan;
pub mod selection;
pub mod supply;
pub mod tax;
pub mod totals;
