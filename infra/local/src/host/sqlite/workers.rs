//! How the statements of SQLite share the machine: so many run at a time, one of them
//! writes, and heavy ones have a few places of their own and never anybody else's.
//!
//! On Spin only SQLite's own lock stands between them, which is asked for again and again;
//! here writers take turns in the order in which they came, and wait on no thread.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{timeout, timeout_at};

use crate::bindings::sqlite::Error;

/// Statements that run at a time for each core: most of them wait for the disk.
const PER_CORE: usize = 4;
/// How long a writer waits for its turn: well inside the seven seconds of a call, which has
/// no other end while it waits here.
const WRITE_WAIT: Duration = Duration::from_secs(3);
/// How long a heavy statement waits for a place: enough for a few short ones to end.
const HEAVY_WAIT: Duration = Duration::from_millis(500);

/// The right to something of which there is only so much; given back when dropped.
pub type Permit = OwnedSemaphorePermit;

/// What the statements of an app share.
pub struct Workers {
    cores: usize,
    running: Arc<Semaphore>,
    writing: Arc<Semaphore>,
    heavy: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Workers {
    /// For a machine with so many cores.
    pub fn new(cores: usize) -> Self {
        Self {
            cores: cores.max(1),
            running: Arc::new(Semaphore::new(cores.max(2) * PER_CORE)),
            writing: Arc::new(Semaphore::new(1)),
            heavy: Mutex::default(),
        }
    }

    /// The place of a statement of this kind: at most one a core of each kind.
    ///
    /// # Errors
    /// None became free in time.
    pub async fn heavy_place(&self, kind: &str) -> Result<Permit, Error> {
        let places = {
            let mut heavy = self.heavy.lock().unwrap_or_else(PoisonError::into_inner);
            let places = heavy.entry(kind.to_owned());
            places
                .or_insert_with(|| Arc::new(Semaphore::new(self.cores)))
                .clone()
        };
        let full = || {
            Error::Io(format!(
                "all places for heavy statements ({kind}) are taken"
            ))
        };
        let place = timeout(HEAVY_WAIT, places.acquire_owned()).await;
        place.map_err(|_| full())?.map_err(|_| full())
    }

    /// A thread's worth of work for a statement that is not heavy.
    ///
    /// # Errors
    /// None became free until `deadline`; in SQLite's own words.
    pub async fn thread(&self, deadline: Instant) -> Result<Permit, Error> {
        let busy = || Error::Io("database is busy".to_owned());
        let thread = timeout_at(deadline.into(), self.running.clone().acquire_owned()).await;
        thread.map_err(|_| busy())?.map_err(|_| busy())
    }

    /// The turn to write, if nobody has it or waits for it.
    pub fn write_turn_now(&self) -> Option<Permit> {
        self.writing.clone().try_acquire_owned().ok()
    }

    /// The turn to write, in the order of asking.
    ///
    /// # Errors
    /// Those before did not end in time; in SQLite's own words.
    pub async fn write_turn(&self) -> Result<Permit, Error> {
        let locked = || Error::Io("database is locked".to_owned());
        let turn = timeout(WRITE_WAIT, self.writing.clone().acquire_owned()).await;
        turn.map_err(|_| locked())?.map_err(|_| locked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_kind_has_its_own_places() {
        let workers = Workers::new(1);
        let _search = workers.heavy_place("search").await.unwrap();
        let mut next = Box::pin(workers.heavy_place("search"));
        assert!(futures::poll!(&mut next).is_pending());
        assert!(workers.heavy_place("export").await.is_ok());
    }

    #[tokio::test]
    async fn who_waits_for_the_turn_to_write_is_not_overtaken() {
        let workers = Workers::new(1);
        let first = workers.write_turn_now().unwrap();
        let mut second = Box::pin(workers.write_turn());
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        assert!(workers.write_turn_now().is_none());
        assert!(second.await.is_ok());
    }
}
