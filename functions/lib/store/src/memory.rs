//! A few slow-changing documents, kept for a moment in the instance's own memory.
//!
//! An instance serves one request after the other (or sixteen at once), so what one
//! request parsed the next can use. Bounded in entries and in age; nothing here is ever
//! borrowed across an await.

use std::{any::Any, cell::RefCell, collections::HashMap, rc::Rc};

use crate::now_ms;

/// The longest that anything is remembered, and so how much staler than the read model an
/// answer can be.
pub const MAX_AGE_MS: i64 = 2_000;

const MAX_ENTRIES: usize = 256;

struct Entry {
    value: Rc<dyn Any>,
    kept_at_ms: i64,
}

thread_local! {
    static ENTRIES: RefCell<HashMap<String, Entry>> = RefCell::new(HashMap::new());
}

/// What was kept under `key` at most [`MAX_AGE_MS`] ago, if it is a `T`.
pub fn get<T: 'static>(key: &str) -> Option<Rc<T>> {
    get_at(key, now_ms())
}

/// Keeps `value` under `key`. Keys begin with the brand's id where the value is a brand's.
pub fn keep<T: 'static>(key: &str, value: Rc<T>) {
    keep_at(key, value, now_ms());
}

/// Forgets what this instance keeps under `key`, after it changed it itself.
pub fn forget(key: &str) {
    ENTRIES.with_borrow_mut(|entries| entries.remove(key));
}

fn get_at<T: 'static>(key: &str, now_ms: i64) -> Option<Rc<T>> {
    ENTRIES.with_borrow(|entries| {
        let entry = entries.get(key)?;
        // A clock that was set back must not make an entry immortal.
        let fresh = (0..MAX_AGE_MS).contains(&(now_ms - entry.kept_at_ms));
        fresh.then(|| entry.value.clone())?.downcast().ok()
    })
}

fn keep_at<T: 'static>(key: &str, value: Rc<T>, now_ms: i64) {
    ENTRIES.with_borrow_mut(|entries| {
        if entries.len() >= MAX_ENTRIES && !entries.contains_key(key) {
            entries.retain(|_, entry| (0..MAX_AGE_MS).contains(&(now_ms - entry.kept_at_ms)));
        }
        if entries.len() >= MAX_ENTRIES && !entries.contains_key(key) {
            entries.clear();
        }
        entries.insert(
            key.into(),
            Entry {
                value,
                kept_at_ms: now_ms,
            },
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_lives_for_its_age_and_type() {
        keep_at("age", Rc::new(7_i64), 10_000);
        assert_eq!(get_at::<i64>("age", 11_999).as_deref(), Some(&7));
        assert_eq!(get_at::<i64>("age", 12_000), None);
        assert_eq!(get_at::<i64>("age", 9_999), None);
        assert_eq!(get_at::<String>("age", 10_000), None);
    }

    #[test]
    fn the_number_of_entries_is_bounded() {
        for number in 0..3 * MAX_ENTRIES {
            keep_at(&format!("bounded {number}"), Rc::new(number), 50_000);
        }
        assert!(ENTRIES.with_borrow(HashMap::len) <= MAX_ENTRIES);
    }

    #[test]
    fn what_is_forgotten_is_gone() {
        keep_at("gone", Rc::new(1_i64), 20_000);
        forget("gone");
        assert_eq!(get_at::<i64>("gone", 20_000), None);
    }
}
