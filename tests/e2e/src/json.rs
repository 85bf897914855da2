//! Reading JSON in tests: what is missing shows the whole document.

use serde_json::Value;

/// Reads members by JSON pointer, and panics with the document when one is missing.
pub trait Look {
    fn at(&self, pointer: &str) -> &Value;

    fn text(&self, pointer: &str) -> &str {
        let value = self.at(pointer);
        value
            .as_str()
            .unwrap_or_else(|| panic!("{pointer} is {value}, not a text"))
    }

    fn number(&self, pointer: &str) -> i64 {
        let value = self.at(pointer);
        value
            .as_i64()
            .unwrap_or_else(|| panic!("{pointer} is {value}, not an integer"))
    }

    fn list(&self, pointer: &str) -> &[Value] {
        let value = self.at(pointer);
        value
            .as_array()
            .unwrap_or_else(|| panic!("{pointer} is {value}, not a list"))
    }
}

impl Look for Value {
    fn at(&self, pointer: &str) -> &Value {
        self.pointer(pointer)
            .unwrap_or_else(|| panic!("no {pointer} in {self:#}"))
    }
}

/// The message with this code, if the UCP document has one.
pub fn message<'a>(document: &'a Value, code: &str) -> Option<&'a Value> {
    document["messages"]
        .as_array()?
        .iter()
        .find(|message| message["code"] == code)
}

/// The amount of the totals entry of this type; absent means that there is none.
pub fn total(document: &Value, kind: &str) -> Option<i64> {
    document
        .list("/totals")
        .iter()
        .find(|entry| entry["type"] == kind)
        .map(|entry| entry.number("/amount"))
}
