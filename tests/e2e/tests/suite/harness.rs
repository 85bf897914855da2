//! Runs each scenario on both pairs of stores, under a name that says which.

use std::collections::BTreeSet;
use std::future::Future;
use std::io::Write;
use std::sync::{Mutex, OnceLock};

use aisle_e2e::Pair;
use aisle_e2e::servers::servers;
use anyhow::Result;
use tokio::runtime::Runtime;

/// Makes a test of every listed scenario, an `async fn(Pair) -> Result<()>`, on each
/// pair: `embedded::story::…` and `servers::story::…`.
macro_rules! suite {
    ($($module:ident: [$($scenario:ident),* $(,)?]),* $(,)?) => {
        $crate::harness::on_pair!(embedded, Embedded, $($module: [$($scenario),*]),*);
        $crate::harness::on_pair!(servers, Servers, $($module: [$($scenario),*]),*);
    };
}

macro_rules! on_pair {
    ($name:ident, $pair:ident, $($module:ident: [$($scenario:ident),*]),*) => {
        mod $name {
            $(mod $module {
                $(#[test]
                fn $scenario() {
                    $crate::harness::run(aisle_e2e::Pair::$pair, $crate::$module::$scenario);
                })*
            })*
        }
    };
}

pub(crate) use {on_pair, suite};

/// Runs one scenario to its end, or says why it is skipped.
pub fn run<F: Future<Output = Result<()>>>(pair: Pair, scenario: impl FnOnce(Pair) -> F) {
    if pair == Pair::Servers && !servers_are_there() {
        return;
    }
    if let Err(error) = runtime().block_on(scenario(pair)) {
        panic!("{error:?}");
    }
}

/// One runtime for the whole process: what outlives a test goes on in it.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime"))
}

fn servers_are_there() -> bool {
    let Err(reason) = servers() else { return true };
    skip("PostgreSQL and Redis", reason);
    false
}

/// Says on the terminal, past the test runner's capture, what is not tested and why. Where
/// the environment says that this is CI, nothing may be skipped.
pub fn skip(what: &str, reason: &str) {
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "CI must test {what}, but: {reason}"
    );
    say_skipped(what, reason);
}

/// The turn of a test that keeps the whole machine busy: two of them at a time would measure
/// each other.
pub async fn heavy_turn() -> tokio::sync::MutexGuard<'static, ()> {
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    TURN.lock().await
}

/// Whether the runtime counts SQL statements, as the local edge does; says so where not.
pub fn counts_sql() -> bool {
    let counts = aisle_e2e::spin::program().is_none();
    if !counts {
        say_skipped(
            "the number of SQL statements",
            "a real Spin does not count them",
        );
    }
    counts
}

fn say_skipped(what: &str, reason: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let first = SAID
        .lock()
        .is_ok_and(|mut said| said.insert(what.to_owned()));
    if first {
        // The message is all that could be lost.
        let _ = writeln!(
            std::io::stderr(),
            "\nSKIPPED: everything on {what}: {reason}"
        );
    }
}
