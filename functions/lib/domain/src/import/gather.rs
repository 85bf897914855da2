//! Rows that belong together although others may stand between them.

use std::collections::{HashMap, HashSet, VecDeque};

use super::assembly::hash;
use super::table::Row;

/// How much of a file waits for more of the same, in bytes.
pub const MAX_WAITING_BYTES: usize = 6 << 20;

/// Groups of rows by key, kept until the file ends or they take too much room.
#[derive(Default)]
pub struct Gather {
    groups: HashMap<String, Vec<Row>>,
    /// The keys in the order in which they came.
    order: VecDeque<String>,
    bytes: usize,
    /// Hashes of the keys of groups that were given out.
    closed: HashSet<u64>,
}

impl Gather {
    /// Adds a row to its group. Answers the oldest group when all together are too large, and
    /// gives back a row whose group was answered before.
    pub fn push(&mut self, key: &str, row: Row) -> Result<Option<Vec<Row>>, Row> {
        if self.closed.contains(&hash(key)) {
            return Err(row);
        }
        self.bytes += row.bytes();
        match self.groups.get_mut(key) {
            Some(group) => group.push(row),
            None => {
                self.groups.insert(key.to_owned(), vec![row]);
                self.order.push_back(key.to_owned());
            }
        }
        Ok((self.bytes > MAX_WAITING_BYTES)
            .then(|| self.pop())
            .flatten())
    }

    /// The oldest group.
    pub fn pop(&mut self) -> Option<Vec<Row>> {
        let key = self.order.pop_front()?;
        let group = self.groups.remove(&key)?;
        self.bytes -= group.iter().map(Row::bytes).sum::<usize>();
        self.closed.insert(hash(&key));
        Some(group)
    }
}

/// Why a row cannot be used that [`Gather::push`] gave back.
pub fn too_late() -> String {
    format!(
        "the other rows of its product are more than {} MiB before it; put them together",
        MAX_WAITING_BYTES >> 20
    )
}
