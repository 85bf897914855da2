//! What a person sees while something takes its time.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A line that shows that work is going on.
pub fn step(message: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(message.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    if bar.is_hidden() {
        eprintln!("{message} …");
    }
    bar
}

/// Ends a step, leaving what came of it.
pub fn done(bar: &ProgressBar, message: &str) {
    bar.finish_and_clear();
    eprintln!("✓ {message}");
}

/// A bar for a file of `bytes` that is being sent, with its rate and what time remains.
pub fn bytes(name: &str, bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
    );
    let bar = ProgressBar::new(bytes).with_message(name.to_owned());
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A bar for `count` things that are being made, with how many a second and the time left.
pub fn things(name: &str, count: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{msg:18} {bar:30} {human_pos}/{human_len} {per_sec}, {eta} left",
    );
    let bar = ProgressBar::new(count).with_message(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(500));
    if bar.is_hidden() {
        eprintln!("{name}: {count} …");
    }
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
