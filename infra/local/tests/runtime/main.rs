//! What the edge promises a component, asked by one: `tests/probe`.

mod harness;

mod deadlines;
mod faults;
mod http;
mod instances;
mod key_value;
mod network;
mod sqlite;
mod startup;
