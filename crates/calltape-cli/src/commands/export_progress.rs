//! The progress bar of an export: on the error stream, and only where that is a terminal.

use std::time::Duration;

use calltape_export::Exported;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::text::figures::{bytes, counted};

/// Steps of a full bar.
const STEPS: u64 = 1_000;

/// A bar, or nothing.
#[derive(Debug)]
pub(super) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn new(shown: bool) -> Self {
        let bar = shown.then(|| {
            let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("exporting {wide_bar} {percent:>3} %  {msg}  {eta} left");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Self { bar }
    }

    pub(super) fn show(&self, exported: Exported) {
        let Some(bar) = &self.bar else { return };
        bar.set_message(format!("{}, {}", counted(exported.calls, "call", "calls"), bytes(exported.bytes)));
        bar.set_position((exported.part * STEPS as f64) as u64);
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
