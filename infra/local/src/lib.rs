//! The local edge: runs the app of a `spin.toml` on one machine, for development and
//! for tests, as Spin 4 would.

mod allowed_hosts;
mod app;
mod bindings;
mod components;
mod edge;
mod engine;
mod host;
mod instances;
mod log;
mod manifest;
pub mod migrate;
mod relay;
mod routes;
mod server;
mod stats;
mod tls;
mod variables;

pub use components::build_components;
pub use edge::{Edge, EdgeOptions, cannot_listen};
pub use stats::{ComponentStats, Stats};
