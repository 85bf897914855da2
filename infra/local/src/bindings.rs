//! The host's side of the interfaces in `wit/`.

wasmtime::component::bindgen!({
    path: "wit",
    world: "aisle:edge/host",
    imports: { default: async | trappable },
    with: {
        "spin:key-value/key-value.store": crate::host::kv::OpenStore,
        "spin:sqlite/sqlite.connection": crate::host::sqlite::Connection,
        "spin:postgres/postgres.connection": crate::host::postgres::Connection,
        "spin:postgres/postgres.connection-builder": crate::host::postgres::ConnectionBuilder,
    },
});

pub use spin::key_value::key_value;
pub use spin::postgres::postgres;
pub use spin::sqlite::sqlite;
pub use spin::variables::variables;
