//! A few slow-changing documents, kept for a moment in the instance's own memory.
//!
//! An instance serves one request after the other (or sixteen at once), so what one
//! request parsed the next can use. Bounded in bytes and in age; nothing here is ever
//! borrowed across an await.

use std::{any::Any, cell::RefCell, collections::HashMap, rc::Rc};

use crate::now_ms;

/// The longest that anything is remembered, and so how much staler than the read model an
/// answer can be.
pub const MAX_AGE_MS: i64 = 2_000;

/// What an instance remembers at most, by the sizes that were told.
const MAX_BYTES: usize = 4 << 20;

/// What an entry takes besides its value: the key, twice, and its place.
const ENTRY_BYTES: usize = 256;

#[derive(Clone)]
struct Entry {
    value: Rc<dyn Any>,
    bytes: usize,
    kept_at_ms: i64,
}

/// Two generations: when the young one has half of the bytes it becomes the old one, and
/// what nobody has asked for since goes with the former old one.
#[derive(Default)]
struct Entries {
    young: HashMap<String, Entry>,
    young_bytes: usize,
    old: HashMap<String, Entry>,
}

thread_local! {
    static ENTRIES: RefCell<Entries> = RefCell::default();
}

/// What was kept under `key` at most [`MAX_AGE_MS`] ago, if it is a `T`.
pub fn get<T: 'static>(key: &str) -> Option<Rc<T>> {
    get_at(key, now_ms())
}

/// Keeps something small under `key`. Keys begin with the brand's id where the value is a brand's.
pub fn keep<T: 'static>(key: &str, value: Rc<T>) {
    keep_of(key, value, 0);
}

/// Keeps `value`, which takes some `bytes`, as [`keep`].
pub fn keep_of<T: 'static>(key: &str, value: Rc<T>, bytes: usize) {
    keep_at(key, value, bytes, now_ms());
}

/// Forgets what this instance keeps under `key`, after it changed it itself.
pub fn forget(key: &str) {
    ENTRIES.with_borrow_mut(|entries| {
        entries.old.remove(key);
        if let Some(entry) = entries.young.remove(key) {
            entries.young_bytes -= entry.bytes;
        }
    });
}

fn get_at<T: 'static>(key: &str, now_ms: i64) -> Option<Rc<T>> {
    ENTRIES.with_borrow_mut(|entries| {
        let entry = match entries.young.get(key) {
            Some(entry) => entry.clone(),
            None => {
                let (key, entry) = entries.old.remove_entry(key)?;
                entries.put(key, entry.clone());
                entry
            }
        };
        // A clock that was set back must not make an entry immortal.
        let fresh = (0..MAX_AGE_MS).contains(&(now_ms - entry.kept_at_ms));
        fresh.then_some(entry.value)?.downcast().ok()
    })
}

fn keep_at<T: 'static>(key: &str, value: Rc<T>, bytes: usize, now_ms: i64) {
    ENTRIES.with_borrow_mut(|entries| {
        entries.old.remove(key);
        let entry = Entry {
            value,
            bytes: bytes + ENTRY_BYTES,
            kept_at_ms: now_ms,
        };
        entries.put(key.into(), entry);
    });
}

impl Entries {
    fn put(&mut self, key: String, entry: Entry) {
        if entry.bytes > MAX_BYTES / 2 {
            return;
        }
        if self.young_bytes + entry.bytes > MAX_BYTES / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += entry.bytes;
        if let Some(former) = self.young.insert(key, entry) {
            self.young_bytes -= former.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_lives_for_its_age_and_type() {
        keep_at("age", Rc::new(7_i64), 8, 10_000);
        assert_eq!(get_at::<i64>("age", 11_999).as_deref(), Some(&7));
        assert_eq!(get_at::<i64>("age", 12_000), None);
        assert_eq!(get_at::<i64>("age", 9_999), None);
        assert_eq!(get_at::<String>("age", 10_000), None);
    }

    #[test]
    fn the_bytes_are_bounded_and_what_is_asked_for_stays() {
        let bytes = MAX_BYTES / 16;
        let all = |entries: &Entries| {
            entries
                .young
                .values()
                .chain(entries.old.values())
                .map(|entry| entry.bytes)
                .sum::<usize>()
        };
        keep_at("wanted", Rc::new(0_i64), 8, 50_000);
        for number in 0..100_i64 {
            keep_at(&format!("bounded {number}"), Rc::new(number), bytes, 50_000);
            assert_eq!(get_at::<i64>("wanted", 50_000).as_deref(), Some(&0));
            assert!(ENTRIES.with_borrow(all) <= MAX_BYTES);
        }
        assert_eq!(get_at::<i64>("bounded 0", 50_000), None);
        assert_eq!(get_at::<i64>("bounded 99", 50_000).as_deref(), Some(&99));
    }

    #[test]
    fn the_same_key_counts_once() {
        for number in 0..1_000_i64 {
            keep_at("same", Rc::new(number), 8, 50_000);
        }
        assert_eq!(get_at::<i64>("same", 50_000).as_deref(), Some(&999));
        assert_eq!(
            ENTRIES.with_borrow(|entries| entries.young_bytes),
            ENTRY_BYTES + 8
        );
    }

    #[test]
    fn what_is_forgotten_is_gone() {
        keep_at("gone", Rc::new(1_i64), 8, 20_000);
        forget("gone");
        assert_eq!(get_at::<i64>("gone", 20_000), None);
    }
}
