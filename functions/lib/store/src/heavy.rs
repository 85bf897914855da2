//! Heavy work is admitted within limits: what a request asks for that can keep a database
//! busy takes one of a few places of its kind, or is turned away.
//!
//! On PostgreSQL a place is an advisory lock that the very statement takes
//! (`aisle_heavy_place`), so the limit holds for all processes together. SQLite has no such
//! thing: the statement says by a comment that it is heavy, and the local edge gives it one of
//! its own threads. On Spin's SQLite nothing limits it but its own bounds.

use std::cell::Cell;

/// The places of each kind on one PostgreSQL, unless the variable `heavy_places` says otherwise.
pub(crate) const PLACES: i64 = 8;

/// What the statements of one request say about themselves.
#[derive(Default)]
pub(crate) struct Heavy {
    place: Cell<Option<Place>>,
    admitted: Cell<bool>,
    changed: Cell<bool>,
}

#[derive(Clone, Copy)]
struct Place {
    kind: &'static str,
    places: i64,
}

impl Heavy {
    pub(crate) fn begin(&self, kind: &'static str, places: i64) {
        self.place.set(Some(Place { kind, places }));
    }

    pub(crate) fn end(&self) {
        self.place.set(None);
        self.admitted.set(false);
    }

    /// Whether the request had a place before, so that it may wait for the next one.
    pub(crate) fn is_admitted(&self) -> bool {
        self.admitted.get()
    }

    /// Notes that a call was carried out, and whether it may have changed something.
    pub(crate) fn done(&self, changes: bool) {
        self.admitted.set(self.place.get().is_some());
        self.changed.set(self.changed.get() || changes);
    }

    /// The statement for SQLite.
    pub(crate) fn sqlite(&self, text: String) -> String {
        match self.place.get() {
            Some(place) => comment(place, &text),
            None => text,
        }
    }

    /// A query for PostgreSQL. Once the request has changed something it is to end whoever
    /// waits for it, and no longer says that it is heavy.
    pub(crate) fn postgres(&self, text: String) -> String {
        match self.place.get() {
            Some(place) => {
                let text = format!(
                    "SELECT * FROM ({text}\n) heavy WHERE {}",
                    self.condition().unwrap_or_default()
                );
                if self.changed.get() {
                    text
                } else {
                    comment(place, &text)
                }
            }
            None => text,
        }
    }

    /// What PostgreSQL evaluates once, before anything else of the statement.
    pub(crate) fn condition(&self) -> Option<String> {
        let Place { kind, places } = self.place.get()?;
        Some(format!("(SELECT aisle_heavy_place('{kind}', {places}))"))
    }
}

fn comment(place: Place, text: &str) -> String {
    format!("/* heavy: {} */ {text}", place.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_light_request_says_nothing() {
        let heavy = Heavy::default();
        assert_eq!(heavy.sqlite("SELECT 1".into()), "SELECT 1");
        assert_eq!(heavy.postgres("SELECT 1".into()), "SELECT 1");
        assert_eq!(heavy.condition(), None);
        heavy.done(false);
        assert!(!heavy.is_admitted());
    }

    #[test]
    fn a_heavy_request_takes_a_place_on_both_databases() {
        let heavy = Heavy::default();
        heavy.begin("search", 8);
        assert!(!heavy.is_admitted());
        assert_eq!(
            heavy.sqlite("SELECT 1".into()),
            "/* heavy: search */ SELECT 1"
        );
        assert_eq!(
            heavy.postgres("SELECT 1".into()),
            "/* heavy: search */ SELECT * FROM (SELECT 1\n) heavy WHERE (SELECT aisle_heavy_place('search', 8))"
        );
        heavy.done(true);
        assert!(heavy.is_admitted());
        assert!(heavy.postgres("SELECT 1".into()).starts_with("SELECT"));
    }
}
