//! The keys of pickup passes: variable `pass_keys`.

use std::cell::RefCell;
use std::rc::Rc;

use aisle_domain::pass::{KeyError, Keys};
use spin_sdk::variables;

use crate::Error;

thread_local! {
    /// The variable's text with its keys, because deriving public keys takes a while.
    static PARSED: RefCell<Option<(String, Rc<Keys>)>> = const { RefCell::new(None) };
}

/// The keys that sign and verify pickup passes. 503 with code `passes_unavailable` when
/// the variable holds none.
pub async fn pass_keys() -> Result<Rc<Keys>, Error> {
    let text = variables::get("pass_keys").await.unwrap_or_default();
    let known = PARSED.with_borrow(|parsed| match parsed {
        Some((known, keys)) if *known == text => Some(keys.clone()),
        _ => None,
    });
    if let Some(keys) = known {
        return Ok(keys);
    }
    let keys = Rc::new(Keys::parse(&text).map_err(unavailable)?);
    PARSED.set(Some((text, keys.clone())));
    Ok(keys)
}

fn unavailable(error: KeyError) -> Error {
    let detail = match error {
        KeyError::Missing => "variable pass_keys is not set: there are no pickup passes",
        KeyError::Malformed => {
            "variable pass_keys must hold up to 8 keys of 64 hexadecimal digits each"
        }
        KeyError::SameId => "variable pass_keys holds a key twice",
    };
    Error::new(503, "passes_unavailable", detail)
}
