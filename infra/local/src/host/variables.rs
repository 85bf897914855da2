//! `spin:variables@3.0.0`.

use wasmtime::component::Accessor;

use super::{Guest, GuestData};
use crate::bindings::variables::{Error, Host, HostWithStore};
use crate::variables::check_name;

impl Host for Guest {}

impl<T: Send + 'static> HostWithStore<T> for GuestData {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, Error>> {
        if let Err(error) = check_name(&name) {
            return Ok(Err(Error::InvalidName(error.to_string())));
        }
        let component = accessor.with(|mut access| access.get().component.clone());
        let value = component.variables.get(&name).cloned();
        Ok(value.ok_or_else(|| {
            Error::Undefined(format!("no variable for {:?}.{name:?}", component.id))
        }))
    }
}
