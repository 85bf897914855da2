//! Waiting to a fraction of a millisecond: a runtime's own timers are good for a whole one,
//! which would be a part of what is measured.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Instant;

use tokio::sync::oneshot;

/// Wakes who waits, from a thread of its own.
#[derive(Clone)]
pub struct Clock(Sender<Sleeper>);

struct Sleeper {
    due: Instant,
    wake: oneshot::Sender<()>,
}

impl Clock {
    pub fn start() -> Self {
        let (sleepers, coming) = channel();
        std::thread::spawn(move || run(&coming));
        Self(sleepers)
    }

    pub async fn until(&self, due: Instant) {
        if due <= Instant::now() {
            return;
        }
        let (wake, woken) = oneshot::channel();
        // The thread lives as long as this does.
        let _ = self.0.send(Sleeper { due, wake });
        let _ = woken.await;
    }
}

fn run(coming: &Receiver<Sleeper>) {
    let mut sleepers = BinaryHeap::<Reverse<Sleeper>>::new();
    loop {
        let next = match sleepers.peek() {
            Some(Reverse(first)) => {
                coming.recv_timeout(first.due.saturating_duration_since(Instant::now()))
            }
            None => coming.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match next {
            Ok(sleeper) => sleepers.push(Reverse(sleeper)),
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
        while sleepers
            .peek()
            .is_some_and(|Reverse(first)| first.due <= Instant::now())
        {
            if let Some(Reverse(sleeper)) = sleepers.pop() {
                // Who does not wait any more need not be woken.
                let _ = sleeper.wake.send(());
            }
        }
    }
}

impl PartialEq for Sleeper {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Sleeper {}

impl PartialOrd for Sleeper {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sleeper {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}
