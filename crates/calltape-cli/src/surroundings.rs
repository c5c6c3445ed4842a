//! What the command line finds around it: environment, folder, terminal, clock, time zone. Taken from the process once;
//! tests make their own, so that every command's output is the same everywhere.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::PathBuf;

use calltape_engine::settings;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Columns of a text that goes into a file or a pipe, where COLUMNS does not say: so many that nothing folds.
const PIPE_WIDTH: usize = 10_000;

/// The narrowest terminal that text is arranged for; a narrower one wraps it.
const NARROWEST: usize = 40;

/// What the command line finds around it.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The folder relative paths stand in.
    pub directory: PathBuf,
    /// The environment; what begins with `CALLTAPE_` is read.
    pub environment: HashMap<String, String>,
    /// Columns to arrange text in.
    pub width: usize,
    /// Whether the output is a terminal, so that a line must fit it.
    pub terminal: bool,
    /// Whether the error stream is a terminal, where what is being done may be shown.
    pub progress: bool,
    /// Whether `--color auto` colours.
    pub color: bool,
    /// The present; `None` asks the clock each time.
    pub now: Option<Timestamp>,
    /// The time zone of times shown, unless `--utc`.
    pub zone: TimeZone,
    /// Asked now and then while the tape answers a question; true ends it. Where Ctrl-C ends the process there is none.
    pub interrupt: Option<fn() -> bool>,
}

impl Surroundings {
    /// The process's own.
    pub fn of_process() -> Self {
        let settings::Surroundings { directory, environment } = settings::Surroundings::of_process();
        let stdout = std::io::stdout();
        let terminal = stdout.is_terminal();
        let progress = std::io::stderr().is_terminal();
        let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse::<usize>().ok());
        let size = terminal_size::terminal_size_of(&stdout).map(|(width, _)| usize::from(width.0));
        let width = size.filter(|_| terminal).or(columns).unwrap_or(PIPE_WIDTH).max(NARROWEST);
        let color = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        let zone = TimeZone::system();
        Self { directory, environment, width, terminal, progress, color, now: None, zone, interrupt: None }
    }

    /// The present.
    pub(crate) fn now(&self) -> Timestamp {
        self.now.unwrap_or_else(Timestamp::now)
    }
}
