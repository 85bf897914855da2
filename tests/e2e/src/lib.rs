//! The end-to-end suite's own tools: fresh environments on both pairs of stores, and
//! clients that talk HTTP to them.

pub mod accounts;
pub mod browser;
pub mod client;
pub mod components;
pub mod database;
mod demo;
pub mod environment;
pub mod events;
pub mod inbox;
mod interrupted;
pub mod json;
pub mod line;
mod neighbour;
pub mod phone;
pub mod pressure;
pub mod process;
pub mod provider;
pub mod python;
pub mod sendgrid;
pub mod servers;
pub mod shopping;
pub mod spin;
pub mod staff;
mod stores;
pub mod tour;
pub mod twilio;

pub use client::{Answer, Client};
pub use database::Database;
pub use environment::{Environment, Pair, Setup};
pub use neighbour::Neighbour;
pub use process::EdgeProcess;
