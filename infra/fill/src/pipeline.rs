//! Rows are made on as many threads as there are processors, and written in order by one.
//! No more than a few chunks wait in between, whatever the number of things.

use std::sync::mpsc::sync_channel;

use anyhow::{Context, Result};

use crate::rows::Chunk;
use crate::target::Target;

/// Chunks of each maker that wait to be written, at most.
const WAITING: usize = 2;

/// Told how far the work has come.
pub trait Progress {
    /// A part of the work begins, with so many things to make.
    fn begin(&self, what: &str, count: u64);
    /// So many more are made.
    fn made(&self, count: u64);
    /// The part is done.
    fn end(&self);
}

/// For work that nobody watches.
pub struct Unwatched;

impl Progress for Unwatched {
    fn begin(&self, _: &str, _: u64) {}
    fn made(&self, _: u64) {}
    fn end(&self) {}
}

/// Has `make` make the chunks 0 to below `chunks`, and writes them in that order.
pub fn pour(
    target: &mut dyn Target,
    progress: &dyn Progress,
    chunks: u64,
    make: impl Fn(u64) -> Result<Chunk> + Sync,
) -> Result<()> {
    let makers = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    std::thread::scope(|scope| {
        let receivers: Vec<_> = (0..makers)
            .map(|first| {
                let (sender, receiver) = sync_channel(WAITING);
                let make = &make;
                scope.spawn(move || {
                    for number in (first..chunks).step_by(makers as usize) {
                        // A writer that has failed listens no more.
                        if sender.send(make(number)).is_err() {
                            break;
                        }
                    }
                });
                receiver
            })
            .collect();
        for number in 0..chunks {
            let receiver = &receivers[(number % makers) as usize];
            let chunk = receiver.recv().context("a maker of rows has stopped")??;
            let made = chunk.made;
            target.write(chunk)?;
            progress.made(made);
        }
        Ok(())
    })
}
