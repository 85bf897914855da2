//! What was measured: a histogram of latencies for each operation, and what went wrong.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// Latencies in microseconds, to three digits, up to a minute.
const HIGHEST_US: u64 = 60_000_000;
const DIGITS: u8 = 3;

/// What somebody does, in the order in which it is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Search,
    Lookup,
    Stock,
    StoresWithIt,
    Cart,
    CreateCheckout,
    UpdateCheckout,
    Complete,
    ReadOrder,
    Pass,
    PullList,
    Ready,
    Scan,
    Sale,
    HandOver,
}

impl Operation {
    pub fn name(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Lookup => "look at a product",
            Self::Stock => "stock",
            Self::StoresWithIt => "stores that have it",
            Self::Cart => "create cart",
            Self::CreateCheckout => "create checkout",
            Self::UpdateCheckout => "update checkout",
            Self::Complete => "complete",
            Self::ReadOrder => "read order",
            Self::Pass => "pass",
            Self::PullList => "pull list",
            Self::Ready => "lay ready",
            Self::Scan => "scan",
            Self::Sale => "sale",
            Self::HandOver => "hand over",
        }
    }
}

/// Takes what everybody measures, from `from` on; what began before it is warm-up.
pub struct Recorder {
    from: Instant,
    seen: Mutex<Seen>,
}

/// By operation.
pub type Seen = BTreeMap<Operation, Measured>;

pub struct Measured {
    pub latency: Histogram<u64>,
    /// How often, by what was answered instead.
    pub errors: BTreeMap<String, u64>,
}

impl Recorder {
    pub fn from(from: Instant) -> Self {
        Self {
            from,
            seen: Mutex::default(),
        }
    }

    /// An answer to what should have begun at `due`.
    pub fn answered(&self, operation: Operation, due: Instant) {
        let latency = due.elapsed();
        self.with(operation, due, |measured| {
            measured
                .latency
                .saturating_record(latency.as_micros() as u64);
        });
    }

    pub fn failed(&self, operation: Operation, due: Instant, why: String) {
        self.with(operation, due, |measured| {
            *measured.errors.entry(why).or_default() += 1
        });
    }

    fn with(&self, operation: Operation, due: Instant, note: impl FnOnce(&mut Measured)) {
        if due >= self.from {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            note(seen.entry(operation).or_default());
        }
    }

    /// What was seen so far; it begins anew.
    pub fn take(&self) -> Seen {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for Measured {
    fn default() -> Self {
        let latency = Histogram::new_with_max(HIGHEST_US, DIGITS).expect("a valid range");
        Self {
            latency,
            errors: BTreeMap::new(),
        }
    }
}

impl Measured {
    pub fn failures(&self) -> u64 {
        self.errors.values().sum()
    }

    pub fn quantile(&self, quantile: f64) -> Duration {
        Duration::from_micros(self.latency.value_at_quantile(quantile))
    }

    pub fn median(&self) -> Duration {
        self.quantile(0.5)
    }

    pub fn p99(&self) -> Duration {
        self.quantile(0.99)
    }
}

/// All operations as one.
pub fn together(seen: &Seen) -> Measured {
    let mut all = Measured::default();
    for measured in seen.values() {
        // Every histogram has the same range.
        let _ = all.latency.add(&measured.latency);
        for (why, count) in &measured.errors {
            *all.errors.entry(why.clone()).or_default() += count;
        }
    }
    all
}

pub fn ms(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1e3)
}

/// One line for each operation and one for all.
pub fn print(seen: &Seen, lasted: Duration) {
    println!(
        "  {:20} {:>9} {:>8} {:>8} {:>8} {:>9} {:>7}",
        "operation", "each s", "p50 ms", "p90 ms", "p99 ms", "max ms", "errors"
    );
    for (operation, measured) in seen {
        line(operation.name(), measured, lasted);
    }
    let all = together(seen);
    line("all", &all, lasted);
    for (why, count) in &all.errors {
        println!("  {count} times: {why}");
    }
}

fn line(name: &str, measured: &Measured, lasted: Duration) {
    let latency = &measured.latency;
    println!(
        "  {name:20} {:9.1} {:>8} {:>8} {:>8} {:>9} {:7}",
        latency.len() as f64 / lasted.as_secs_f64(),
        ms(measured.median()),
        ms(measured.quantile(0.9)),
        ms(measured.p99()),
        ms(Duration::from_micros(latency.max())),
        measured.failures(),
    );
}
