//! How far a long step has come, on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over so many seconds.
pub fn bar(name: &str, lasts: Duration) -> ProgressBar {
    let bar = ProgressBar::new(lasts.as_secs().max(1));
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} s");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.set_message(name.to_owned());
    bar
}

/// A step of unknown length.
pub fn step(name: &str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(name.to_owned());
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}
