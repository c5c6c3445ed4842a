//! What takes long, shown while it is done: a bar or a line of words on the error stream of a terminal, gone when it is
//! over. Elsewhere nothing.

use std::cell::Cell;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar as wide as the terminal leaves room for.
const BAR: &str = "{msg}  {wide_bar}  {percent:>3} %  {eta} left";

/// What is done, without how much there is.
const WORDS: &str = "{spinner} {msg}";

/// Between two pictures of the spinner: something that stands still looks stuck.
const TICK: Duration = Duration::from_millis(120);

/// Progress that is shown, or not.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Whether the picture moves by itself, once there is one.
    spins: Cell<bool>,
    /// Whether there is a picture: what is quick has none, not even for a moment.
    drawn: Cell<bool>,
}

impl Progress {
    /// Progress in words, where `shown`: how much there is to do is not known.
    pub(crate) fn words(shown: bool) -> Self {
        let progress = Self::new(shown, None, WORDS);
        progress.spins.set(shown);
        progress
    }

    /// A bar towards `total`, where `shown`.
    pub(crate) fn bar(shown: bool, total: u64) -> Self {
        Self::new(shown, Some(total), BAR)
    }

    fn new(shown: bool, total: Option<u64>, template: &str) -> Self {
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(total, target).with_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        Self { bar, spins: Cell::new(false), drawn: Cell::new(false) }
    }

    /// Shows `words`, and that `done` of the total is done.
    pub(crate) fn show(&self, done: u64, words: String) {
        self.drawn.set(true);
        self.bar.set_message(words);
        self.bar.set_position(done);
        if self.spins.replace(false) {
            self.bar.enable_steady_tick(TICK);
        }
    }

    /// Takes it off the screen while `say` writes there.
    pub(crate) fn aside<T>(&self, say: impl FnOnce() -> T) -> T {
        if self.drawn.get() { self.bar.suspend(say) } else { say() }
    }

    /// Takes it off the screen for good.
    pub(crate) fn clear(&self) {
        if self.drawn.replace(false) {
            self.bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    /// What was being done may have ended early.
    fn drop(&mut self) {
        self.clear();
    }
}
